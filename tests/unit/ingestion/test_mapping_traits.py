"""Every trait that a mapping can say, on a file of its own; and every error in a mapping, with file, line and remedy."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from ingestion import landing
from ingestion.errors import ContractError
from ingestion.mapping import grammar
from tests.mappings import only

from ..conftest import Yard

HEAD = """
mapping: m
feed: account_snapshots
pattern: "x*"
"""
IDS = """
columns:
  platform: {constant: youtube}
  account_id: {from: id}
  captured_at: {constant: 2026-01-05T00:00}
"""
DAY = "{constant: 2026-01-05T00:00}"
TEMPLATE = '{template: "{Kind}-{User Id}"}'
PATH = "account_snapshots/x.csv"
COMMA = "if points group its thousands, say `decimal_mark: ','`"
Use = Callable[[str], grammar.Mapping]


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Write a mapping and let landing know it alone."""

    def write(text: str) -> grammar.Mapping:
        (tmp_path / "m.yml").write_text(dedent(text), encoding="utf-8")
        mapping = grammar.load_mapping(tmp_path / "m.yml")
        monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
        return mapping

    return write


def land(yard: Yard, content: str | bytes, columns: str, path: str = PATH) -> list[tuple[Any, ...]]:
    yard.drop(path, content)
    yard.land()
    return yard.rows(path, columns)


# --- how a file is written


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8", "shift_jis"])
def test_encoding(yard: Yard, use: Use, encoding: str) -> None:
    name = "名前" if encoding == "shift_jis" else "José"
    use(f"{HEAD}encoding: {encoding}{IDS}  display_name: {{from: name}}")
    assert land(yard, f"id,name\na,{name}\nb,x\n".encode(encoding), "account_id, display_name") == [
        ("a", name),
        ("b", "x"),
    ]


def test_bytes_that_are_none_of_the_encoding_set_their_row_aside(yard: Yard, use: Use) -> None:
    use(f"{HEAD}encoding: cp1252{IDS}  display_name: {{from: name}}")
    found = land(yard, "id,name\na,José\n".encode("cp1252") + b"b,\x81\nc,z\n", "source_line, account_id, display_name")
    assert found == [(2, "a", "José"), (4, "c", "z")]
    assert yard.rejects(PATH)[0][::3] == (3, "not cp1252")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":"])
def test_delimiter_and_decimal_commas(yard: Yard, use: Use, delimiter: str) -> None:
    use(
        f"{HEAD}delimiter: {delimiter!r}\ndecimal_mark: ','".replace("'\\t'", '"\\t"')
        + f"{IDS}  followers: {{from: fans, parse: number, on_invalid: quarantine}}"
    )
    rows = [["id", "fans"], ["a", "1.234"], ["b", '"1,5K"'], ["c", "12,5"]]
    content = "".join(f"{delimiter.join(row)}\n" for row in rows)
    assert land(yard, content, "account_id, followers") == [("a", 1234), ("b", 1500)]
    assert yard.rejects(PATH)[0][1:4] == ("followers", "12,5", "not a whole number like 3,456 or 12.4M")


def test_header_row_below_a_title(yard: Yard, use: Use) -> None:
    use(f'{HEAD}header_row: 3{IDS}  display_name: {{from: "full name"}}')
    content = 'Report "spring"\nmade yesterday\nid,"full\nname"\na,Ann\n\nb,"B\nC"\nonly one cell\n'
    assert land(yard, content, "source_line, account_id, display_name") == [(5, "a", "Ann"), (7, "b", "B\nC")]
    assert yard.rejects(PATH)[0][0] == 9


def test_no_header_at_all(yard: Yard, use: Use) -> None:
    use(f"{HEAD}header_row: 0{IDS.replace('{from: id}', '{at: 2}')}  followers: {{at: 1}}")
    assert land(yard, "7,a\n8,b\n", "source_line, account_id, followers") == [(1, "a", 7), (2, "b", 8)]


def test_twin_headers_are_taken_by_position(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{at: 3, header: fans, twin: 2}}")
    assert land(yard, "id,fans,fans\na,1.2K,1234\n", "followers, extra") == [(1234, '{"fans":"1.2K"}')]


def test_a_name_that_stands_there_twice_is_refused_with_both_positions(yard_with_good: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans}}")
    yard_with_good.drop(PATH, "id,fans,fans\na,1,2\n")
    yard_with_good.land()
    assert "header 'fans' stands there 2 times; say `at: 2` or `at: 3`" in yard_with_good.batch(PATH)["reason"]


def test_quote_none_and_an_unended_last_line(yard: Yard, use: Use) -> None:
    use(f"{HEAD}quote: ''\nunended_last_line: true{IDS}  display_name: {{from: name}}")
    assert land(yard, 'id,name\r\na,5" tall\r\nb,"x', "account_id, display_name") == [("a", '5" tall'), ("b", '"x')]


def test_a_sheet_by_name_and_by_number(yard: Yard, use: Use) -> None:
    from .test_formats import xlsx

    def book(name: str) -> bytes:
        return xlsx(["nothing"], sheets={"Data": [["id"], [f"{name}-data"]], "More": [["id"], [f"{name}-more"]]})

    use(f"{HEAD}sheet: Data{IDS}")
    assert land(yard, book("x"), "account_id", "account_snapshots/x.xlsx") == [("x-data",)]
    use(f"{HEAD}sheet: 3{IDS}")
    assert land(yard, book("y"), "account_id", "account_snapshots/xy.xlsx") == [("y-more",)]
    use(f"{HEAD}sheet: Gone{IDS}")
    yard.drop("account_snapshots/xz.xlsx", book("z"))
    yard.land()
    assert "no sheet 'Gone'; it has 'Sheet', 'Data', 'More'" in yard.batch("account_snapshots/xz.xlsx")["reason"]


def test_format_whatever_the_name(yard: Yard, use: Use) -> None:
    use(f"{HEAD}format: jsonl{IDS}")
    assert land(yard, '{"id": "a"}\n', "account_id", "account_snapshots/x.export") == [("a",)]


def test_a_pattern_with_a_slash_is_the_end_of_a_path() -> None:
    mapping = grammar.Mapping.model_validate({"mapping": "m", "pattern": "v/f*.csv", "feed": "brands", "columns": {}})
    assert [mapping.claims(path) for path in ("v/f1.csv", "a/v/f.csv", "f1.csv", "xv/f1.csv", "v/g.csv")] == [
        True, True, False, False, False,
    ]  # fmt: skip


# --- what a cell is


@pytest.mark.parametrize(
    ("trait", "cell", "value"),
    [
        ("parse: number", "12.4M", 12_400_000),
        ("parse: number", "3,456", 3456),
        ("parse: number", "7.8k", 7800),
        ("parse: number", "1.5 B", 1_500_000_000),
        ("parse: number", "€ 1,296", 1296),
        ("parse: number", "1.2 Mio.", 1_200_000),
        ("parse: number", "3 Tsd.", 3000),
        ("parse: number", "1 234 567", 1_234_567),
        ("parse: number", "1\u00a0234", 1234),
        ("parse: number", "48.5M", 48_500_000),
        ("parse: number", "42.0", 42),
        ("parse: number", "0", 0),
        ("parse: duration", "PT1H2M3S", 3723),
        ("parse: duration", "P1DT30S", 86_430),
        ("parse: number", "12.4", "not a whole number like 3,456 or 12.4M"),
        ("parse: number", "34,56", f"not a whole number like 3,456 or 12.4M; {COMMA}"),
        ("parse: number", "1.234,5", f"not a whole number like 3,456 or 12.4M; {COMMA}"),
        ("parse: number", "12M4", "not a whole number like 3,456 or 12.4M"),
        ("parse: number", "2,000B", "a count above 10^12"),
        ("parse: number", "-5", "a negative count"),
        ("parse: duration", "PT", "not a duration like PT1H30M"),
        ("parse: duration", "90", "not a duration like PT1H30M"),
        ("values: {many: '7'}", "many", 7),
        ("extract: '([0-9]+) fans'", "12 fans", 12),
        ("extract: '([0-9]+) fans'", "no fans", "not of the shape that the mapping extracts"),
    ],
)
def test_counts_as_people_write_them(yard: Yard, use: Use, trait: str, cell: str, value: int | str) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, on_invalid: quarantine, {trait}}}")
    found = land(yard, f'id,fans\na,"{cell}"\n', "followers")
    if isinstance(value, int):
        assert found == [(value,)]
    else:
        assert yard.rejects(PATH)[0][3] == value


@pytest.mark.parametrize(
    ("trait", "cell", "moment"),
    [
        ("time_format: '%y.%m.%d'", "18.01.11", datetime(2018, 1, 11)),
        ("time_format: '%d.%m.%y'", "18.01.11", datetime(2011, 1, 18)),
        ("time_format: '%d.%m.%Y %H:%M', zone: Europe/Berlin", "05.01.2026 03:00", datetime(2026, 1, 5, 2)),
        ("time_format: '%d.%m.%Y %H:%M', zone: Europe/Berlin", "05.07.2025 03:00", datetime(2025, 7, 5, 1)),
        ("time_format: '%Y-%m-%dT%H:%M:%S%z'", "2019-04-05T07:56:32+0200", datetime(2019, 4, 5, 5, 56, 32)),
        ("parse: epoch_seconds", "1767582000", datetime(2026, 1, 5, 3)),
        ("parse: epoch_milliseconds", "1767582000123", datetime(2026, 1, 5, 3, 0, 0, 123_000)),
        ("parse: excel_serial", "46027.125", datetime(2026, 1, 5, 3)),
        ("zone: Asia/Taipei", "2026-01-05T03:00:00", datetime(2026, 1, 4, 19)),
        ("zone: Asia/Taipei", "2026-01-05T03:00:00Z", datetime(2026, 1, 5, 3)),
        ("zone: Asia/Seoul, time_of_day: '12:00'", "2026-01-05", datetime(2026, 1, 5, 3)),
        ("zone: Asia/Seoul, time_of_day: '12:00'", "2026-01-05 01:00", datetime(2026, 1, 4, 16)),
    ],
)
def test_times(yard: Yard, use: Use, trait: str, cell: str, moment: datetime) -> None:
    use(f"{HEAD}{IDS.replace(DAY, f'{{from: at, {trait}}}')}")
    assert land(yard, f"id,at\na,{cell}\nb,later\n", "captured_at") == [(moment,)]
    assert "not a" in yard.rejects(PATH)[0][3]


def test_the_zone_of_the_mapping_and_of_a_constant(yard: Yard, use: Use) -> None:
    use(f"{HEAD}zone: Asia/Taipei{IDS}")
    assert land(yard, "id\na\n", "captured_at, snapshot_date") == [
        (datetime(2026, 1, 4, 16), datetime(2026, 1, 4).date())
    ]


def test_capture_time_as_of_which_a_file_speaks(yard: Yard, use: Use) -> None:
    use(f"{HEAD}as_of: 2026-01-06T00:00:00{IDS.replace(DAY, '{from_as_of: true}')}")
    assert land(yard, "id\na\n", "captured_at, as_of") == [(datetime(2026, 1, 6), datetime(2026, 1, 6))]


def test_ids_cut_from_links_and_whole_numbers(yard: Yard, use: Use) -> None:
    use(
        f"{HEAD}{IDS.replace('{from: id}', '{from: id, parse: whole_id}')}  handle: {{from: url, extract: '/@([a-z]+)'}}"
    )
    found = land(yard, "id,url\n42.0,https://t/@ann\n43,\n4.5,\n", "account_id, handle")
    assert found == [("42", "ann"), ("43", None), ("4.5", None)]


def test_a_template_of_other_columns(yard: Yard, use: Use) -> None:
    use(f"{HEAD}null_values: ['-']{IDS.replace('{from: id}', TEMPLATE)}")
    assert land(yard, "Kind,User Id\nx, 1\n-,2\ny,\n", "account_id") == [("x-1",)]
    assert [row[3] for row in yard.rejects(PATH)] == ["empty, but required"] * 2


def test_null_and_hidden_spellings(yard: Yard, use: Use) -> None:
    use(
        f"{HEAD}null_values: ['-', N/A]{IDS}  followers: {{from: fans, null_values: ['#VALOR!'], hidden_values: [private]}}"
    )
    found = land(yard, "id,fans\na,-\nb,#VALOR!\nc,private\nd,4\n-,5\n", "account_id, followers, followers_null_reason")
    assert found == [("a", None, "not_captured"), ("b", None, "not_captured"), ("c", None, "hidden"), ("d", 4, None)]
    assert yard.rejects(PATH)[0][1] == "account_id"


def test_money_and_rates_as_people_write_them(yard: Yard, use: Use) -> None:
    use(
        """
        mapping: m
        feed: commission_rules
        pattern: "x*"
        columns:
          rule_id: {from: id}
          valid_from: {from: since, time_format: "%d/%m/%Y"}
          kind: {from: basis, values: {Per Order: fixed, Share: percent}}
          rate: {from: rate, parse: percent}
          applies_to: {constant: all_renewals}
        """
    )
    found = land(
        yard, "id,since,basis,rate\n1,05/01/2026,Share,16.60%\n2,05/01/2026,Share,40 %\n3,05/01/2026,Share,0.4\n",
        "rule_id, valid_from, kind, rate", "commission_rules/x.csv",
    )  # fmt: skip
    day = datetime(2026, 1, 5).date()
    assert found == [("1", day, "percent", Decimal("16.6")), ("2", day, "percent", Decimal("40"))]
    assert yard.rejects("commission_rules/x.csv")[0][3] == "not a rate like 16.60%"


def test_paths_into_nested_json(yard: Yard, use: Use) -> None:
    use(
        f"{HEAD}format: jsonl{IDS.replace('{from: id}', '{from: snippet.id}')}  followers: {{from: statistics.subscriberCount}}"
    )
    content = '{"snippet": {"id": "a"}, "statistics": {"subscriberCount": "12"}, "n": 1}\n{"snippet": {}}\n'
    assert land(yard, content, "account_id, followers", "account_snapshots/x.jsonl") == [("a", 12)]
    assert yard.rejects("account_snapshots/x.jsonl")[0][1:4:2] == ("account_id", "empty, but required")


# --- rows and feeds


def test_rows_that_are_left_out_are_counted_and_no_failure(yard: Yard, use: Use) -> None:
    use(f"{HEAD}keep: \"`Row Kind` = 'account' and fans >= 5\"{IDS}  followers: {{from: fans}}")
    found = land(yard, "id,Row Kind,fans\na,account,7\nb,total,9\nc,account,4\nd,account,\n", "account_id")
    assert found == [("a",)]
    batch = yard.batch(PATH)
    assert (batch["rows_read"], batch["rows_quarantined"], batch["rows_left_out"]) == (4, 3, 3)
    assert all(row[3].startswith("left out by the mapping, which keeps: ") for row in yard.rejects(PATH))


def test_one_file_feeds_several_feeds(yard: Yard, use: Use) -> None:
    use(
        """
        mapping: m
        pattern: "x*"
        zone: UTC
        feeds:
          - feed: account_snapshots
            keep: "post is empty"
            columns:
              platform: {constant: tiktok}
              account_id: {from: account}
              captured_at: {from: at}
              followers: {from: n}
          - feed: post_snapshots
            keep: "post is not empty"
            columns:
              platform: {constant: tiktok}
              post_id: {from: post}
              account_id: {from: account}
              captured_at: {from: at}
              likes: {from: n}
        """
    )
    path = "exports/x.csv"
    yard.drop(path, "account,post,at,n\na,,2026-01-05,7\na,p,2026-01-05,8\na,q,2026-01-05,bad\n")
    assert yard.land().files_new == 1
    found = {batch["feed"]: (batch["rows_read"], batch["rows_accepted"], batch["state"]) for batch in yard.batches()}
    assert found == {"account_snapshots": (3, 1, "accepted"), "post_snapshots": (3, 2, "accepted")}
    assert yard.land().files_new == 0, "the same delivery again"
    changed = use((Path(landing.__file__).parent / "mapping" / "library" / "vtuber.yml").read_text(encoding="utf-8"))
    assert changed.parts[0].feed == "account_snapshots"


def test_a_corrected_mapping_of_several_feeds_supersedes_all_it_read(yard: Yard, use: Use) -> None:
    text = """
    mapping: m
    pattern: "x*"
    feeds:
      - feed: brands
        columns: {brand: {from: b}}
      - feed: collaboration_posts
        columns: {collaboration_id: {from: b}, platform: {constant: x}, post_id: {from: p}}
    """
    use(text)
    yard.drop("exports/x.csv", "b,p\nacme,1\n")
    yard.land("one")
    use(text.replace("constant: x", "constant: youtube"))
    yard.land("two")
    states = sorted((batch["feed"], batch["state"]) for batch in yard.batches())
    assert states == [
        ("brands", "accepted"), ("brands", "superseded"),
        ("collaboration_posts", "accepted"), ("collaboration_posts", "superseded"),
    ]  # fmt: skip


# --- errors in a mapping


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}{IDS}  folowers: {{from: x}}", "line 10: columns: account_snapshots has no column 'folowers'; did you mean 'followers'?"),
        (f"{HEAD}{IDS}  followers: {{form: x}}", "line 10: columns.followers.form: unknown key; did you mean 'from'?"),
        (f"{HEAD}{IDS}  followers: {{from: x, at: 2}}", "line 10: columns.followers: say exactly one of: from, at"),
        (f"{HEAD}{IDS}  followers: {{from: x, parse: date}}", "line 10: columns.followers.parse: Input should be"),
        (f"{HEAD}{IDS}  followers: {{from: x, parse: epoch_seconds}}", "line 10: columns: followers: parse epoch_seconds does not give a count"),
        (f"{HEAD}{IDS}  handle: {{from: x, extract: '(a'}}", "line 10: columns.handle: '(a' is no regular expression"),
        (f"{HEAD}{IDS}  handle: {{from: x, extract: '(a)(b)'}}", "exactly one group"),
        (f"{HEAD}{IDS}  handle: {{from: x, extract: '(?=a)(b)'}}", "is no regular expression"),
        (f"{HEAD}delimiter: ';;'{IDS}", "line 5: delimiter: "),
        (f"{HEAD}encoding: klingon{IDS}", "line 5: encoding: unknown encoding 'klingon'; write one like utf-8"),
        (f"{HEAD}zone: Mars/Base{IDS}", "line 5: zone: unknown time zone 'Mars/Base'"),
        (f"{HEAD}keep: \"a = b\"{IDS}", "line 5: keep: filter: a text in single quotes or a number is missing before 'b'"),
        (f"{HEAD}zero_is_null: [handle]{IDS}", "zero_is_null: 'handle' is no count of account_snapshots"),
        (f"{HEAD}patern: x{IDS}", "line 5: patern: unknown key; did you mean 'pattern'?"),
        (HEAD.replace("account_snapshots", "acounts") + IDS, "line 3: feed: unknown feed 'acounts'; known: "),
        (HEAD + "columns:\n  platform: {constant: x}\n", "required column 'account_id' is not mapped"),
        (HEAD + "feeds: []\n" + IDS, "feeds"),
        (f"{HEAD}header_row: 0{IDS}", "without a header say `at` instead of a name"),
        (f"{HEAD}{IDS}  followers: {{from: x\n", "not valid YAML"),
        (f"{HEAD}keep: {'[' * 5000}", "not valid YAML: too many levels within each other"),
        (f"{HEAD}{IDS.replace(DAY, '{from_file_time: true}')}", "line 9: columns: captured_at: from_file_time needs file_time"),
        (f"{HEAD}{IDS}  followers: {{from: x, time_of_day: '12:00'}}", "a count is no time"),
    ],
)  # fmt: skip
def test_an_error_in_a_mapping_names_file_line_and_remedy(use: Use, text: str, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        use(text)
    assert str(caught.value).startswith("m.yml:")
    assert words in str(caught.value)


@pytest.mark.parametrize("path", sorted(grammar.MAPPINGS_DIR.glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_mappings_are_named_as_their_file_and_fit_the_schema(path: Path) -> None:
    import json

    import jsonschema
    import yaml

    schema = json.loads((grammar.MAPPINGS_DIR / "mapping.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)
    assert grammar.load_mapping(path).mapping == path.stem
