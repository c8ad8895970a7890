"""The parts of a report that tie findings together, one subject a file; :mod:`logdoctor.story` calls them."""
