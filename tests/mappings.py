"""Mappings in use in a test."""

from ingestion.mapping.grammar import Mapping
from ingestion.mapping.in_use import Mappings, library_mappings


def only(*mappings: Mapping) -> Mappings:
    """Nothing but these in use, and no library."""
    return Mappings({mapping.mapping: mapping for mapping in mappings})


def all_of_library(*more: Mapping) -> Mappings:
    """The whole library switched on, and these besides."""
    library = library_mappings()
    return Mappings({**library, **{mapping.mapping: mapping for mapping in more}}, library)
