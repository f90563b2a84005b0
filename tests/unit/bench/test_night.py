"""What `make bench` counts as the core of a night, and how it prints the price of governance."""

from bench import night
from bench.one_night import Node, Result


def result(*nodes: Node, parents: dict[str, list[str]] | None = None, land: float = 2.0) -> Result:
    stages = {"land": [land, 1.0], "check landing": [1.0, 1.0], "build": [12.0, 9.0], "publish": [3.0, 1.0]}
    return {
        "code": "", "stages": stages, "memory": 1.0, "nodes": list(nodes), "parents": parents or {}, "copy": 1.0,
        "gigabytes": 1.0,
    }  # fmt: skip


def model(name: str, seconds: float) -> Node:
    return {"name": name, "kind": "model", "of": name, "seconds": [seconds, seconds / 2]}


def data_test(of: str, seconds: float) -> Node:
    return {"name": f"unique_{of}", "kind": "test", "of": of, "seconds": [seconds, seconds / 2]}


def test_the_core_is_landing_and_what_its_marts_are_made_from() -> None:
    parents: dict[str, list[str]] = {mart: [] for mart in night.CORE}
    # A view that stands is not made by the night, but what it reads is.
    parents |= {"dim_account": ["view"], "view": ["states"], "states": [], "fct_follower_trust_daily": ["states"]}
    nodes = [
        model("dim_account", 1.0), model("states", 0.5), model("fct_follower_trust_daily", 4.0),
        data_test("dim_account", 8.0),
    ]  # fmt: skip
    assert night.core_seconds(result(*nodes, parents=parents, land=2.0)) == 2.0 + 1.0 + 0.5
    assert night.core_seconds(result(*nodes, parents=parents), at=1) == 1.0 + 0.5 + 0.25


def test_what_gathering_marts_take_is_theirs_and_of_what_is_made_for_them_alone() -> None:
    parents = {
        "dim_account": ["named", "states"], "fct_post": ["known"], "known": ["days"], "named": ["states"],
        "fct_account_daily": ["states"], "states": ["days"], "days": [],
    }  # fmt: skip
    assert night.made_for(["dim_account", "fct_post"], parents) == {"dim_account", "fct_post", "named", "known"}
    nodes = [
        model("dim_account", 1.0), model("named", 0.5), model("states", 8.0), model("known", 2.0), model("days", 16.0),
        data_test("dim_account", 0.25), data_test("fct_account_daily", 4.0),
    ]  # fmt: skip
    assert night.gathering_seconds(result(*nodes, parents=parents)) == 1.0 + 0.5 + 2.0 + 0.25
    assert night.gathering_seconds(result(*nodes, parents=parents), at=1) == 1.875


def rows_of(lines: list[str]) -> dict[str, list[str]]:
    """The figures of each line by its name."""
    return {line[:44].strip(): line[44:].split() for line in lines}


def pairs() -> night.Pairs:
    """Two nights and bare runs; each figure is the mean of the two."""
    found = night.Pairs()
    for one in (-0.1, 0.1):
        nodes = [model("dear", 6.0 + one), model("cheap", 0.01), data_test("dear", 1.0), data_test("view", 0.5)]
        found.nights.append(result(*nodes))
        models = {"dear": 3.0 + one, "cheap": 0.0}
        found.bare.append({"models": models, "checkpoint": 1.0, "cpu": 2.0, "memory": 1.0, "differing": []})
        found.scripts.append({"stages": {"land": [1.0, 1.0], "build": [7.0, 7.0]}, "memory": 1.0, "differing": {}})
    return found


def test_the_price_of_governance_is_by_stage() -> None:
    rows = rows_of(night.price_by_stage(pairs()))
    assert rows["land"] == ["2.00", "1.00", "2.00"]
    assert rows["check landing"] == ["1.00", "-", "-"]
    assert rows["build"] == ["12.00", "4.00", "3.00"]
    assert rows["models"] == ["6.01", "3.00", "2.00"]
    assert rows["data tests"] == ["1.50", "-", "-"]
    assert rows["publish, without the release copy"] == ["2.00", "-", "-"]
    # 18 s of stages without 1 s of release copy, beside 1 s of landing, 3 of models and 1 of the checkpoint.
    assert rows["the price of governance"] == ["17.00", "5.00", "3.40"]
    assert night.price(pairs(), at=1) == (12.0, 3.0)


def test_the_price_of_governance_is_by_model() -> None:
    rows = rows_of(night.price_by_model(pairs()))
    assert rows["dear"] == ["6.00", "3.00", "2.00", "1.00"]
    # A model of which there is next to nothing, and the tests of a view that stands, are in one line.
    assert rows["2 others"] == ["0.01", "0.00", "-", "0.50"]
    assert rows["all 3 models"] == ["6.01", "3.00", "2.00", "1.50"]
