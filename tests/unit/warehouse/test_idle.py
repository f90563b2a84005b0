"""What a run leaves alone, and each thing that wakes it."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from ingestion import ledger
from ingestion.config import Settings
from warehouse import plan
from warehouse.build.idle import Standing, idle_nodes, unread_nodes

ORDERS, RUN, PLAN = "source.g.raw.orders", "source.g.meta.run", "source.g.meta.plan"


def node(kind: str, name: str, parents: tuple[str, ...], materialized: str = "table") -> Any:
    return SimpleNamespace(
        resource_type=kind,
        name=name,
        unique_id=f"{kind}.g.{name}",
        depends_on=SimpleNamespace(nodes=list(parents)),
        config=SimpleNamespace(materialized=materialized),
    )


def source(unique_id: str) -> Any:
    _, _, name, identifier = unique_id.split(".")
    return SimpleNamespace(resource_type="source", source_name=name, identifier=identifier, unique_id=unique_id)


NODES = [
    node("seed", "bands", ()),
    node("model", "staged", (ORDERS,), "view"),
    node("model", "days", ("model.g.staged", PLAN), "incremental"),
    node("model", "whole", ("model.g.staged", "seed.g.bands")),
    node("model", "dated", ("model.g.staged", RUN)),
    node("model", "over", ("model.g.days", "model.g.whole")),
    node("test", "test_bands", ("seed.g.bands",)),
    node("test", "test_staged", ("model.g.staged",)),
    node("test", "test_whole", ("model.g.whole", "model.g.over")),
]
MANIFEST: Any = SimpleNamespace(
    nodes={each.unique_id: each for each in NODES}, sources={name: source(name) for name in (ORDERS, RUN, PLAN)}
)
MODELS = [
    plan.Model(each.name, "same", each.config.materialized == "incremental", frozenset({"orders"}))
    for each in NODES
    if each.resource_type == "model"
]
ALL = {each.name for each in NODES}
STANDING = Standing(True, {model.name: True for model in MODELS}, "2026-01-05")
EMPTY = replace(STANDING, rows={"staged": True, "days": False, "whole": False, "dated": False, "over": False})
PLANNED = plan.Plan("run", date(2026, 1, 5), date(2026, 1, 5), 0)


def built(
    run_plan: plan.Plan = PLANNED, standing: Standing = STANDING, landed: str = "orders", dirty: str = ""
) -> set[str]:
    """Names of what is not left alone."""
    idle = idle_nodes(
        MANIFEST, MODELS, run_plan, standing, frozenset(landed.split()), frozenset(dirty.split())
    )  # fmt: skip
    return ALL - {MANIFEST.nodes[unique_id].name for unique_id in idle}


def test_where_nothing_moves_nothing_is_built() -> None:
    assert built() == set()


def test_a_later_day_moves_what_reads_the_day() -> None:
    assert built(replace(PLANNED, build_through=date(2026, 1, 6))) == {"dated"}


def test_a_planned_date_moves_a_windowed_model_and_what_is_made_of_it() -> None:
    planned = replace(PLANNED, dates={"days": {"2026-01-05": plan.RUN_DAY}})
    assert built(planned) == {"days", "over", "test_whole"}


def test_a_dirty_feed_moves_all_that_is_made_of_it_but_no_view() -> None:
    planned = replace(PLANNED, dates={"days": {"2026-01-05": plan.DIRTY}})
    assert built(planned, dirty="orders") == ALL - {"bands", "staged", "test_bands"}


def test_changed_code_moves_its_model_and_the_seeds() -> None:
    assert built(replace(PLANNED, changed=("over",))) == {"bands", "over", "test_whole"}


def test_a_relation_that_is_gone_is_built() -> None:
    gone = replace(
        STANDING, rows={name: held for name, held in STANDING.rows.items() if name not in ("staged", "over")}
    )
    assert {"staged", "over"} <= built(standing=gone)


@pytest.mark.parametrize(
    ("run_plan", "standing"),
    [
        (PLANNED, replace(STANDING, is_consistent=False)),
        (replace(PLANNED, backfill_range=plan.BackfillRange("2026-01-05", "2026-01-05")), STANDING),
    ],
    ids=["the last run did not publish", "somebody asks for a range"],
)
def test_doubt_leaves_nothing_alone(run_plan: plan.Plan, standing: Standing) -> None:
    assert built(run_plan, standing) == ALL


def test_what_never_landed_sleeps_whatever_day_it_is() -> None:
    later = replace(PLANNED, build_through=date(2026, 1, 6), dates={"days": {"2026-01-06": plan.RUN_DAY}})
    assert built(later, EMPTY, landed="costs") == set()


def test_it_wakes_with_its_first_rows_and_when_the_last_are_taken_back() -> None:
    later = replace(PLANNED, dates={"days": {"2026-01-05": plan.DIRTY}})
    everything = {"days", "whole", "dated", "over", "test_staged", "test_whole"}
    assert built(later, EMPTY, landed="orders", dirty="orders") == everything
    assert built(later, STANDING, landed="costs", dirty="orders") == everything


def test_what_holds_rows_of_no_feed_does_not_sleep() -> None:
    """Made of seeds and the day: it has rows though nothing landed, and they name the day."""
    rows = replace(EMPTY, rows={**EMPTY.rows, "dated": True})
    assert built(replace(PLANNED, build_through=date(2026, 1, 6)), rows, landed="costs") == {"dated"}


def result(expectation: str, passed: bool, suite: str = "dbt", detail: str | None = None) -> dict[str, object]:
    return {
        "suite": suite, "expectation": expectation, "severity": "warning", "observed": None, "threshold": None,
        "passed": passed, "detail": detail,
    }  # fmt: skip


def test_a_warning_of_a_test_that_is_left_alone_stands(settings: Settings) -> None:
    """And nothing else of the run before: not what passed, not what ran again, not another suite's."""
    before = [result("left", False, detail="as it was"), result("passed", True), result("ran again", False)]
    ledger.record_checks(settings, "before", before)
    ledger.record_checks(settings, "before", [result("left", False, "landing.posts")])
    ledger.record_checks(settings, "now", [result("ran again", True)])
    ledger.keep_failed_checks(settings, "now", "before", "dbt", {"left", "passed"})
    with ledger.read(settings) as connection:
        kept = {
            (row["suite"], row["expectation"], row["passed"], row["detail"])
            for row in ledger.checks_of_run(connection, "now")
        }
    assert kept == {("dbt", "left", 0, "as it was"), ("dbt", "ran again", 1, None)}


def test_what_nothing_built_reads_is_not_told_to_dbt() -> None:
    idle = {name for name in MANIFEST.nodes if name != "model.g.over"}
    read = {"model.g.days", "model.g.whole", "model.g.staged", "seed.g.bands"}
    assert unread_nodes(MANIFEST, idle) == idle - read
    assert unread_nodes(MANIFEST, set()) == set()
    assert unread_nodes(MANIFEST, set(MANIFEST.nodes)) == set(MANIFEST.nodes)
