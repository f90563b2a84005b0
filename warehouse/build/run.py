"""Build the marts of one run with dbt, in private database files that no reader opens.

The run's plan, the raw files it may see and its id are written into the build database first (schema `meta`);
the models join them. Checks and publishing require that id: see `require_built`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB, DUCKDB_CONFIG, Settings
from ingestion.errors import ContractError, DamagedBuild
from ingestion.lease import Lease
from ingestion.text import shown
from ingestion.user_config import load as user_config
from warehouse import integrity, plan
from warehouse.build import authors, data_tests, dbt, known_models, manifest, meta, spark
from warehouse.build.idle import idle_nodes, unread_nodes
from warehouse.build_database import current_run
from warehouse.release import releases
from warehouse.rows_let_go import restore_derived

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

SUITE = "dbt"
# Of nodes that failed, those that an error names.
FAILED_SHOWN = 3
# Name, number and total of a model, seed or data test that has ended.
OnNode = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Built:
    """What a build did. `status` is built or unchanged."""

    status: str
    window: tuple[str, str] | tuple[None, None] = (None, None)
    dates: int = 0


def build_marts(
    settings: Settings,
    run_id: str,
    day: date,
    lease: Lease,
    log: Callable[[str], None] = print,
    backfill_range: plan.BackfillRange | None = None,
    on_node: OnNode | None = None,
) -> Built:
    """Plan and build one run's marts. The caller holds the writer's lease.

    Args:
        backfill_range: the range of a rebuild, from `plan.resolve`; null for a nightly.
        on_node: called with name, number and total as each model, seed and data test ends.

    Raises ContractError when a model or a critical dbt test fails, or a raw file is damaged; DamagedBuild when a
    private database proves damaged on the way: it is removed, and trying again builds all from raw.
    """
    try:
        return _plan_and_build(settings, run_id, day, lease, log, backfill_range, on_node)
    except (ContractError, duckdb.Error) as error:
        damage = integrity.remove_damaged(settings)
        if damage is None:
            raise
        raise DamagedBuild(f"{damage} and is removed; try again: all is built from raw") from error


def _plan_and_build(
    settings: Settings,
    run_id: str,
    day: date,
    lease: Lease,
    log: Callable[[str], None],
    backfill_range: plan.BackfillRange | None,
    on_node: OnNode | None,
) -> Built:
    config = user_config.load(settings)
    releases.reconcile(settings, log)
    releases.publish_anew_if_damaged(settings, log)
    on_spark = settings.engine != DUCKDB
    if on_spark and not spark.stands_for(settings, current_run(settings)):
        log("what Spark holds is not of the last build: all is built from raw")
        integrity.remove_build(settings)
    fresh = _open_or_renew(settings, log)
    with dbt.dbt_environment(settings):
        claims = authors.rows_of(settings, run_id)
        inputs = manifest.undated_inputs(settings) | authors.digest(claims)
        code = known_models.digest_of_code()
        project, models = None, known_models.load(settings, config, inputs, code)
        if models is None:
            project = manifest.parse(settings)
            models = manifest.models_of(project, settings, config, inputs)
            known_models.keep(settings, config, inputs, code, models)
        authors.mark_moved(settings, settings.build_db, claims["linked_account"])
        run_plan = plan.make(settings, run_id, day, models, fresh, backfill_range)
        if run_plan.is_empty:
            log(f"nothing new up to {run_plan.build_through}: the marts are unchanged")
            return Built("unchanged")
        for line in run_plan.lines():
            log(line)
        project = project or manifest.parse(settings)
        with ledger.read(settings) as connection:
            before = current_run(settings)
            row = ledger.plan_of(connection, before) if before else None
            landed, dirty = (
                ledger.feeds_with_rows(connection),
                ledger.dirty_feeds(connection, str(run_plan.build_through)),
            )
        was_published = row is not None and row["state"] == "published"
        version = manifest.code_version(project, models)
        standing = meta.write_meta(settings, config, run_plan, models, version, was_published)
        idle = idle_nodes(project, models, run_plan, standing, landed, dirty)
        idle_names = {project.nodes[unique_id].name for unique_id in idle}
        if idle:
            log(_left_alone(project, idle))
        tests = data_tests.tests_of(project, settings, code)
        due = data_tests.from_the_source_on(
            [test for unique_id, test in tests.items() if unique_id not in idle], models
        )
        unread = unread_nodes(project, idle | tests.keys())
        manifest.leave_out(project, unread)
        with ledger.read(settings) as connection:
            lease.check(connection)
        ended = _counted(on_node, len(project.nodes) - len(idle - unread) + len(due))
        if on_spark:
            of_spark = manifest.parse(settings, spark.TARGET)
            manifest.leave_out(of_spark, unread)
            owned = {model.name for model in models}
            results = spark.build(project, of_spark, settings, fresh, run_plan.changed, owned, idle - unread, ended)
        else:
            results = dbt.run_dbt(project, settings, ended, idle - unread)
    not_made = {str(result["unique_id"]) for result in results if result["status"] != "success"}
    results += data_tests.run_tests(due, settings, not_made, ended)
    ledger.record_checks(settings, run_id, _check_results(results))
    if idle and before:
        ledger.keep_failed_checks(settings, run_id, before, SUITE, idle_names)
    log(_table(results))
    failed = [r for r in results if r["status"] in ("error", "fail") and r["severity"] == "critical"]
    if failed:
        raise ContractError(f"the build failed, nothing is published:\n{_why_failed(failed)}")
    if (seen := releases.latest(settings)) and (taken := restore_derived(settings, seen / releases.DATABASE)):
        log(f"of days that were let go, {', '.join(taken)} stay as they were released")
    return Built("built", run_plan.window, len(run_plan.all_dates))


def require_built(settings: Settings, run_id: str, lease: Lease, log: Callable[[str], None] = print) -> str:
    """Require that the build holds this run's marts before they are checked or published.

    Returns built, unchanged (nothing is left to publish) or superseded (a later release holds its dates). Raises
    ContractError when the build is another's, or is gone, and when the run has no plan.
    """
    with ledger.read(settings) as connection:
        lease.check(connection)
        row = ledger.plan_of(connection, run_id)
    if row is None:
        raise ContractError(f"run {run_id} has no plan; run build_marts first")
    if row["state"] == "unchanged":
        return "unchanged"
    owner = current_run(settings)
    if owner == run_id:
        return "built"
    if row["state"] == "published":
        return "unchanged"
    return end_unbuilt(settings, run_id, f"the build is of run {owner}" if owner else "the build is gone", log)


def end_unbuilt(settings: Settings, run_id: str, why: str, log: Callable[[str], None] = print) -> str:
    """End a run whose build is not to be had any more: as superseded where a later release holds its dates.

    Raises ContractError otherwise, with the remedy. Nothing is lost: the dates stay dirty.
    """
    with ledger.read(settings) as connection:
        run_plan = plan.load(connection, run_id)
        assert run_plan is not None
        # A rebuild was asked for by somebody: that its dates are released is no reason to leave it.
        is_superseded = run_plan.backfill_range is None and plan.is_superseded(connection, run_plan)
    if is_superseded:
        with ledger.write(settings) as connection:
            ledger.set_plan_state(connection, run_id, "superseded")
        log(f"run {run_id} is superseded: its dates are released")
        return "superseded"
    remedy = "its dates stay dirty, and the next run builds them: `make nightly`, or clear build_marts of this run"
    if (range_ := run_plan.backfill_range) is not None:
        remedy = f"backfill the range again: `make backfill FROM={range_.first} TO={range_.last}`"
    raise ContractError(f"{why}, so run {run_id} publishes nothing; {remedy}")


def _open_or_renew(settings: Settings, log: Callable[[str], None]) -> bool:
    """Whether the build starts from nothing: the files are new, or were damaged and quarantined."""
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    renew = False
    for file in (settings.build_db, settings.marts_db):
        renew |= not file.exists()
        try:
            duckdb.connect(str(file), config=DUCKDB_CONFIG).close()
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                raise
            renew = True
            log(f"{file.name} is damaged ({str(error).splitlines()[0]}): it is rebuilt from raw")
    if renew:
        integrity.remove_build(settings)
        return True
    return current_run(settings) is None


def _counted(on_node: OnNode | None, total: int) -> Callable[[str], None]:
    """Tells of a node that has ended, with its number: on Spark some views are made on both engines."""
    numbers = count(1)

    def ended(name: str) -> None:
        if on_node:
            on_node(name, min(next(numbers), total), total)

    return ended


def _left_alone(project: "Manifest", idle: set[str]) -> str:
    """A line for people: how many models and tests stand as they are."""
    models, tests = (
        [name for name in project.nodes if project.nodes[name].resource_type == kind] for kind in ("model", "test")
    )
    return (
        f"left alone: {len(idle.intersection(models))} of {len(models)} models and"
        f" {len(idle.intersection(tests))} of {len(tests)} tests, for nothing that they are made from has changed"
    )


def _check_results(results: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Every data test, and whatever else did not succeed."""
    return [
        {
            "suite": SUITE,
            "expectation": r["name"],
            "severity": r["severity"],
            "observed": None if r["failures"] is None else f"{r['failures']} failing rows",
            "threshold": "0 failing rows" if r["kind"] == "test" else "builds",
            "passed": r["status"] in ("pass", "success"),
            "detail": _detail(r),
        }
        for r in results
        if r["kind"] == "test" or r["status"] != "success"
    ]


def _detail(result: dict[str, Any]) -> str | None:
    if result["status"] in ("pass", "success"):
        return None
    return ledger.NOT_RUN if result["status"] == "skipped" else str(result["message"])


def _why_failed(failed: list[dict[str, Any]]) -> str:
    """A line for each of the first nodes that failed, models before the tests of others, and what a person can do."""
    ordered = sorted(failed, key=lambda result: result["kind"] == "test")
    lines = [f"- {shown(str(r['name']))}: {shown(str(r['message']))}" for r in ordered[:FAILED_SHOWN]]
    if len(ordered) > FAILED_SHOWN:
        lines.append(f"- and {len(ordered) - FAILED_SHOWN} more, all in the log")
    remedy = (
        "mend the model where it has changed; else take back the file that is new and broke it, by"
        " `make reject BATCH=` (make doctor lists them)"
    )
    return "\n".join([*lines, f"- {remedy}"])


def _table(results: list[dict[str, Any]]) -> str:
    """dbt's results as a short table: every model, and of the tests only those that did not pass."""
    listed = [r for r in results if r["kind"] != "test" or r["status"] != "pass"]
    tests = [r for r in results if r["kind"] == "test"]
    passed = sum(r["status"] == "pass" for r in tests)
    lines = [f"{'node':<46} {'status':<8} {'seconds':>7}"]
    lines += [f"{r['name'][:46]:<46} {r['status']:<8} {r['seconds']:>7.2f}" for r in listed]
    return "\n".join([*lines, f"{passed} of {len(tests)} data tests passed"])
