"""What training code says about a cause: read with ``ast``, never executed, one pattern a file."""
