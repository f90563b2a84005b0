"""Ask platforms for public counts, and write their answers to landing as they came.

`fetch` talks HTTP, a module per platform knows its endpoints, `journal` keeps what has come so that a killed capture
goes on, `capture` is the order of it all. Nothing here reads a count: library mappings do, when the files are landed.
"""
