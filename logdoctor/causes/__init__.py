"""Root causes, one a file."""
