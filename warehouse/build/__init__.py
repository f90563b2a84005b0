"""Build the marts of one run with dbt, in private database files that no reader opens."""
