"""`docs/map-your-first-export.md`: what it shows is what the command prints, step by step, as a stranger would do it."""

import os
import re
from pathlib import Path

import pytest

from ingestion import config
from ingestion.config import Settings
from ingestion.mapping import preview

from ..conftest import Yard

PAGE = config.PROJECT_DIR / "docs" / "map-your-first-export.md"
FILE = "Creator-Export 2026-01-05.csv"
MAPPING = "data/build/preview/creator_export.yml"
WRITTEN_AT = 1767690000  # 2026-01-06 09:00 UTC


def blocks(kind: str) -> list[str]:
    """The boxes of a kind on the page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def corrected(text: str) -> str:
    """The inferred YAML with the lines of the page in place of its own."""
    (block,) = blocks("yaml")[:1]
    for line in block.splitlines():
        key = line.partition(":")[0]
        if line.endswith(":"):
            continue
        if re.search(rf"^{key}:.*$", text, re.M):
            text = re.sub(rf"^{key}:.*$", line, text, flags=re.M)
        else:
            text = text.replace("columns:\n", f"{line}\ncolumns:\n")
    return text


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A clone in which nothing was done yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GROUNDSWELL_CONFIG", raising=False)
    settings = Settings(_env_file=None, data=Path("data"), settle_seconds=0.0)  # type: ignore[call-arg]
    monkeypatch.setattr(preview, "get_settings", lambda: settings)
    return settings


def test_the_page_shows_what_the_command_prints(fresh: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    export, costs = blocks("export")
    Path(FILE).write_bytes(export.replace("\n", "\r\n").encode())
    os.utime(FILE, (WRITTEN_AT, WRITTEN_AT))
    first, second, third = blocks("preview")
    assert preview.show(Path(FILE)) == 0
    assert printed(capsys) == first
    Path(MAPPING).write_text(corrected(Path(MAPPING).read_text(encoding="utf-8")), encoding="utf-8")
    assert preview.show(Path(FILE), MAPPING, write=True) == 0
    assert printed(capsys) == second
    Path("costs.csv").write_text(costs, encoding="utf-8")
    os.utime("costs.csv", (WRITTEN_AT, WRITTEN_AT))
    assert preview.show(Path("costs.csv")) == 1
    assert printed(capsys) == third
    # And the file loads.
    target = fresh.landing / "account_snapshots" / FILE
    target.parent.mkdir(parents=True)
    target.write_bytes(Path(FILE).read_bytes())
    yard = Yard(fresh)
    yard.land()
    assert yard.rows(f"account_snapshots/{FILE}") == [
        ("teehaus_lena", 12431), ("kraeuterwolf", 8020), ("nordlicht.kueche", None), ("marktplatz_mia", 1_200_000),
    ]  # fmt: skip
