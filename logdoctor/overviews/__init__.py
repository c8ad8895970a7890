"""Outputs of a sweep, one a file."""
