"""`make docs`: the site of dbt's documentation, one file that needs no network.

dbt makes it of the project and of the build database, whose tables it lists; so it holds the writer's lease, and waits
for a run that is under way. The page may load nothing: a content security policy says so to the browser.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ingestion.config import Settings, utc_now
from ingestion.errors import ContractError
from ingestion.lease import hold
from serving.report.output import write_page
from warehouse.build.dbt import DBT_PROJECT

# dbt's page is an AngularJS application inside one file: it evaluates its templates and carries its fonts and images.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:;"
    " font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
)


def build_docs(settings: Settings, log: Callable[[str], None] = print) -> Path:
    """Write `<data>/reports/dbt_docs/index.html` and return where it is.

    Raises ContractError while there is no build database, or when dbt fails; LeaseLost when another run
    keeps the lease.
    """
    if not settings.build_db.exists() or not settings.marts_db.exists():
        raise ContractError("nothing has been built yet: run `make nightly` first")
    target = settings.data / "build" / "dbt_docs"
    with hold(settings, f"docs {utc_now():%Y-%m-%dT%H:%M:%S}", "build_docs", log):
        _generate(settings, target)
    page = (target / "static_index.html").read_text(encoding="utf-8")
    path = settings.reports / "dbt_docs" / "index.html"
    write_page(path, with_policy(page))
    return path


def with_policy(page: str) -> str:
    """The page with a policy that forbids loading anything. Raises ContractError where it has no head."""
    before, head, after = page.partition("<head>")
    if not head:
        raise ContractError("dbt's page has no <head> to put a content security policy in")
    return f'{before}{head}<meta http-equiv="Content-Security-Policy" content="{POLICY}">{after}'


def _generate(settings: Settings, target: Path) -> None:
    """Run `dbt docs generate` as a process of its own, which leaves no connection open here."""
    done = subprocess.run(
        [
            sys.executable, "-m", "dbt.cli.main", "docs", "generate", "--static", "--project-dir", str(DBT_PROJECT),
            "--profiles-dir", str(DBT_PROJECT), "--target-path", str(target), "--log-path", str(target / "logs"),
            "--quiet", "--no-use-colors", "--no-version-check",
        ],
        env={
            **os.environ,
            "GROUNDSWELL_BUILD_DB": str(settings.build_db),
            "GROUNDSWELL_MARTS_DB": str(settings.marts_db),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise ContractError(f"dbt could not make its documentation:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
