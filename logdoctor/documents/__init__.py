"""Machine formats that are no text log: one document, database, event file or folder a file."""
