"""The nightly report: one HTML page that needs no network."""
