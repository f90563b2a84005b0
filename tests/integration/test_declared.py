"""What marts declare of themselves is true of the sample: joins, keys in their dimensions, and what adds up to what."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse import data_dictionary

from .conftest import Night, reading

JOINS = data_dictionary.joins()
ADDITIVE = {
    mart["name"]: {
        column["name"] for column in mart["columns"] if column.get("aggregation") in ("sum", "sum_within_model")
    }
    for mart in data_dictionary.marts()
}
# The sample holds no agreement with two versions and no post of two collaborations: tests/dbt/test_marts_by_hand.py.
NEVER_SEVERAL = {("fct_collaboration_roi", "dim_collaboration_version"), ("fct_post", "bridge_post_collaboration")}
DEFAULT_MODEL = "code_or_last_click"


@pytest.fixture(scope="module")
def marts(sample_night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    with reading(sample_night.settings) as connection:
        yield connection


# --- joins


def condition(*parts: str) -> str:
    return " and ".join(f"here.{part} = there.{part}" if part.isidentifier() else f"({part})" for part in parts)


def matches(marts: duckdb.DuckDBPyConnection, join: dict[str, Any], *also: str) -> tuple[int, int]:
    """The fewest and the most rows of the second mart that a row of the first one meets."""
    row = marts.execute(
        f"with here as (select row_number() over () as number, * from marts.{join['from']}),"
        " met as (select here.number, count(there.is_there) as times from here left join"
        f" (select true as is_there, * from marts.{join['to']}) as there on {condition(*join['match'], *also)} group by 1)"
        " select min(times), max(times) from met"
    ).fetchone()
    assert row is not None
    assert row[0] is not None, f"{join['from']} is empty"
    return row


def does_as_said(rows: str, fewest: int, most: int) -> bool:
    if rows == "kept":
        return fewest == most == 1
    return most > 1 if rows == "multiplied" else most <= 1


@pytest.mark.parametrize("join", JOINS, ids=lambda join: f"{join['from']}-{join['to']}")
def test_a_join_keeps_or_multiplies_as_it_says(marts: duckdb.DuckDBPyConnection, join: dict[str, Any]) -> None:
    fewest, most = matches(marts, join)
    if (join["from"], join["to"]) in NEVER_SEVERAL:
        assert most == 1
    else:
        assert does_as_said(join["rows"], fewest, most), (fewest, most)
    if "single" in join:
        assert matches(marts, join, join["single"])[1] == 1


@pytest.mark.parametrize(
    ("pair", "rows", "match"),
    [
        (("fct_contest", "fct_campaign_roi"), "kept", ["campaign_id"]),
        (("fct_attribution", "fct_collaboration_roi"), "kept", ["collaboration_id", "attribution_model"]),
        (("fct_attribution", "fct_collaboration_roi"), "kept_or_none", ["collaboration_id"]),
        (("fct_post_daily", "fct_post"), "multiplied", ["platform", "post_id"]),
    ],
)
def test_a_join_that_does_otherwise_is_found(
    marts: duckdb.DuckDBPyConnection, pair: tuple[str, str], rows: str, match: list[str]
) -> None:
    assert not does_as_said(rows, *matches(marts, {"from": pair[0], "to": pair[1], "match": match}))


# --- keys


@pytest.mark.parametrize(
    "reference", data_dictionary.references(), ids=lambda of: f"{of.mart}-{of.pairs[-1][0]}-{of.dimension}"
)
def test_every_key_is_in_its_dimension(marts: duckdb.DuckDBPyConnection, reference: data_dictionary.Reference) -> None:
    """Of all days; the test of a run looks at the days that it replaces."""
    own = ", ".join(column for column, _ in reference.pairs)
    known = " and ".join(f"{column} is not null" for column, _ in reference.pairs)
    keys = ", ".join(column for _, column in reference.pairs)
    missing = marts.execute(
        f"select {own} from marts.{reference.mart} where {known} except select {keys} from marts.{reference.dimension}"
    ).fetchall()
    assert missing == []


# --- sums

# The finer mart, what of it is in the coarser one, and by what the two are grouped.
ROLLED_UP = {
    "fct_campaign_daily": (
        "fct_return_daily where campaign_id <> '(unattributed)'", "fct_campaign_daily where attribution_model <> 'any_touch'",
        "campaign_id, attribution_model",
    ),
    "fct_campaign_roi": (
        "fct_return_daily where campaign_id <> '(unattributed)'", "fct_campaign_roi where attribution_model <> 'any_touch'",
        "campaign_id, attribution_model",
    ),
    "fct_collaboration_roi": (
        "fct_return_daily where collaboration_id not like '(%'",
        "fct_collaboration_roi where attribution_model <> 'any_touch'", "collaboration_id, attribution_model",
    ),
    "fct_tier_roi": (
        "fct_return_daily inner join (select collaboration_id, scheme, tier from marts.bridge_collaboration_tier)"
        " using (collaboration_id) where collaboration_id <> '(unattributed)'",
        "fct_tier_roi where attribution_model <> 'any_touch'", "scheme, tier, campaign_id, brand, attribution_model",
    ),
    "dim_campaign": ("dim_collaboration where is_landed", "dim_campaign", "campaign_id"),
    "fct_account_latest": (
        "fct_return_daily inner join (select collaboration_id, platform, account_id from marts.dim_collaboration"
        f" where is_landed) using (collaboration_id) where attribution_model = '{DEFAULT_MODEL}'",
        "fct_account_latest", "platform, account_id",
    ),
    "fct_contest": ("fct_contest_daily", "fct_contest", "campaign_id"),
}  # fmt: skip
# Strict columns are null where a part is unknown, and another name holds what is known.
KNOWN = {
    "spend_known_base": "spend_base", "net_revenue_known_base": "net_revenue_base", "product_cost_known_base": "product_cost_base",
}  # fmt: skip


def unequal(
    marts: duckdb.DuckDBPyConnection, fine: str, coarse: str, group: str, columns: dict[str, str]
) -> set[tuple[Any, ...]]:
    """Groups of the coarser mart of which a known value is not the sum over the finer one, with the column."""
    found = set()
    for column, of_fine in sorted(columns.items()):
        rows = marts.execute(
            f"with fine as (select {group}, coalesce(sum({of_fine}), 0) as fine from marts.{fine} group by all),"
            f" coarse as (select {group}, case when count({column}) = count(*) then sum({column}) end as coarse from marts.{coarse} group by all)"
            f" select {group} from coarse left join fine using ({group})"
            " where coarse is not null and coarse <> coalesce(fine, 0)"
        ).fetchall()
        found |= {(column, *row) for row in rows}
    return found


@pytest.mark.parametrize("mart", ROLLED_UP)
def test_what_is_declared_to_add_up_does(marts: duckdb.DuckDBPyConnection, mart: str) -> None:
    fine, coarse, group = ROLLED_UP[mart]
    shared = ADDITIVE[mart] & ADDITIVE[fine.split()[0]]
    columns = {column: column for column in shared}
    columns |= {known: of for known, of in KNOWN.items() if known in ADDITIVE[mart] and of in ADDITIVE[fine.split()[0]]}
    assert columns
    assert unequal(marts, fine, coarse, group, columns) == set()


def test_a_sum_that_counts_a_part_twice_is_found(marts: duckdb.DuckDBPyConnection) -> None:
    """Views of a post of two days, money over attribution models, and followers over days are no wholes."""
    spend = {"budget_used_base": "spend_base"}
    one = "fct_return_daily where attribution_model = 'linear'"
    assert unequal(marts, one, "dim_campaign", "campaign_id", spend) == set()
    assert unequal(marts, "fct_return_daily", "dim_campaign", "campaign_id", spend)
    assert unequal(marts, "fct_post_daily", "fct_post", "platform, post_id", {"views": "views"})
    assert unequal(marts, "fct_account_daily", "fct_account_latest", "platform, account_id", {"followers": "followers"})


# What the whole is, free of attribution models and dimensions.
WHOLES = {
    "spend_base": "sum(amount_base) from marts.fct_spend_ledger where is_spend",
    "spend_ads_base": "sum(amount_base) from marts.fct_spend_ledger where is_spend and cost_type = 'ads'",
    "spend_agency_base": "sum(amount_base) from marts.fct_spend_ledger where is_spend and cost_type = 'agency'",
    "spend_commission_base": "sum(amount_base) from marts.fct_spend_ledger where is_spend and cost_type = 'commission'",
    "net_revenue_base": "sum(net_revenue_base) from marts.fct_order",
    "product_cost_base": "sum(product_cost_base) from marts.fct_order",
    "orders": "sum(order_count) from marts.fct_order",
    "clicks": "sum(clicks) from marts.fct_click_daily",
}
BY = {
    "collaboration_id": "fct_return_daily",
    "campaign_id": "fct_return_daily",
    "brand": "fct_return_daily",
    "activity_date": "fct_return_daily",
    "month_start_date": "fct_return_daily inner join marts.dim_date on activity_date = date_day",
    "campaign_name": "fct_return_daily inner join marts.dim_campaign using (campaign_id)",
    "partner_type": "fct_return_daily inner join marts.dim_collaboration using (collaboration_id)",
    "creator_id": "fct_return_daily inner join marts.dim_collaboration using (collaboration_id)",
    "tier": "fct_return_daily inner join marts.bridge_collaboration_tier using (collaboration_id) where scheme = 'standard' and true",
}


def wholes_by(marts: duckdb.DuckDBPyConnection, column: str, by: str) -> set[Any]:
    """The sum over the groups of each conserving model."""
    rows = BY[by]
    rows += " and" if " where " in rows else " where"
    found = marts.execute(
        f"with parts as (select attribution_model, {by} as part, sum(fct_return_daily.{column}) as value"
        f" from marts.{rows} attribution_model <> 'any_touch' group by all)"
        " select attribution_model, sum(value) from parts group by 1"
    ).fetchall()
    assert len(found) == 8
    return {value for _, value in found}


@pytest.mark.parametrize("by", BY)
def test_returns_by_anything_are_the_whole_under_every_conserving_model(
    marts: duckdb.DuckDBPyConnection, by: str
) -> None:
    """To the cent, and costs of campaigns themselves are in it."""
    for column, sql in WHOLES.items():
        (whole,) = marts.execute(f"select {sql}").fetchone() or (None,)
        assert whole
        assert all(abs(value - whole) < 0.005 for value in wholes_by(marts, column, by)), column
    row = marts.execute(
        "select count(*), sum(spend_base) from marts.fct_return_daily"
        " where collaboration_id = '(campaign)' and attribution_model = 'linear'"
    ).fetchone()
    assert row is not None
    assert row[0] > 0
    assert row[1] > 0


def test_a_whole_that_is_held_once_per_tier_scheme_is_found(
    marts: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BY, "tier", BY["tier"].replace("scheme = 'standard'", "scheme <> ''"))
    (whole,) = marts.execute(f"select {WHOLES['spend_base']}").fetchone() or (None,)
    assert wholes_by(marts, "spend_base", "tier") == {8 * whole}
