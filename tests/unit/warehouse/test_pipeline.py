"""The steps of a run that hold more than one call."""

from pathlib import Path

import pytest

from ingestion.config import Settings
from warehouse import pipeline


def test_data_docs_that_cannot_be_written_keep_nobody_from_the_report(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Settings) -> None:
        raise OSError("no space left")

    said: list[str] = []
    monkeypatch.setattr(pipeline.checks, "write_docs", broken)
    monkeypatch.setattr(pipeline.report, "build_report", lambda *_: Path("index.html"))
    assert pipeline.build_report(settings, "run", said.append) == Path("index.html")
    assert said == ["Data Docs are not written: OSError: no space left"]
