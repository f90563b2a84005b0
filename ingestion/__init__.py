"""Landing files to immutable raw Parquet and its ledger: the first package of the warehouse."""
