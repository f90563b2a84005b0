"""Superset's YAML: it is what the maker makes, names only what the marts hold, and adds up nothing that does not add up."""

import copy
import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from sqlglot import exp

from warehouse import dashboards, data_dictionary
from warehouse.dashboards import ASSETS, SpecError, assets, expression_of, load_spec, render

Node = dict[str, Any]

# Sums of columns that do not add up by themselves, each with what makes it right.
SUMMED_BY_DESIGN = {
    ("fct_account_latest", "er_followers_median_30"): "numerator of a mean over accounts",
    ("fct_live_session", "unique_viewers"): "denominator over sessions, each of which has its own viewers",
    ("fct_publication", "row_count"): "within one release",
    ("fct_share_of_voice_daily", "mentions_of_all"): "within one brand, which has one row a day",
}


@cache
def marts() -> dict[str, Node]:
    return {mart["name"]: mart for mart in data_dictionary.marts()}


@cache
def committed() -> dict[str, Node]:
    """Content of each committed file by its path."""
    found = {
        path.relative_to(ASSETS).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(ASSETS.rglob("*.yaml"))
    }
    assert len(found) > 80
    return found


def of_kind(kind: str, files: dict[str, Node] | None = None) -> dict[str, Node]:
    """Content of the files of a kind, by their name."""
    return {Path(path).stem: node for path, node in (files or committed()).items() if path.startswith(f"{kind}/")}


def broken(path: str, **changes: Any) -> dict[str, Node]:
    """The committed files with another value in one of them."""
    files = copy.deepcopy(committed())
    files[path] |= changes
    return files


def of_uuid(kind: str, files: dict[str, Node]) -> dict[str, Node]:
    return {node["uuid"]: node for node in of_kind(kind, files).values()}


# --- what is committed


def test_the_committed_files_are_what_the_maker_makes() -> None:
    made = render()
    assert {path: yaml.safe_load(text) for path, text in made.items()} == committed()
    assert {path: (ASSETS / path).read_text(encoding="utf-8") for path in made} == made, "run `make dashboards`"


def id_faults(files: dict[str, Node]) -> list[str]:
    """Ids that stand twice, or are none."""
    ids = [node["uuid"] for node in files.values() if "uuid" in node]
    return [text for text in ids if ids.count(text) > 1 or str(uuid.UUID(text)) != text]


def test_ids_are_unique_and_those_of_every_version() -> None:
    """An id that changes makes a second object beside the first in every Superset that holds it."""
    assert id_faults(committed()) == []
    assert committed()["databases/groundswell.yaml"]["uuid"] == "7cb6919e-9029-5af3-9583-5f6b9853e9e9"
    assert committed()["datasets/groundswell/fct_campaign_roi.yaml"]["uuid"] == "9ff6de30-70b7-5e90-a6fe-55976c757a1d"
    assert committed()["charts/returns_roi.yaml"]["uuid"] == "6b59e667-b7d6-57e8-9c4a-873c16636664"
    assert committed()["dashboards/overview.yaml"]["uuid"] == "7201d654-7d7c-507d-bad7-7acfddeb0fe1"
    same = committed()["charts/returns_roi.yaml"]["uuid"]
    assert id_faults(broken("charts/returns_cpa.yaml", uuid=same)) == [same, same]


def test_the_exposure_of_superset_names_its_datasets() -> None:
    text = (data_dictionary.MARTS / "exposures.yml").read_text(encoding="utf-8")
    [found] = [node for node in yaml.safe_load(text)["exposures"] if node["name"] == "superset"]
    assert found["depends_on"] == [f"ref('{name}')" for name in sorted(of_kind("datasets"))]


# --- names


def dataset_faults(files: dict[str, Node]) -> list[str]:
    """Datasets that are no mart, hold SQL, or have other columns than the mart's contract."""
    faults = []
    for name, node in of_kind("datasets", files).items():
        held = [column["name"] for column in marts()[name]["columns"]] if name in marts() else []
        columns = [column["column_name"] for column in node["columns"]]
        if (node["schema"], node["table_name"]) != ("marts", name) or not held:
            faults.append(f"{name} is no mart")
        if node["sql"] is not None or any(column["expression"] for column in node["columns"]):
            faults.append(f"{name} holds SQL")
        if columns != held:
            faults.append(f"{name} has other columns than its mart")
        for metric in node["metrics"]:
            named = {column.name for column in sqlglot.parse_one(metric["expression"]).find_all(exp.Column)}
            if named - set(held) or metric["metric_name"] in held:
                faults.append(f"{name}.{metric['metric_name']}")
    return faults


def test_datasets_are_marts_with_their_columns_and_no_sql() -> None:
    assert dataset_faults(committed()) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sql": "select 1"}, "dim_campaign holds SQL"),
        ({"schema": "main"}, "dim_campaign is no mart"),
        ({"columns": []}, "dim_campaign has other columns than its mart"),
        ({"metrics": [{"metric_name": "m", "expression": "sum(gone)"}]}, "dim_campaign.m"),
        ({"metrics": [{"metric_name": "budget", "expression": "count(*)"}]}, "dim_campaign.budget"),
    ],
)
def test_a_dataset_that_is_no_mart_is_found(change: Node, fault: str) -> None:
    assert fault in dataset_faults(broken("datasets/groundswell/dim_campaign.yaml", **change))


def chart_names(node: Node) -> tuple[set[str], set[str]]:
    """Columns and metrics that a chart names, for the editor and in its query."""
    params = node["params"]
    [query] = json.loads(node["query_context"])["queries"]
    columns = {*params.get("all_columns", []), *params.get("groupby", []), *params.get("groupbyRows", [])}
    columns |= {*params.get("groupbyColumns", []), *(item["subject"] for item in params["adhoc_filters"])}
    columns |= {params["x_axis"]} if "x_axis" in params else set()
    columns |= {column["sqlExpression"] if isinstance(column, dict) else column for column in query["columns"]}
    columns |= {condition["col"] for condition in query["filters"]}
    metrics = {*params.get("metrics", []), *(query["metrics"] or [])}
    metrics |= {params[key] for key in ("metric", "timeseries_limit_metric", "x_axis_sort") if params.get(key)}
    return columns, metrics


def chart_faults(files: dict[str, Node]) -> list[str]:
    """Charts that name what their dataset does not hold, or hold SQL of their own."""
    datasets, faults = of_uuid("datasets", files), []
    for name, node in of_kind("charts", files).items():
        dataset = datasets.get(node["dataset_uuid"])
        if dataset is None:
            faults.append(f"{name}: no dataset")
            continue
        columns, metrics = chart_names(node)
        faults += [f"{name}: {gone}" for gone in columns - {column["column_name"] for column in dataset["columns"]}]
        faults += [f"{name}: {gone}" for gone in metrics - {metric["metric_name"] for metric in dataset["metrics"]}]
        if any(item["expressionType"] != "SIMPLE" for item in node["params"]["adhoc_filters"]):
            faults.append(f"{name} holds SQL")
    return faults


def test_charts_name_what_their_mart_holds() -> None:
    assert chart_faults(committed()) == []


def test_a_chart_that_names_what_is_not_there_is_found() -> None:
    path = "charts/returns_budgets.yaml"
    params = committed()[path]["params"]
    assert chart_faults(broken(path, dataset_uuid=str(uuid.uuid4()))) == ["returns_budgets: no dataset"]
    assert chart_faults(broken(path, params={**params, "all_columns": ["gone"]})) == ["returns_budgets: gone"]
    sql = [{"expressionType": "SQL", "subject": "brand"}]
    assert chart_faults(broken(path, params={**params, "adhoc_filters": sql})) == ["returns_budgets holds SQL"]


# --- what adds up


def sum_faults(files: dict[str, Node]) -> list[str]:
    """Metrics that add up what does not, or whose ratio is not one of sums."""
    faults = []
    for name, node in of_kind("datasets", files).items():
        how = {column["name"]: column.get("aggregation") for column in marts()[name]["columns"]}
        for metric in node["metrics"]:
            tree = sqlglot.parse_one(metric["expression"])
            value = tree.args.get("ifs", [None])[0].args["true"] if isinstance(tree, exp.Case) else tree
            for total in value.find_all(exp.Sum):
                column = total.this.name
                if how[column] == "none" and (name, column) not in SUMMED_BY_DESIGN:
                    faults.append(f"{name}.{metric['metric_name']} sums {column}")
            for ratio in value.find_all(exp.Div):
                parts = [part.find(exp.Sum, exp.Count) for part in (ratio.this, ratio.expression)]
                if not all(parts) or value.find(exp.Avg, exp.Median) or not ratio.expression.find(exp.Nullif):
                    faults.append(f"{name}.{metric['metric_name']} divides no sums")
    return faults


def test_metrics_sum_what_adds_up_and_ratios_divide_sums() -> None:
    assert sum_faults(committed()) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(roi_net)", "fct_campaign_roi.m sums roi_net"),
        ("case when count(*) > 0 then sum(budget) end", "fct_campaign_roi.m sums budget"),
        ("avg(spend_base) / nullif(sum(orders), 0)", "fct_campaign_roi.m divides no sums"),
        ("sum(spend_base) / sum(orders)", "fct_campaign_roi.m divides no sums"),
    ],
)
def test_a_metric_that_adds_up_wrongly_is_found(expression: str, fault: str) -> None:
    path = "datasets/groundswell/fct_campaign_roi.yaml"
    assert sum_faults(broken(path, metrics=[{"metric_name": "m", "expression": expression}])) == [fault]


def fixed_faults(files: dict[str, Node]) -> list[str]:
    """Metrics of money that are not null over several models or schemes, and charts without a filter of them."""
    faults = []
    datasets = of_uuid("datasets", files)
    for name, node in of_kind("datasets", files).items():
        held = {column["column_name"] for column in node["columns"]}
        for fixed in {"attribution_model"} & held:
            faults += [
                f"{name}.{metric['metric_name']}"
                for metric in node["metrics"]
                if f"min({fixed}) = max({fixed})" not in metric["expression"]
                and not metric["expression"].startswith("min(")
            ]
    charts = of_uuid("charts", files)
    for board, node in of_kind("dashboards", files).items():
        required = {
            item["targets"][0]["column"]["name"]
            for item in node["metadata"]["native_filter_configuration"]
            if item["controlValues"]["enableEmptyFilter"] and item["defaultDataMask"]["filterState"].get("value")
        }
        for place in node["position"].values():
            if isinstance(place, dict) and place.get("type") == "CHART":
                dataset = datasets[charts[place["meta"]["uuid"]]["dataset_uuid"]]
                held = {column["column_name"] for column in dataset["columns"]}
                if ("attribution_model" in held) > ("attribution_model" in required):
                    faults.append(f"{board}: {place['id']}")
    return faults


def test_money_is_of_one_attribution_model() -> None:
    """Each model holds all of the money: a filter with a default is required, and without it a metric is null."""
    assert fixed_faults(committed()) == []
    [chosen] = [
        item for item in committed()["dashboards/returns.yaml"]["metadata"]["native_filter_configuration"]
        if item["name"] == "Attribution model"
    ]  # fmt: skip
    assert chosen["defaultDataMask"]["extraFormData"] == {
        "filters": [{"col": "attribution_model", "op": "IN", "val": ["code_or_last_click"]}]
    }
    assert chosen["controlValues"]["multiSelect"] is False


def test_money_over_all_models_is_found() -> None:
    path = "datasets/groundswell/fct_campaign_roi.yaml"
    plain = [{"metric_name": "spend", "expression": "sum(spend_base)"}]
    assert fixed_faults(broken(path, metrics=plain)) == ["fct_campaign_roi.spend"]
    path = "dashboards/overview.yaml"
    without = {**committed()[path]["metadata"], "native_filter_configuration": []}
    assert "overview: CHART-overview_spend" in fixed_faults(broken(path, metadata=without))


# --- dashboards


def place_faults(files: dict[str, Node]) -> list[str]:
    """Charts on a dashboard without the uuid of a chart, rows that are not full, charts on no dashboard or on two."""
    charts, seen, faults = of_uuid("charts", files), [], []
    for board, node in of_kind("dashboards", files).items():
        for place in node["position"].values():
            if not isinstance(place, dict):
                continue
            if place["type"] == "CHART":
                found = place["meta"].get("uuid")
                seen.append(found)
                if found not in charts:
                    faults.append(f"{board}: {place['id']}")
            if place["type"] == "ROW":
                widths = [node["position"][child]["meta"]["width"] for child in place["children"]]
                faults += [f"{board}: {place['id']}"] if sum(widths) != 12 else []
    return faults + [charts[found]["slice_name"] for found in charts if seen.count(found) != 1]


def test_each_chart_on_a_dashboard_is_named_by_its_uuid() -> None:
    """Superset's import keeps the numbers of those that are not, and shows another chart under their title."""
    assert place_faults(committed()) == []


def test_a_chart_without_its_uuid_is_found() -> None:
    path = "dashboards/health.yaml"
    position = copy.deepcopy(committed()[path]["position"])
    del position["CHART-health_files"]["meta"]["uuid"]
    assert place_faults(broken(path, position=position)) == ["health: CHART-health_files", "Files"]
    position = copy.deepcopy(committed()[path]["position"])
    position["CHART-health_files"]["meta"]["width"] = 4
    assert place_faults(broken(path, position=position)) == ["health: ROW-health-0"]


def filter_faults(files: dict[str, Node]) -> list[str]:
    """Filters of a column that is not there, or that act on no chart of their dashboard."""
    datasets, charts, faults = of_uuid("datasets", files), of_uuid("charts", files), []
    for board, node in of_kind("dashboards", files).items():
        on = [
            charts[place["meta"]["uuid"]]
            for place in node["position"].values()
            if isinstance(place, dict) and place.get("type") == "CHART"
        ]
        for item in node["metadata"]["native_filter_configuration"]:
            if item["filterType"] == "filter_time":
                acts = [chart for chart in on if "TEMPORAL_RANGE" in str(chart["params"]["adhoc_filters"])]
            else:
                [target] = item["targets"]
                column = target["column"]["name"]
                held = {
                    key: {column["column_name"] for column in dataset["columns"]} for key, dataset in datasets.items()
                }
                if column not in held.get(target["datasetUuid"], ()):
                    faults.append(f"{board}: {item['name']}")
                passed = item["scope"]["excluded"]
                acts = [
                    chart for at, chart in enumerate(on, start=1)
                    if column in held[chart["dataset_uuid"]] and at not in passed
                ]  # fmt: skip
            if len(acts) < 2:
                faults.append(f"{board}: {item['name']} acts on {len(acts)} charts")
    return faults


def test_filters_act_across_charts() -> None:
    assert filter_faults(committed()) == []


def test_a_filter_that_acts_on_nothing_is_found() -> None:
    path = "dashboards/health.yaml"
    metadata = copy.deepcopy(committed()[path]["metadata"])
    metadata["native_filter_configuration"][0]["targets"][0]["column"]["name"] = "gone"
    assert filter_faults(broken(path, metadata=metadata)) == ["health: Feed", "health: Feed acts on 0 charts"]


def test_a_required_filter_passes_over_what_is_of_one_value() -> None:
    """What is last known is of the default scheme alone: another one chosen would empty its charts."""
    board = committed()["dashboards/engagement.yaml"]
    numbers = {
        place["id"]: place["meta"]["chartId"]
        for place in board["position"].values()
        if isinstance(place, dict) and place.get("type") == "CHART"
    }
    [scheme] = [item for item in board["metadata"]["native_filter_configuration"] if item["name"] == "Tier scheme"]
    touched = {name for name, number in numbers.items() if number not in scheme["scope"]["excluded"]}
    assert touched == {"CHART-benchmark_spread", "CHART-benchmark_cells"}


def test_tiers_are_sorted_by_their_rank() -> None:
    """Not by their name: every chart along tiers sorts by the rank, and every table by tier begins with it."""
    for name, node in of_kind("charts").items():
        params = node["params"]
        if params.get("x_axis") == "tier":
            assert (params["x_axis_sort"], params["x_axis_sort_asc"]) == ("rank_of_tier", True), name
        for rows in (params.get("groupbyRows", []), params.get("groupby", []) if "x_axis" not in params else []):
            if "tier" in rows:
                assert rows[:2] == ["tier_rank", "tier"], name


# --- the maker


def spec_with(change: dict[str, Any]) -> Node:
    """The spec with other values at paths such as `charts.returns_roi.metric`."""
    spec = copy.deepcopy(load_spec())
    for path, value in change.items():
        *parents, last = path.split(".")
        node = spec
        for parent in parents:
            node = node[parent]
        node[last] = value
    return spec


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"datasets.dim_campaign.day": "gone"}, "dim_campaign has no column gone"),
        ({"datasets.dim_campaign.metrics.x": {"label": "X", "format": ",d", "sum": "gone"}}, "has no column gone"),
        ({"datasets.dim_campaign.metrics.budget": {"label": "X", "format": ",d", "count": "*"}}, "has columns budget: name"),
        ({"datasets.fct_gone": {"metrics": {}}}, "there is no mart fct_gone"),
        ({"datasets.fct_campaign_roi.metrics.x": {"label": "X", "format": ",d", "ratio": ["roi_of_sums", "spend"]}}, "roi_of_sums is none"),
        ({"charts.returns_roi.metric": "gone"}, "returns_roi: fct_campaign_roi has no gone"),
        ({"charts.returns_budgets.order": "gone"}, "returns_budgets: dim_campaign has no gone"),
        ({"dashboards.trust.rows": []}, "trust_suspicious stands on 0 dashboards"),
        ({"dashboards.returns.filters": ["scheme"]}, "needs a filter of attribution_model with a default"),
    ],
)  # fmt: skip
def test_a_spec_that_does_not_fit_the_marts_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        list(assets(spec_with(change), marts()))


def test_a_ratio_is_null_where_a_part_is() -> None:
    dataset = {
        "fixed": ["m"],
        "metrics": {
            "cost": {"sum": "c", "whole": ["u"]},
            "sold": {"count": "*", "where": "s > 0"},
            "each": {"ratio": ["cost", "sold"], "times": 10},
            "gain": {"gain": ["cost", "cost"]},
        },
    }
    assert expression_of(dataset, dataset["metrics"]["each"]) == (
        "case when min(m) = max(m) and coalesce(sum(u), 0) = 0 then"
        " 10 * cast(sum(c) as double precision) / nullif(count(*) filter (where s > 0), 0) end"
    )
    assert expression_of(dataset, dataset["metrics"]["gain"]).endswith(
        "then cast(sum(c) - sum(c) as double precision) / nullif(sum(c), 0) end"
    )


def test_the_maker_writes_what_changed_and_removes_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dashboards, "ASSETS", tmp_path)
    monkeypatch.setattr(dashboards, "render", lambda: {"charts/a.yaml": "a: 1\n"})
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "old.yaml").write_text("b: 1\n")
    dashboards.main()
    assert capsys.readouterr().out.count("\n") == 2
    assert [path.name for path in tmp_path.rglob("*.yaml")] == ["a.yaml"]
    dashboards.main()
    assert capsys.readouterr().out == ""
