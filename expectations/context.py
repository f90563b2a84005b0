"""A Great Expectations context in memory; on disk only Data Docs and the results they are made from."""

import html
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ingestion.config import Settings

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

SITE = "local"
# The report's page of all checks, written at the end of a night.
GLANCE = "../quality.html"
# Pages per suite: a month of nights, so that "since when" can be answered. The ledger keeps all results.
KEEP_RUNS = 30

# Tags by which a page would load something from elsewhere: Data Docs must open without a network, and tell nobody.
REMOTE = re.compile(
    r"<script[^>]+src=[\"'](?:https?:)?//[^>]*>\s*</script>|<(?:link|img)[^>]+(?:href|src)=[\"'](?:https?:)?//[^>]*>",
    re.DOTALL,
)
# A link to a page beside this one: place and words. Suites have no pages, and those of old results are removed.
LOCAL_LINK = re.compile(
    r"<a\b[^>]*\bhref=[\"'](?![a-z]+:|#)([^\"'#?]+)[^\"']*[\"'][^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)
ICON = re.compile(r"<link[^>]+rel=[\"']shortcut icon[\"'][^>]*>")
REMOTE_STYLE = re.compile(r"url\([\"']?(?:https?:)?//[^)]*\)")
STYLE = (
    "<style id='local'>body{font:14px/1.4 sans-serif;margin:1rem 2rem}table{border-collapse:collapse;margin:.5rem 0}"
    "td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    ".fa-check-circle::before{content:'PASS';color:#070}.fa-times::before{content:'FAIL';color:#a00}"
    ".fa-exclamation-triangle::before{content:'ERROR';color:#a00}footer,.btn{display:none}</style>"
)


def data_docs(settings: Settings) -> Path:
    """Folder of the Data Docs; people open its `index.html`."""
    return settings.reports / "data_docs"


def open_context(settings: Settings) -> "EphemeralDataContext":
    """A context whose suites live in this process alone, with no telemetry and no progress bars."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, ProgressBarsConfig
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # else a thread stays behind, which a forking scheduler must not inherit
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": _folder(data_docs(settings)),
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "site_section_builders": {"profiling": "None"},
    }
    in_memory = {"class_name": "InMemoryStoreBackend"}
    config = DataContextConfig(
        stores={
            "expectations_store": {"class_name": "ExpectationsStore", "store_backend": in_memory},
            "validation_results_store": {
                "class_name": "ValidationResultsStore",
                "store_backend": _folder(_results(settings)),
            },
            "checkpoint_store": {"class_name": "CheckpointStore", "store_backend": in_memory},
            "validation_definition_store": {"class_name": "ValidationDefinitionStore", "store_backend": in_memory},
        },
        expectations_store_name="expectations_store",
        validation_results_store_name="validation_results_store",
        checkpoint_store_name="checkpoint_store",
        data_docs_sites={SITE: site},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def write_docs(settings: Settings) -> None:
    """Write the page of each result of a suite that has none yet, and the list of them.

    No gate waits for it: a night writes them with its report, those of a night that was killed as well.
    """
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

    docs = data_docs(settings)
    results, pages = _results(settings), docs / "validations"
    written = {page.relative_to(pages).with_suffix("") for page in pages.rglob("*.html")}
    missing = {result.relative_to(results).with_suffix("") for result in results.rglob("*.json")} - written
    if not missing:
        return
    context = open_context(settings)
    prune(context, settings)
    keys = [key for key in context.validation_results_store.list_keys() if isinstance(key, ValidationResultIdentifier)]
    named = [key for key in keys if Path(*key.to_tuple()) in missing]  # type: ignore[no-untyped-call]
    context.build_data_docs(site_names=[SITE], resource_identifiers=named)
    localise(settings)


def _results(settings: Settings) -> Path:
    """Folder of what Great Expectations keeps of each run of a suite."""
    return settings.data / "build" / "gx_results"


def _folder(path: Path) -> dict[str, Any]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(path)}


def prune(context: "EphemeralDataContext", settings: Settings) -> None:
    """Keep the newest results of each suite; the next index leaves out the pages of the others."""
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

    store = context.validation_results_store
    keys = [key for key in store.list_keys() if isinstance(key, ValidationResultIdentifier)]
    seen: dict[str, int] = {}
    for key in sorted(keys, key=lambda key: key.run_id.run_time, reverse=True):
        suite = str(key.expectation_suite_identifier.name)
        seen[suite] = seen.get(suite, 0) + 1
        if seen[suite] > KEEP_RUNS:
            store.remove_key(key)  # type: ignore[no-untyped-call]
    for root in (_results(settings), data_docs(settings)):
        for folder, _, _ in os.walk(root, topdown=False):
            if folder != str(root) and not os.listdir(folder):
                Path(folder).rmdir()


def localise(settings: Settings) -> None:
    """Make the pages self-contained: nothing is loaded from elsewhere, no link is dead, the index is a plain list."""
    docs = data_docs(settings)
    for page in (*docs.rglob("*.html"), *docs.rglob("*.css")):
        text = page.read_text(encoding="utf-8")
        clean = REMOTE_STYLE.sub("none", REMOTE.sub("", text))
        if page.suffix == ".html" and "id='local'" not in clean:
            clean = clean.replace("</head>", f"{STYLE}</head>", 1)
        clean = ICON.sub("", without_dead_links(page, clean)) if page.suffix == ".html" else clean
        if page == docs / "index.html" and "id='runs'" not in clean:
            clean = re.sub(r"<body[^>]*>", lambda body: body[0] + _list_of_runs(docs), clean, count=1)
        if clean != text:
            page.write_text(clean, encoding="utf-8")


def without_dead_links(page: Path, text: str) -> str:
    """The text of a page in which a link to a file that is not there is its words alone."""

    def kept(link: re.Match[str]) -> str:
        target = unquote(html.unescape(link[1]))
        return link[0] if target == GLANCE or (page.parent / target).exists() else link[2]

    return LOCAL_LINK.sub(kept, text)


def _list_of_runs(docs: Path) -> str:
    """GX's own table of runs is drawn by a script from elsewhere, so the list is written out, newest first."""
    pages = (page.relative_to(docs) for page in (docs / "validations").rglob("*.html"))
    items = (
        f"<li><a href='{html.escape(page.as_posix())}'>{html.escape(' / '.join(page.parts[1:-1]))}</a></li>"
        for page in sorted(pages, key=lambda page: page.parts[-2], reverse=True)
    )
    glance = f"<p><a href='{GLANCE}'>All checks at a glance</a>. Pages of each group of checks, newest first:</p>"
    return f"{glance}<ul id='runs'>{''.join(items)}</ul>"
