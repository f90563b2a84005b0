"""Plans, builds and releases the marts."""
