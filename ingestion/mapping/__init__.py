"""A vendor's own layout in YAML: its grammar, what is inferred for one, and the library of ready mappings."""
