"""How far back a model looks: own reaches added up along the longest chain, feed by feed."""

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from warehouse import dry_run
from warehouse.build.reach import UNLIMITED, Node, explain, reaches

F, G = frozenset({"f"}), frozenset({"g"})
NODES = {
    "stg_f": Node(feeds=F),
    "stg_g": Node(own=10, feeds=G),
    "short": Node(own=3, parents=("stg_f",), feeds=F),
    "long": Node(own=30, parents=("stg_f",), feeds=F),
    "both": Node(own=7, parents=("short", "long", "stg_g"), feeds=F | G),
    "end": Node(parents=("both",), feeds=F | G),
}


def test_the_longest_chain_counts_for_each_feed_by_itself() -> None:
    found = reaches(NODES)
    assert found["stg_f"] == {"f": 0}
    assert found["both"] == {"f": 37, "g": 17}
    assert found["end"] == {"f": 37, "g": 17}


def test_a_parent_that_does_not_hold_a_feed_adds_nothing_to_it() -> None:
    far = {**NODES, "stg_g": Node(own=500, feeds=G)}
    assert reaches(far)["end"] == {"f": 37, "g": 507}


def test_a_checkpoint_absorbs_what_lies_before_it_and_itself_depends_on_all_of_it() -> None:
    nodes = {
        **NODES,
        "checkpoint": Node(own=UNLIMITED, absorbs=True, parents=("stg_f",), feeds=F),
        "onward": Node(own=35, parents=("checkpoint", "short"), feeds=F),
    }
    assert reaches(nodes)["checkpoint"] == {"f": UNLIMITED}
    assert reaches(nodes)["onward"] == {"f": 38}


def test_sums_end_at_all_history() -> None:
    nodes = {"a": Node(own=UNLIMITED, feeds=F), "b": Node(own=90, parents=("a",), feeds=F)}
    assert reaches(nodes)["b"] == {"f": UNLIMITED}


def test_the_explanation_names_the_chain() -> None:
    assert explain(NODES, "end") == [
        "end looks back 37 days into f",
        "       7  both",
        "      30  long",
        "end looks back 17 days into g",
        "       7  both",
        "      10  stg_g",
    ]
    assert explain(NODES, "stg_f") == ["stg_f looks back 0 days into f"]


def test_a_model_that_there_is_none_of_is_named_with_the_nearest(settings: Settings) -> None:
    with pytest.raises(UsageError, match="no model is named fct_acount_daily; did you mean fct_account_daily"):
        dry_run.explain(settings, "fct_acount_daily")
    assert not settings.data.exists()
