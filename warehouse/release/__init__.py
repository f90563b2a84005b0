"""Releases: made whole, shown by one link, kept for rollback."""
