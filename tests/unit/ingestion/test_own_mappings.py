"""Mappings of one's own: `config/mappings/*.yml` stand beside the library, and win over it."""

from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError, FileRefused
from ingestion.landing import land_files
from ingestion.mapping.grammar import choose_mapping, load_mappings
from ingestion.user_config.load import mappings_of

TEXT = """# Our crawler.
mapping: {name}
feed: account_snapshots
pattern: "{pattern}"
columns:
  platform: {{constant: youtube}}
  account_id: {{from: Id}}
  captured_at: {{from: At}}
  followers: {{from: Subs}}
"""
VTUBER = "Data_????-??-??_??-??-??.csv*"


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "config" / "mappings").mkdir(parents=True)
    return settings.model_copy(update={"config": tmp_path / "config"})


def write(own: Settings, name: str, pattern: str, file: str | None = None) -> None:
    folder = mappings_of(own)
    assert folder
    (folder / f"{file or name}.yml").write_text(TEXT.format(name=name, pattern=pattern))


def chosen(own: Settings, file: str) -> str:
    return choose_mapping(file, load_mappings(mappings_of(own))).mapping


def test_a_file_lands_by_a_mapping_of_ones_own(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    folder = own.landing / "account_snapshots"
    folder.mkdir(parents=True)
    (folder / "crawl_1.csv").write_text("Id,At,Subs\na,2026-01-05T03:00:00Z,100\n")
    landed = land_files(own, "run", lambda _: None)
    assert (landed.rows_accepted, landed.rows_quarantined) == (1, 0)


def test_ones_own_wins_where_the_library_claims_the_file_too(own: Settings) -> None:
    file = "account_snapshots/Data_2026-01-05_03-00-00.csv"
    assert chosen(own, file) == "vtuber"
    write(own, "ours", VTUBER)
    assert chosen(own, file) == "ours"


def test_one_of_the_librarys_name_takes_its_place(own: Settings) -> None:
    write(own, "vtuber", "mine_*.csv")
    names = [mapping.mapping for mapping in load_mappings(mappings_of(own))]
    assert names.count("vtuber") == 1
    assert chosen(own, "account_snapshots/mine_1.csv") == "vtuber"
    assert chosen(own, "account_snapshots/Data_2026-01-05_03-00-00.csv") == "canonical"


def test_without_a_folder_the_library_stands_alone(settings: Settings) -> None:
    assert mappings_of(settings) is None
    assert "vtuber" in {mapping.mapping for mapping in load_mappings(mappings_of(settings))}


def test_two_of_ones_own_of_one_pattern_are_refused(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    write(own, "theirs", "crawl_*.csv")
    with pytest.raises(ContractError, match=r"theirs\.yml:4: pattern crawl_\*\.csv is that of .* ours, too; give each"):
        load_mappings(mappings_of(own))


def test_two_of_ones_own_of_one_name_are_refused(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    write(own, "ours", "other_*.csv", file="zz")
    with pytest.raises(ContractError, match=r"zz\.yml:2: mapping ours is that of another mapping of yours"):
        load_mappings(mappings_of(own))


def test_two_of_ones_own_that_claim_one_file_refuse_it(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    write(own, "theirs", "*_1.csv")
    with pytest.raises(FileRefused, match="mappings ours and theirs both claim this name; narrow one pattern"):
        chosen(own, "account_snapshots/crawl_1.csv")


def test_a_mapping_that_cannot_be_lands_nothing(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    folder = mappings_of(own)
    assert folder
    file = folder / "ours.yml"
    file.write_text(file.read_text().replace("followers:", "folowers:"))
    with pytest.raises(ContractError, match=r"ours\.yml: line 9: columns: .*did you mean 'followers'"):
        land_files(own, "run", lambda _: None)
