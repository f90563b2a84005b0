"""The folder `config/`: how its rows join the package's, and the words with which it is refused."""

import csv
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import ConfigError
from ingestion.user_config.load import DEFAULTS, kinds_of, load
from ingestion.user_config.tables import TABLES

SCHEME = "scheme,platform,tier,tier_rank,min_followers,max_followers,source_note\n"
SIGNAL = "signal,side,cut,in_full,points_at_cut,points_in_full,looks_like,could_also_be,reason\n"
VERDICT = "verdict,min_score,max_score,reason\n"
CARD = "card,is_default,platform,content_type,metric,currency,rate,source_note\n"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    return made


@pytest.fixture
def own(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"config": folder})


def refusal(own: Settings) -> str:
    with pytest.raises(ConfigError) as found:
        load(own)
    return str(found.value)


def column(own: Settings, table: str, *names: str) -> set[tuple[str | None, ...]]:
    places = [list(kinds_of(table)).index(name) for name in names]
    return {tuple(row[place] for place in places) for row in load(own).rows(table)}


@pytest.mark.parametrize("table", TABLES)
def test_without_a_folder_the_packages_rows_hold(
    settings: Settings, table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (DEFAULTS / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        held = list(csv.reader(file))
    assert held[0] == TABLES[table].columns == list(TABLES[table].kinds)
    usual = settings.model_copy(update={"config": None})
    assert load(usual).folder is None
    assert len(load(usual).rows(table)) == len(held) - 1


def test_the_folder_of_the_working_directory_is_read(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tier_schemes.csv").write_text(SCHEME + "own,*,all,1,0,,mine\n")
    monkeypatch.chdir(folder.parent)
    assert ("own",) in column(settings.model_copy(update={"config": None}), "tier_schemes", "scheme")


def test_a_scheme_takes_the_place_of_the_packages_whole(own: Settings, folder: Path) -> None:
    (folder / "tier_schemes.csv").write_text(
        "# what we say\n" + SCHEME + "\nkol,tiktok,small,1,100,5000,mine\nkol,tiktok,large,2,9000,,mine\n"
    )
    found = column(own, "tier_schemes", "scheme", "platform", "tier", "min_followers", "max_followers", "valid_from")
    assert {row for row in found if row[0] == "kol"} == {
        ("kol", "tiktok", "small", "100", "5000", "1970-01-01"),
        ("kol", "tiktok", "large", "9000", None, "1970-01-01"),
    }
    # Eight schemes are the package's; the 3 rows of its kol are gone.
    assert len({row[0] for row in found}) == 8
    assert len(found) == 31 - 3 + 2


def test_a_row_takes_the_place_of_that_of_its_key(own: Settings, folder: Path) -> None:
    (folder / "trust_signals.csv").write_text(SIGNAL + "burst,audience,0.02,0.1,12,30,a,b,c\n")
    found = column(own, "trust_signals", "signal", "cut", "points_at_cut")
    assert ("burst", "0.02", "12") in found
    assert ("sawtooth", "0.04", "35") in found
    assert len(found) == 15


def test_a_weight_takes_the_place_of_that_of_its_name_and_no_other_is_known(own: Settings, folder: Path) -> None:
    (folder / "trust_weights.csv").write_text("weight,value,reason\nleast_gain,50,smaller orders\n")
    found = column(own, "trust_weights", "weight", "value")
    assert ("least_gain", "50.0") in found
    assert ("least_followers", "300.0") in found
    assert len(found) == 7
    (folder / "trust_weights.csv").write_text("weight,value,reason\nleast_gains,50,a\nleast_z,0,b\n")
    with pytest.raises(ConfigError) as raised:
        load(own)
    assert "trust_weights.csv:3: value is '0'" in str(raised.value)


def test_a_card_of_ones_own_is_the_only_default(own: Settings, folder: Path) -> None:
    (folder / "rate_cards.csv").write_text(CARD + "ours,yes,*,*,likes,EUR,0.5,mine\n")
    found = column(own, "rate_cards", "card", "is_default")
    assert {row[0] for row in found if row[1] == "true"} == {"ours"}
    assert ("ayzenberg_2017", "false") in found


def test_the_default_scheme_is_a_table_of_its_own(own: Settings) -> None:
    found = load(own.model_copy(update={"default_scheme": "iab_uk"})).rows("default_scheme")
    assert [row[2] for row in sorted(found, key=lambda row: str(row[3]))] == [
        "nano", "micro", "mid", "macro", "top", "vip",
    ]  # fmt: skip


def test_a_digest_is_of_what_the_rows_say(own: Settings, folder: Path) -> None:
    before = load(own).digests
    package = (DEFAULTS / "trust_signals.csv").read_text()
    (folder / "trust_signals.csv").write_text(package.replace("audience,0.03,", "audience, 0.030 ,"))
    assert load(own).digests == before
    (folder / "trust_signals.csv").write_text(package.replace("audience,0.03,", "audience,0.031,"))
    (folder / "tier_schemes.csv").write_text(SCHEME + "own,*,all,1,0,,mine\n")
    after = load(own).digests
    assert {name for name in before if before[name] != after[name]} == {"trust_signals", "tier_schemes"}


WRONG = {
    "an unknown column": (
        "tier_schemes.csv",
        SCHEME.replace("tier_rank", "rank") + "own,*,all,1,0,,mine\n",
        ("tier_schemes.csv:1: unknown column 'rank'; did you mean 'tier_rank'?",),
    ),
    "a missing column": (
        "tier_schemes.csv",
        "# a comment\nscheme,tier,min_followers\n",
        ("tier_schemes.csv:2: without column tier_rank, source_note; the columns are scheme,",),
    ),
    "semicolons": ("trust_verdicts.csv", VERDICT.replace(",", ";"), (":1: columns are separated by `;`",)),
    "another number of cells": (
        "tier_schemes.csv", SCHEME + "own,*,all,1,0,,10,000 say we\n", (":2: 8 cells under 7 columns; a comma within",),
    ),
    "a quote that does not end": (
        "tier_schemes.csv", SCHEME + 'own,*,all,1,0,,"mine\n', ("tier_schemes.csv:2: not valid CSV",),
    ),
    "no floor": (
        "tier_schemes.csv",
        SCHEME + "own,*,low,1,,1000,mine\nown,*,high,2,1000,,mine\n",
        ("tier_schemes.csv:2: min_followers is empty: the lowest tier needs its floor too, 0 where",),
    ),
    "a floor under nothing": ("tier_schemes.csv", SCHEME + "own,*,low,1,-5,1000,mine\n", (":2: min_followers is '-5'",)),
    "bounds that overlap": (
        "tier_schemes.csv",
        SCHEME + "own,*,low,1,0,1000,mine\nown,*,high,2,999,,mine\n",
        (":3: scheme own, platform *: low (0-1000) and high (999 and more) overlap; end low at max_followers 999",),
    ),
    "two tiers without an end": (
        "tier_schemes.csv",
        SCHEME + "own,*,low,1,0,,mine\nown,*,high,2,1000,,mine\n",
        (":3: scheme own, platform *: low (0 and more) and high (1000 and more) overlap",),
    ),
    "bounds turned round": (
        "tier_schemes.csv", SCHEME + "own,*,all,1,1000,10,mine\n", (":2: min_followers 1000 must lie below",),
    ),
    "ranks turned round": (
        "tier_schemes.csv",
        SCHEME + "own,*,low,2,0,1000,mine\nown,*,high,1,1000,,mine\n",
        (":3: scheme own, platform *: low has fewer followers than high and no lower tier_rank (2, 1)",),
    ),
    "a tier twice": (
        "tier_schemes.csv",
        SCHEME + "own,*,low,1,0,1000,mine\nown,*,low,2,1000,,mine\n",
        (":3: scheme own, platform *, tier low, valid_from 1970-01-01 is there already on line 2",),
    ),
    "a tier that is none": ("tier_schemes.csv", SCHEME + "own,*,below,1,0,,mine\n", (":2: tier below is what marts",)),
    "a platform in capitals": (
        "tier_schemes.csv", SCHEME + "own,TikTok,all,1,0,,mine\n", (":2: platform is 'TikTok'; write it in small",),
    ),
    "a weight that is no number": (
        "trust_signals.csv",
        SIGNAL + "burst,audience,0.03,0.13,ten,35,a,b,c\nsawtooth,audience,low,inf,35,50,a,b,c\n",
        (
            "trust_signals.csv:2: points_at_cut is 'ten': write a whole number without marks, such as 10000",
            "trust_signals.csv:3: cut is 'low': write a number with a point, such as 0.25",
            "trust_signals.csv:3: in_full is 'inf': write a number with a point",
        ),
    ),
    "a weight that is enough alone": (
        "trust_signals.csv", SIGNAL + "burst,audience,0.03,0.13,10,60,a,b,c\n", (":2: points_in_full is '60'",),
    ),
    "a cut above the full measure": (
        "trust_signals.csv", SIGNAL + "burst,audience,0.3,0.13,10,20,a,b,c\n", (":2: cut must lie below in_full",),
    ),
    "a signal that no model makes": (
        "trust_signals.csv",
        SIGNAL + "bursts,audience,0.03,0.13,10,35,a,b,c\n",
        (":2: no model makes signal bursts; did you mean 'burst'?",),
    ),
    "a verdict that no model makes": ("trust_verdicts.csv", VERDICT + "bought,0,41,a\n", (":2: verdict is 'bought'",)),
    "scores without a verdict": (
        "trust_verdicts.csv", VERDICT + "suspicious,0,35,a\n", ("scores 35 to 40 have no verdict; let each verdict",),
    ),
    "scores with two verdicts": (
        "trust_verdicts.csv", VERDICT + "suspicious,0,50,a\n", ("scores from 41 have two; let each verdict begin",),
    ),
    "two default cards": (
        "rate_cards.csv",
        CARD + "ours,true,*,*,likes,EUR,0.5,mine\nyours,true,*,*,likes,EUR,0.5,mine\n",
        ("rate_cards.csv:3: one card is the default, not ours, yours",),
    ),
    "half a default card": (
        "rate_cards.csv",
        CARD + "ours,true,*,*,likes,EUR,0.5,mine\nours,false,*,*,views,EUR,0.5,mine\n",
        ("rate_cards.csv:3: card ours is the default in some rows alone",),
    ),
    "a rate under nothing": ("rate_cards.csv", CARD + "ours,no,*,*,likes,EUR,-1,mine\n", (":2: rate is '-1'",)),
    "a benchmark without a formula": (
        "benchmarks.csv",
        "source,platform,denominator,statistic,as_of,band,level,min_followers,low,high,compare_with,source_note\n"
        "us,x,unclear,median,2026-01-01,all,low,0,0.1,0.2,er_followers,mine\n"
        "us,x,views,median,01/02/2026,all,low,0,0.1,0.2,er_followers,mine\n"
        "us,x,views,median,2026-01-01,all,high,0,0.3,0.2,er_followers,mine\n",
        (
            "benchmarks.csv:2: a rate that is compared states its denominator",
            "benchmarks.csv:3: as_of is '01/02/2026': write a day as 2026-01-31",
            "benchmarks.csv:4: low 0.3 lies above high 0.2",
        ),
    ),
    "a file that nobody reads": ("tier_scheme.csv", SCHEME, ("tier_scheme.csv: nobody reads a file of this name; did you mean 'tier_sch",)),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused_with_file_line_and_remedy(own: Settings, folder: Path, case: str) -> None:
    name, text, words = WRONG[case]
    (folder / name).write_text(text)
    found = refusal(own)
    assert found.startswith(f"the configuration in {folder} is refused, nothing is built:\n")
    assert all(part in found for part in words), found
    assert len(found.splitlines()) == 1 + len(words), found


def test_a_file_in_another_encoding_is_refused(own: Settings, folder: Path) -> None:
    (folder / "tier_schemes.csv").write_bytes((SCHEME + "own,*,all,1,0,,café\n").encode("latin-1"))
    assert "is not UTF-8; save the file as UTF-8" in refusal(own)


def test_a_byte_order_mark_and_comments_are_none_of_the_rows(own: Settings, folder: Path) -> None:
    text = "# it's \"ours\n" + SCHEME + 'own,*,all,1,0,,"two\n# lines"\n'
    (folder / "tier_schemes.csv").write_text(text, encoding="utf-8-sig")
    assert ("own", "two\n# lines") in column(own, "tier_schemes", "scheme", "source_note")


def test_a_default_scheme_that_is_none_is_refused(own: Settings) -> None:
    found = refusal(own.model_copy(update={"default_scheme": "standart"}))
    assert "GROUNDSWELL_DEFAULT_SCHEME=standart: no such scheme; did you mean 'standard'?" in found


def test_a_folder_that_is_named_must_be_there(settings: Settings, tmp_path: Path) -> None:
    assert "is not there; make the folder" in refusal(settings.model_copy(update={"config": tmp_path / "none"}))
    file = tmp_path / "file"
    file.touch()
    assert "is a file; let GROUNDSWELL_CONFIG name the folder" in refusal(settings.model_copy(update={"config": file}))


def test_a_folder_that_cannot_be_read_is_refused(own: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert f"the folder {folder} cannot be read (Permission denied); mend its rights" in refusal(own)
