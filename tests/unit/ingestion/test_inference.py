"""Inference is never wrong without a remark, and preview says of a file what landing will say."""

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rich.console import Console

from ingestion import config, landing, parse
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import UsageError
from ingestion.mapping import encodings, grammar, headers, infer, preview
from ingestion.mapping.guess import Guess
from tests.mappings import only

from ..conftest import Yard
from . import exports, hostile
from .test_formats import xlsx
from .test_properties import fresh_yard

DOOR = config.PROJECT_DIR / "tests" / "fixtures" / "door"
SHARED = Path(os.environ.get("GROUNDSWELL_SHARED_DATA", PROJECT_DIR.parent / "shared" / "data"))


class Look:
    """Preview of files as a person calls it: what it prints, its exit code, the mapping that it writes."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.text, self.code = "", -1

    def __call__(self, file: Path | str, content: bytes | str | None = None, **asked: Any) -> str:
        path = self.folder / file if isinstance(file, str) else file
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        out = io.StringIO()
        work = self.settings.model_copy(update={"data": self.folder / "work", "hash_key": preview.NO_KEY})
        with parse.connect(work) as reader:
            self.code = preview.preview(
                Console(file=out, width=300), reader, work, path, path, preview.Request(ignore_mappings=True, **asked)
            )
        self.text = out.getvalue()
        return self.text

    def guess(self, file: Path | str, content: bytes | str | None = None, feed: str | None = None) -> Guess:
        path = self.folder / file if isinstance(file, str) else file
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        with parse.connect(self.settings) as reader:
            return infer.infer(reader, path, path.name, infer.format_of(path, path.name), feed)

    def readings(self, guess: Guess, key: str) -> list[tuple[str, str]]:
        """The answers of the question at a key, each with what it makes of a value."""
        (question,) = [question for question in guess.questions if question.key == key]
        return [(answer.line, answer.shown) for answer in question.answers]


@pytest.fixture
def look(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "config").mkdir()
    mine = settings.model_copy(update={"config": tmp_path / "config"})
    monkeypatch.setattr(preview, "get_settings", lambda: mine)
    return Look(mine, folder)


# --- what has two readings is asked, with both


def test_thousands_points_are_asked(look: Look) -> None:
    """Case 04: 1,250 euros or 1.25: nothing in the file tells."""
    guess = look.guess(DOOR / "04_thousands_points_inferred.csv")
    assert look.readings(guess, "decimal_mark") == [
        ("decimal_mark: '.'", "amount '1.250' is 1.25"),
        ("decimal_mark: ','", "amount '1.250' is 1250"),
    ]
    assert "decimal_mark" not in guess.content
    text = look(DOOR / "04_thousands_points_inferred.csv")
    assert "# decimal_mark: ','  # amount '1.250' is 1250" in text
    assert "4 rows read = 1 accepted + 3 quarantined + 0 duplicate" in text
    assert "NOT GOOD a question waits for an answer" in text
    assert look.code == 1


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        # A cell that is a number in one way alone tells for the others.
        (["1.250", "2.400", "99,50"], ","),
        (["1.250", "2.400", "99.50"], "."),
        (["1,250", "99.5"], "."),
        (["1.234.567", "1.250"], ","),
        # Without such a number there is nothing to tell, and nothing to ask.
        (["5", "99"], None),
    ],
)
def test_a_number_with_one_reading_tells_the_mark(look: Look, cells: list[str], mark: str | None) -> None:
    rows = "".join(f"c{n};2026-01-05;fee;{cell};EUR\n" for n, cell in enumerate(cells))
    guess = look.guess("costs.csv", f"cost_id;cost_date;cost_type;amount;currency\n{rows}")
    assert guess.content.get("decimal_mark") == mark
    assert not guess.is_open


def test_numbers_of_both_kinds_are_asked(look: Look) -> None:
    guess = look.guess("costs.csv", "cost_id;cost_date;cost_type;amount;currency\na;2026-01-05;fee;9,50;EUR\n"
                       "b;2026-01-05;fee;9.50;EUR\n")  # fmt: skip
    (question,) = [question for question in guess.questions if question.key == "decimal_mark"]
    assert question.is_open
    assert question.columns == ("amount",)


def test_another_column_tells_the_mark_and_it_is_said(look: Look) -> None:
    rows = "".join(f"c{n};2026-01-05;fee;{n}.250;EUR;{n},5\n" for n in range(1, 6))
    guess = look.guess("costs.csv", f"cost_id;cost_date;cost_type;amount;currency;Note %\n{rows}")
    assert guess.content["decimal_mark"] == ","
    assert guess.remarks["decimal_mark"] == "as 'Note %' shows, with '1,5'"
    assert look.readings(guess, "decimal_mark")[0] == ("decimal_mark: ','", "amount '1.250' is 1250")


def test_dates_that_could_begin_with_the_day_or_the_month_are_asked(look: Look) -> None:
    """Case 10, a US file: 2026-03-01 to 2026-04-10, or 2026-01-03 to 2026-10-04. Both columns are named."""
    guess = look.guess(DOOR / "10_ambiguous_dates_campaigns.csv")
    assert look.readings(guess, "date_order") == [
        ("date_order: dmy", "start_date '03/01/2026' is 2026-01-03"),
        ("date_order: mdy", "start_date '03/01/2026' is 2026-03-01"),
    ]
    (question,) = guess.questions
    assert question.columns == ("start_date", "end_date")
    assert look(DOOR / "10_ambiguous_dates_campaigns.csv").count("has two readings: see the question") == 2
    assert look.code == 1


def test_one_date_tells_the_order_of_all(look: Look) -> None:
    row = "c1,acme,Spring,03/01/2026,{},5,USD\n"
    header = "campaign_id,brand,name,start_date,end_date,budget,currency\n"
    guess = look.guess("campaigns.csv", header + row.format("04/25/2026"))
    assert guess.content["date_order"] == "mdy"
    # The other column alone could be read otherwise, so it is said.
    assert "as end_date shows; start_date alone could be read otherwise" in guess.text()
    assert not guess.is_open


def test_points_stand_between_day_and_month_in_places_where_the_day_comes_first(look: Look) -> None:
    guess = look.guess("yt.csv", "channel_id;Datum;subscribers\nUCa;05.01.2026;5\nUCb;06.01.2026;6\n")
    assert guess.content["date_order"] == "dmy"
    assert look.readings(guess, "date_order") == [
        ("date_order: dmy", "captured_at '05.01.2026' is 2026-01-05"),
        ("date_order: mdy", "captured_at '05.01.2026' is 2026-05-01"),
    ]


def test_an_instagram_export_is_read_by_its_publish_time(look: Look) -> None:
    """Case 16: published_at from `Publish time`, whose order nothing tells; `12,400` tells the decimal mark."""
    guess = look.guess(DOOR / "16_instagram_export.csv")
    assert guess.feeds[0] == "post_snapshots"
    columns = guess.content["columns"]
    assert columns["published_at"] == {"from": "Publish time"}
    assert columns["account_id"] == {"from": "Account ID"}
    assert guess.content["decimal_mark"] == "."
    assert look.readings(guess, "date_order")[1] == (
        "date_order: mdy",
        "published_at '10/03/2026 08:31' is 2026-10-03 08:31:00",
    )


@pytest.mark.parametrize(
    ("text", "encoding", "rival"),
    [
        ("Jürgen Groß", "cp1252", None),
        ("España", "cp1252", "cp1250"),
        ("Łukasz Żółć", "cp1250", None),
        ("Анна Иванова", "cp1251", None),
        ("アンナさくら", "cp932", None),
        ("Jürgen Größe", "mac_roman", None),
        ("안나 서울", "cp949", None),
        ("Jürgen", "utf-8", None),
        ("Anna", "utf-16", None),
    ],
)
def test_encodings_by_their_bytes(text: str, encoding: str, rival: str | None) -> None:
    found = encodings.likely(f"name,x\n{text},1\n".encode(encoding))
    assert found.name == encoding
    assert rival is None or rival in found.rivals


def test_bytes_that_are_text_in_two_encodings_are_asked(look: Look) -> None:
    rows = "username,full name,followers\nanna,España,5\nbea,Lia,6\n".encode("cp1252")
    guess = look.guess("ig.csv", rows)
    assert look.readings(guess, "encoding")[:2] == [("encoding: cp1252", "España"), ("encoding: cp1250", "Espańa")]


def test_lists_that_are_separated_in_several_ways_are_asked(look: Look) -> None:
    """Case 17: no one separator reads all four."""
    guess = look.guess(DOOR / "17_hashtags.csv")
    shown = dict(look.readings(guess, "columns.hashtags"))
    assert shown["hashtags: {from: hashtags, list_separator: ','}"].endswith(" is #finance #money #invest")
    assert shown["hashtags: {from: hashtags, list_separator: ' '}"].endswith(" is #finance|#money|#invest")


def test_words_between_blanks_may_be_one_text(look: Look) -> None:
    guess = look.guess(
        "posts.csv", "post id,username,platform,likes,tags\np1,a,x,5,SHANtell martin\np2,a,x,6,tea time\n"
    )
    assert ("hashtags: {from: tags, list_separator: ','}", "'SHANtell martin' is SHANtell martin") in look.readings(
        guess, "columns.hashtags"
    )


def test_a_rate_that_may_be_a_fraction_is_asked(look: Look) -> None:
    content = "rule_id,valid_from,kind,commission rate,applies_to\nr,2026-01-05,percent,0.4,first_order\n"
    guess = look.guess("rules.csv", content)
    assert [shown for _, shown in look.readings(guess, "columns.rate")] == ["0.4 is 0.4 per cent", "0.4 is 40 per cent"]


def test_what_mil_stands_for_is_asked(look: Look) -> None:
    guess = look.guess("ig.csv", "username,followers\nanna,12 mil\nbea,900\ncy,800\ndora,1\nemil,2\n")
    assert [shown for _, shown in look.readings(guess, "columns.followers")] == [
        "'12 mil' is thousands",
        "'12 mil' is millions",
    ]
    assert guess.is_open


def test_a_total_after_the_discount_is_asked_about(look: Look) -> None:
    """Case 12: before the discount #1001 came to 111.40, of which 20.00 were taken off."""
    guess = look.guess(DOOR / "12_shopify_orders.csv")
    assert look.readings(guess, "columns.gross_amount") == [
        ("gross_amount: {compute: Total + (`Discount Amount` or 0)}", "91.40 was charged after 20.00 were taken off"),
        ("gross_amount: {from: Total}", "91.40 is the price, of which 20.00 come off"),
    ]
    text = look(DOOR / "12_shopify_orders.csv")
    assert "111.4" in text
    # The second line of #1001 is another item of it.
    assert "4 rows read = 3 accepted + 1 quarantined + 0 duplicate" in text
    assert "of the quarantined 1 are left out on purpose" in text


# --- shape, feed and columns


def test_a_pandas_index_is_no_row(look: Look) -> None:
    """Case 14: the header is in row 1, though its first cell is empty."""
    guess = look.guess(DOOR / "14_pandas_index.csv")
    assert "header_row" not in guess.content
    columns = guess.content["columns"]
    assert [columns[name]["from"] for name in ("account_id", "followers", "platform")] == [
        "Handle",
        "Followers",
        "Platform",
    ]


def test_platforms_side_by_side_are_an_account_each(look: Look) -> None:
    """Case 15: two accounts of Instagram, one of TikTok, one of YouTube; each with its own count."""
    text = look(DOOR / "15_wide_platforms.csv")
    assert "account_snapshots: 6 rows read = 4 accepted + 2 quarantined + 0 duplicate" in text
    for platform, account, followers in (
        ("instagram", "anna.bakes", 12400), ("instagram", "bea_runs", 8800), ("tiktok", "annabakes", 55000),
        ("youtube", "BeaRuns", 2100),
    ):  # fmt: skip
        assert re.search(rf"{platform} +{account} .* {followers} ", text)


def test_dates_out_of_bounds_are_named_under_their_own_column(look: Look) -> None:
    """Case 19: 0202, 2062 and 1970 are no dates of costs, nor is 30 February."""
    text = look(DOOR / "19_cost_years.csv", feed="costs")
    assert "4 rows read = 0 accepted + 4 quarantined" in text
    assert "more than 10 years ahead" in text
    assert "before 2005-01-01" in text
    assert look.code == 1


def test_dates_side_by_side_are_six_account_days(look: Look) -> None:
    """Case 24."""
    assert "6 rows read = 6 accepted + 0 quarantined" in look(DOOR / "24_wide_dates.csv")


def test_a_row_of_sums_is_proposed_to_be_left_out(look: Look) -> None:
    """Case 25: two posts; the account stands nowhere in an export of one channel."""
    guess = look.guess(DOOR / "25_youtube_studio_table_data.csv")
    assert guess.feeds[0] == "post_snapshots"
    assert guess.content["skip_totals"] is True
    assert guess.open_ends == ["account_id"]
    # Subscribers are those that a post gained, no followers.
    assert "followers" not in guess.content["columns"]


def test_ids_that_lost_digits_are_said(look: Look) -> None:
    guess = look.guess(DOOR / "09b_numeric_ids.xlsx", feed="post_snapshots")
    assert "has lost digits" in guess.remarks["columns.post_id"]


@pytest.mark.parametrize(
    "name", ["20_pretty.json", "20e_array.json", "02_mixed_line_ends.csv", "01_linefeed_in_header_crlf.csv"]
)
def test_files_that_died_once_are_read(look: Look, name: str) -> None:
    look(DOOR / name)
    assert look.text.count(" rows read = ") + look.text.count("NOT GOOD nothing in it was found") == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("20b_empty.csv", "it is empty"),
        ("20c_blank_lines.csv", "it holds blank lines and nothing else"),
        ("20d_empty_objects.jsonl", "it holds no column"),
    ],
)
def test_files_of_nothing_are_refused_in_a_sentence(
    look: Look, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    assert preview.show(DOOR / name) == 1
    assert f"REFUSED  {reason}" in capsys.readouterr().out


def test_rows_within_a_document_and_lists_within_records_are_found(look: Look) -> None:
    record = '{"id": "UC%d", "subscriberCount": "%d"}'
    inner = ", ".join(record % (n, n + 7) for n in range(3))
    assert look.guess("youtube.json", f'{{"kind": "x", "items": [{inner}]}}').content["rows_at"] == "items"
    posts = '{"username": "a%d", "posts": [{"post_id": "p%d", "likes": 5, "views": 7, "comments": 2}]}\n'
    guess = look.guess("tiktok.jsonl", "".join(posts % (n, n) for n in range(4)))
    assert (guess.content["feed"], guess.content["explode"]) == ("post_snapshots", "posts")
    assert guess.content["columns"]["likes"] == {"from": "posts.likes"}


def test_the_sheet_that_holds_the_table_is_chosen_and_the_others_are_named(look: Look) -> None:
    import openpyxl

    made = openpyxl.Workbook()
    made.active.title = "Read me"
    made.active.append(["This is an export"])
    sheet = made.create_sheet("Creators")
    for row in (["Username", "Followers"], ["anna", 5], ["bea", 6]):
        sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    guess = look.guess("tiktok list.xlsx", out.getvalue())
    assert guess.content["sheet"] == "Creators"
    assert guess.remarks["sheet"] == "not read: 'Read me'"


def test_a_table_without_a_header_is_asked_about(look: Look) -> None:
    guess = look.guess("x.csv", "anna,5,2026-01-05\nbea,6,2026-01-05\ncy,7,2026-01-06\n")
    assert guess.content["header_row"] == 0
    assert "is it?" in guess.remarks["header_row"]
    assert guess.mapping() is None


def test_a_file_without_a_count_is_never_called_good(look: Look) -> None:
    rows = "platform,username,bio\ninstagram,anna,x\ninstagram,bea,y\n"
    assert "NOT GOOD not one count is mapped (followers, following, posts" in look(
        "ig.csv", rows, feed="account_snapshots"
    )
    assert look.code == 1
    # Nor where the counts are there and empty.
    text = look("ig.csv", "platform,account_id,captured_at,followers\nx,a,2026-01-05,\n", feed="account_snapshots")
    assert "NOT GOOD not one count is filled in the 1 rows of account_snapshots" in text
    assert look.code == 1


def test_a_file_that_is_like_no_feed_is_said_to_be(look: Look) -> None:
    assert "its columns are like those of no feed" in look("x.csv", "colour,shape\nred,round\nblue,square\n")
    assert look.code == 1


def test_feeds_that_are_nearly_as_likely_are_named(look: Look) -> None:
    guess = look.guess("x.csv", "order id,amount,currency,date\no1,5,EUR,2026-01-05\no2,6,EUR,2026-01-06\n")
    (question,) = [question for question in guess.questions if not question.key]
    assert {"--feed orders", "--feed refunds"} & {answer.line for answer in question.answers}


def test_a_feed_can_be_asked_for(look: Look) -> None:
    content = "order id,amount,currency,date\no1,5,EUR,2026-01-05\no2,6,EUR,2026-01-06\n"
    assert look.guess("x.csv", content, feed="refunds").feeds == ["refunds"]
    with pytest.raises(UsageError, match="there is no feed 'refnds'; did you mean 'refunds'"):
        preview.show(look.folder / "x.csv", feed="refnds")


def test_mappings_can_be_ignored(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    file = look.folder / "ig_2022_06.csv"
    file.write_text("Username,Followers\nanna,5\nbea,6\n", encoding="utf-8")
    assert preview.show(file) == 1
    assert "hypeauditor_instagram of the library" in capsys.readouterr().out
    assert preview.show(file, ignore_mappings=True) == 0
    assert "mapping  inferred for feed account_snapshots" in capsys.readouterr().out


# --- what tells something of a person


@pytest.mark.parametrize(
    ("title", "what"),
    [
        ("Gender", "gender"), ("Geschlecht", "gender"), ("Ethnicity", "ethnicity"), ("E-Mail", "e-mail"),
        ("Email (Billing)", "e-mail"), ("Phone number", "phone number"), ("Date of birth", "birth date or age"),
        ("Shipping Address 1", "address"), ("LGBTQ", "sexual orientation"), ("Religion", "religion"), ("IBAN", "bank account or tax number"),
        ("Audience gender", None), ("Shipping", None), ("Average", None), ("Message", None), ("Address type", None),
    ],
)  # fmt: skip
def test_what_a_header_tells_of_a_person(title: str, what: str | None) -> None:
    assert headers.sensitive(title) == what


def test_what_tells_of_a_person_is_left_out_or_hashed(look: Look) -> None:
    guess = look.guess("top.csv", "username,followers,platform,Gender,Contact\nanna,5,x,f,a@b.de\nbea,6,x,m,b@b.de\n")
    # A column of e-mails is known by its cells.
    assert guess.content["ignore"] == ["Gender", "Contact"]
    text = look("top.csv")
    assert "personal 'Gender' (gender): left out (`ignore`)" in text
    assert "a@b.de" not in text
    orders = "order id,email,created at,total,currency\no1,a@b.de,2026-01-05,5,EUR\no2,c@b.de,2026-01-06,6,EUR\n"
    assert look.guess("orders.csv", orders).content["columns"]["customer_id"]["hash"] is True
    text = look("orders.csv")
    assert "personal 'email' (e-mail): its keyed hash alone is kept (`hash`)" in text
    # Without a key landing waits, and so it is said.
    assert "NOT GOOD a column is hashed and GROUNDSWELL_HASH_KEY is not set" in text
    assert look.code == 1
    assert "c@b.de" not in text


# --- preview says what landing will say


def test_rows_are_as_of_the_same_instant_in_preview_and_when_landed(
    look: Look, yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 11: a list that says nowhere when it was true."""
    file = look.folder / "11_weekly_export.csv"
    shutil.copy(DOOR / "11_weekly_export.csv", file)
    os.utime(file, (datetime(2026, 1, 2, 9).timestamp(),) * 2)
    text = look(file, mapping=str(DOOR / "11.yml"))
    (shown,) = set(re.findall(r"as of +(\S+ \S+) UTC", text))
    assert "cp -p " in look(
        "again.csv", "platform,account_id,captured_at,followers\nx,a,2026-01-05,1\n", feed="account_snapshots"
    )
    mapping = grammar.load_mapping(DOOR / "11.yml")
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    target = yard.settings.landing / "account_snapshots" / file.name
    target.parent.mkdir(parents=True)
    shutil.copy2(file, target)
    yard.land()
    landed = yard.batch(f"account_snapshots/{file.name}")
    assert datetime.fromisoformat(landed["as_of"]).strftime("%Y-%m-%d %H:%M:%S") == shown
    assert (landed["rows_read"], landed["rows_accepted"]) == (1, 1)


def test_a_time_in_the_name_that_lies_ahead_is_refused_as_landing_does(
    look: Look, capsys: pytest.CaptureFixture[str]
) -> None:
    file = look.folder / "ig_2099-01-05.csv"
    file.write_text("username,followers\nanna,5\nbea,6\n", encoding="utf-8")
    assert preview.show(file, ignore_mappings=True) == 1
    assert "REFUSED  the time in its name is more than 48 h ahead" in capsys.readouterr().out


def test_what_is_written_is_what_landing_reads(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    file = look.folder / "tiktok_list.csv"
    file.write_bytes("Benutzername;Abonnenten;Datum\nanna;12.431;25.01.2026\nbea;8.020;25.01.2026\n".encode("cp1252"))
    assert preview.show(file, write=True) == 0
    target = look.settings.config / "mappings" / "tiktok_list.yml"  # type: ignore[operator]
    assert target.is_file()
    assert f"written  {target}" in capsys.readouterr().out.replace("\n", "")
    landed_at = look.settings.landing / "account_snapshots"
    landed_at.mkdir(parents=True)
    shutil.copy2(file, landed_at)
    yard = Yard(look.settings)
    yard.land()
    assert yard.rows("account_snapshots/tiktok_list.csv") == [("anna", 12431), ("bea", 8020)]


def test_nothing_is_written_over_without_being_told(look: Look) -> None:
    file = look.folder / "tiktok_list.csv"
    file.write_text("Username,Followers\nanna,5\nbea,6\n", encoding="utf-8")
    folder = look.settings.config / "mappings"  # type: ignore[operator]
    folder.mkdir(parents=True)
    mine = folder / "tiktok_list.yml"
    text = "mapping: tiktok_list\nfeed: brands\npattern: 'x.csv'\ncolumns: {brand: {from: b}}\n"
    mine.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="is there and differs; FORCE=1"):
        preview.show(file, ignore_mappings=True, write=True)
    assert mine.read_text(encoding="utf-8") == text
    assert preview.show(file, ignore_mappings=True, write=True, force=True) == 0
    assert "feed: account_snapshots" in mine.read_text(encoding="utf-8")


def test_a_mapping_with_open_lines_is_never_written(look: Look) -> None:
    """It would stop the landing of every other file."""
    assert "written  nothing" in look("x.csv", "likes,comments,post_id\n1,2,p\n3,4,q\n", write=True)
    assert look.code == 1
    assert not (look.settings.config / "mappings").exists()  # type: ignore[operator]


def test_a_mapping_of_the_library_is_switched_on(look: Look) -> None:
    file = look.folder / "Data_2022-08-01_03-01-02.csv"
    file.write_text(
        "ChannelUrl,Name,SubscriberCount,ViewCount\nhttps://www.youtube.com/channel/UC" + "x" * 22 + ",Ann,5,0\n"
    )
    assert preview.show(file, write=True) == 0
    assert (look.settings.config / "mappings" / "vtuber.yml").read_text() == "use: vtuber\n"  # type: ignore[operator]


def test_the_command_takes_all_of_it(look: Look, groundswell: Callable[..., int]) -> None:
    file = look.folder / "list.csv"
    file.write_text("Username,Followers,Network\nanna,5,tiktok\nbea,6,tiktok\n", encoding="utf-8")
    options = ("--feed", "account_snapshots", "--ignore-mappings", "--write", "--force")
    assert groundswell("preview", str(file), *options) == 0
    assert groundswell("preview", str(look.folder)) == 2


# --- any file


JUNK = [
    b"", b"\n\n\n", b"\0" * 500, b"\xff\xfe", b"\xff\xfeA", b"PAR1", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 300, b"\x1f\x8b\x08junk",
    b"%PDF-1.4\n1 0 obj", b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"<html><body>Log in</body></html>", b"{", b"[", b"[1,2,3]", b"{}\n{}\n",
    b"null\n", b'{"a": {"b": [', b'"', b'a,b\n"', b"a\n", b"a,b\n", b"a,a,a\n1,2,3\n", b",,,\n,,,\n", b"\xef\xbb\xbf", b";;;;",
    bytes(range(256)) * 4, b"a,b\n1,2\n3\n4,5,6\n", b"x" * 100_000, b"a\r1\r2\r", b"\x28\xb5\x2f\xfdjunk", b"'a','b'\n'1','2'\n",
    b"[" * 5000, b'{"a":' * 3000, b"total\ntotal\n", b"a,b\n" + b"9" * 400 + b",1\n", "ü,ö\nä,ß\n".encode("utf-16-le"), b"# only\n# comments\n",
    b"platform,account_id,captured_at,followers\n", b"`a`,b;c\n1,2;3\n", b"compute,`x`\n1,{y}\n", b"a: b\n- c\n",
]  # fmt: skip


def test_no_file_makes_a_traceback(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the bytes, and whatever the name says of them."""
    names = ["x.csv", "x.json", "x.xlsx", "x.parquet", "x.zip", "x", "x.csv.gz", "x.jsonl", "a'b [1].csv"]
    for number, junk in enumerate(JUNK):
        file = look.folder / names[number % len(names)]
        file.write_bytes(junk)
        assert preview.show(file, ignore_mappings=bool(number % 2)) in (0, 1)
        out = capsys.readouterr().out
        assert re.search("REFUSED|NOT GOOD|WAITS|^good", out, re.M), (file.name, junk[:40], out)


def test_a_fault_of_ours_is_said_to_be_one(
    look: Look, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any) -> Guess:
        raise KeyError("x")

    monkeypatch.setattr(infer, "infer", fails)
    (look.folder / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert preview.show(look.folder / "x.csv") == 1
    assert "FAILED   preview fails on it, which is a fault of Groundswell (KeyError: 'x')" in capsys.readouterr().out


def test_hostile_files_of_every_format_make_no_traceback(look: Look, capsys: pytest.CaptureFixture[str]) -> None:
    for path, content in hostile_files(25):
        file = look.folder / path
        file.write_bytes(content)
        assert preview.show(file, ignore_mappings=True) in (0, 1)
        assert "FAILED " not in capsys.readouterr().out
        file.unlink()


def hostile_files(number: int) -> list[tuple[str, bytes]]:
    return [(Path(name).name, content) for name, content in hostile.files(5, number)]


# --- the table


def test_inference_is_never_wrong_without_a_remark() -> None:
    """`make inference-table` prints it for all locales; here is one of each tool, and one that can be read in two ways."""
    found = exports.table(most=1)
    wrong = [
        (made.tool.name, made.locale.name, verdict.differs) for made, verdict in found if verdict.kind == exports.WRONG
    ]
    assert wrong == []
    for half in ("choosing", "evaluating"):
        kinds = [verdict.kind for made, verdict in found if made.tool.half == half]
        assert sum(kind in (exports.RIGHT, exports.ASKED) for kind in kinds) >= 0.8 * len(kinds)
        # Asking is no way around knowing.
        assert kinds.count(exports.RIGHT) >= 0.3 * len(kinds)


def test_what_the_library_reads_is_inferred_alike_or_asked() -> None:
    found = exports.table_of_library(most=1)
    assert len(found) > 12
    assert [(path.name, verdict.differs) for path, verdict in found if verdict.kind == exports.WRONG] == []
    good = [verdict for _, verdict in found if verdict.kind in (exports.RIGHT, exports.ASKED)]
    assert len(good) >= 0.8 * len(found)


def test_kinds_of_posts_become_codes_and_a_flag_of_other_words_is_asked(look: Look) -> None:
    content = "post id,username,platform,Post type,Sponsored,likes\np1,a,x,IG reel,Ja,5\np2,a,x,carousel,Nein,6\n"
    guess = look.guess("posts.csv", content)
    assert guess.content["columns"]["content_type"] == {"from": "Post type", "values": {"IG reel": "ig_reel"}}
    assert look.readings(guess, "columns.is_sponsored")[0] == ("(no is_sponsored)", "kept in extra")


def test_the_account_is_cut_out_of_the_links_of_its_posts(look: Look) -> None:
    link = "https://www.tiktok.com/@anna.bakes/video/740{}"
    rows = "".join(f"{link.format(n)},2026-09-2{n} 09:10:00,{n}40,12,9,9100\n" for n in range(1, 5))
    header = "Video link,Post time,Total likes,Total comments,Total shares,Total views\n"
    assert "4 rows read = 4 accepted" in look("Content.csv", header + rows)
    assert re.search(r"tiktok +https://www.tiktok.com/@anna.bakes/vid\S* +anna.bakes ", look.text)
    # In a link of Instagram the part that stands there is the kind of the post.
    guess = look.guess("ig.csv", (header + rows).replace("tiktok.com/@anna.bakes/video", "instagram.com/p"))
    assert guess.open_ends == ["account_id"]


def test_a_wrong_reading_is_found_out(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table sees a column that is read from the wrong place, and one that is not read."""
    tool = next(tool for tool in exports.TOOLS if tool.name == "Refunds")
    made = exports.export(tool, exports.LOCALES["plain"])
    really = infer.infer

    def swapped(*given: Any) -> Guess:
        guess = really(*given)
        columns = guess.content["columns"]
        columns["refund_id"], columns["order_id"] = columns["order_id"], columns["refund_id"]
        return guess

    with parse.connect(look.settings) as reader:
        assert exports.evaluate(reader, look.folder, made).kind == exports.RIGHT
        monkeypatch.setattr(infer, "infer", swapped)
        assert exports.evaluate(reader, look.folder, made).kind == exports.WRONG
        monkeypatch.setattr(infer, "infer", lambda *given: really(*given[:4], "costs"))
        assert exports.evaluate(reader, look.folder, made).kind == exports.ASKED


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared samples are not in every clone: real exports, not to be copied"
)
@pytest.mark.parametrize(
    ("name", "feed", "columns"),
    [
        ("campaigns/abhy/influencers.csv", "account_snapshots", {"account_id": "ID", "followers": "follower_count"}),
        (
            "campaigns/abhy/posts.csv",
            "post_snapshots",
            {"post_id": "post_id", "published_at": "date", "likes": "likes"},
        ),
        ("campaigns/dransing/posts.csv", "post_snapshots", {"account_id": "influencer_id", "reach": "reach"}),
        ("campaigns/abhy/tracking_data.csv", "orders", {"gross_amount": "revenue", "order_count": "orders"}),
        (
            "hype/ig_2022_00.csv",
            "account_snapshots",
            {"account_id": "Influencer insta name", "followers": "Followers Numbers"},
        ),
        ("hype/tt_2022_06.csv", "account_snapshots", {"account_id": "Tiktoker", "followers": "Subscribers count"}),
        ("hype/yt_2022_00.csv", "account_snapshots", {"account_id": "youtuber name", "followers": "Subscribers"}),
        ("stelive/subscribers.csv", "account_snapshots", {"captured_at": "date", "views_total": "total_views"}),
        ("stelive/videos.csv", "post_snapshots", {"post_id": "video_id", "published_at": "published_at"}),
    ],
)
def test_real_exports(look: Look, name: str, feed: str, columns: dict[str, str]) -> None:
    guess = look.guess(SHARED / name)
    assert guess.feeds[0] == feed
    assert {key: guess.content["columns"][key]["from"] for key in columns} == columns


# --- any locale, through inference


@st.composite
def sheets(draw: st.DrawFn) -> dict[str, Any]:
    mark = draw(st.sampled_from([".", ","]))
    rows = st.tuples(
        st.datetimes(datetime(2006, 1, 1), datetime(2025, 12, 31)).map(lambda m: m.replace(microsecond=0)),
        st.decimals(0, 10**7, places=draw(st.integers(0, 3))),
        st.integers(0, 10**9),
    )
    return {
        "mark": mark,
        "group": draw(st.sampled_from([",", "", "'"] if mark == "." else [".", "", " "])),
        "order": draw(st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%d-%m-%Y"])),
        "delimiter": draw(st.sampled_from([";", "\t", "|"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        "quoted": draw(st.booleans()),
        "rows": draw(st.lists(rows, min_size=1, max_size=5)),
    }


@examples(max_examples=15, deadline=None)
@given(sheet=sheets())
def test_rows_of_any_locale_are_read_as_they_were_written_or_asked_about(sheet: dict[str, Any]) -> None:
    def shown(number: Any) -> str:
        whole, _, places = f"{number:,f}".partition(".") if not isinstance(number, int) else (f"{number:,}", "", "")
        return whole.replace(",", sheet["group"]) + (sheet["mark"] + places if places else "")

    lines = [["Order ID", "Customer ID", "Order date", "Total", "Orders", "Currency"]]
    for n, (moment, amount, count) in enumerate(sheet["rows"]):
        lines.append(
            [f"o{n}", f"c{n}", moment.strftime(f"{sheet['order']} %H:%M:%S"), shown(amount), shown(count), "EUR"]
        )
    mark = '"' if sheet["quoted"] else ""
    text = "".join(sheet["delimiter"].join(f"{mark}{cell}{mark}" for cell in line) + "\r\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        path = Path(folder) / "x.csv"
        path.write_bytes(text.encode(sheet["encoding"]))
        with parse.connect(yard.settings) as reader:
            guess = infer.infer(reader, path, "orders.csv", "csv")
            mapping = guess.mapping()
            assert guess.feeds[0] == "orders"
            assert mapping is not None
            now = config.utc_now()
            outcome = parse.read_file(
                reader, path, mapping, mapping.parts, "csv", parse.Delivery("b", "s", "x", now, None, now)
            )
            assert outcome.rows_read == len(sheet["rows"])
            found = reader.execute(
                "select source_line, ordered_at, gross_amount, order_count from accepted order by 1"
            ).fetchall()
    asked = {name for question in guess.questions for name in question.columns}
    open_ = {name for question in guess.questions if question.is_open for name in question.columns}
    assert open_ or len(found) == len(sheet["rows"])
    for line, *values in found:
        meant = sheet["rows"][line - 2]
        for name, value, wanted in zip(("ordered_at", "gross_amount", "order_count"), values, meant, strict=True):
            assert value == wanted or name in asked, (text, guess.text())


def test_a_workbook_with_a_title_is_read(look: Look) -> None:
    content = xlsx(["Top creators", None], ["Username", "Followers"], ["a", 1], ["b", 2])
    assert "2 rows read = 2 accepted" in look("ig.xlsx", content)
    assert look.code == 0
