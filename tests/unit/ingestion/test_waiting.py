"""What waits in landing is what the next run reads: the same look serves landing, the plan and the doctor."""

from ingestion import inventory, ledger

from ..conftest import HEADER, Yard

ROW = f"{HEADER}\nyoutube,a,2026-01-05,1\n"


def waiting(yard: Yard) -> list[str]:
    with ledger.read_copy(yard.settings) as connection:
        return [candidate.label for candidate in inventory.waiting_files(yard.settings, connection)]


def test_a_half_upload_an_archive_and_a_note_do_not_wait(yard: Yard) -> None:
    for name in ("a.csv", "b.csv.part", "_archive/old.csv", ".hidden.csv"):
        yard.drop(f"account_snapshots/{name}", ROW)
    assert waiting(yard) == ["account_snapshots/a.csv"]
    assert yard.land("one").files_new == 1
    assert waiting(yard) == []


def test_other_bytes_under_a_known_name_wait(yard: Yard) -> None:
    yard.drop("account_snapshots/a.csv", ROW)
    yard.land("one")
    yard.drop("account_snapshots/a.csv", ROW.replace(",1\n", ",20\n"))
    assert waiting(yard) == ["account_snapshots/a.csv"]


def test_a_file_that_was_put_back_from_a_backup_does_not_wait(yard: Yard) -> None:
    """It has another inode and time; landing knows its bytes."""
    yard.drop("account_snapshots/a.csv", ROW)
    yard.land("one")
    path = yard.settings.landing / "account_snapshots" / "a.csv"
    path.rename(path.with_name(".old"))
    yard.drop("account_snapshots/a.csv", ROW)
    assert waiting(yard) == []
