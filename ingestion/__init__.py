"""Landing files to immutable raw Parquet and its ledger: the first room of the warehouse."""
