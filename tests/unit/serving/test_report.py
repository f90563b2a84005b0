"""The report: escapes everything, says unknown and blocked, loads nothing, and is written only when it changed."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from serving.report import formatting
from serving.report.build import build_report
from serving.report.formatting import compact, share, signed
from serving.report.sections.quality import DATA_DOCS
from serving.report.tables import script, script_hash

HOSTILE = "<script>alert(1)</script>\"'</SCRIPT><img src=x onerror=alert(2)>\u202eexe"
STANDARD = [("nano", 1, 1_000, 10_000), ("micro", 2, 10_000, 100_000), ("mega", 3, 100_000, None)]


def publish(settings: Settings, days: list[tuple[Any, ...]], name: str = "Ann") -> None:
    """A published file by hand. A day: account, date, followers, change per day, gap, step, tier, origin."""
    settings.published.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("""
            begin;
            create schema marts;
            create table marts.dim_account (
                platform varchar, account_id varchar, display_name varchar, data_origin varchar,
                last_seen_date date default date '2026-01-05'
            );
            create table marts.dim_tier_scheme (
                scheme varchar, platform varchar, tier varchar, tier_rank integer, min_followers bigint,
                max_followers bigint
            );
            create table marts.fct_account_daily (
                platform varchar, account_id varchar, snapshot_date date, followers bigint,
                followers_change_per_day double, gap_days integer, count_resolution bigint, tier varchar,
                data_origin varchar, gap_hours double generated always as (gap_days * 24)
            );
            create table marts.fct_account_tier_daily (
                platform varchar, account_id varchar, snapshot_date date, scheme varchar, tier varchar,
                data_origin varchar
            );
            create table marts.fct_publication (
                release_id varchar, mart varchar, run_id varchar, window_start date, window_end date,
                published_at timestamp, row_count bigint, content_hash varchar, code_version varchar
            );
            insert into marts.fct_publication values (
                'rel-1', 'fct_account_daily', 'run-1', '2026-01-01', '2026-01-05', '2026-01-06 00:10:00', 12345, '1',
                '0'
            );
        """)
        for row in STANDARD:
            marts.execute("insert into marts.dim_tier_scheme values ('standard', '*', ?, ?, ?, ?)", row)
        for account in sorted({day[0] for day in days}):
            marts.execute(
                "insert into marts.dim_account values ('youtube', ?, ?, 'observed', default)", (account, name)
            )
        for day in days:
            marts.execute("insert into marts.fct_account_daily values ('youtube', ?, ?, ?, ?, ?, ?, ?, ?)", day)
        marts.execute("""
            insert into marts.fct_account_tier_daily
            select platform, account_id, snapshot_date, 'standard', tier, data_origin from marts.fct_account_daily;
            commit;
        """)


TWO_DAYS = [
    ("a", "2026-01-04", 20_000, None, None, 100, "micro", "observed"),
    ("a", "2026-01-05", 20_100, 100.0, 1, 100, "micro", "observed"),
    ("b", "2026-01-04", 5_000, None, None, 10, "nano", "observed"),
    ("b", "2026-01-05", None, None, None, None, None, "observed"),
]


def plan(settings: Settings, run_id: str, state: str) -> None:
    with ledger.write(settings) as connection:
        connection.execute(
            "insert into plans values (?, '2026-01-05', '2026-01-06 00:00:00', 0, '2026-01-05', '{}', ?)",
            (run_id, state),
        )


def check(settings: Settings, run_id: str, severity: str, passed: bool, detail: str | None = None) -> None:
    result = {
        "suite": "marts.fct_account_daily", "expectation": f"{severity}_{passed}", "severity": severity,
        "observed": "7 %", "threshold": "at most 5 %", "passed": passed, "detail": detail,
    }  # fmt: skip
    ledger.record_checks(settings, run_id, [result])


class Page(HTMLParser):
    """Text that people see, every tag, what the bars of each day say, and what scripts and tables of data hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.seen: list[str] = []
        self.bars: list[str] = []
        self.scripts: list[str] = []
        self.data: dict[str, Any] = {}
        self._inside = ""
        self._script: dict[str, str | None] = {}
        self.feed(html)
        self.text = re.sub(r"[ \n]+", " ", " ".join(self.seen))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style", "title") else ""
        self._script = dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.bars.append(data)
        elif self._inside == "script" and self._script.get("type") == "application/json":
            self.data[str(self._script["id"]).removesuffix("-table-data")] = json.loads(data)
        elif self._inside == "script":
            self.scripts.append(data)
        elif not self._inside:
            self.seen.append(data)


def assert_runs_our_script_alone(page: Page) -> None:
    """Every script of a page is ours, byte for byte, has no source, and is the one that the policy names."""
    tags = [attrs for tag, attrs in page.tags if tag == "script" and attrs.get("type") != "application/json"]
    assert page.scripts in ([], [script()])
    assert tags == [{}] * len(page.scripts)
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs) or ""
    assert re.findall(r"script-src ([^;]*);", policy) == [f"'{script_hash()}'"] * len(page.scripts)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]


def report(settings: Settings, run_id: str = "run-1") -> Page:
    said: list[str] = []
    return Page(build_report(settings, run_id, said.append).read_text(encoding="utf-8"))


def test_hostile_names_are_text(settings: Settings) -> None:
    publish(settings, TWO_DAYS, HOSTILE)
    check(settings, "run-1", "warning", False, HOSTILE)
    page = report(settings)
    assert "<script>alert(1)</script>" in page.text
    assert not [tag for tag in page.tags if tag[0] == "img" or "onerror" in tag[1]]
    assert_runs_our_script_alone(page)


def test_a_foreign_script_is_found() -> None:
    """Negative test."""
    policy = f"<meta http-equiv=x content=\"default-src 'none'; script-src '{script_hash()}'; \">"
    assert_runs_our_script_alone(Page(f"{policy}<script>{script()}</script>"))
    for foreign in ("<script>alert(1)</script>", f"<script src=x>{script()}</script>", "<p onclick='x()'>"):
        with pytest.raises(AssertionError):
            assert_runs_our_script_alone(Page(policy + foreign))


def test_nothing_is_loaded(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    page = report(settings)
    loading = [attrs for tag, attrs in page.tags if tag in ("script", "link", "img", "iframe", "object", "embed")]
    assert {attrs.get("src") or attrs.get("href") for attrs in loading} == {"data:,", None}
    assert_runs_our_script_alone(page)
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith(
        f"default-src 'none'; script-src '{script_hash()}'; style-src 'unsafe-inline'; img-src data:;"
    )
    style_and_text = formatting.style("front") + page.text
    assert not re.search(r"https?://|url\(", style_and_text)
    assert not re.search(r"https?://|fetch\(|XMLHttp|WebSocket|import\(|innerHTML|eval\(|localStorage", script())


def test_unknown_is_not_0(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    page = report(settings)
    # 5 January stands on one account of two: 20,100 followers, none of them from b.
    assert "1 of 2 accounts showed a follower count that day: 20,100 followers in all." in page.text
    assert "Followers unknown 1 – unknown –" in page.text
    assert page.bars[1:] == [
        "4 Jan 2026: Nano 1, Micro 1, Mega 0, Followers unknown 0",
        "5 Jan 2026: Nano 0, Micro 1, Mega 0, Followers unknown 1",
        "4 Jan 2026: Nano 5,000, Micro 20,000",
        "5 Jan 2026: Nano unknown, Micro 20,100",
        "4 Jan 2026: accounts known 2, unknown 0",
        "5 Jan 2026: accounts known 1, unknown 1",
    ]


def test_all_unknown_is_said(settings: Settings) -> None:
    publish(settings, [("a", "2026-01-05", None, None, None, None, None, "observed")])
    page = report(settings)
    assert "followers are unknown , which is not 0" in page.text
    assert "no change is known" in page.text


def test_followers_without_a_tier_stay_in_the_sum(settings: Settings) -> None:
    publish(settings, [*TWO_DAYS, ("c", "2026-01-05", 700, None, None, 1, None, "observed")])
    page = report(settings)
    assert "20,800 followers in all" in page.text
    assert "No tier defined 1 50.0" in page.text


def test_movers_say_what_rounding_is(settings: Settings) -> None:
    rows = [*TWO_DAYS[:2], ("b", "2026-01-02", 5_000, None, None, 1, "nano", "observed")]
    # 5,000 to 4,700 in three days: 100 a day, 2 % of what it was.
    publish(settings, [*rows, ("b", "2026-01-05", 4_700, -100.0, 3, 1, "nano", "observed")])
    page = report(settings)
    assert "4,700 −100 −2.0\u202f% 3 1 " in page.text
    assert "20,100 +100 +0.5\u202f% 1 100 \u202f*" in page.text
    assert "1 rose, 1 fell, 0 showed the same count" in page.text


def test_a_long_gap_breaks_the_axis(settings: Settings) -> None:
    days = ["2022-07-15", "2022-07-16", "2022-09-14", "2024-05-16"]  # gaps of 1, 60 and 610 days
    publish(settings, [("a", day, 2_000, None, None, 1, "nano", "observed") for day in days])
    page = report(settings)
    drawn = [attrs for tag, attrs in page.tags if tag == "div" and attrs.get("class") == "span"]
    # 15 July to 14 September, both of them, are 62 days; the one of 2024 stands apart. Three panels.
    assert [attrs["style"] for attrs in drawn] == ["flex-grow:62", "flex-grow:1"] * 3
    assert page.text.count("609 days without data") == 3


def test_a_blocked_run_is_said_so(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    plan(settings, "run-2", "planned")
    check(settings, "run-2", "critical", False, "2026-01-05: youtube")
    page = report(settings, "run-2")
    assert "Blocked. 1 critical check failed: Results: followers by day · critical False." in page.text
    assert "Readers keep the figures of the last good night." in page.text
    assert page.text.index("Blocked.") < page.text.index("Nightly report")
    assert "✕ Failed" in page.text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("published", "Published."),
        ("unchanged", "Unchanged."),
        ("superseded", "Superseded."),
        ("planned", "Not published."),
    ],
)
def test_a_warning_blocks_nothing(settings: Settings, state: str, said: str) -> None:
    publish(settings, TWO_DAYS)
    plan(settings, "run-1", state)
    check(settings, "run-1", "warning", False)
    page = report(settings)
    assert said in page.text
    assert "Blocked" not in page.text


def test_a_run_without_checks_shows_the_last_ones(settings: Settings) -> None:
    check(settings, "run-1", "warning", False)
    plan(settings, "run-2", "unchanged")
    assert "The run of this report ran no checks of its own." in report(settings, "run-2").text


def test_before_the_first_release(settings: Settings) -> None:
    check(settings, "run-1", "critical", True)
    with ledger.write(settings) as connection:
        connection.execute(
            "insert into batches values ('b', 'f', 'm', 'p', 's', 'f/<b>x</b>.csv', 1, null, null, '2026-01-05',"
            " '2026-01-05 01:00:00', 'observed', 'accepted', null, 1003, 1000, 2, 1, 'run-1', 0, 1, '', null)"
        )
    page = report(settings)
    assert "Before the first published night" in page.text
    assert "1,003 rows read = 1,000 accepted + 2 quarantined + 1 duplicate" in page.text
    assert "f/<b>x</b>.csv" in page.text
    assert "critical_True" in page.text
    assert page.bars == ["Groundswell: creator marketing"]


def test_an_empty_release(settings: Settings) -> None:
    publish(settings, [])
    assert "No accounts yet" in report(settings).text


def test_simulated_rows_are_said(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    assert "Simulated data." not in report(settings).text
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("update marts.fct_account_daily set data_origin = 'simulated' where account_id = 'a'")
    text = report(settings).text
    assert "Simulated data. Not everything here was observed: 2 of 4 daily counts of accounts are made up." in text
    assert "Simulated, not observed: 2 rows of fct_account_daily ." in text
    # Beside each figure and table that counts them as well: the mix, both charts, the schemes, the mover.
    assert text.count("simulated 1 of the accounts of that day are made up.") == 2
    assert text.count("simulated 1 of the accounts counted here are made up: 4 Jan 2026 to 5 Jan 2026.") == 2
    assert "YouTube a simulated" in text


def test_data_docs_are_linked_when_they_exist(settings: Settings) -> None:
    check(settings, "run-1", "warning", True)
    assert not [attrs for tag, attrs in report(settings).tags if tag == "a" and attrs.get("href") == DATA_DOCS]
    docs = settings.reports / DATA_DOCS
    docs.parent.mkdir(parents=True)
    docs.write_text("docs")
    assert [attrs for tag, attrs in report(settings).tags if tag == "a" and attrs.get("href") == DATA_DOCS]


def test_written_only_when_changed(settings: Settings) -> None:
    publish(settings, TWO_DAYS)
    said: list[str] = []
    path = build_report(settings, "run-1", said.append)
    first = path.stat()
    assert build_report(settings, "run-1", said.append) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    check(settings, "run-1", "warning", False)
    build_report(settings, "run-1", said.append)
    assert path.stat().st_ino != first.st_ino
    assert [line.split(":")[0] for line in said] == ["report written", "report unchanged", "report written"]
    assert {file.name for file in path.parent.iterdir()} == {"index.html", "quality.html"}


def test_a_year_of_bars_is_a_small_page(settings: Settings) -> None:
    publish(settings, [])
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("""
            insert into marts.fct_account_daily
            select 'youtube', 'a', date '2025-01-01' + cast(day as integer), 123456789, null, null, 1, tier, 'observed'
            from range(420) as days (day),
                unnest(['nano', 'micro', 'mega', 'below', 'unclassified', null]) as tiers (tier)
        """)
    path = build_report(settings, "run-1", lambda line: None)
    assert "The latest 400 of 420 days are shown." in path.read_text(encoding="utf-8")
    assert path.stat().st_size < 500_000


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (950, "950"), (2_500, "2.5K"), (40_000_000, "40M"), (1_250_000_000, "1.25B")],
)
def test_a_mark_of_a_scale_is_short(value: float, said: str) -> None:
    assert compact(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(None, "unknown"), (0.0, "0.0\u202f%"), (0.0001, "<0.1\u202f%"), (0.5368, "53.7\u202f%")]
)
def test_share(value: float | None, said: str) -> None:
    assert share(value) == said


def test_signed() -> None:
    assert [signed(value) for value in (10_000.0, -1.5, 0.0)] == ["+10,000", "−1.5", "0"]
