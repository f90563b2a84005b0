"""`make docs`: one page that may load nothing, and a clear word where it cannot be made."""

from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse import dbt_docs


def built(settings: Settings) -> None:
    for file in (settings.build_db, settings.marts_db):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a database")


def test_before_the_first_build_it_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(ContractError, match="run `make nightly` first"):
        dbt_docs.build_docs(settings)
    assert not (settings.reports / "dbt_docs").exists()


def test_the_page_forbids_the_browser_to_load_anything(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    built(settings)

    def generate(settings: Settings, target: Path) -> None:
        target.mkdir(parents=True)
        (target / "static_index.html").write_text("<html><head><title>dbt</title></head></html>")

    monkeypatch.setattr(dbt_docs, "_generate", generate)
    page = dbt_docs.build_docs(settings, lambda _: None).read_text()
    assert page.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\';')
    assert "connect-src 'none'" in page
    assert page.endswith("<title>dbt</title></head></html>")


def test_a_page_without_a_head_is_refused() -> None:
    with pytest.raises(ContractError, match="no <head>"):
        dbt_docs.with_policy("<html></html>")


def test_what_dbt_says_is_passed_on_and_the_lease_let_go(settings: Settings) -> None:
    built(settings)
    with pytest.raises(ContractError, match="dbt could not make its documentation"):
        dbt_docs.build_docs(settings, lambda _: None)
    # Not a database: dbt failed. A second call comes to the same end at once, so nobody holds the lease.
    with pytest.raises(ContractError, match="dbt could not make its documentation"):
        dbt_docs.build_docs(settings, lambda _: None)
    assert not (settings.reports / "dbt_docs").exists()
