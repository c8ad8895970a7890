"""Arrays in, scores out. No metric is known by name here."""
