"""Mappings in use: a user's own in `config/mappings/*.yml`, and those of the library that `use:` switches on."""

from pathlib import Path

import pytest

from ingestion import inventory, ledger
from ingestion.config import Settings
from ingestion.errors import ConfigError, ContractError, FileRefused
from ingestion.landing import land_files
from ingestion.mapping.in_use import load_mappings
from ingestion.user_config.load import mappings_of

from .test_deliveries import channel, vtuber

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
FILE = "account_snapshots/Data_2026-01-05_03-00-00.csv"
SAMPLE_FILE = "account_snapshots/vtuber/Data_2022-07-20_03-01-02.csv.gz"


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "config" / "mappings").mkdir(parents=True)
    return settings.model_copy(update={"config": tmp_path / "config"})


def write(own: Settings, name: str, pattern: str, file: str | None = None) -> None:
    folder = mappings_of(own)
    assert folder
    (folder / f"{file or name}.yml").write_text(TEXT.format(name=name, pattern=pattern))


def chosen(own: Settings, file: str) -> str:
    mapping = load_mappings(own).choose(file)
    assert mapping
    return mapping.mapping


def test_a_file_lands_by_a_mapping_of_ones_own(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    folder = own.landing / "account_snapshots"
    folder.mkdir(parents=True)
    (folder / "crawl_1.csv").write_text("Id,At,Subs\na,2026-01-05T03:00:00Z,100\n")
    landed = land_files(own, "run", lambda _: None)
    assert (landed.rows_accepted, landed.rows_quarantined) == (1, 0)


def switch_on(own: Settings, text: str, file: str = "vtuber.yml") -> Path:
    folder = mappings_of(own)
    assert folder
    (folder / file).write_text(text)
    return folder / file


def test_a_mapping_of_the_library_claims_nothing_until_it_is_switched_on(own: Settings) -> None:
    assert chosen(own, FILE) == "canonical"
    switch_on(own, "use: vtuber\n")
    assert chosen(own, FILE) == "vtuber"


def test_a_mapping_that_is_switched_on_is_the_librarys_to_the_letter(own: Settings) -> None:
    switch_on(own, "# Daily channels.\nuse: vtuber\n", "ours.yml")
    mappings = load_mappings(own)
    assert mappings.in_use["vtuber"].own_fingerprint == mappings.library["vtuber"].own_fingerprint


def test_keys_beside_use_take_the_place_of_the_librarys(own: Settings) -> None:
    switch_on(own, "use: vtuber\npattern: mine_*.csv\nzone: UTC\n")
    mapping = load_mappings(own).in_use["vtuber"]
    assert (mapping.pattern, mapping.zone) == ("mine_*.csv", "UTC")
    assert mapping.columns == load_mappings(own).library["vtuber"].columns
    assert (chosen(own, "account_snapshots/mine_1.csv"), chosen(own, FILE)) == ("vtuber", "canonical")


def test_one_of_the_library_is_used_twice_under_two_names(own: Settings) -> None:
    switch_on(own, "use: vtuber\n")
    switch_on(own, "use: vtuber\nmapping: ours\npattern: ours_*.csv\n", "ours.yml")
    assert (chosen(own, FILE), chosen(own, "account_snapshots/ours_1.csv")) == ("vtuber", "ours")


def test_ones_own_wins_where_the_library_fits_the_file_too(own: Settings) -> None:
    write(own, "ours", VTUBER)
    assert chosen(own, FILE) == "ours"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("use: vtubers\n", r"vtuber\.yml:1: use: the library has no mapping 'vtubers'; did you mean 'vtuber'\?"),
        ("use: zzz\n", r"vtuber\.yml:1: use: the library has no mapping 'zzz'; there are: "),
        ("use: [vtuber]\n", r"vtuber\.yml:1: use: the library has no mapping \['vtuber'\]"),
        ("use: vtuber\npatern: x\n", r"vtuber\.yml: line 2: patern: unknown key; did you mean 'pattern'\?"),
        ("use: vtuber\nzone: Taipeh\n", r"vtuber\.yml: line 2: zone: unknown time zone"),
    ],
)
def test_what_cannot_be_switched_on_is_refused(own: Settings, text: str, words: str) -> None:
    switch_on(own, text)
    with pytest.raises(ContractError, match=words):
        land_files(own, "run", lambda _: None)


def test_a_yaml_that_nobody_would_read_is_refused(own: Settings) -> None:
    switch_on(own, "use: vtuber\n", "vtuber.yaml")
    with pytest.raises(ConfigError, match=r"vtuber\.yaml: nobody reads a file of this name; name it vtuber\.yml"):
        land_files(own, "run", lambda _: None)


def test_without_a_folder_the_sample_is_claimed_and_nothing_else(settings: Settings) -> None:
    alone = settings.model_copy(update={"config": None})
    assert chosen(alone, SAMPLE_FILE) == "vtuber"
    assert chosen(alone, FILE) == "canonical"


def drop(own: Settings, file: str) -> Path:
    path = own.landing / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(vtuber(channel(1, 100)))
    return path


def test_a_file_that_the_library_would_read_is_refused_with_how_to_switch_it_on(own: Settings) -> None:
    for file in (FILE, "crawl/Data_2026-01-05_03-00-00.csv"):
        drop(own, file)
    said: list[str] = []
    land_files(own, "run", said.append)
    hint = "if it is an export of vtuber, write `use: vtuber` into config/mappings/vtuber.yml"
    assert len(said) == 2
    assert all(hint in line for line in said)


def test_what_is_loaded_stays_loaded_when_its_mapping_is_switched_off(own: Settings) -> None:
    file = switch_on(own, "use: vtuber\n")
    drop(own, FILE)
    assert land_files(own, "one", lambda _: None).rows_accepted == 1
    file.unlink()
    drop(own, "account_snapshots/Data_2026-01-06_03-00-00.csv")
    assert land_files(own, "two", lambda _: None).rows_accepted == 0
    assert states(own, FILE) == ["accepted"]
    with ledger.read(own) as connection:
        seen = inventory.landed_names(own, connection)[FILE]
    assert (seen.loaded_by, seen.is_due) == ("vtuber", False)


def test_what_is_loaded_stays_loaded_when_its_mapping_is_gone(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    path = own.landing / "account_snapshots" / "crawl_1.csv"
    path.parent.mkdir(parents=True)
    path.write_text("Id,At,Subs\na,2026-01-05T03:00:00Z,100\n")
    assert land_files(own, "one", lambda _: None).rows_accepted == 1
    folder = mappings_of(own)
    assert folder
    (folder / "ours.yml").unlink()
    assert land_files(own, "two", lambda _: None).rows_read == 0
    assert states(own, "account_snapshots/crawl_1.csv") == ["accepted"]
    with ledger.read(own) as connection:
        seen = inventory.landed_names(own, connection)["account_snapshots/crawl_1.csv"]
    assert (seen.loaded_by, seen.is_due, seen.refusal) == ("ours", False, None)


def states(own: Settings, file: str) -> list[str]:
    with ledger.read(own) as connection:
        rows = connection.execute("select state from batches where file = ? order by rowid", (file,))
        return [row["state"] for row in rows]


def test_two_of_ones_own_of_one_pattern_are_refused(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    write(own, "theirs", "crawl_*.csv")
    with pytest.raises(
        ContractError, match=r"theirs\.yml:4: pattern crawl_\*\.csv is that of ours\.yml too; give each"
    ):
        load_mappings(own)


def test_two_of_ones_own_of_one_name_are_refused(own: Settings) -> None:
    write(own, "ours", "crawl_*.csv")
    write(own, "ours", "other_*.csv", file="zz")
    with pytest.raises(ContractError, match=r"zz\.yml:2: mapping ours is that of ours\.yml too; give each its own"):
        load_mappings(own)


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
