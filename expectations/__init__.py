"""Great Expectations suites: arrival, volume, freshness and distribution of landing data, plausibility of the marts."""
