"""`make preview`: what a file would become, with nothing written but a YAML; and the mapping that it infers."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ingestion import config, parse
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.mapping import grammar, infer, preview

from ..conftest import HEADER
from .test_formats import jsonl, parquet, xlsx

DOOR = config.PROJECT_DIR / "tests" / "fixtures" / "door"


class Shown:
    """What a preview of a file prints, and the folder of data it must leave alone."""

    def __init__(self, folder: Path, data: Settings) -> None:
        self.folder, self.data = folder, data
        self.text, self.code = "", -1

    def __call__(self, name: str, content: bytes | str, mapping: str | None = None) -> str:
        file = self.folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        out = io.StringIO()
        work = Settings(_env_file=None, data=self.folder / "work")  # type: ignore[call-arg]
        with parse.connect(work) as reader:
            self.code = preview.preview(Console(file=out, width=200), reader, work, file, file, mapping)
        self.text = out.getvalue()
        return self.text

    def written(self) -> list[Path]:
        return sorted(path.relative_to(self.data.data) for path in self.data.data.rglob("*") if path.is_file())

    def guess(self, name: str, content: bytes | str) -> grammar.Mapping:
        """The mapping that is inferred, read back from the YAML as a person would use it."""
        self(name, content)
        (found,) = (self.data.data / "build" / "preview").glob("*.yml")
        mapping = grammar.load_mapping(found)
        found.unlink()
        return mapping


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Shown:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.setattr(preview, "get_settings", lambda: settings)
    return Shown(folder, settings)


def test_a_canonical_file_needs_no_mapping_and_nothing_is_written(show: Shown) -> None:
    text = show(
        "a.csv",
        f"{HEADER}\nyoutube,a,2026-01-05,1\nyoutube,b,2004-12-31,1\nyoutube,c,2004-12-30,1\nyoutube,d,2026-01-05,-2\n",
    )
    assert "none needed: these are the columns of feed account_snapshots" in text
    assert "4 rows read = 2 accepted + 2 quarantined + 0 duplicate" in text
    assert "before 2005-01-01" in text
    assert re.search(
        r"invalid cells +first line +column +value +reason *\n +1 +5 +followers +-2 +a negative count", text
    )
    assert (show.code, show.written()) == (0, [])


def test_a_shipped_mapping_is_found_by_name_and_one_that_is_named_is_used(show: Shown) -> None:
    content = "ChannelUrl,Name,SubscriberCount,ViewCount\nhttps://www.youtube.com/channel/UC" + "x" * 22 + ",Ann,5,0\n"
    assert "vtuber, which claims" in show("Data_2022-08-01_03-01-02.csv", content)
    assert show.code == 0
    with pytest.raises(ContractError, match="there is no mapping 'nosuch'; known: "):
        show("x.csv", content, mapping="nosuch")


def test_control_characters_and_markup_of_a_file_reach_no_terminal(show: Shown) -> None:
    text = show("a.csv", f"{HEADER},handle\nyoutube,[red]x[/red],2026-01-05,1,\x1b[31mred\n")
    assert "\x1b" not in text
    assert "[red]x[/red]" in text


def test_a_german_export_is_inferred(show: Shown) -> None:
    """Delimiter, decimal comma, a title above the header, blanks, dates and encoding, none of them told."""
    content = "Bericht Frühling\n\nNetzwerk;Id;Datum;Abonnenten;Name\n" + "".join(
        f"TikTok;{n};{n:02d}.01.2026;{n}.234;Jürgen {n}\n" for n in range(10, 20)
    )
    mapping = show.guess("export_2026.csv", content.replace("Netzwerk", "Platform").encode("cp1252"))
    assert (mapping.delimiter, mapping.header_row, mapping.encoding) == (";", 3, "cp1252")
    assert mapping.decimal_mark == ","
    columns = mapping.parts[0].columns
    assert (columns["followers"].from_, columns["followers"].parse) == ("Abonnenten", "number")
    assert columns["captured_at"].time_format == "%d.%m.%Y"
    assert "10 rows read = 10 accepted" in show.text
    assert show.code == 0


def test_cells_that_could_not_be_read_are_said_beside_their_column(show: Shown) -> None:
    mapping = show.guess("yt.csv", "channel_id,day,subscribers\nUCa,2026-01-05,5\nUCb,2026-01-05,k. A.\n")
    assert mapping.parts[0].columns["followers"].from_ == "subscribers"
    assert "followers: {from: subscribers}  # not read: 'k. A.'; null_values, values?" in show.text


def test_twin_headers_nulls_and_a_missing_time_are_inferred(show: Shown) -> None:
    content = "Tiktoker,Fans,Fans\na,1.3M,1300000\nb,-,-\nc,97K,97000\n"
    mapping = show.guess("tt_top.csv", content)
    columns = mapping.parts[0].columns
    assert columns["followers"].twin in (1, 2)
    assert mapping.null_values == ("-",)
    assert columns["platform"].constant == "tiktok"
    assert columns["captured_at"].from_as_of
    assert "no column and no name says when" in show.text


def test_the_time_in_the_name_is_taken(show: Shown) -> None:
    mapping = show.guess("youtube_2026-01-05.csv", "channel_id,subscribers\nUCa,5\nUCb,6\n")
    assert mapping.file_time is not None
    assert mapping.file_time_of("youtube_2026-01-06.csv") is not None
    assert mapping.claims("youtube_2027-12-31.csv")


def test_nested_json_parquet_and_xlsx_are_inferred(show: Shown) -> None:
    records = [
        {"id": f"UC{n}", "snippet": {"title": "x"}, "statistics": {"subscriberCount": str(n), "viewCount": "9"}}
        for n in range(5)
    ]
    columns = show.guess("youtube.jsonl", jsonl(*records)).parts[0].columns
    assert columns["followers"].from_ == "statistics.subscriberCount"
    columns = (
        show.guess(
            "ig.parquet",
            parquet(
                "select 'u' || i as username, i * 10 as follower_count, 'instagram' as network from range(9) t (i)"
            ),
        )
        .parts[0]
        .columns
    )
    assert (columns["account_id"].from_, columns["platform"].from_) == ("username", "network")
    mapping = show.guess("ig.xlsx", xlsx(["Top creators", None], ["Username", "Followers"], ["a", 1], ["b", 2]))
    assert mapping.header_row == 2


def test_posts_and_links_are_inferred(show: Shown) -> None:
    rows = "".join(f"https://www.instagram.com/ann{n}/,p{n},2026-01-0{n},{n},7\n" for n in range(1, 6))
    mapping = show.guess("posts.csv", f"profile_url,post_id,date,likes,comments\n{rows}")
    part = mapping.parts[0]
    assert part.feed == "post_snapshots"
    assert part.columns["account_id"].extract == infer.IDS_IN_URLS["instagram"]
    assert part.columns["published_at"].from_ == "date"
    assert part.columns["platform"].constant == "instagram"


def test_what_nobody_can_guess_is_left_open_with_the_next_step(show: Shown) -> None:
    text = show("x.csv", "likes,comments,post_id\n1,2,p\n3,4,q\n")
    assert "account_id: {from: ...}  # required; nothing in the file looks like it" in text
    assert "Complete the lines marked `...`" in text
    assert show.code == 1


def test_day_and_month_that_could_be_either_way_round_are_said(show: Shown) -> None:
    assert "could be the other way round" in show(
        "yt.csv", "channel_id,day,subscribers\nUCa,05/01/2026,5\nUCb,06/01/2026,6\n"
    )


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], groundswell: Callable[..., int]) -> None:
    assert groundswell("preview", "/nowhere/x.csv") == 2
    assert "there is no file /nowhere/x.csv" in capsys.readouterr().err


def test_settings_are_those_of_the_project() -> None:
    assert preview.get_settings is config.get_settings


@pytest.mark.parametrize("name", ["20b_empty.csv", "20c_blank_lines.csv", "20d_empty_objects.jsonl"])
def test_a_file_of_nothing_is_refused_in_a_sentence(show: Shown, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert preview.show(DOOR / name) == 1
    assert "REFUSED  it " in capsys.readouterr().out


def test_dates_side_by_side_are_proposed_as_rows(show: Shown) -> None:
    spread = show.guess("24_wide_dates.csv", (DOOR / "24_wide_dates.csv").read_bytes()).parts[0].unpivot
    assert spread is not None
    assert spread.read("2026-01-02") == ("followers", "2026-01-02")
    assert "6 rows read = 6 accepted" in show.text
    assert "a row for each day: are the cells followers?" in show.text


def test_each_member_of_a_zip_and_each_sheet_is_shown(show: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    from .test_containers import book, packed

    box, workbook, mapping = (show.folder / name for name in ("box.zip", "book.xlsx", "m.yml"))
    row = b"platform,account_id,captured_at,followers\nx,a,2026-01-05,1\n"
    box.write_bytes(packed(("a.csv", row), ("b.csv", row), ("__MACOSX/c.csv", row)))
    assert preview.show(box) == 0
    assert capsys.readouterr().out.count("1 rows read = 1 accepted") == 2
    workbook.write_bytes(book())
    mapping.write_text(
        "mapping: m\nfeed: account_snapshots\npattern: '*'\nsheet: '2026-*'\ncolumns: {platform: {constant: x},"
        " account_id: {from: id}, captured_at: {constant: 2026-01-05T00:00}}\n",
        encoding="utf-8",
    )
    assert preview.show(workbook, str(mapping)) == 0
    assert capsys.readouterr().out.count("1 rows read = 1 accepted") == 3


def test_what_keep_leaves_out_is_shown_with_what_becomes_of_it(show: Shown, tmp_path: Path) -> None:
    columns = ("order_id", "customer_id", "ordered_at", "gross_amount", "currency")
    text = "mapping: kept\npattern: kept*.csv\nfeed: orders\nkeep: \"status = 'paid'\"\n{}columns:\n" + "".join(
        f"  {name}: {{from: {name}}}\n" for name in columns
    )
    rows = [f"o{number},c,2026-01-05,1,USD,{status}" for number, status in enumerate(("paid", "open", "open", ""))]
    content = "\n".join([",".join((*columns, "status")), *rows]) + "\n"
    for traits, words in (
        ("", "is withdrawn; where it should stay"),
        ("left_out: ignored\n", "stays (left_out: ignored)"),
    ):
        (tmp_path / "kept.yml").write_text(text.replace("{}", traits))
        printed = show("kept.csv", content, str(tmp_path / "kept.yml"))
        assert "left out by status: open (2), (empty) (1)" in printed
        assert words in printed
