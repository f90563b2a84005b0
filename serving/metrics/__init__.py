"""Metrics that are defined once, in the dbt project, and asked of a release."""
