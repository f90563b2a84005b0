"""A test against a real network of servers, run by hand: it needs programs that the project does not install."""
