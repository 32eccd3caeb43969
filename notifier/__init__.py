"""Sierra out: wakes on a notification, claims what is due, writes it to Sierra, finishes it. Knows no HTTP in."""
