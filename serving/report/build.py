"""One self-contained HTML page of the published release, the run that led to it, its checks and the landed files.

The page loads nothing: charts, style and one script are inside, and its content security policy allows that script
alone, by its hash, and no network. Whatever people landed (names, file names, reasons) stands in escaped HTML or in
JSON that the script sets as text, never in a path of a chart. What the page shows are its `sections`; a second page,
`quality.html`, shows every check.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
from markupsafe import Markup

from ingestion import ledger
from ingestion.config import Settings
from serving.report import accounts, quality_page
from serving.report.formatting import environment, style
from serving.report.output import write_page
from serving.report.phone import fit_tables
from serving.report.sections import PARTS
from serving.report.sections.section import Part, Section
from serving.report.source import Row, Source, open_source
from serving.report.tables import script, script_hash
from serving.report.tiers import Common, read_common


def build_report(settings: Settings, run_id: str, log: Callable[[str], None] = print) -> Path:
    """Write `<data>/reports/index.html` and the accounts' pages beside it, each when its content changed.

    Equal release, run and checks give equal bytes.
    """
    target = settings.reports / "index.html"
    if target.is_file() and _brings_nothing_new(settings, run_id):
        log(f"report unchanged: {target}")
        return target
    with open_source(settings, run_id) as source:
        pages = accounts.choose(source)
        changed = [write_page(settings.reports / name, text) for name, text in _render(source, pages).items()]
        made = _write_accounts(source, pages)
    log(f"report {'written' if any(changed) else 'unchanged'}: {target}")
    if pages.found:
        log(f"account pages: {made:,} of {pages.found:,} accounts that look bought, are worth a look or are paid")
    return target


def _write_accounts(source: Source, pages: accounts.Pages) -> int:
    """Write a page for each of these accounts, and remove all others: they show an older release. Returns how many."""
    folder = source.settings.reports / accounts.FOLDER
    kept = set()
    if pages.links:
        for key, page in accounts.render_pages(source, "Made by the night."):
            if key in pages.links:
                kept.add(accounts.file_name(*key))
                write_page(folder / accounts.file_name(*key), page, durable=False)
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name not in kept:
                file.unlink(missing_ok=True)
    return len(kept)


def _brings_nothing_new(settings: Settings, run_id: str) -> bool:
    """Whether a run found nothing to build, and failed no check that the last published run had not failed."""
    with ledger.read(settings) as connection:
        plan = ledger.plan_of(connection, run_id)
        last = ledger.newest_release(connection)
        if plan is None or plan["state"] != "unchanged" or last is None:
            return False
        seen, now = (
            {
                (check["suite"], check["expectation"], check["is_acknowledged"])
                for check in ledger.failed_checks(connection, run)
            }
            for run in (last["run_id"], run_id)
        )
        return now <= seen


def render(settings: Settings, run_id: str) -> str:
    """The report as text, with links to the accounts' pages."""
    return render_pages(settings, run_id)["index.html"]


def render_pages(settings: Settings, run_id: str) -> dict[str, str]:
    """The report and the page of its checks as text, by file name."""
    with open_source(settings, run_id) as source:
        return _render(source, accounts.choose(source))


def _render(source: Source, pages: accounts.Pages) -> dict[str, str]:
    common = replace(read_common(source), pages=pages.links)
    shown = [part for each in PARTS if (part := _render_part(each, source, common))]
    checks = quality_page.read(source)
    shared = {"day": common.figures["latest_day"], "tiers": common.tiers, "style": style("front")}
    templates = environment()
    index = templates.get_template("page.html.j2").render(
        title="creator marketing", parts=shown, pages=pages, script=Markup(script()), script_hash=script_hash(),
        **shared,
    )  # fmt: skip
    quality = templates.get_template("quality_page.html.j2").render(
        title="quality of the data", s=checks, release=source.release, **shared
    )
    return {"index.html": fit_tables(index), "quality.html": fit_tables(quality)}


def _render_part(part: Part, source: Source, common: Common) -> Row | None:
    """The sections of a part that have something to show; null when none has."""
    shown = [found for section in part.sections if (found := _render_section(section, source, common))]
    return {"name": part.name, "label": part.label, "folded": part.folded, "sections": shown} if shown else None


def _render_section(section: Section, source: Source, common: Common) -> Row | None:
    """A section as HTML; null when it has nothing to show, or the release names columns as older code did."""
    if section.marts and not (common.figures["latest_day"] and source.holds(*section.marts)):
        return None
    try:
        shown = section.read(source, common)
    except duckdb.BinderException:
        return None
    if shown is None:
        return None
    template = environment().get_template(f"sections/{section.name}.html.j2")
    html = template.render(s=shown, source=source, common=common, scheme=source.settings.default_scheme)
    return {"name": section.name, "label": section.label, "html": Markup(html)}
