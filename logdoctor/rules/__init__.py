"""What logdoctor looks for, one finding a file."""
