"""What marts declare of themselves keeps the rules: how columns aggregate, which dimension holds a key, what joins do."""

import re
from copy import deepcopy
from typing import Any

import pytest

from warehouse import data_dictionary

Mart = dict[str, Any]
MARTS: dict[str, Mart] = {mart["name"]: mart for mart in data_dictionary.marts()}
JOINS = data_dictionary.joins()

# Columns whose value is a ratio, a statistic, a rank, a place or an id: no sum of them says anything.
NEVER_SUMMED = re.compile(
    r"^(er|roi|cpm|cpc|cpe|cpa|roas|emv_ratio|price_from|price_to)(_|$)|(^|_)(rate|ratio|share|percentile|median|p\d\d|rank"
    r"|score|points|threshold|coverage|number|hours|days|minutes|line|year|quarter|month|week|weekday|fx)(_|$)|_per_"
    r"|_(low|high)(_|$)|^(min|max|peak|usual)_"
)
# What is counted, however it is called: days and rates are none, posts of a median's window are.
COUNTED = re.compile(r"_posts$|^(posts|orders|clicks|mentions)")
# Columns that hold the same whole in each of their values, so that a sum over them counts it once per value.
FIXED = {"attribution_model", "scheme"}
# Amounts in the currency of each row: rows of two currencies do not add up.
IN_OWN_CURRENCY = {"amount", "base_amount", "agreed_fee", "budget", "target_value", "price"}


def numeric(mart: Mart) -> list[dict[str, Any]]:
    return [column for column in mart["columns"] if column["type"].startswith(data_dictionary.NUMERIC)]


def faults_of(mart: Mart) -> list[str]:
    """What of a mart's declarations cannot be true."""
    names, found = {column["name"] for column in mart["columns"]}, []
    for column in mart["columns"]:
        name, how = column["name"], column.get("aggregation")
        is_numeric = column["type"].startswith(data_dictionary.NUMERIC)
        if is_numeric != (how is not None):
            found.append(f"{name}: {'no aggregation' if is_numeric else 'aggregates, but is no number'}")
        elif how is None:
            continue
        elif how not in data_dictionary.AGGREGATIONS:
            found.append(f"{name}: {how} is no aggregation")
        elif how != "none" and column["type"] == "double":
            found.append(f"{name}: a double has no exact sum")
        elif how != "none" and NEVER_SUMMED.search(name) and not COUNTED.search(name):
            found.append(f"{name}: a ratio, statistic or place has no sum")
        elif how != "none" and name in IN_OWN_CURRENCY:
            found.append(f"{name}: amounts of several currencies have no sum")
        elif how == "sum" and FIXED & set(mart["key"]):
            found.append(f"{name}: each {' and '.join(sorted(FIXED & set(mart['key'])))} holds the whole")
        elif how == "sum_within_model" and "attribution_model" not in mart["key"]:
            found.append(f"{name}: there is no attribution model to fix")
        elif how == "last" and name in ("followers", "price_base") and "snapshot_date" not in mart["key"]:
            # One row per account, with the day of the value beside it.
            if not names & {"as_of_date", "followers_date"}:
                found.append(f"{name}: a state of an unknown day")
        elif how == "sum" and name in ("followers", "following", "views_total", "balance_base"):
            found.append(f"{name}: a state has no sum over days")
        if not set(column.get("not_over", ())) <= set(mart["key"]):
            found.append(f"{name}: not over what is no column of the key")
    return found


@pytest.mark.parametrize("name", MARTS)
def test_each_numeric_column_says_how_it_aggregates_and_none_what_cannot_be(name: str) -> None:
    assert faults_of(MARTS[name]) == []


@pytest.mark.parametrize(
    ("mart", "column", "declared", "fault"),
    [
        ("fct_order", "gross_base", {}, "no aggregation"),
        ("fct_order", "country", {"aggregation": "sum"}, "is no number"),
        ("fct_order", "gross_base", {"aggregation": "total"}, "total is no aggregation"),
        ("fct_campaign_roi", "roi_net", {"aggregation": "sum_within_model"}, "a double has no exact sum"),
        ("fct_campaign_roi", "cpm", {"aggregation": "sum_within_model"}, "has no sum"),
        ("fct_spend_ledger", "amount", {"aggregation": "sum"}, "several currencies"),
        ("fct_return_daily", "spend_base", {"aggregation": "sum"}, "each attribution_model holds the whole"),
        ("fct_order", "gross_base", {"aggregation": "sum_within_model"}, "no attribution model to fix"),
        ("fct_account_daily", "followers", {"aggregation": "sum"}, "no sum over days"),
        ("fct_hashtag_daily", "posts", {"aggregation": "sum", "not_over": ["tier"]}, "no column of the key"),
    ],
)
def test_a_declaration_that_cannot_be_is_found(mart: str, column: str, declared: dict[str, Any], fault: str) -> None:
    broken = deepcopy(MARTS[mart])
    for index, held in enumerate(broken["columns"]):
        if held["name"] == column:
            kept = {name: held[name] for name in ("name", "type", "description")}
            broken["columns"][index] = kept | declared
    (found,) = faults_of(broken)
    assert found.startswith(f"{column}: ")
    assert fault in found


def test_a_comment_says_how_a_column_aggregates() -> None:
    of = {column["name"]: data_dictionary.comment_of(column) for column in MARTS["fct_hashtag_daily"]["columns"]}
    assert of["posts"].endswith("Aggregation: sum (sums over every column of the key), but not over `hashtag`.")
    assert "Aggregation: none" in of["growth_7d"]
    assert "Aggregation" not in of["hashtag"]


def test_the_dictionary_shows_how_a_column_aggregates() -> None:
    text = data_dictionary.render()
    for word, meaning in data_dictionary.AGGREGATIONS.items():
        assert f"- `{word}`: {meaning}." in text
    lines = [line for line in text.split("\n") if line.startswith("| `spend_base` | decimal(38,6) |")]
    assert any(line.endswith("| sum_within_model |") for line in lines)
    assert any(line.endswith("| sum, not over `hashtag` |") for line in text.split("\n"))


def test_the_overview_and_the_dictionary_show_every_join() -> None:
    assert data_dictionary.OVERVIEW.read_text(encoding="utf-8") == data_dictionary.render_overview()
    text = data_dictionary.render()
    for join in JOINS:
        assert f"- `{join['to']}` on " in text.partition(f"\n### {join['from']}\n")[2].partition("\n### ")[0]


# --- keys and their dimensions

# Columns, under whatever name, that are a key of a dimension.
KEY_COLUMNS = {
    "dim_account": {("platform", "account_id"), ("main_platform", "main_account_id")},
    "dim_creator": {("creator_id",)},
    "dim_brand": {("brand",)},
    "dim_campaign": {("campaign_id",)},
    "dim_collaboration": {("collaboration_id",), ("code_collaboration_id",)},
    "dim_tier": {("tier",), ("from_tier",), ("to_tier",), ("previous_tier",)},
    "dim_date": {("snapshot_date",), ("activity_date",), ("published_date",), ("window_start",), ("month",)},
}
# Tiers of schemes by platforms or `*`, a calendar's own month, and the range of a run.
NOT_REFERENCES = {("dim_tier_scheme", "dim_tier"), ("dim_date", "dim_date"), ("fct_publication", "dim_date")}


def undeclared(references: list[data_dictionary.Reference]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Marts with the columns of a key that the dimension does not say it holds."""
    declared = {(of.mart, of.dimension, own) for of in references for own, _ in of.pairs}
    missing = set()
    for dimension, keys in KEY_COLUMNS.items():
        for name, mart in MARTS.items():
            columns = {column["name"] for column in mart["columns"]}
            for key in keys:
                is_own = set(key) <= set(mart["key"]) and name == dimension
                if set(key) <= columns and not is_own and (name, dimension) not in NOT_REFERENCES:
                    missing |= {(name, dimension, key) for own in key if (name, dimension, own) not in declared}
    return missing


def test_each_dimension_declares_every_mart_with_its_key() -> None:
    assert undeclared(data_dictionary.references()) == set()


def test_a_mart_that_no_dimension_declares_is_found() -> None:
    kept = [of for of in data_dictionary.references() if (of.mart, of.dimension) != ("fct_advocate", "dim_account")]
    assert undeclared(kept) == {("fct_advocate", "dim_account", ("platform", "account_id"))}


# Days that lie within those of a mart by which dim_date is bounded: a capture's, a post's or an order's.
WITHIN = {
    "fct_account_daily": "dim_account", "fct_account_tier_daily": "dim_account", "fct_follower_trust_daily": "dim_account",
    "fct_tier_benchmark_daily": "dim_account", "fct_tier_equivalence": "dim_account", "dim_account_tier_history": "dim_account",
    "fct_account_engagement_daily": "fct_post", "fct_account_benchmark_daily": "fct_post", "fct_post_daily": "fct_post",
    "fct_hashtag_daily": "fct_post", "fct_hashtag_tier_daily": "fct_post", "bridge_post_hashtag": "fct_post",
    "fct_attribution": "fct_order", "fct_promo_code_daily": "fct_order", "fct_campaign_daily": "fct_return_daily",
    "fct_payout_statement": "fct_commission_ledger",
}  # fmt: skip


def unbounded(bounds: set[str]) -> set[str]:
    """Marts with a day that dim_date need not reach."""
    dated = {of.mart for of in data_dictionary.references() if of.dimension == "dim_date"}
    return {mart for mart in dated if not {mart, WITHIN.get(mart)} & bounds}


def bounds_of_days() -> set[str]:
    sql = next(data_dictionary.MARTS.rglob("dim_date.sql")).read_text(encoding="utf-8")
    return {mart for mart, _ in re.findall(r'\("(\w+)", "(\w+)"\)', sql)}


def test_the_days_reach_as_far_as_those_of_every_mart() -> None:
    assert unbounded(bounds_of_days()) == set()


def test_a_mart_whose_days_may_begin_before_is_found() -> None:
    """Evidence reaches 90 days back, where nothing was captured yet."""
    assert unbounded(bounds_of_days() - {"fct_follower_flag"}) == {"fct_follower_flag"}
    assert unbounded(bounds_of_days() - {"fct_order"}) == {"fct_order", "fct_attribution", "fct_promo_code_daily"}


# --- joins

# Where a range of days, or a platform's own rows or else those of all, leaves one row: shown on the sample alone.
BY_RANGE = {("fct_account_daily", "dim_account_tier_history"), ("fct_account_tier_daily", "dim_tier_scheme")}
# What narrows a join to one row is no column of the key: one accrual an order, one current version, one credit.
BY_RULE = {
    ("fct_attribution", "fct_commission_ledger"),
    ("fct_collaboration_roi", "dim_collaboration_version"),
    ("fct_order", "fct_attribution"),
    ("fct_account_daily", "fct_tier_equivalence"),
}
EQUAL = re.compile(r"\bthere\.(\w+) = |= there\.(\w+)")


def compared(conditions: list[str]) -> set[str]:
    """Columns of the second mart that conditions compare for equality."""
    found = set()
    for condition in conditions:
        if condition.isidentifier():
            found.add(condition)
        found |= {first or second for first, second in EQUAL.findall(condition)}
    return found


def join_faults(join: dict[str, Any]) -> list[str]:
    """What of a join cannot be, by the keys of its two marts."""
    pair = (join["from"], join["to"])
    if not set(pair) <= set(MARTS):
        return ["is of no mart"]
    key, columns = set(MARTS[join["to"]]["key"]), compared(join["match"])
    if join["rows"] == "multiplied":
        found = ["says it multiplies, and has the whole key"] if key <= columns else []
        if "single" in join and pair not in BY_RANGE | BY_RULE and not key <= columns | compared([join["single"]]):
            found.append("says that it keeps rows with what is no whole key")
        return found + ([] if "per" in join else ["does not say per what"])
    return [] if key <= columns or pair in BY_RANGE else ["says it keeps rows, and lacks a part of the key"]


@pytest.mark.parametrize("join", JOINS, ids=lambda join: f"{join['from']}-{join['to']}")
def test_a_join_keeps_rows_where_it_has_the_whole_key(join: dict[str, Any]) -> None:
    assert join_faults(join) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"to": "fct_nothing"}, "is of no mart"),
        ({"match": ["platform"]}, "says it keeps rows, and lacks a part of the key"),
        ({"rows": "multiplied", "per": "post"}, "says it multiplies, and has the whole key"),
    ],
)
def test_a_join_that_cannot_be_is_found(changed: dict[str, Any], fault: str) -> None:
    kept = next(join for join in JOINS if (join["from"], join["to"]) == ("fct_post_daily", "fct_post"))
    assert join_faults({**kept, **changed}) == [fault]


def test_a_filter_that_leaves_several_rows_is_found() -> None:
    join = next(join for join in JOINS if (join["from"], join["to"]) == ("fct_contest", "fct_campaign_roi"))
    assert join_faults({**join, "single": "there.brand = here.brand"}) == [
        "says that it keeps rows with what is no whole key"
    ]
