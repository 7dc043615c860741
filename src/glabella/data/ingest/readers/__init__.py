"""One reader for each family of file formats; none interprets what it reads."""
