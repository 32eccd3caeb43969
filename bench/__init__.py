"""Measurements of the real processes: their speed, and the faults that they endure."""
