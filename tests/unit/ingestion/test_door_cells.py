"""One reading of a cell: what a column's cells are read as, when they load, in `keep` and in `hidden_when`.

The files of `tests/fixtures/door` are made-up exports of kinds that were read wrongly; their right values are worked
out by hand in each test.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from ingestion import erasure, landing, ledger
from ingestion.config import PROJECT_DIR
from ingestion.errors import ContractError
from ingestion.mapping import grammar
from tests.mappings import only

from ..conftest import Yard
from .test_formats import xlsx
from .test_mapping_traits import HEAD, IDS, PATH, Use, land, use

__all__ = ["use"]
DOOR = PROJECT_DIR / "tests" / "fixtures" / "door"
COSTS = """
mapping: m
feed: costs
pattern: "x*"
{file}
columns:
  cost_id: {{from: id}}
  cost_date: {{constant: 2026-01-05}}
  cost_type: {{constant: fee}}
  amount: {{from: amount{traits}}}
  currency: {{constant: USD}}
"""


def land_case(yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str, folder: str, mapping: str = "") -> str:
    """Land a file of the fixture, under its mapping; returns its path in landing."""
    if mapping:
        loaded = grammar.load_mapping(DOOR / mapping)
        monkeypatch.setattr(landing, "load_mappings", lambda *_: only(loaded))
    yard.drop(f"{folder}/{name}", (DOOR / name).read_bytes())
    yard.land()
    return f"{folder}/{name}"


def land_costs(yard: Yard, use: Use, cells: list[str], traits: str = "", file: str = "") -> list[Any]:
    """Amounts of costs, one a row."""
    use(COSTS.format(traits=f", {traits}" if traits else "", file=file))
    rows = "".join(f'k{number},"{cell}"\n' for number, cell in enumerate(cells))
    return [amount for (amount,) in land(yard, f"id,amount\n{rows}", "amount", "costs/x.csv")]


# --- marks


def test_a_stated_mark_holds_for_columns_without_parse(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "03_decimal_comma_count_without_parse.csv", "account_snapshots", "03.yml")
    assert yard.rows(path, "followers, posts") == [(12431, 301), (8020, 1000), (1_200_000, 2000)]


def test_points_that_could_be_thousands_are_asked_about(yard: Yard, use: Use) -> None:
    """Under a mapping that says no mark the amounts 1.250, 2.400 and 12.500 have two readings, 980 has one."""
    text = """
    mapping: m
    feed: costs
    pattern: "04_*"
    delimiter: ;
    {mark}
    columns: {{cost_id: {{from: cost_id}}, cost_date: {{from: cost_date}}, cost_type: {{from: cost_type}},
              amount: {{from: amount}}, currency: {{from: currency}}}}
    """
    path = "costs/04_thousands_points_inferred.csv"
    use(text.format(mark=""))
    yard.drop(path, (DOOR / "04_thousands_points_inferred.csv").read_bytes())
    yard.land("one")
    assert yard.rows(path, "cost_id, amount") == [("R-3", 980)]
    assert yard.rejects(path)[0][1:4] == (
        "amount", "1.250", "can be read as 1.250 or as 1250: say `decimal_mark: '.'` or `decimal_mark: ','`",
    )  # fmt: skip
    for number, (mark, amounts) in enumerate(
        [("','", ["1250", "2400", "980", "12500"]), ("'.'", ["1.25", "2.4", "980", "12.5"])]
    ):
        use(text.format(mark=f"decimal_mark: {mark}"))
        yard.land(f"again-{number}")
        assert [amount for (amount,) in yard.rows(path, "amount")] == [Decimal(amount) for amount in amounts]


def test_a_canonical_amount_has_a_decimal_point_and_a_canonical_count_has_none(yard: Yard) -> None:
    """The contract says so of amounts; a count of 1.000 is 1 or 1000 all the same."""
    yard.drop_rows("costs/x.csv", "a,2026-01-05,fee,2.400,USD", header="cost_id,cost_date,cost_type,amount,currency")
    yard.drop_rows(PATH, "youtube,a,2026-01-05,1.000", "youtube,b,2026-01-05,42.0", "youtube,c,2026-01-05,7.00")
    yard.land()
    assert yard.rows("costs/x.csv", "amount") == [(Decimal("2.4"),)]
    assert yard.rows(PATH) == [("b", 42), ("c", 7)]
    assert "can be read as 1.000 or as 1000" in yard.rejects(PATH)[0][3]


@pytest.mark.parametrize(
    ("file", "traits", "cell", "amount"),
    [
        ("decimal_mark: ','", "", "1.250,00", "1250"),
        ("decimal_mark: ','", "", "99,50", "99.5"),
        ("decimal_mark: ','", "", "2.400", "2400"),
        ("decimal_mark: ','", "", "1 250,5", "1250.5"),
        ("decimal_mark: '.'", "", "2.400", "2.4"),
        ("decimal_mark: '.'", "", "1,250.00", "1250"),
        ('thousands_mark: "\'"', "", "1'250.00", "1250"),
        ("thousands_mark: '.'", "", "1.250", "1250"),
        ("thousands_mark: '.'", "", "1.250,75", "1250.75"),
        ("", "parse: number", "1,054.00", "1054"),
        ("", "parse: number", "12,34,567.50", "1234567.5"),
        ("", "parse: number", "3.25 lakh", "325000"),
        ("", "parse: number", "1.2 Cr", "12000000"),
        ("", "parse: number", "1.5万", "15000"),
        ("", "parse: number", "2亿", "200000000"),
        ("decimal_mark: ','", "parse: number", "12,4 mil", "12400"),
        ("", "parse: number, units: {mil: 1000000}", "12.4 mil", "12400000"),
        ("", "parse: number", "(123.45)", "-123.45"),
        ("", "parse: number", "$(80.00)", None),
        ("", "parse: number", "($80.00)", "-80"),
        ("", "parse: number", "-€ 80.50", "-80.5"),
        ("", "parse: number", "80.00-", "-80"),
        ("decimal_mark: ','", "parse: number", "R$ 1.234,50", "1234.5"),
        ("decimal_mark: ','", "parse: number", "1 234,50 zł", "1234.5"),
        ("decimal_mark: ','", "parse: number", "1.234,50 kr.", "1234.5"),
        ("", "parse: number", "US$1,234.50", "1234.5"),
        ("", "parse: number", "Rs. 12,34,567", "1234567"),
        ("", "parse: number", "−80.00", "-80"),
        ("", "", "-80.00", "-80"),
        ("", "", "0.123456", "0.123456"),
        ("", "round: 2", "12.345678901", "12.35"),
        ("", "round: 2", "-12.345", None),
        ("decimal_mark: '.'", "round: 2", "-12.345", "-12.35"),
        ("", "", "1,5", None),
        ("", "parse: number", "2,400", None),
        ("", "parse: number", "12.4 mil", None),
        ("thousands_mark: ' '", "", "1,250.00", None),
        ("", "", "6.06E+04", None),
        ("", "", "--5", None),
    ],
)
def test_amounts_in_many_ways(yard: Yard, use: Use, file: str, traits: str, cell: str, amount: str | None) -> None:
    found = land_costs(yard, use, [cell, "7"], traits, file)
    assert found == [*([] if amount is None else [Decimal(amount)]), 7]


def test_a_number_of_the_file_has_a_point_whatever_the_mapping_says(yard: Yard, use: Use) -> None:
    """In a workbook, in JSON and in Parquet a cell may be a number: 1.234 there is no 1234."""
    use(COSTS.format(traits="", file="decimal_mark: ','"))
    yard.drop("costs/x.xlsx", xlsx(["id", "amount"], ["a", 1.234], ["b", "1.234"], ["c", 12.5]))
    yard.drop("costs/x.jsonl", '{"id": "a", "amount": 1.234}\n{"id": "b", "amount": "1.234"}\n')
    with duckdb.connect() as connection:
        target = yard.settings.landing / "costs" / "x.parquet"
        connection.execute(f"copy (select 'a' as id, 1.234::double as amount) to '{target}' (format parquet)")
    yard.land()
    assert yard.rows("costs/x.xlsx", "amount") == [(Decimal("1.234"),), (1234,), (Decimal("12.5"),)]
    assert yard.rows("costs/x.jsonl", "amount") == [(Decimal("1.234"),), (1234,)]
    assert yard.rows("costs/x.parquet", "amount") == [(Decimal("1.234"),)]


def test_noise_of_floats_is_read_as_the_value_and_counted(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "06_float_noise_amounts.csv", "costs", "06.yml")
    assert [str(amount) for (amount,) in yard.rows(path, "amount")] == [
        "60634.350000", "0.300000", "60634.350000", "1250.500000",
    ]  # fmt: skip
    reason = "cells with the noise of floats, read as the number that they stand for: 3 of amount"
    assert yard.batch(path)["reason"] == reason


def test_more_decimals_than_six_that_are_no_noise_are_refused(yard: Yard, use: Use) -> None:
    assert land_costs(yard, use, ["1.2345678", "1.23456700000", "1.5"]) == [Decimal("1.234567"), Decimal("1.5")]
    assert yard.rejects("costs/x.csv")[0][3] == "more than 6 decimals; say `round`"


def test_counts_in_scientific_notation_where_they_are_exact(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "21_scientific_count.csv", "account_snapshots", "21.yml")
    assert yard.rows(path, "followers, views_total") == [(245_000_000, 228_000_000_000), (166_000_000, 28_368_841_870)]


def test_a_count_that_is_not_exact_in_scientific_notation_is_invalid(yard: Yard) -> None:
    yard.drop_rows(PATH, "youtube,a,2026-01-05,2.2812345E+5", "youtube,b,2026-01-05,1E+3")
    yard.land()
    assert yard.rows(PATH, "followers, followers_null_reason, invalid_cells") == [
        (None, "invalid", '{"followers":"2.2812345E+5"}'), (1000, None, None),
    ]  # fmt: skip


# --- keep and hidden_when


def test_keep_reads_numbers_as_the_column_does(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "05_keep_compares_raw_text.csv", "refunds", "05.yml")
    assert yard.rows(path, "refund_id, amount") == [("r1", 54), ("r2", 1054), ("r4", 2400)]
    assert yard.batch(path)["rows_left_out"] == 1


def test_keep_reads_decimal_commas_and_dates_as_their_columns_do(yard: Yard, use: Use) -> None:
    use(
        """
        mapping: m
        feed: costs
        pattern: "x*"
        delimiter: ;
        decimal_mark: ','
        date_order: dmy
        keep: "amount > 0 and day >= '2026-01-02' and rank <= 1000"
        columns:
          cost_id: {from: id}
          cost_date: {from: day}
          cost_type: {constant: fee}
          amount: {from: amount}
          currency: {constant: EUR}
        """
    )
    rows = ["a;1.250,00;03/01/2026;1.000", "b;99,50;03/01/2026;9", "c;2.400;03/01/2026;9", "d;0,00;03/01/2026;9",
            "e;5,00;01/01/2026;9", "f;5,00;03/01/2026;1.001"]  # fmt: skip
    content = "".join(f"{row}\n" for row in ["id;amount;day;rank", *rows])
    assert land(yard, content, "cost_id, amount, cost_date", "costs/x.csv") == [
        ("a", 1250, date(2026, 1, 3)), ("b", Decimal("99.5"), date(2026, 1, 3)), ("c", 2400, date(2026, 1, 3)),
    ]  # fmt: skip
    assert yard.batch("costs/x.csv")["rows_left_out"] == 3


def test_a_row_whose_keep_cannot_be_told_is_refused_and_not_left_out(yard: Yard, use: Use) -> None:
    use(COSTS.format(traits="", file='keep: "amount > 0"'))
    content = 'id,amount\na,5\nb,2.400\nc,"1.054,00"\nd,n/a\ne,0\n'
    assert land(yard, content, "cost_id", "costs/x.csv") == [("a",)]
    batch = yard.batch("costs/x.csv")
    assert (batch["rows_quarantined"], batch["rows_left_out"]) == (4, 2)
    reasons = {row[2]: row[3] for row in yard.rejects("costs/x.csv") if row[2]}
    assert reasons["2.400"].startswith("'amount', by which the mapping keeps rows: can be read as 2.400 or as 2400")
    assert reasons["1.054,00"].startswith("'amount', by which the mapping keeps rows: not an amount like 1234.50; if")


def test_a_count_is_hidden_where_another_column_says_so(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, hidden_when: \"`Subscribers hidden` = 'yes'\"}}")
    content = "id,fans,Subscribers hidden\na,0,yes\nb,7,no\nc,,yes\nd,,\n"
    assert land(yard, content, "account_id, followers, followers_null_reason") == [
        ("a", None, "hidden"), ("b", 7, None), ("c", None, "hidden"), ("d", None, "not_captured"),
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["hidden", "unsupported", "not_captured"])
def test_what_an_empty_count_means(yard: Yard, use: Use, reason: str) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, absent_means: {reason}}}")
    assert land(yard, "id,fans\na,\nb,many\n", "followers_null_reason") == [(reason,), ("invalid",)]


# --- ids


def test_ids_in_scientific_notation_are_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "09_ids_in_scientific_notation.csv", "post_snapshots", "09.yml")
    assert yard.rows(path, "post_id") == []
    assert {row[3] for row in yard.rejects(path)} == {
        "an id that has lost digits: a spreadsheet or a double has rounded it; export it as text"
    }


def test_numbers_past_two_to_the_fifty_third_are_no_ids(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "09b_numeric_ids.xlsx", "post_snapshots", "09bc.yml")
    assert yard.rows(path, "post_id") == [("42",), ("6892157423637892358",)]
    assert [row[:2] for row in yard.rejects(path)] == [(2, "post_id"), (3, "post_id")]
    assert all("an id that has lost digits" in row[3] for row in yard.rejects(path))


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("42.0", "42"),
        ('"=""00123"""', "00123"),
        ("'00125", "00125"),
        ("7123\t", "7123"),
        ("\u00a07123\u00a0", "7123"),
        ("9007199254740992.0", "9007199254740992"),
        ("9007199254740994.0", None),
        ("1E5", "1E5"),
        ("12e34567", "12e34567"),
        ("1.78414E16", None),
        ('"6,8925E+18"', None),
        ("4.5", "4.5"),
        ("''x", "'x"),
        ('"="""""', None),
    ],
)
def test_an_id_is_a_text(yard: Yard, cell: str, found: str | None) -> None:
    yard.drop_rows(PATH, f"youtube,{cell},2026-01-05,1", "youtube,other,2026-01-05,2")
    yard.land()
    assert [account for account, _ in yard.rows(PATH)] == [*([] if found is None else [found]), "other"]


def test_a_double_of_parquet_is_an_id_only_where_it_is_exact(yard: Yard) -> None:
    target = yard.settings.landing / "account_snapshots" / "x.parquet"
    target.parent.mkdir(parents=True)
    rows = "(42::double), (6892505037482822918::double), (9007199254740994::double)"
    duckdb.execute(
        f"copy (select 'tiktok' as platform, i as account_id, timestamp '2026-01-05' as captured_at"
        f" from (values {rows}) t (i)) to '{target}' (format parquet)"
    )
    yard.land()
    assert yard.rows("account_snapshots/x.parquet", "account_id") == [("42",)]
    assert [row[0] for row in yard.rejects("account_snapshots/x.parquet")] == [2, 3]


def test_the_parts_of_an_id_are_ids(yard: Yard, use: Use) -> None:
    use(HEAD + IDS.replace("{from: id}", "{template: 'x-{id}'}"))
    assert land(yard, "id\n42.0\n6.8925E+18\n'007\n", "account_id") == [("x-42",), ("x-007",)]
    assert yard.rejects(PATH)[0][3].startswith("id: an id that has lost digits")


# --- bounds


def test_dates_outside_of_their_bounds_are_set_aside(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "19_cost_years.csv", "costs")
    assert yard.rows(path, "cost_id") == []
    assert [row[3] for row in yard.rejects(path)] == [
        "before 2005-01-01",
        "more than 10 years ahead of the landing",
        "not an ISO 8601 date like 2026-01-05",
        "before 2005-01-01",
    ]


def test_the_bounds_themselves_and_an_optional_date_beyond_them(yard: Yard) -> None:
    header = "campaign_id,brand,start_date,end_date"
    yard.drop_rows("campaigns/x.csv", "a,acme,2005-01-01,2030-01-01", "b,acme,2004-12-31,2030-01-01", header=header)
    rules = "rule_id,valid_from,valid_to,kind,rate,applies_to"
    yard.drop_rows("commission_rules/x.csv", "r,2026-01-01,9999-12-31,percent,10,lifetime", header=rules)
    yard.land()
    assert yard.rows("campaigns/x.csv", "campaign_id") == [("a",)]
    assert yard.rows("commission_rules/x.csv", "valid_to, invalid_cells") == [(None, '{"valid_to":"9999-12-31"}')]


# --- times


@pytest.mark.parametrize(
    ("file", "traits", "cell", "moment"),
    [
        ("date_order: dmy", "", "03/04/2025", datetime(2025, 4, 3)),
        ("date_order: mdy", "", "03/04/2025", datetime(2025, 3, 4)),
        ("date_order: mdy", "", "3/4/25 1:05 PM", datetime(2025, 3, 4, 13, 5)),
        ("date_order: dmy", "", "3.4.2025 13:05:07", datetime(2025, 4, 3, 13, 5, 7)),
        ("date_order: dmy", "", "03-04-2025, 13:05", datetime(2025, 4, 3, 13, 5)),
        ("date_order: ymd", "", "2025/4/3 13:05", datetime(2025, 4, 3, 13, 5)),
        ("date_order: dmy", "", "2025-04-03T13:05:00Z", datetime(2025, 4, 3, 13, 5)),
        ("date_order: dmy\nzone: Europe/Berlin", "time_of_day: '12:00'", "03/04/2025", datetime(2025, 4, 3, 10)),
        ("", "time_format: ['%d.%m.%Y', '%Y/%m/%d']", "03.04.2025", datetime(2025, 4, 3)),
        ("", "time_format: ['%d.%m.%Y', '%Y/%m/%d']", "2025/04/03", datetime(2025, 4, 3)),
        ("", "time_format: ['%d/%m/%Y', '%m/%d/%Y']", "25/04/2025", datetime(2025, 4, 25)),
        ("", "time_format: ['%d/%m/%Y', '%m/%d/%Y']", "04/04/2025", datetime(2025, 4, 4)),
        ("", "time_format: ['%d/%m/%Y', '%m/%d/%Y']", "03/04/2025", None),
        ("", "time_format: ['%d.%m.%Y', '%d.%m.%y']", "03.04.25", datetime(2025, 4, 3)),
        ("", "time_format: ['%d.%m.%Y', '%d.%m.%y']", "03.04.2025", datetime(2025, 4, 3)),
        ("language: de", "time_format: '%d. %B %Y'", "5. März 2025", datetime(2025, 3, 5)),
        ("language: es", "time_format: '%d de %B de %Y'", "5 de enero de 2025", datetime(2025, 1, 5)),
        ("language: fr", "time_format: '%d %b %Y'", "5 févr. 2025", datetime(2025, 2, 5)),
        ("language: pt", "time_format: '%d de %b. de %Y'", "5 de dez. de 2025", None),
        ("language: pt", "time_format: '%d de %b de %Y'", "5 de dez. de 2024", datetime(2024, 12, 5)),
        ("language: ru", "time_format: '%d %B %Y'", "5 мая 2025", datetime(2025, 5, 5)),
        ("language: it", "time_format: '%d %b %Y'", "5 martedì 2025", None),
        ("", "parse: epoch_microseconds", "1767582000123456", datetime(2026, 1, 5, 3, 0, 0, 123_456)),
        ("", "parse: epoch_nanoseconds", "1767582000123456789", datetime(2026, 1, 5, 3, 0, 0, 123_457)),
        ("", "parse: epoch_seconds", "99999999999999999", None),
        ("", "", "03/04/2025", None),
        ("", "", "31.12.2025", None),
    ],
)
def test_times_in_many_ways(yard: Yard, use: Use, file: str, traits: str, cell: str, moment: datetime | None) -> None:
    source = f"{{from: at{', ' if traits else ''}{traits}}}"
    use(f"{HEAD}{file}{IDS.replace('{constant: 2026-01-05T00:00}', source)}")
    found = land(yard, f'id,at\na,"{cell}"\n', "captured_at")
    assert found == ([] if moment is None else [(moment,)])


def test_an_optional_date_that_waits_for_its_order_sets_its_row_aside(yard: Yard, use: Use) -> None:
    text = """
    mapping: m
    feed: campaigns
    pattern: "x*"
    {order}
    columns: {{campaign_id: {{from: id}}, brand: {{constant: acme}}, start_date: {{from: start}}, end_date: {{from: end}}}}
    """
    use(text.format(order=""))
    yard.drop("campaigns/x.csv", "id,start,end\nc1,03/01/2026,04/10/2026\n")
    yard.land("one")
    assert "say `date_order: dmy` or `date_order: mdy`" in yard.rejects("campaigns/x.csv")[0][3]
    use(text.format(order="date_order: mdy"))
    yard.land("two")
    assert yard.rows("campaigns/x.csv", "start_date, end_date") == [(date(2026, 3, 1), date(2026, 4, 10))]


# --- names


def test_platforms_and_countries_have_one_spelling(yard: Yard) -> None:
    header = "platform,account_id,captured_at,country"
    rows = ["IG,a,2026-01-05,France", "Twitter,b,2026-01-05,usa", "YouTube,c,2026-01-05,Côte d'Ivoire",
            "tik tok,d,2026-01-05,Deutschland", "x,e,2026-01-05,gb", "instgram,f,2026-01-05,FR",
            "youtube,g,2026-01-05,Atlantis"]  # fmt: skip
    yard.drop_rows(PATH, *rows, header=header)
    yard.land()
    assert yard.rows(PATH, "platform, account_id, country, invalid_cells") == [
        ("instagram", "a", "FR", None), ("x", "b", "US", None), ("youtube", "c", "CI", None), ("tiktok", "d", "DE", None),
        ("x", "e", "GB", None), ("youtube", "g", None, '{"country":"Atlantis"}'),
    ]  # fmt: skip
    assert yard.rejects(PATH)[0][1::2] == (
        "platform",
        "no known platform; did you mean instagram?; a platform of your own is a row of config/platforms.csv",
    )


def test_a_user_adds_platforms_and_spellings(yard: Yard, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "platforms.csv").write_text("spelling,platform\nmynet,mynet\nMy Net!,mynet\nsnap,snapsnap\n")
    (folder / "countries.csv").write_text("spelling,country\nBlighty,GB\n")
    yard.settings = yard.settings.model_copy(update={"config": folder})
    header = "platform,account_id,captured_at,country"
    rows = [f"{name},{number},2026-01-05,blighty" for number, name in enumerate(["MyNet", "my net", "Snap", "IG"])]
    yard.drop_rows(PATH, *rows, header=header)
    yard.land()
    assert yard.rows(PATH, "platform, country") == [
        ("mynet", "GB"), ("mynet", "GB"), ("snapsnap", "GB"), ("instagram", "GB"),
    ]  # fmt: skip


def test_two_rows_of_a_user_that_are_compared_alike_and_differ_are_refused(yard: Yard, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "platforms.csv").write_text("spelling,platform\nMy Net,mynet\nmy-net,other\n")
    yard.settings = yard.settings.model_copy(update={"config": folder})
    yard.drop_rows(PATH, "mynet,a,2026-01-05,1")
    with pytest.raises(
        ContractError, match=r"platforms\.csv:3: 'my-net' is compared as 'My Net' on line 2, which stands"
    ):
        yard.land()


def test_a_constant_has_a_point_whatever_the_file_has(yard: Yard, use: Use) -> None:
    text = COSTS.format(traits="", file="decimal_mark: ','").replace("{from: amount}", "{constant: 12.50}")
    use(text)
    assert land(yard, "id\na\n", "amount", "costs/x.csv") == [(Decimal("12.5"),)]


def test_who_was_erased_under_a_former_code_stays_out(yard: Yard) -> None:
    """An account of `twitter` came on the list before `twitter` was read as x; and one that is erased now."""
    with ledger.write(yard.settings) as connection:
        ledger.begin_erasure(connection, [erasure.digest(yard.settings, erasure.ACCOUNT, "twitter", "anna")])
    erasure.begin(yard.settings, "Twitter", "bea")
    yard.drop_rows(
        PATH, "Twitter,anna,2026-01-05,1", "x,bea,2026-01-05,2", "x,cy,2026-01-05,3", "tiktok,anna,2026-01-05,4"
    )
    yard.land()
    assert yard.rows(PATH) == [("cy", 3), ("anna", 4)]


# --- what a bad cell costs


def test_a_bad_cell_costs_what_the_mapping_says(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, on_invalid: quarantine}}\n  posts: {{from: posts}}")
    assert land(yard, "id,fans,posts\na,many,1\nb,5,some\n", "account_id, posts_null_reason") == [("b", "invalid")]


def test_a_bad_amount_may_cost_its_cell_alone(yard: Yard, use: Use) -> None:
    orders = """
    mapping: m
    feed: orders
    pattern: "x*"
    columns:
      order_id: {{from: id}}
      customer_id: {{from: id}}
      ordered_at: {{constant: 2026-01-05}}
      gross_amount: {{from: total}}
      product_cost: {{from: cost{trait}}}
      order_count: {{from: n}}
      currency: {{constant: USD}}
    """
    content = "id,total,cost,n\na,10,?,1\nb,10,2.5,one\n"
    use(orders.format(trait=""))
    yard.drop("orders/x.csv", content)
    yard.land("one")
    assert yard.batch("orders/x.csv")["rows_quarantined"] == 2, "an empty order_count would be one order"
    use(orders.format(trait=", on_invalid: 'null'"))
    yard.land("two")
    assert yard.rows("orders/x.csv", "order_id, product_cost, invalid_cells") == [("a", None, '{"product_cost":"?"}')]


def test_an_object_where_a_text_belongs_costs_its_cell(yard: Yard) -> None:
    row = {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05", "display_name": {"en": "Ann"}}
    yard.drop("account_snapshots/x.jsonl", json.dumps(row) + "\n")
    yard.land()
    assert yard.rows("account_snapshots/x.jsonl", "display_name, invalid_cells") == [
        (None, json.dumps({"display_name": '{"en":"Ann"}'}, separators=(",", ":")))
    ]


def test_rows_that_differ_in_what_no_column_takes_are_duplicates(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "18_posts_with_account_counts.csv", "account_snapshots", "18.yml")
    assert yard.rows(path) == [("anna", 1200), ("bea", 900)]
    batch = yard.batch(path)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_duplicate"]) == (3, 2, 1)


def test_a_conflict_names_the_columns_that_differ(yard: Yard) -> None:
    header = "platform,account_id,captured_at,followers,posts,handle"
    yard.drop_rows(
        PATH, "youtube,a,2026-01-05,1,5,x", "youtube,a,2026-01-05,2,5,", "youtube,b,2026-01-05,1,5,x",
        "youtube,b,2026-01-05,1,6,x", header=header,
    )  # fmt: skip
    yard.land()
    assert [row[3].rpartition("; ")[2] for row in yard.rejects(PATH)] == [
        "they differ in followers, handle", "they differ in followers, handle", "they differ in posts",
        "they differ in posts",
    ]  # fmt: skip


# --- traits


def test_net_of_an_order_by_arithmetic(yard: Yard, use: Use) -> None:
    """Shopify's Total is after the discount, gross_amount is before it. A line without a total is a further item."""
    text = (DOOR / "12.yml").read_text(encoding="utf-8")
    text = text.replace("gross_amount: {from: Total}", 'gross_amount: {compute: "Total + `Discount Amount`"}')
    text = text.replace("  - feed: orders\n", '  - feed: orders\n    keep: "Total is not empty"\n')
    use(text)
    path = "exports/12_shopify_orders.csv"
    yard.drop(path, (DOOR / "12_shopify_orders.csv").read_bytes())
    yard.land()
    with duckdb.connect() as connection:
        files = str(yard.settings.raw / "orders" / "snapshot_date=*" / "*.parquet")
        found = connection.execute(
            "select order_id, gross_amount, gross_amount - discount_amount - tax_amount - shipping_amount"
            " from read_parquet(?) order by 1",
            [files],
        ).fetchall()
    assert found == [("#1001", Decimal("111.40"), 80), ("#1002", 108, 100), ("#1003", 69, 45)]


@pytest.mark.parametrize(
    ("compute", "cells", "amount"),
    [
        ("a + b", ("1", "2"), "3"),
        ("a - b", ("1", "2.5"), "-1.5"),
        ("-a", ("80.00", ""), "-80"),
        ("a * 0.01", ("12345", ""), "123.45"),
        ("a + (b or 0)", ("1", ""), "1"),
        ("a + b", ("1", ""), None),
        ("a + (b or 0)", ("1", "two"), None),
        ("a + b", ("0.1", "0.2"), "0.3"),
        ("a + b", ("99999999999999999999", "1"), None),
    ],
)
def test_arithmetic(yard: Yard, use: Use, compute: str, cells: tuple[str, str], amount: str | None) -> None:
    use(COSTS.format(traits="", file="").replace("from: amount", f'compute: "{compute}"'))
    found = land(yard, f"id,a,b\nx,{cells[0]},{cells[1]}\n", "amount", "costs/x.csv")
    assert found == ([] if amount is None else [(Decimal(amount),)])


def test_of_a_sum_the_whole_is_rounded_and_not_its_parts(yard: Yard, use: Use) -> None:
    use(COSTS.format(traits="", file="").replace("from: amount", 'compute: "a + b", round: 0'))
    assert land(yard, "id,a,b\nx,0.4,0.4\n", "amount", "costs/x.csv") == [(1,)]


def test_a_date_of_a_filter_that_is_none_is_a_text(yard: Yard, use: Use) -> None:
    use(COSTS.format(traits="", file="keep: \"day != '2026-13-45'\"").replace("constant: 2026-01-05", "from: day"))
    assert land(yard, "id,day,amount\nx,2026-01-05,1\n", "cost_id", "costs/x.csv") == [("x",)]


def test_a_sum_goes_by_the_nulls_and_the_marks_of_its_column(yard: Yard, use: Use) -> None:
    traits = """compute: "a + (b or 0)", null_values: ['-'], parse: number"""
    use(COSTS.format(traits="", file="decimal_mark: ','").replace("from: amount", traits))
    content = 'id,a,b\nx,"1.000,50",-\ny,"€ 2,25","1,2 Tsd."\nz,-,1\n'
    assert land(yard, content, "amount", "costs/x.csv") == [(Decimal("1000.5"),), (Decimal("1202.25"),)]
    assert yard.rejects("costs/x.csv")[0][3] == "empty, but required"


def test_a_part_of_a_sum_that_is_no_number_is_named(yard: Yard, use: Use) -> None:
    use(COSTS.format(traits="", file="").replace("from: amount", 'compute: "a + (b or 0)"'))
    land(yard, "id,a,b\nx,1,two\ny,2,2.400\nz,,1\n", "amount", "costs/x.csv")
    reasons = [row[3] for row in yard.rejects("costs/x.csv")]
    assert reasons[0] == "b: not an amount like 1234.50"
    assert reasons[1].startswith("b: can be read as 2.400 or as 2400")
    assert reasons[2] == "empty, but required"


@pytest.mark.parametrize(
    ("separator", "tags"),
    [
        ("' '", ["#finance|#money|#invest", "finance,|money", "fyp',|foryou", "finance|money"]),
        ("','", [None, "finance|money", "fyp|foryou", "finance|money"]),
    ],
)
def test_lists_in_other_ways(yard: Yard, use: Use, separator: str, tags: list[str | None]) -> None:
    columns = ", ".join(f"{name}: {{from: {name}}}" for name in ("platform", "post_id", "account_id", "captured_at"))
    use(
        f"mapping: m\nfeed: post_snapshots\npattern: '17*'\n"
        f"columns: {{{columns}, hashtags: {{from: hashtags, list_separator: {separator}}}}}"
    )
    path = "post_snapshots/17_hashtags.csv"
    yard.drop(path, (DOOR / "17_hashtags.csv").read_bytes())
    yard.land()
    assert [found for (found,) in yard.rows(path, "hashtags")] == tags


def test_several_hashtags_that_nothing_separates_are_not_one(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = land_case(yard, monkeypatch, "17_hashtags.csv", "post_snapshots")
    assert yard.rows(path, "post_id, hashtags") == [("p1", None), ("p2", None), ("p3", None), ("p4", "finance|money")]
    reason = "several words and no | between them: say `list_separator`"
    assert yard.batch(path)["reason"] == f"invalid cells, null now: 3 of hashtags (line 2: {reason})"


@pytest.mark.parametrize("tags", ["a | b", "#tea|#cake ", "tea", "|tea|"])
def test_hashtags_in_the_way_of_the_feed(yard: Yard, tags: str) -> None:
    header = "platform,post_id,account_id,captured_at,hashtags"
    yard.drop_rows("post_snapshots/x.csv", f"tiktok,p,a,2026-01-05,{tags}", header=header)
    yard.land()
    assert yard.rows("post_snapshots/x.csv", "hashtags") == [(tags.strip(),)]


@pytest.mark.parametrize(
    ("spelling", "cell", "found"),
    [
        ("email", " Anna@Example.COM ", "anna@example.com"),
        ("email", "mailto:Anna@example.com", "anna@example.com"),
        ("handle", "@Anna.Bakes", "anna.bakes"),
        ("handle", "https://www.instagram.com/Anna.Bakes/", "anna.bakes"),
        ("handle", "https://www.tiktok.com/@Anna?lang=en", "anna"),
        ("handle", "anna", "anna"),
        ("code", " anna 20 ", "ANNA20"),
        ("code", "an\u200bna20", "ANNA20"),
    ],
)
def test_one_spelling_of_a_text(yard: Yard, use: Use, spelling: str, cell: str, found: str) -> None:
    use(f"{HEAD}{IDS}  handle: {{from: who, normalise: {spelling}}}")
    assert land(yard, f'id,who\na,"{cell}"\n', "handle") == [(found,)]


def test_an_id_of_which_normalising_leaves_nothing(yard: Yard, use: Use) -> None:
    use(HEAD + IDS.replace("{from: id}", "{from: id, normalise: handle}") + "  handle: {from: who, normalise: handle}")
    assert land(yard, "id,who\n@,x\nanna,@\n", "account_id, handle, invalid_cells") == [
        ("anna", None, '{"handle":"@"}')
    ]
    assert yard.rejects(PATH)[0][3] == "nothing is left of it as handle"


HASHED = """
mapping: m
pattern: "x*"
feeds:
  - feed: orders
    columns:
      order_id: {from: id}
      customer_id: {from: Email, normalise: email, hash: true}
      ordered_at: {constant: 2026-01-05}
      gross_amount: {from: total}
      currency: {constant: USD}
  - feed: refunds
    columns:
      refund_id: {from: id}
      order_id: {from: id}
      refunded_at: {constant: 2026-01-05}
      amount: {from: total}
      currency: {constant: USD}
"""
KEY = "a-long-random-text-of-this-shop"


def with_key(yard: Yard, key: str) -> None:
    yard.settings = yard.settings.model_copy(update={"hash_key": SecretStr(key)})


def test_emails_are_hashed_with_the_key_and_kept_nowhere(yard: Yard, use: Use) -> None:
    """HMAC-SHA-256, as Python's own module makes it; no feed of the file keeps the address in `extra`."""
    import hashlib
    import hmac

    with_key(yard, KEY)
    use(HASHED)
    yard.drop("exports/x.csv", "id,Email,total,note\n1,Anna@example.com,5,n\n2,anna@example.com,6,n\n")
    yard.land()
    expected = hmac.new(KEY.encode(), b"anna@example.com", hashlib.sha256).hexdigest()
    files = [str(yard.settings.raw / row["path"]) for row in yard.query("select path from raw_files order by path")]
    assert duckdb.execute("select distinct customer_id, extra from read_parquet(?)", [files[:1]]).fetchall() == [
        (expected, '{"note":"n"}')
    ]
    assert duckdb.execute("select distinct extra from read_parquet(?)", [files[1:]]).fetchall() == [('{"note":"n"}',)]
    assert KEY not in "\n".join(yard.said)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_of_a_row_that_is_left_out_nothing_is_kept_that_is_hashed_or_ignored(yard: Yard, use: Use, name: str) -> None:
    """There is nothing to mend in it. A row that is refused keeps its cells, for whoever mends it (negative test)."""
    with_key(yard, KEY)
    orders = HASHED.partition("  - feed: refunds")[0]
    use(f'{orders}    keep: "total != 0"\n    ignore: [phone]\n')
    rows = [
        ("1", "a@example.com", "5", "555"),
        ("2", "b@example.com", "0", "556"),
        ("3", "c@example.com", "5x", "557"),
    ]
    header = ("id", "Email", "total", "phone")
    lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    content = [",".join(cells) for cells in (header, *rows)] if name == "x.csv" else lines
    yard.drop(f"orders/{name}", "\n".join([*content, ""]))
    yard.land()
    left_out, refused = (row[4] for row in yard.rejects(f"orders/{name}"))
    assert "example" not in left_out
    assert "556" not in left_out
    assert "c@example.com" in refused
    assert "557" in refused


def test_a_hashed_path_leaves_nothing_of_its_object_in_extra(yard: Yard, use: Use) -> None:
    with_key(yard, KEY)
    use(HASHED.replace("from: Email", "from: buyer.email") + "format: jsonl\n")
    yard.drop("exports/x.jsonl", '{"id": 1, "total": 5, "buyer": {"email": "a@example.com", "name": "Ann"}}\n')
    yard.land()
    files = [str(yard.settings.raw / row["path"]) for row in yard.query("select path from raw_files")]
    assert duckdb.execute("select distinct extra from read_parquet(?, union_by_name = true)", [files]).fetchall() == [
        (None,)
    ]


def test_a_hash_without_a_key_waits_and_says_so(yard: Yard, use: Use) -> None:
    use(HASHED)
    yard.drop("exports/x.csv", "id,Email,total\n1,a@example.com,5\n")
    assert yard.land().files_waiting == ["exports/x.csv"]
    assert "there is no key; set GROUNDSWELL_HASH_KEY" in yard.said[-1]
    with_key(yard, KEY)
    assert yard.land().rows_accepted == 2


def test_another_key_would_make_other_customers_and_is_refused(yard: Yard, use: Use) -> None:
    use(HASHED)
    with_key(yard, KEY)
    yard.drop("exports/x.csv", "id,Email,total\n1,a@example.com,5\n")
    yard.land()
    with_key(yard, KEY + "2")
    yard.drop("exports/x2.csv", "id,Email,total\n2,a@example.com,5\n")
    assert yard.land().files_waiting == ["exports/x2.csv"]
    assert "is not the key that customers were hashed with before" in yard.said[-1]
    assert KEY not in (yard.settings.ledger.with_name("hash_key.check")).read_text(encoding="ascii")


def test_constants_need_no_quotes(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mapping = grammar.load_mapping(DOOR / "26_constant_unquoted.yml")
    columns = mapping.parts[0].columns
    assert (columns["captured_at"].constant, columns["followers"].constant) == ("2026-01-05", "0")
    (tmp_path / "m.yml").write_text(
        dedent("""
        mapping: m
        pattern: "const*"
        feed: accounts
        null_values: [0, No, 1.50]
        columns:
          platform: {constant: x}
          account_id: {from: a}
          country: {from: c, values: {No: Norway, 007: Bond}}
          updated_at: {constant: 2026-01-05 03:00}
        """),
        encoding="utf-8",
    )
    mapping = grammar.load_mapping(tmp_path / "m.yml")
    assert mapping.null_values == ("0", "No", "1.50")
    assert mapping.parts[0].columns["country"].values == {"No": "Norway", "007": "Bond"}
    assert mapping.parts[0].columns["updated_at"].constant == "2026-01-05 03:00"


# --- errors of the traits


@pytest.mark.parametrize(
    ("file", "column", "words"),
    [
        ("decimal_mark: ';'", "", "line 5: decimal_mark: Input should be"),
        ("decimal_mark: '.'\nthousands_mark: '.'", "", "decimal_mark and thousands_mark are the same character"),
        ("date_order: ddmmyy", "", "line 5: date_order: Input should be 'dmy', 'mdy' or 'ymd'"),
        ("language: tlh", "", "line 5: language: no names of months in 'tlh'; known are cs, da, de"),
        ("", "followers: {compute: 'a +'}", "columns.followers: compute: it ends where a column's name"),
        ("", "followers: {compute: 'a b'}", "compute: + or - is missing before 'b'"),
        ("", "followers: {from: a, compute: b}", "say exactly one of"),
        ("", "handle: {compute: a + b}", "compute is for count, integer, amount, rate, figure columns, not for a text"),
        ("", "handle: {from: a, round: 2}", "round is for count, integer, amount, rate, figure columns"),
        ("", "followers: {from: a, list_separator: ','}", "list_separator is for list columns"),
        ("", "followers: {from: a, hash: true}", "hash is for id, text columns"),
        ("", "followers: {from: a, units: {mil: 1000}}", "units are read with `parse: number`"),
        ("", "followers: {from: a, parse: number, units: {m2: 5}}", "'m2': write a word and a number"),
        ("", "handle: {from: a, hidden_when: 'b = 1'}", "so hidden_when is not for a text"),
        (
            "",
            "followers: {from: a, hidden_when: 'b ='}",
            "columns.followers.hidden_when: filter: it ends where a text in single",
        ),
        ("", "followers: {from: a, absent_means: gone}", "absent_means: Input should be 'hidden'"),
        ("", "handle: {from: a, time_format: ['%d']}", "a text is no time"),
        ("", "handle: {from: a, normalise: upper}", "normalise: Input should be 'email', 'handle' or 'code'"),
        ("", "followers: {from: a, on_invalid: skip}", "on_invalid: Input should be 'null' or 'quarantine'"),
    ],
)
def test_an_error_in_a_trait_names_line_and_remedy(use: Use, file: str, column: str, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        use(f"{HEAD}{file}{IDS}  {column}" if column else f"{HEAD}{file}{IDS}")
    assert str(caught.value).startswith("m.yml: line ")
    assert words in str(caught.value)


def test_a_required_cell_cannot_be_null(use: Use) -> None:
    with pytest.raises(ContractError, match="a required cell cannot be null; leave on_invalid out"):
        use(HEAD + IDS.replace("{from: id}", "{from: id, on_invalid: 'null'}"))
