"""Look before a run: `make plan` prints what it would replace, a dry run builds it in a copy and throws that away."""

import difflib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from ingestion import inventory, lease, ledger
from ingestion.config import Settings
from ingestion.errors import ContractError, UsageError
from ingestion.user_config import load as user_config
from warehouse import build_database, integrity, plan
from warehouse.build import authors, dbt, manifest, reach
from warehouse.build import run as build
from warehouse.release import diff, releases

RUN_ID = "preview"


def preview(settings: Settings, day: date, backfill_range: plan.BackfillRange | None = None) -> list[str]:
    """The plan of a run of this day as state stands, as lines.

    Raises ContractError for a mart that there is none of, and while another run is building.
    """
    lines = []
    with ledger.read_copy(settings) as connection:
        waiting = len(inventory.waiting_files(settings, connection))
    if waiting:
        lines.append(f"plan  {waiting} files in landing are not taken in yet; what they bring is not in this plan")
    if not settings.ledger.exists():
        return [*lines, "nothing was ever landed: the first run takes in what lies in landing and builds all of it"]
    fresh = _is_fresh(settings)
    with _scratch(settings) as copy, dbt.dbt_environment(copy):
        project, config = manifest.parse(copy), user_config.load(copy)
        claims = authors.rows_of(copy)
        models = manifest.models_of(project, copy, config, manifest.undated_inputs(copy) | authors.digest(claims))
        authors.mark_moved(copy, settings.build_db, claims["linked_account"])
        made = plan.make(copy, RUN_ID, day, models, fresh, backfill_range)
    return [
        *lines,
        *(made.lines() if not made.is_empty else [f"nothing new up to {made.build_through}: the marts are unchanged"]),
    ]


def explain(settings: Settings, model: str) -> list[str]:
    """How far a model looks back into each of its feeds, and what that adds up from, as lines.

    Raises UsageError for a model that there is none of.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = settings.model_copy(update={"data": Path(folder)})
        with dbt.dbt_environment(copy):
            nodes = manifest.nodes_of(manifest.parse(copy))
    if model not in nodes:
        near = difflib.get_close_matches(model, nodes, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"no model is named {model}{hint}")
    return reach.explain(nodes, model)


def dry_run(
    settings: Settings,
    day: date,
    backfill_range: plan.BackfillRange | None,
    log: Callable[[str], None],
    on_node: build.OnNode | None = None,
) -> diff.Diff:
    """Build in a copy, and compare it with what readers see. Nothing is landed, checked or published."""
    with _scratch(settings) as copy:
        with lease.hold(settings, RUN_ID, "dry run", log):
            _copy_build(settings, copy)
        with lease.hold(copy, RUN_ID, "dry run", log) as held:
            build.build_marts(copy, RUN_ID, day, held, log, backfill_range, on_node)
        with dbt.dbt_environment(copy):
            keys = manifest.keys_of(manifest.parse(copy))
        latest = releases.latest(settings)
        return diff.compare(latest / releases.DATABASE if latest else None, copy.marts_db, keys)


@contextmanager
def _scratch(settings: Settings) -> Iterator[Settings]:
    """A folder beside the build with a copy of state, removed afterwards; leftovers of killed ones as well."""
    beside = settings.data / "build" if settings.data.exists() else None
    if beside:
        beside.mkdir(exist_ok=True)
        for leftover in beside.glob("copy-*"):
            if not Path(f"/proc/{leftover.name.split('-')[1]}").exists():
                shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"copy-{os.getpid()}-", dir=beside) as scratch:
        copy = settings.model_copy(update={"data": Path(scratch)})
        copy.ledger.parent.mkdir(parents=True)
        ledger.copy_to(settings, copy.ledger)
        for folder, original in ((copy.raw, settings.raw), (copy.published, settings.published)):
            folder.symlink_to(original.absolute(), target_is_directory=True)
        yield copy


def _copy_build(settings: Settings, copy: Settings) -> None:
    copy.build_db.parent.mkdir(parents=True, exist_ok=True)
    for source, target in ((settings.build_db, copy.build_db), (settings.marts_db, copy.marts_db)):
        for suffix in ("", ".wal"):
            if Path(f"{source}{suffix}").exists():
                shutil.copyfile(f"{source}{suffix}", f"{target}{suffix}")


def _is_fresh(settings: Settings) -> bool:
    """Whether a run would find no build that it can add to."""
    try:
        return build_database.current_run(settings) is None
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise ContractError("another run is building right now; ask again when it is done") from error
        return integrity.damage_of(settings.build_db) is not None
