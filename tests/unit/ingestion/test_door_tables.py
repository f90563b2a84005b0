"""Layouts of real exports whose tables are hard to find: each lands with YAML alone, or is quarantined in words.

The files of `tests/fixtures/door` are made up; each stands for a kind of real export.
"""

import pytest

from ingestion import landing
from ingestion.config import PROJECT_DIR
from ingestion.mapping import grammar
from ingestion.mapping.in_use import Mappings
from tests.mappings import only

from ..conftest import Yard
from .test_mapping_traits import HEAD, IDS, PATH, Use, land, use

__all__ = ["use"]

DOOR = PROJECT_DIR / "tests" / "fixtures" / "door"


def deliver(yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str, mapping: str | None) -> str:
    """Land a fixture under a mapping of the fixtures, or under none; returns its path."""
    known = only(grammar.load_mapping(DOOR / f"{mapping}.yml")) if mapping else Mappings()
    monkeypatch.setattr(landing, "load_mappings", lambda *_: known)
    path = f"account_snapshots/{name}" if not mapping else f"door/{name}"
    yard.drop(path, (DOOR / name).read_bytes())
    yard.land()
    return path


# --- lines and headers


def test_a_line_break_in_a_header_cell_and_windows_line_ends(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "01_linefeed_in_header_crlf.csv", "01")
    assert yard.rows(path, "source_line, account_id, followers") == [(3, "anna.bakes", 12_400), (4, "bea_runs", 8_800)]


def test_a_line_break_in_a_header_cell_in_each_kind_of_line_end(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans now}}")
    for number, (inner, outer) in enumerate([("\n", "\n"), ("\n", "\r\n"), ("\r\n", "\n"), ("\r\n", "\r\n")]):
        path = f"account_snapshots/x{number}.csv"
        content = outer.join(["id,", "a,1", 'b,"2"', ""]).replace("id,", f'id,"fans{inner}now"', 1)
        assert land(yard, content, "source_line, account_id, followers", path) == [(3, "a", 1), (4, "b", 2)], path


@pytest.mark.parametrize("inner", ["\n", "\r\n", "\n\r\n"])
@pytest.mark.parametrize("outer", ["\n", "\r\n"])
def test_a_last_line_without_an_end_gets_that_of_the_others(yard: Yard, use: Use, inner: str, outer: str) -> None:
    """Not that of a quoted cell: the reader would refuse the whole file."""
    use(f"{HEAD}unended_last_line: true\n{IDS}  followers: {{from: fans now}}")
    content = outer.join([f'id,"fans{inner}now"', "a,1", "b,2"])
    assert land(yard, content, "account_id, followers") == [("a", 1), ("b", 2)]


def test_mixed_line_ends_are_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "02_mixed_line_ends.csv", None)
    assert yard.rows(path, "source_line, account_id, followers") == [(2, "anna", 1200), (3, "bea", 900)]


def test_line_breaks_within_quotes_stay_what_they_are_among_mixed_line_ends(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  display_name: {{from: name}}")
    content = 'id,name\r\na,"one\r\ntwo"\nb,"x\ny"\r\nc,z\n'
    assert land(yard, content, "source_line, account_id, display_name") == [
        (2, "a", "one\r\ntwo"), (4, "b", "x\ny"), (6, "c", "z"),
    ]  # fmt: skip


def test_json_lines_with_mixed_line_ends_are_read(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}")
    content = '{"id": "a"}\r\n{"id": "b"}\n{"id": "c"}\r\n'
    assert land(yard, content, "source_line, account_id", "account_snapshots/x.jsonl") == [(1, "a"), (2, "b"), (3, "c")]


# --- columns by position


def test_a_column_by_position_holds_the_header_that_it_expects(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deliver(yard, monkeypatch, "07_shift_2026-01-05.csv", "07")
    assert yard.rows(first) == [("anna", 1200), ("bea", 900)]
    second = deliver(yard, monkeypatch, "07_shift_2026-01-06.csv", "07")
    batch = yard.batch(second)
    assert batch["state"] == "quarantined"
    assert batch["reason"] == (
        "at position 3, where followers is read, stands 'Likes', not 'Followers'; 'Followers' stands at 4, 5: its"
        " columns have moved, correct the mapping"
    )


def test_a_third_twin_before_the_one_that_is_meant(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{at: 3, header: fans, twin: 2}}")
    yard.drop(PATH, "fans,id,fans,fans\n1,a,2,3\n")
    use(f"{HEAD}{IDS}  followers: {{at: 3, header: fans, twin: 1}}")
    yard.land()
    assert "stands 'fans', not 'fans' number 1; 'fans' stands at 1, 3, 4" in yard.batch(PATH)["reason"]


def test_a_twin_by_its_order(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, twin: 2}}")
    assert land(yard, "fans,id,fans\n1,a,2\n", "account_id, followers") == [("a", 2)]
    yard.drop("account_snapshots/xx.csv", "fans,id\n1,a\n")
    yard.land()
    assert (
        "header 'fans' stands there 1 times; number 2 of it is missing"
        in (yard.batch("account_snapshots/xx.csv")["reason"])
    )


def test_a_position_without_its_header_is_an_error_of_the_mapping(use: Use) -> None:
    with pytest.raises(grammar.ContractError, match=r"m\.yml: line 10: columns: followers: say which header stands at"):
        use(f"{HEAD}{IDS}  followers: {{at: 3}}")


# --- rows that sum others


def test_a_row_of_sums_is_never_an_account(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "08_totals_row.csv", "08")
    assert yard.rows(path) == [("anna.bakes", 1200), ("marco_runs", 880)]
    [(line, column, value, reason, _)] = yard.rejects(path)
    assert (line, column, value) == (4, "account_id", "Total")
    assert "say `skip_totals: true` in its mapping" in reason
    assert yard.batch(path)["rows_left_out"] == 0


def test_a_row_of_sums_is_never_a_post(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "25_youtube_studio_table_data.csv", "25")
    assert yard.rows(path, "post_id, views") == [("abc123DEF45", 100), ("def456GHI78", 2000)]
    assert yard.rejects(path)[0][:3] == (2, "post_id", "Total")


@pytest.mark.parametrize("word", ["Total", "GRAND TOTAL:", " summe ", "Gesamtergebnis", "Итого", "合計", 'סה"כ'])
def test_skip_totals_leaves_a_row_of_sums_out(yard: Yard, use: Use, word: str) -> None:
    use(f"{HEAD}skip_totals: true{IDS}  followers: {{from: fans}}")
    cell = '"' + word.replace('"', '""') + '"'
    assert land(yard, f"id,fans\na,1\n{cell},3\n,4\nb,2\n", "account_id, followers") == [("a", 1), ("b", 2)]
    batch = yard.batch(PATH)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_quarantined"], batch["rows_left_out"]) == (
        4,
        2,
        2,
        1,
    )
    assert [reject[3] for reject in yard.rejects(PATH)] == [
        "left out by the mapping: a row that sums others", "empty, but required",
    ]  # fmt: skip


@pytest.mark.parametrize("source", ['{template: "{Campaign}-{day}"}', "{line_number: true}"])
def test_a_row_of_sums_is_no_cost_whatever_its_id_is_made_of(yard: Yard, use: Use, source: str) -> None:
    use(
        f"""
        mapping: m
        feed: costs
        pattern: "x*"
        columns:
          cost_id: {source}
          cost_date: {{from: day, optional: true}}
          cost_type: {{constant: ads}}
          amount: {{from: spent}}
          currency: {{constant: EUR}}
        """
    )
    path = "costs/x.csv"
    content = "Campaign,day,spent\na,2026-01-01,5\nb,2026-01-02,7\nTotal,,12\nGrand total,2026-01-02,12\n"
    assert land(yard, content, "amount::int", path) == [(5,), (7,)]
    assert [reject[1] for reject in yard.rejects(path)] == ["cost_id", "cost_id"]
    assert all("say `skip_totals: true`" in reject[3] for reject in yard.rejects(path))


def test_skip_totals_looks_at_the_first_cell_where_the_id_is_another(yard: Yard, use: Use) -> None:
    use(f"{HEAD}skip_totals: true{IDS}")
    assert land(yard, "label,id\nx,a\nTotal,2 accounts\n", "account_id") == [("a",)]


def test_skip_totals_false_says_that_such_a_word_is_an_id(yard: Yard, use: Use) -> None:
    use(f"{HEAD}skip_totals: false{IDS}")
    assert land(yard, "id\ntotal\n", "account_id") == [("total",)]


def test_words_that_only_begin_so_are_ids(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}")
    assert land(yard, "id\ntotal.fitness\nsubtotally\n", "account_id") == [("total.fitness",), ("subtotally",)]


def test_a_row_of_sums_in_json_parquet_and_sheets(yard: Yard, use: Use) -> None:
    from .test_formats import parquet, xlsx

    use(f"{HEAD}skip_totals: true{IDS}")
    files = {
        "x.jsonl": b'{"n": 1, "id": "a"}\n{"n": 2, "id": "Total"}\n',
        "x.parquet": parquet("select 'a' as id union all select 'Total'"),
        "x.xlsx": xlsx(["id"], ["a"], ["Total"]),
    }
    for name, content in files.items():
        path = f"account_snapshots/{name}"
        assert land(yard, content, "account_id", path) == [("a",)], name
        assert yard.batch(path)["rows_left_out"] == 1, name


# --- several rows of one feed from one row of a file


def test_platforms_side_by_side_fill_one_feed_several_times(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "15_wide_platforms.csv", "15")
    assert sorted(yard.rows(path, "platform, account_id, followers, source_line")) == [
        ("instagram", "anna.bakes", 12_400, 2),
        ("instagram", "bea_runs", 8_800, 3),
        ("tiktok", "annabakes", 55_000, 2),
        ("youtube", "BeaRuns", 2_100, 3),
    ]
    batch = yard.batch(path)
    assert (batch["rows_read"], batch["rows_quarantined"], batch["rows_left_out"]) == (6, 2, 2)
    assert yard.rejects(path)[0][3] == "left out: its YouTube Username is empty, and there is no count"


TWICE = """
mapping: m
pattern: "x*"
feeds:
  - feed: account_snapshots
    columns:
      platform: {constant: instagram}
      account_id: {from: ig}
      captured_at: {constant: 2026-01-05T00:00}
      followers: {from: ig fans, hidden_values: [hidden]}
  - feed: account_snapshots
    zero_is_null: [followers]
    columns:
      platform: {constant: tiktok}
      account_id: {from: tt}
      captured_at: {constant: 2026-01-05T00:00}
      followers: {from: tt fans}
"""


def test_each_time_a_feed_is_filled_keeps_its_own_traits(yard: Yard, use: Use) -> None:
    use(TWICE)
    content = "ig,ig fans,tt,tt fans\na,hidden,a,0\na,hidden,b,5\nc,x,,9\n\nd,0,d,7\n"
    columns = "platform, account_id, followers, followers_null_reason, source_line"
    assert sorted(land(yard, content, columns), key=str) == [
        ("instagram", "a", None, "hidden", 2),
        ("instagram", "c", None, "invalid", 4),
        ("instagram", "d", 0, None, 6),
        ("tiktok", "a", None, "not_captured", 2),
        ("tiktok", "b", 5, None, 3),
        ("tiktok", "d", 7, None, 6),
    ]
    batch = yard.batch(PATH)
    # Line 3 gives instagram's `a` again; what another time takes is not kept in `extra`, so nothing differs.
    assert (batch["rows_read"], batch["rows_duplicate"], batch["rows_quarantined"]) == (8, 1, 1)
    assert [reject[:4] for reject in yard.rejects(PATH)] == [(4, "account_id", None, "empty, but required")]


def test_a_feed_filled_twice_needs_one_tie_break(use: Use) -> None:
    with pytest.raises(grammar.ContractError, match="filled several times: say one tie_break in each"):
        use(TWICE.replace("zero_is_null: [followers]", "tie_break: last_line"))


# --- columns side by side


DATES = r"""
mapping: m
feed: account_snapshots
pattern: "x*"
unpivot: {name: day, values: {fans: '\d{4}-\d\d-\d\d'}}
columns:
  platform: {from: platform}
  account_id: {from: handle}
  captured_at: {from: day}
  followers: {from: fans}
"""


def test_dates_side_by_side_become_rows(yard: Yard, use: Use) -> None:
    use(DATES)
    content = (DOOR / "24_wide_dates.csv").read_text()
    columns = "source_line, platform, account_id, cast(captured_at as date)::varchar, followers"
    assert sorted(land(yard, content, columns)) == [
        (2, "instagram", "anna", "2026-01-01", 1000),
        (2, "instagram", "anna", "2026-01-02", 1010),
        (2, "instagram", "anna", "2026-01-03", 1030),
        (3, "tiktok", "bea", "2026-01-01", 500),
        (3, "tiktok", "bea", "2026-01-02", 505),
        (3, "tiktok", "bea", "2026-01-03", 1500),
    ]
    batch = yard.batch(PATH)
    assert (batch["rows_read"], batch["rows_accepted"]) == (6, 6)
    assert batch["header"] == '["handle", "platform", "day", "fans"]'


def test_blank_cells_give_no_row_and_a_line_of_none_is_counted(yard: Yard, use: Use) -> None:
    use(DATES)
    content = (
        'handle,platform,2026-01-01,2026-01-02,note\na,x,1,,n\nb,x," ",,\n\nc,x,oops,4,\nd,x,5\ne,x,,6,"two\nlines"\n'
    )
    columns = "source_line, account_id, followers, followers_null_reason, extra"
    assert land(yard, content, columns) == [
        (2, "a", 1, None, '{"note":"n"}'),
        (5, "c", None, "invalid", '{"note":null}'),
        (5, "c", 4, None, '{"note":null}'),
        (7, "e", 6, None, '{"note":"two\\nlines"}'),
    ]
    assert [reject[:4] for reject in yard.rejects(PATH)] == [
        (3, None, None, "left out: it holds no value in the columns that `unpivot` reads"),
        (6, None, None, yard.rejects(PATH)[1][3]),
    ]
    batch = yard.batch(PATH)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_quarantined"]) == (6, 4, 2)
    assert batch["rows_left_out"] == 1


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (
            "handle,platform,Jan,Feb",
            r"no header is like \d{4}-\d\d-\d\d, as `unpivot` asks; the header begins 'handle'",
        ),
        ("handle,platform,2026-01-01,2026-01-01", "two headers give '2026-01-01' for fans"),
        ("handle,platform,2026-01-01,day", "`unpivot` makes a column 'day', and the file has one"),
    ],
)
def test_an_unpivot_that_does_not_fit_its_file(yard: Yard, use: Use, header: str, reason: str) -> None:
    use(DATES)
    yard.drop(PATH, f"{header}\na,x,1,2\n")
    yard.land()
    assert reason in yard.batch(PATH)["reason"]


def test_a_header_that_is_no_date_after_all(yard: Yard, use: Use) -> None:
    use(DATES)
    yard.drop(PATH, "handle,platform,2026-01-01,2026-13-01\na,x,1,2\n")
    yard.land()
    assert yard.rows(PATH) == [("a", 1)]
    assert yard.rejects(PATH)[0][:4] == (
        2, "captured_at", "2026-13-01", "not an ISO 8601 time like 2026-01-05T03:00:00Z",
    )  # fmt: skip


def test_two_counts_of_each_date_in_one_row(yard: Yard, use: Use) -> None:
    use(
        DATES.replace(r"{fans: '\d{4}-\d\d-\d\d'}", r"{fans: '(\S+) Followers', n: '(\S+) Posts'}")
        + "  posts: {from: n}\n"
    )
    content = "handle,platform,2026-01-01 Followers,2026-01-01 Posts,2026-01-02 Posts\na,x,1,2,3\n"
    # A day is a file of its own in raw: rows of two come in any order.
    assert sorted(land(yard, content, "captured_at::date::varchar, followers, posts")) == [
        ("2026-01-01", 1, 2), ("2026-01-02", None, 3),
    ]  # fmt: skip


def test_dates_side_by_side_in_json_parquet_and_sheets(yard: Yard, use: Use) -> None:
    from .test_formats import parquet, xlsx

    use(DATES)
    files = {
        "x.jsonl": b'{"handle": "a", "platform": "x", "2026-01-01": 1, "2026-01-02": null}\n'
        b'{"handle": "b", "platform": "x", "2026-01-02": 4}\n',
        "x.parquet": parquet("select * from (values ('a','x',1,null),('b','x',null,4)) t(handle,platform,"
                             '"2026-01-01","2026-01-02")'),
        "x.xlsx": xlsx(["handle", "platform", "2026-01-01", "2026-01-02"], ["a", "x", 1, None], ["b", "x", None, 4]),
    }  # fmt: skip
    for name, content in files.items():
        found = land(yard, content, "account_id, captured_at::date::varchar, followers", f"account_snapshots/{name}")
        assert sorted(found) == [("a", "2026-01-01", 1), ("b", "2026-01-02", 4)], name


def test_the_same_delivery_unpivoted_again_is_a_no_op(yard: Yard, use: Use) -> None:
    use(DATES)
    yard.drop(PATH, "handle,platform,2026-01-01\na,x,1\n")
    yard.land()
    assert yard.land().files_new == 0


# --- nested lists and JSON documents


POSTS = """
mapping: m
pattern: "x*"
feeds:
  - feed: account_snapshots
    columns:
      platform: {constant: youtube}
      account_id: {from: user.id}
      captured_at: {constant: 2026-01-05T00:00}
      followers: {from: user.fans}
  - feed: post_snapshots
    explode: posts
    columns:
      platform: {constant: youtube}
      account_id: {from: user.id}
      post_id: {from: posts.id}
      captured_at: {constant: 2026-01-05T00:00}
      likes: {from: posts.stats.likes, optional: true}
      hashtags: {from: posts.tags, optional: true}
"""
RECORDS = [
    '{"user": {"id": "u1", "fans": 7}, "posts": [{"id": 12345678901234567890123, "stats": {"likes": 3}, "tags": ["a", "b"]},'
    ' {"id": "p2", "note": "n", "stats": null}]}',
    '{"user": {"id": "u2", "fans": 8}, "posts": []}',
    '{"user": {"id": "u3", "fans": 9}, "posts": "none"}',
]
EXPLODED = [("u1", "12345678901234567890123", 3, "a|b", 1), ("u1", "p2", None, None, 1)]


def posts_of(yard: Yard, path: str) -> list[tuple[object, ...]]:
    import duckdb

    files = yard.query(
        "select r.path from raw_files r join batches b using (batch_id) where b.feed = 'post_snapshots' and b.file = ?",
        path,
    )
    paths = [str(yard.settings.raw / row["path"]) for row in files]
    return duckdb.execute(
        "select account_id, post_id, likes, hashtags, source_line from read_parquet(?) order by source_line, post_id",
        [paths],
    ).fetchall()


@pytest.mark.parametrize("form", ["lines", "list", "pretty", "document"])
def test_a_nested_list_becomes_rows_beside_its_record(yard: Yard, use: Use, form: str) -> None:
    import json

    use(POSTS.replace("pattern:", "rows_at: data.users\npattern:") if form == "document" else POSTS)
    content = {
        "lines": "\n".join([*RECORDS, ""]),
        "list": f"[{', '.join(RECORDS)}]\n",
        "pretty": json.dumps([json.loads(record) for record in RECORDS], indent=2),
        "document": f'{{"data": {{"users": [{",".join(RECORDS)}], "page": 1}}}}',
    }[form]
    path = "account_snapshots/x.json"
    yard.drop(path, content)
    yard.land()
    assert posts_of(yard, path) == EXPLODED
    posts = yard.query("select * from batches where feed = 'post_snapshots'")[0]
    assert (posts["rows_read"], posts["rows_accepted"], posts["rows_quarantined"], posts["rows_left_out"]) == (
        4,
        2,
        2,
        1,
    )
    accounts = yard.query("select * from batches where feed = 'account_snapshots'")[0]
    assert (accounts["rows_read"], accounts["rows_accepted"]) == (3, 3)
    assert yard.land().files_new == 0


def test_lists_within_lists(yard: Yard, use: Use) -> None:
    use(f"{HEAD}explode: [data, data.users]{IDS.replace('from: id', 'from: data.users.id')}")
    content = '{"data": [{"users": [{"id": "a"}, {"id": "b"}]}, {"users": [{"id": "c"}]}, {}]}\n'
    path = "account_snapshots/x.json"
    assert land(yard, content, "account_id", path) == [("a",), ("b",), ("c",)]
    assert yard.rejects(path)[0][3] == "no list at 'data.users', of which `explode` makes rows"


def test_nested_lists_of_parquet(yard: Yard, use: Use) -> None:
    from .test_formats import parquet

    use(f"{HEAD}explode: users{IDS.replace('from: id', 'from: users.id')}")
    content = parquet("select 7 as n, [{'id': 'a'}, {'id': 'b'}] as users union all select 8, []")
    path = "account_snapshots/x.parquet"
    assert land(yard, content, "account_id, source_line", path) == [("a", 1), ("b", 1)]
    assert yard.batch(path)["rows_left_out"] == 1


def test_a_list_where_none_can_be(yard: Yard, use: Use) -> None:
    use(f"{HEAD}explode: users{IDS}")
    yard.drop(PATH, "id\na\n")
    yard.land()
    assert "CSV holds no nested lists; leave out `explode`" in yard.batch(PATH)["reason"]


@pytest.mark.parametrize("name", ["20_pretty.json", "20e_array.json"])
def test_json_is_read_as_one_object_over_lines_and_as_a_list(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert yard.rows(deliver(yard, monkeypatch, name, None)) == [("anna", 1200)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("20b_empty.csv", "it is empty; send it again"),
        ("20c_blank_lines.csv", "missing required column 'platform'"),
        ("20d_empty_objects.jsonl", "missing required column 'platform'"),
    ],
)
def test_files_of_nothing_are_refused_in_a_sentence(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    assert reason in yard.batch(deliver(yard, monkeypatch, name, None))["reason"]


ROW = '{"platform": "x", "account_id": "%s", "captured_at": "2026-01-05"}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"[{ROW % 'a'}, {ROW % 'b'}, ", "its JSON breaks off before the end of its list"),
        (f"[{ROW % 'a'}, {(ROW % 'b')[:30]}", "its JSON breaks off before the end of its list"),
        (f"[{ROW % 'a'}, {(ROW % 'b')[:30]}]", "its JSON breaks off or is none"),
        (f"[{ROW % 'a'}] and more]", "its JSON breaks off or is none"),
        (f"[{ROW % 'a'}]\n[{ROW % 'b'}]", "its JSON breaks off or is none"),
        ("[]", "it holds an empty list"),
        ('{\n "platform": "x",\n "acc', "its JSON breaks off or is none"),
        ('{"": [{"a": 1}], "x": [{}]}\n', "there is a list at 'x'"),
        (f'{{"data": [{ROW % "a"}]}}\n', "there is a list at 'data': say `rows_at: data`"),
    ],
)
def test_broken_documents_are_set_aside_in_words(yard: Yard, content: str, reason: str) -> None:
    path = "account_snapshots/x.json"
    yard.drop(path, content)
    yard.land()
    assert reason in yard.batch(path)["reason"]


def test_items_that_are_no_objects_are_named_by_their_place(yard: Yard) -> None:
    path = "account_snapshots/x.json"
    yard.drop(path, f"[{ROW % 'a'}, 7, [1], {ROW % 'b'}]")
    yard.land()
    assert yard.rows(path, "source_line, account_id") == [(1, "a"), (4, "b")]
    assert [reject[:4] for reject in yard.rejects(path)] == [
        (2, None, None, "no JSON object"), (3, None, None, "no JSON object"),
    ]  # fmt: skip


@pytest.mark.parametrize("content", ['{"data": {}}', '{"other": []}', "[1]", '{"data": null}\n{"data": []}\n'])
def test_rows_that_are_not_where_the_mapping_says(yard: Yard, use: Use, content: str) -> None:
    use(f"{HEAD}rows_at: data{IDS}")
    path = "account_snapshots/x.json"
    yard.drop(path, content)
    yard.land()
    assert "there is no list at 'data', where its rows should be" in yard.batch(path)["reason"]


@pytest.mark.parametrize("trait", ["explode: a..b", "explode: ['']", "rows_at: '.x'"])
def test_a_path_that_is_none_is_an_error_of_the_mapping(use: Use, trait: str) -> None:
    with pytest.raises(grammar.ContractError, match="is no path into JSON; write one like data"):
        use(f"{HEAD}{trait}{IDS}")


# --- names and lines as values


def test_a_part_of_the_name_fills_any_column(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS.replace('{from: id}', '''{from_file_name: '^x_(.+)[.]csv'}''')}  followers: {{from: fans}}")
    for account in ("a", "b"):
        yard.drop(f"account_snapshots/x_{account}.csv", "fans\n5\n")
    yard.land()
    assert yard.rows("account_snapshots/x_a.csv") == [("a", 5)]
    assert yard.rows("account_snapshots/x_b.csv") == [("b", 5)], "the same bytes under another name are another account"
    assert yard.land().files_new == 0
    yard.drop("account_snapshots/x.csv", "fans\n5\n")
    yard.land()
    assert "its name holds nothing like ^x_(.+)[.]csv" in yard.batch("account_snapshots/x.csv")["reason"]


def test_a_part_of_the_path_fills_a_column(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS.replace('{from: id}', '''{from_file_name: '/of_([^/]+)/'}''')}  followers: {{from: fans}}")
    path = "account_snapshots/of_anna/x.csv"
    assert land(yard, "fans\n5\n", "account_id, followers", path) == [("anna", 5)]


SALES = """
mapping: m
feed: refunds
pattern: "x*"
columns:
  refund_id: {line_number: true}
  order_id: {from: order}
  refunded_at: {constant: "2026-01-05"}
  amount: {from: amount}
  currency: {constant: EUR}
"""


def test_equal_rows_without_an_id_are_told_apart_by_their_lines(yard: Yard, use: Use) -> None:
    use(SALES)
    content = 'order,amount\no,5\n\n"o",5\no\n'
    assert land(yard, content, "refund_id, amount::int", "refunds/x.csv") == [("x.csv:2", 5), ("x.csv:4", 5)]
    assert land(yard, content, "refund_id", "refunds/xy.csv") == [("xy.csv:2",), ("xy.csv:4",)]


def test_a_line_number_is_no_time(use: Use) -> None:
    with pytest.raises(grammar.ContractError, match="a line number is no amount"):
        use(SALES.replace("{from: amount}", "{line_number: true}"))


def test_lines_hold_whatever_spellings_a_mapping_lists(yard: Yard, use: Use) -> None:
    """Many texts in one list are no reason for DuckDB to join, which would lose the file's order. Several buffers."""
    nulls = ", ".join(f"'n{number}'" for number in range(12))
    use(f"{HEAD}null_values: [{nulls}]{IDS}  display_name: {{from: name}}")
    filler = "x" * 2_000
    rows = [f"a{number},{filler}" for number in range(24_000)]
    rows[10] = "broken"
    found = land(yard, "\n".join(["id,name", *rows, ""]), "source_line, account_id")
    assert found == [(number + 2, f"a{number}") for number in range(24_000) if number != 10]


# --- where a table begins and ends


ANALYTICS = """# ----------------------------------------
# Creators
# "Account: Example
# ----------------------------------------

# Start date: 20260101
id,fans
# all of them
a,1
"b
c",2

d,3
"""


def test_comment_lines_above_and_among_the_rows(yard: Yard, use: Use) -> None:
    use(f"{HEAD}comment: '#'\n{IDS.replace('{from: id}', '{from: fans}')}  display_name: {{from: id}}")
    columns = "source_line, account_id, display_name"
    assert land(yard, ANALYTICS, columns) == [(9, "1", "a"), (10, "2", "b\nc"), (13, "3", "d")]
    windows = ANALYTICS.replace("\n", "\r\n").encode("utf-8-sig")
    found = [(9, "1", "a"), (10, "2", "b\r\nc"), (13, "3", "d")]
    assert land(yard, windows, columns, "account_snapshots/x2.csv") == found


PREAMBLE = (
    "Report of Anna\nfrom,2026-01-01\n\nid,fans,likes\na,1,2\nb,2,3\n\nDay,Views\n2026-01-01,5\n2026-01-02,oops\n"
)


@pytest.mark.parametrize("lines_before", [0, 1, 7])
def test_a_header_by_name_below_a_preamble_of_any_length(yard: Yard, use: Use, lines_before: int) -> None:
    use(f"{HEAD}header: [fans, id]\nends_at_blank_line: true{IDS}  followers: {{from: fans}}")
    content = "any words\n" * lines_before + PREAMBLE
    first = lines_before + 5
    columns = "source_line, account_id, followers"
    assert land(yard, content, columns) == [(first, "a", 1), (first + 1, "b", 2)]
    assert yard.batch(PATH)["reason"] == "not read: 4 lines below the end of its table"


def test_the_second_table_of_a_file(yard: Yard, use: Use) -> None:
    use(f"{HEAD}header: [Day, Views]{IDS.replace('{from: id}', '{from: Day}')}  followers: {{from: Views}}")
    assert land(yard, PREAMBLE, "source_line, account_id, followers") == [
        (9, "2026-01-01", 5),
        (10, "2026-01-02", None),
    ]


def test_a_header_of_two_lines_is_found_by_name(yard: Yard, use: Use) -> None:
    use(f"{HEAD}header: [fans now]{IDS}  followers: {{from: fans now}}")
    assert land(yard, 'a title\nid,"fans\nnow"\na,1\n', "source_line, account_id, followers") == [(4, "a", 1)]


def test_a_header_that_is_not_there(yard_with_good: Yard, use: Use) -> None:
    use(f"{HEAD}header: [fans, views]{IDS}")
    yard_with_good.drop(PATH, PREAMBLE)
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(PATH, "no line holds the headers 'fans', 'views'; correct `header`")


def test_a_header_by_name_and_by_row_is_an_error_of_the_mapping(use: Use) -> None:
    with pytest.raises(grammar.ContractError, match="leave out header_row"):
        use(f"{HEAD}header: [fans]\nheader_row: 3{IDS}")


def test_a_table_within_a_sheet(yard: Yard, use: Use) -> None:
    from .test_formats import xlsx

    use(f"{HEAD}header: [fans, id]\nends_at_blank_line: true\ncomment: '#'{IDS}  followers: {{from: fans}}")
    rows = [["Report"], [], ["id", "fans"], ["a", 1], ["# note"], ["b", 2], [], ["Day", "Views"], ["2026-01-01", 5]]
    path = "account_snapshots/x.xlsx"
    columns = "source_line, account_id, followers"
    assert land(yard, xlsx(*rows), columns, path) == [(4, "a", 1), (6, "b", 2)]
    assert yard.batch(path)["reason"] == "not read: 2 rows below the end of its table"


def test_the_index_that_pandas_writes(yard: Yard, use: Use) -> None:
    from ingestion import parse
    from ingestion.mapping import infer

    path = DOOR / "14_pandas_index.csv"
    guess = infer.infer(parse.connect(yard.settings), path, path.name, "csv").content
    assert "header_row" not in guess
    assert {name: guess["columns"][name] for name in ("platform", "account_id", "followers")} == {
        "platform": {"from": "Platform"}, "account_id": {"from": "Handle"}, "followers": {"from": "Followers"},
    }  # fmt: skip
