"""Sierra out: wakes on a notification, claims a batch, writes it to Sierra, finishes it. Knows nothing of HTTP in."""
