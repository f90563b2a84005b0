"""One self-contained HTML page of the published release, the run that led to it, its checks and the landed files.

The page loads nothing: charts, style and one script are inside, and its content security policy allows that script
alone, by its hash, and no network. Whatever people landed (names, file names, reasons) stands in escaped HTML or in
JSON that the script sets as text, never in a path of a chart. What the page shows are its `sections`; a second page,
`quality.html`, shows every check.
"""

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
from markupsafe import Markup

from ingestion import ledger
from ingestion.config import Settings
from ingestion.raw import commit_file
from serving.report import quality_page
from serving.report.formatting import environment, style
from serving.report.sections import PARTS
from serving.report.sections.section import Part, Section
from serving.report.source import Row, Source, open_source
from serving.report.tables import script, script_hash
from serving.report.tiers import Common, read_common


def build_report(settings: Settings, run_id: str, log: Callable[[str], None] = print) -> Path:
    """Write `<data>/reports/index.html` when its content changed. Equal release, run and checks give equal bytes."""
    target = settings.reports / "index.html"
    if target.is_file() and _brings_nothing_new(settings, run_id):
        log(f"report unchanged: {target}")
        return target
    pages = render_pages(settings, run_id)
    changed = [write_page(settings.reports / name, text) for name, text in pages.items()]
    log(f"report {'written' if any(changed) else 'unchanged'}: {target}")
    return target


def write_page(target: Path, text: str) -> bool:
    """Put a page in its place at once; false when the very same page lies there already."""
    page = text.encode("utf-8", "replace")
    if target.is_file() and target.read_bytes() == page:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.stem}.{os.getpid()}.partial")
    unfinished.write_bytes(page)
    commit_file(unfinished, target)
    return True


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
    """The report as text."""
    return render_pages(settings, run_id)["index.html"]


def render_pages(settings: Settings, run_id: str) -> dict[str, str]:
    """The report and the page of its checks as text, by file name."""
    with open_source(settings, run_id) as source:
        common = read_common(source)
        shown = [part for each in PARTS if (part := _render_part(each, source, common))]
        checks = quality_page.read(source)
        release = source.release
    shared = {"day": common.figures["latest_day"], "tiers": common.tiers, "style": style("front")}
    templates = environment()
    return {
        "index.html": templates.get_template("page.html.j2").render(
            title="creator marketing", parts=shown, script=Markup(script()), script_hash=script_hash(), **shared
        ),
        "quality.html": templates.get_template("quality_page.html.j2").render(
            title="quality of the data", s=checks, release=release, **shared
        ),
    }


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
