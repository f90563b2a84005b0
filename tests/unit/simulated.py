"""What holds for each simulated file, whoever makes it."""

from ingestion.contracts import load_feeds
from ingestion.mapping.in_use import library_mappings

# Columns that feeds have gained since the files were made; none of them is required.
LATER = {
    "valid_from", "renewals_at", "shop", "brand", "status", "cancelled_at", "refund_line_id", "goods_amount",
    "tax_amount", "shipping_amount", "quote_currency", "author_account_id",
}  # fmt: skip


def require_own_layout(feed: str, line: str) -> None:
    """The header holds the feed's columns in its order, all that are required, and its mapping claims it as simulated."""
    contract, header = load_feeds()[feed], line.split(",")
    assert header == [name for name in contract.columns if name in header]
    assert set(contract.columns) - set(header) <= LATER
    assert set(contract.required) <= set(header)
    mapping = library_mappings()[f"simulated_{feed}"]
    assert (mapping.feed, mapping.origin) == (feed, "simulated")
    assert mapping.columns is not None
    assert {name for name, source in mapping.columns.items() if not source.optional} <= set(header)
    assert set(header) <= set(mapping.columns)
