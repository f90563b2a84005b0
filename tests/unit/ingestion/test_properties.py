"""Properties: valid rows survive any order and quoting of columns; no bytes break the run or lose a row."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.config import Settings

from .conftest import Yard

NAMES = ["platform", "account_id", "captured_at", "followers", "display_name"]
PATH = "account_snapshots/x.csv"

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"'), max_size=12)
rows = st.lists(
    st.tuples(st.integers(0, 10**12), texts.map(lambda text: text.strip())), min_size=1, max_size=8
)  # fmt: skip


def fresh_yard(folder: str) -> Yard:
    return Yard(Settings(_env_file=None, data=Path(folder) / "data", settle_seconds=0.0))  # type: ignore[call-arg]


@settings(max_examples=25, deadline=None)
@given(
    rows=rows,
    order=st.permutations(NAMES),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.booleans(),
)
def test_valid_rows_survive_any_layout(rows: list[tuple[int, str]], order: list[str], quoting: int, bom: bool) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, order, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writeheader()
    for number, (followers, name) in enumerate(rows):
        writer.writerow(dict(zip(NAMES, ["youtube", f"a{number}", "2026-01-05", followers, name], strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        yard.drop(PATH, ("\ufeff" if bom else "") + out.getvalue())
        yard.land()
        want = [(f"a{number}", followers, name or None) for number, (followers, name) in enumerate(rows)]
        # Landing trims blanks at the ends of a cell; Python trims a few more kinds of them.
        found = [(a, f, n.strip() if n else n) for a, f, n in yard.rows(PATH, "account_id, followers, display_name")]
        assert found == [(a, f, n) for a, f, n in want]


@settings(max_examples=100, deadline=None)
@given(
    head=st.sampled_from([b"platform,account_id,captured_at,followers\n", b""]),
    body=st.lists(
        st.sampled_from(
            [
                b"youtube,",
                b"a",
                b",",
                b'"',
                b"\n",
                b"\r\n",
                b"\0",
                b"\xff",
                b"2026-01-05",
                b"1",
                b"-1",
                b";",
                b"\xef\xbb\xbf",
            ]
        ),
        max_size=40,
    ),
)
def test_no_bytes_break_the_run_or_lose_a_row(head: bytes, body: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        yard.drop(PATH, head + b"".join(body))
        yard.land()  # the yard checks the equation of every batch
        assert len(yard.batches()) == 1
