"""From bytes to clean lines, one subject a file; :mod:`logdoctor.sources` puts them together."""
