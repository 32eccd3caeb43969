"""How fast is it, and what does it endure? Measured on the real processes."""
