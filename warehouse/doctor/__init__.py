"""Say what is wrong with a data folder, and the command that mends it."""
