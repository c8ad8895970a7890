"""Text structures that logdoctor reads, one a file."""
