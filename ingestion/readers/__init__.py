"""One module per file format; each gives the cells of a file as text, with their lines."""
