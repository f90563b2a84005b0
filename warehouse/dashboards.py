"""Makes the YAML of Superset's datasets, charts and dashboards from `serving/superset/spec.yml` and the marts' own.

Columns and their descriptions are those of the marts, ids follow from names, and the same input gives the same files.
A test holds the committed files equal.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ingestion.config import PROJECT_DIR
from warehouse import data_dictionary

FOLDER = Path(__file__).resolve().parent.parent / "serving" / "superset"
SPEC = FOLDER / "spec.yml"
ASSETS = FOLDER / "assets"
# Ids are made from names under this one, so that they are the same on every machine and in every version.
NAMESPACE = uuid.UUID("5d9dbb3e-5a32-4d4c-9d3a-5b7f4f3c1f10")
VERSION = "1.0.0"
SCHEMA = "marts"
# A cell of a dashboard's height is 8 pixels.
HEIGHTS = {"tile": 18, "bar": 46, "line": 46, "table": 46, "pivot": 46, "rows": 60}
VIZ = {
    "tile": "big_number_total",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
    "table": "table",
    "pivot": "pivot_table_v2",
    "rows": "table",
}
REFRESH_SECONDS = 30
TIER_COLORS = {
    "below": "#9AA5B1", "nano": "#8FD3C1", "micro": "#3FA796", "mid": "#2E86AB", "macro": "#2A6F97", "mega": "#1B3A5C",
    "trusted": "#3FA796", "watch": "#F2A541", "suspicious": "#D1495B", "insufficient_data": "#9AA5B1",
}  # fmt: skip
TIME_TYPES = ("date", "timestamp")
FRACTION = re.compile(r"\bfraction\b", re.IGNORECASE)
OPERATORS = {">": ">", ">=": ">=", "<": "<", "<=": "<="}

Node = dict[str, Any]


class SpecError(Exception):
    """The spec names something that the marts do not hold, or leaves out what a metric needs."""


def id_of(kind: str, name: str) -> str:
    """The id of an object, from its kind and name alone."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{name}"))


def load_spec() -> Node:
    """The spec as it stands."""
    spec: Node = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    return spec


# --- metrics


def conditions_of(dataset: Node, metric: Node) -> list[str]:
    """What must hold of a group, or a metric of it is unknown."""
    fixed = [*dataset.get("fixed", []), *metric.get("fixed", [])]
    found = [f"min({column}) = max({column})" for column in fixed]
    found += [f"coalesce(sum({column}), 0) = 0" for column in metric.get("whole", [])]
    for part in (*metric.get("ratio", []), *metric.get("gain", [])):
        found += conditions_of(dataset, part_of(dataset, part))
    return list(dict.fromkeys(found))


def part_of(dataset: Node, name: str) -> Node:
    """A metric that a ratio is made of. Raises SpecError for one that is no sum or count."""
    part: Node | None = dataset["metrics"].get(name)
    if part is None or not {"sum", "count"} & set(part):
        raise SpecError(f"a ratio divides sums or counts of the same mart; {name} is none")
    return part


def aggregate_of(metric: Node) -> str:
    """The aggregate behind a sum or a count, without its conditions."""
    rows = f" filter (where {metric['where']})" if "where" in metric else ""
    if "sum" in metric:
        return f"sum({metric['sum']}){rows}"
    return f"count(*){rows}" if metric["count"] == "*" else f"count(distinct {metric['count']}){rows}"


def expression_of(dataset: Node, metric: Node) -> str:
    """A metric as SQL that DuckDB and PostgreSQL read alike."""
    if "ratio" in metric:
        above, below = (aggregate_of(part_of(dataset, name)) for name in metric["ratio"])
        factor = f"{metric['times']} * " if "times" in metric else ""
        value = f"{factor}cast({above} as double precision) / nullif({below}, 0)"
    elif "gain" in metric:
        above, below = (aggregate_of(part_of(dataset, name)) for name in metric["gain"])
        value = f"cast({above} - {below} as double precision) / nullif({below}, 0)"
    elif "least" in metric:
        value = f"min({metric['least']})"
    elif "only" in metric:
        value = f"case when count(*) = 1 then max({metric['only']}) end"
    else:
        value = aggregate_of(metric)
    conditions = conditions_of(dataset, metric)
    return f"case when {' and '.join(conditions)} then {value} end" if conditions else value


def columns_of(metric: Node) -> set[str]:
    """Columns of the mart that a metric names, but for those of its `where`."""
    named = {metric[kind] for kind in ("sum", "least", "only", "count") if kind in metric}
    return {*(named - {"*"}), *metric.get("whole", []), *metric.get("fixed", [])}


# --- datasets


def label_of(column: str, labels: dict[str, str]) -> str:
    """A column as a heading: its own one of the spec, else `net_revenue_base` is `Net revenue`."""
    if column in labels:
        return labels[column]
    words = column.removesuffix("_base").replace("_", " ")
    text = words[:1].upper() + words[1:]
    return re.sub(
        r"\b(er|roi|roas|cpm|cpe|cpc|cpa|emv|gmv)\b", lambda found: found[0].upper(), text, flags=re.IGNORECASE
    )


def format_of(column: Node, formats: dict[str, str]) -> str | None:
    """How a number is shown; null for what is none."""
    if column["name"] in formats:
        return formats[column["name"]]
    if column["type"] in ("bigint", "integer"):
        return ",d"
    if column["type"] == "double" or column["type"].startswith("decimal"):
        if not FRACTION.search(column["description"]):
            return ",.2f"
        return ".2%" if column["name"].startswith("er_") else ".1%"
    return None


def dataset_of(name: str, dataset: Node, mart: Node, labels: dict[str, str]) -> Node:
    """A mart as Superset's dataset. Raises SpecError where the spec names a column that the mart does not hold."""
    held = {column["name"] for column in mart["columns"]}
    day = dataset.get("day")
    named = {*dataset.get("fixed", []), *([day] if day else [])}
    for metric in dataset["metrics"].values():
        named |= columns_of(metric)
    if named - held:
        raise SpecError(f"{name} has no column {', '.join(sorted(named - held))}")
    if taken := held & set(dataset["metrics"]):
        raise SpecError(f"{name} has columns {', '.join(sorted(taken))}: name the metrics otherwise")
    return {
        "table_name": name,
        "main_dttm_col": day,
        "description": f"{mart['grain']} {mart['description']}",
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "catalog": None,
        "schema": SCHEMA,
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": None,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": id_of("dataset", name),
        "metrics": [
            {
                "metric_name": metric_name,
                # By its name a metric that only sorts is left out of the drawing.
                "verbose_name": metric_name if "least" in metric else metric["label"],
                "metric_type": None,
                "expression": expression_of(dataset, metric),
                "description": describe(dataset, metric),
                "d3format": metric["format"],
                "currency": None,
                "extra": {},
                "warning_text": None,
            }
            for metric_name, metric in dataset["metrics"].items()
        ],
        "columns": [
            {
                "column_name": column["name"],
                "verbose_name": label_of(column["name"], labels),
                "is_dttm": column["type"] in TIME_TYPES,
                "is_active": True,
                "type": column["type"].upper().replace(" ", ""),
                "advanced_data_type": None,
                "groupby": True,
                "filterable": True,
                "expression": None,
                "description": data_dictionary.comment_of(column),
                "python_date_format": None,
                "extra": {},
            }
            for column in mart["columns"]
        ],
        "version": VERSION,
        "database_uuid": id_of("database", "groundswell"),
        "is_managed_externally": True,
    }


def describe(dataset: Node, metric: Node) -> str:
    """A metric in words: what it is made of, and when it is null."""
    if "ratio" in metric or "gain" in metric:
        first, second = (f"`{name}`" for name in metric.get("ratio") or metric["gain"])
        text = f"({first} - {second}) / {second}" if "gain" in metric else f"{first} / {second}"
        text = f"{metric['times']} x {text}" if "times" in metric else text
        text = f"{text}: a ratio of sums, null where the denominator is 0 or unknown."
    elif "least" in metric:
        text = f"Least `{metric['least']}` of the group, to sort by."
    elif "only" in metric:
        text = f"`{metric['only']}` of the one row of the group; null of several."
    elif "sum" in metric:
        text = f"Sum of `{metric['sum']}`."
    else:
        text = "Rows." if metric["count"] == "*" else f"Distinct `{metric['count']}`."
    if "where" in metric:
        text += f" Of rows with {metric['where']}."
    whole = list(metric.get("whole", []))
    for part in (*metric.get("ratio", []), *metric.get("gain", [])):
        whole += part_of(dataset, part).get("whole", [])
    if whole:
        text += f" Null where {' or '.join(f'`{column}`' for column in dict.fromkeys(whole))} is not 0."
    fixed = [*dataset.get("fixed", []), *metric.get("fixed", [])]
    if fixed:
        text += f" Null over more than one {' or '.join(f'`{column}`' for column in fixed)}: filter or group by it."
    return text


# --- charts


def filters_of(chart: Node) -> list[tuple[str, str, Any]]:
    """Column, operator and value of each condition of a chart."""
    found: list[tuple[str, str, Any]] = []
    for column, value in chart.get("where", {}).items():
        if isinstance(value, dict):
            found += [(column, OPERATORS[sign], bound) for sign, bound in value.items()]
        elif isinstance(value, list):
            found.append((column, "IN", value))
        elif isinstance(value, bool):
            found.append((column, "IS TRUE" if value else "IS FALSE", None))
        elif value == "known":
            found.append((column, "IS NOT NULL", None))
        else:
            found.append((column, "==", value))
    return found


def adhoc(name: str, number: int, column: str, operator: str, value: Any) -> Node:
    """A condition as Superset's editor of charts has it."""
    return {
        "clause": "WHERE",
        "comparator": value,
        "expressionType": "SIMPLE",
        "filterOptionName": f"filter_{name}_{number}",
        "isExtra": False,
        "isNew": False,
        "operator": operator,
        "sqlExpression": None,
        "subject": column,
    }


def base_axis(chart: Node) -> Node:
    """The column along the axis of a chart."""
    axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": chart["x"], "sqlExpression": chart["x"]}
    return {**axis, "timeGrain": chart["grain"]} if "grain" in chart else axis


def query_of(chart: Node, required: dict[str, str]) -> Node:
    """What the chart asks, as `/api/v1/chart/data` takes it: the rows before they are turned into a drawing."""
    kind = chart["kind"]
    ascending = bool(chart.get("ascending"))
    query: Node = {
        "columns": [],
        "metrics": [],
        "filters": [
            {"col": column, "op": operator, **({} if value is None else {"val": value})}
            for column, operator, value in filters_of(chart)
        ]
        + [{"col": column, "op": "IN", "val": [value]} for column, value in required.items()],
        "orderby": [],
        "row_limit": chart.get("limit", 10_000),
        "extras": {"having": "", "where": ""},
        "annotation_layers": [],
        "applied_time_extras": {},
    }
    if kind == "tile":
        query["metrics"] = [chart["metric"]]
    elif kind == "rows":
        query |= {"columns": chart["columns"], "metrics": None, "orderby": [[chart["order"], ascending]]}
    elif kind == "pivot":
        query |= {"columns": [*chart["rows"], *chart["columns"]], "metrics": chart["metrics"]}
    elif kind == "table":
        query |= {"columns": chart["by"], "metrics": chart["metrics"], "orderby": [[chart["order"], ascending]]}
    else:
        metrics = [*chart["metrics"], *([chart["sort"]] if "sort" in chart else [])]
        query |= {"columns": [base_axis(chart), *chart.get("by", [])], "metrics": metrics}
    return query


def params_of(name: str, chart: Node, dataset: Node, mart: Node, given: dict[str, str]) -> Node:
    """A chart as Superset's editor of charts keeps it."""
    kind, limit = chart["kind"], chart.get("limit", 10_000)
    conditions = [adhoc(name, number, *found) for number, found in enumerate(filters_of(chart))]
    if dataset.get("day"):
        # Without it the filter of days would pass the chart over.
        conditions.append(adhoc(name, len(conditions), dataset["day"], "TEMPORAL_RANGE", "No filter"))
    params: Node = {"viz_type": VIZ[kind], "adhoc_filters": conditions, "row_limit": limit, "extra_form_data": {}}
    formats = {column["name"]: format_of(column, given) for column in mart["columns"]}
    if kind == "tile":
        number_format = dataset["metrics"][chart["metric"]]["format"]
        params |= {"metric": chart["metric"], "y_axis_format": number_format, "header_font_size": 0.4}
    elif kind == "rows":
        params |= {
            "query_mode": "raw",
            "all_columns": chart["columns"],
            "order_by_cols": [json.dumps([chart["order"], bool(chart.get("ascending"))])],
            "column_config": {
                column: {"d3NumberFormat": formats[column], "d3SmallNumberFormat": formats[column]}
                for column in chart["columns"]
                if formats[column]
            }
            | {column: {"columnWidth": WIDE[column]} for column in chart["columns"] if column in WIDE},
            "include_search": bool(chart.get("search")),
            **TABLE,
            "table_timestamp_format": "%Y-%m-%d %H:%M" if chart.get("times") else "%Y-%m-%d",
        }
    elif kind == "table":
        params |= {
            "query_mode": "aggregate",
            "groupby": chart["by"],
            "metrics": chart["metrics"],
            "timeseries_limit_metric": chart["order"] if chart["order"] in dataset["metrics"] else None,
            "order_by_cols": [],
            "order_desc": not chart.get("ascending"),
            "include_search": False,
            **TABLE,
        }
    elif kind == "pivot":
        params |= {
            "groupbyRows": chart["rows"],
            "groupbyColumns": chart["columns"],
            "metrics": chart["metrics"],
            "metricsLayout": "COLUMNS",
            "aggregateFunction": "Sum",
            "rowOrder": "key_a_to_z",
            "colOrder": "key_a_to_z",
            "rowTotals": False,
            "colTotals": False,
            "rowSubTotals": False,
            "colSubTotals": False,
            "valueFormat": dataset["metrics"][chart["metrics"][0]]["format"],
            "date_format": "%Y-%m-%d",
        }
    else:
        params |= axis_params(chart, dataset)
    return params


# Columns of whole sentences, in pixels: else a narrow page gives them a word a line.
WIDE = {"explanation": 360, "detail": 360, "reason": 360}
TABLE = {
    "server_pagination": False,
    "page_length": 20,
    "table_timestamp_format": "%Y-%m-%d",
    "show_cell_bars": False,
    "show_totals": False,
    "align_pn": False,
    "allow_rearrange_columns": False,
    "temporal_columns_lookup": {},
}


def axis_params(chart: Node, dataset: Node) -> Node:
    """What a bar or line chart keeps besides."""
    formats = [dataset["metrics"][name]["format"] for name in chart["metrics"]]
    params: Node = {
        "x_axis": chart["x"],
        "metrics": chart["metrics"],
        "groupby": chart.get("by", []),
        "order_desc": True,
        "truncate_metric": True,
        "show_empty_columns": True,
        "show_legend": len(chart["metrics"]) > 1 or bool(chart.get("by")),
        "legendOrientation": "top",
        "legendType": "scroll",
        "rich_tooltip": True,
        "tooltipTimeFormat": "%Y-%m-%d",
        "y_axis_format": formats[0],
        "color_scheme": "supersetColors",
        "x_axis_title_margin": 15,
        "y_axis_title_margin": 15,
        "x_axis_time_format": "smart_date",
        "stack": "Stack" if chart.get("stack") else None,
        "comparison_type": "values",
        "zoomable": False,
        "markerEnabled": chart["kind"] == "line" and chart.get("grain") != "P1D",
        "seriesType": "line" if chart["kind"] == "line" else "bar",
    }
    if "grain" in chart:
        params["time_grain_sqla"] = chart["grain"]
    if "sort" in chart:
        params |= {"timeseries_limit_metric": chart["sort"], "x_axis_sort": chart["sort"], "x_axis_sort_asc": True}
        params["xAxisLabelInterval"] = "0"
    return params


def names_of(chart: Node) -> tuple[set[str], set[str]]:
    """Columns and metrics that a chart names."""
    metrics = {*chart.get("metrics", []), *(chart[key] for key in ("metric", "sort") if key in chart)}
    columns = {*chart.get("columns", []), *chart.get("by", []), *chart.get("rows", []), *chart.get("where", {})}
    columns |= {chart["x"]} if "x" in chart else set()
    return columns, metrics


def chart_of(name: str, spec: Node, mart: Node, required: dict[str, str]) -> Node:
    """A chart. Raises SpecError where it names a column or metric that its dataset does not hold."""
    chart = spec["charts"][name]
    dataset = spec["datasets"][chart["dataset"]]
    columns, metrics = names_of(chart)
    held = {column["name"] for column in mart["columns"]}
    missing = {*(columns - held), *(metrics - set(dataset["metrics"]))}
    if "order" in chart and chart["order"] not in held | set(dataset["metrics"]):
        missing.add(chart["order"])
    if missing:
        raise SpecError(f"{name}: {chart['dataset']} has no {', '.join(sorted(missing))}")
    params = params_of(name, chart, dataset, mart, spec["formats"])
    fixed = {column: value for column, value in required.items() if column in dataset.get("fixed", [])}
    context = {
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [query_of(chart, fixed)],
        "form_data": params,
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart["title"],
        "description": chart["description"],
        "certified_by": None,
        "certification_details": None,
        "viz_type": params["viz_type"],
        "params": params,
        "query_context": json.dumps(context, sort_keys=True),
        "cache_timeout": None,
        "uuid": id_of("chart", name),
        "version": VERSION,
        "dataset_uuid": id_of("dataset", chart["dataset"]),
        "is_managed_externally": True,
    }


# --- dashboards


def numbers_of(dashboard: Node) -> dict[str, int]:
    """Number of each chart within the file of a dashboard; Superset puts its own in their place."""
    return {chart: at for at, chart in enumerate((name for row in dashboard["rows"] for name in row), start=1)}


def untouched_by(given: Node, dashboard: Node, spec: Node) -> list[int]:
    """Charts that a required filter passes over, for their mart needs no one value of its column."""
    if "default" not in given:
        return []
    datasets = {name: spec["datasets"][spec["charts"][name]["dataset"]] for name in numbers_of(dashboard)}
    return [at for name, at in numbers_of(dashboard).items() if given["column"] not in datasets[name].get("fixed", [])]


def native_filter(name: str, given: Node, excluded: list[int]) -> Node:
    """A filter of a dashboard. One with a default needs a value: it cannot be emptied."""
    common = {
        "id": f"NATIVE_FILTER-{name}",
        "name": given["title"],
        "type": "NATIVE_FILTER",
        "description": "",
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        "chartsInScope": [],
        "tabsInScope": [],
    }
    if "column" not in given:
        empty: Node = {"extraFormData": {}, "filterState": {}, "ownState": {}}
        return {
            **common,
            "filterType": "filter_time",
            "targets": [{}],
            "defaultDataMask": empty,
            "controlValues": {"enableEmptyFilter": False},
        }
    default = [given["default"]] if "default" in given else None
    condition = {"filters": [{"col": given["column"], "op": "IN", "val": default}]} if default else {}
    return {
        **common,
        "filterType": "filter_select",
        "targets": [{"datasetUuid": id_of("dataset", given["dataset"]), "column": {"name": given["column"]}}],
        "defaultDataMask": {
            "extraFormData": condition,
            "filterState": {"value": default, "label": ", ".join(default)} if default else {},
            "ownState": {},
        },
        "controlValues": {
            "enableEmptyFilter": default is not None,
            "defaultToFirstItem": False,
            "multiSelect": default is None,
            "searchAllOptions": True,
            "inverseSelection": False,
            "sortAscending": True,
        },
    }


def position_of(name: str, dashboard: Node, charts: Node) -> Node:
    """Rows of charts; a chart is named by its uuid, since its number differs from one Superset to the next."""
    place: Node = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "parents": ["ROOT_ID"], "children": []},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": dashboard["title"]}},
    }
    numbers = numbers_of(dashboard)
    for at, row in enumerate(dashboard["rows"]):
        row_id = f"ROW-{name}-{at}"
        place["GRID_ID"]["children"].append(row_id)
        place[row_id] = {
            "id": row_id,
            "type": "ROW",
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": [f"CHART-{chart}" for chart in row],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart, width in row.items():
            place[f"CHART-{chart}"] = {
                "id": f"CHART-{chart}",
                "type": "CHART",
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "children": [],
                "meta": {
                    "chartId": numbers[chart],
                    "uuid": id_of("chart", chart),
                    "sliceName": charts[chart]["title"],
                    "width": width,
                    "height": charts[chart].get("height", HEIGHTS[charts[chart]["kind"]]),
                },
            }
    return place


def required_of(spec: Node, dashboard: Node) -> dict[str, str]:
    """Column and default of each filter of a dashboard that needs a value."""
    given = [spec["filters"][name] for name in dashboard["filters"]]
    return {item["column"]: item["default"] for item in given if "default" in item}


def dashboard_of(name: str, spec: Node) -> Node:
    """A dashboard. Raises SpecError where a chart needs one value of a column and no filter requires one."""
    dashboard = spec["dashboards"][name]
    required = required_of(spec, dashboard)
    for row in dashboard["rows"]:
        for chart in row:
            dataset = spec["datasets"][spec["charts"][chart]["dataset"]]
            if unfixed := set(dataset.get("fixed", [])) - set(required):
                raise SpecError(f"{name}: {chart} needs a filter of {', '.join(sorted(unfixed))} with a default")
    return {
        "dashboard_title": dashboard["title"],
        "description": dashboard["description"],
        "css": "",
        "slug": name,
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "uuid": id_of("dashboard", name),
        "position": position_of(name, dashboard, spec["charts"]),
        "metadata": {
            "native_filter_configuration": [
                native_filter(key, spec["filters"][key], untouched_by(spec["filters"][key], dashboard, spec))
                for key in dashboard["filters"]
            ],
            "filter_bar_orientation": "HORIZONTAL",
            "cross_filters_enabled": True,
            "refresh_frequency": REFRESH_SECONDS,
            "color_scheme": "supersetColors",
            "label_colors": TIER_COLORS,
            "shared_label_colors": [],
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "default_filters": "{}",
            "chart_configuration": {},
            "global_chart_configuration": {"scope": {"rootPath": ["ROOT_ID"], "excluded": []}, "chartsInScope": []},
        },
        "version": VERSION,
        "is_managed_externally": True,
    }


# --- files


def database() -> Node:
    """The one database. Its address is what `groundswell bi` reads: each request has the release of its moment."""
    return {
        "database_name": "Groundswell",
        "sqlalchemy_uri": "duckdb:///groundswell.duckdb",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {"allows_virtual_table_explore": True, "metadata_params": {}, "engine_params": {}},
        "uuid": id_of("database", "groundswell"),
        "version": VERSION,
        "is_managed_externally": True,
    }


def assets(spec: Node, marts: dict[str, Node]) -> Iterator[tuple[str, Node]]:
    """Path under `assets/` and content of each file. Raises SpecError."""
    yield "metadata.yaml", {"version": VERSION, "type": "assets"}
    yield "databases/groundswell.yaml", database()
    for name, dataset in spec["datasets"].items():
        if name not in marts:
            raise SpecError(f"there is no mart {name}")
        yield f"datasets/groundswell/{name}.yaml", dataset_of(name, dataset, marts[name], spec["labels"])
    for name, chart in spec["charts"].items():
        on = [board for board in spec["dashboards"].values() if any(name in row for row in board["rows"])]
        if len(on) != 1:
            raise SpecError(f"{name} stands on {len(on)} dashboards; it must be one")
        required = required_of(spec, on[0])
        yield f"charts/{name}.yaml", chart_of(name, spec, marts[chart["dataset"]], required)
    for name in spec["dashboards"]:
        yield f"dashboards/{name}.yaml", dashboard_of(name, spec)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors: a value that stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def render() -> dict[str, str]:
    """Text of each file by its path under `assets/`."""
    marts = {mart["name"]: mart for mart in data_dictionary.marts()}
    return {
        path: yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
        for path, content in assets(load_spec(), marts)
    }


def main() -> None:
    """Write the files that changed, and remove those that are made no longer."""
    made = render()
    for path, text in made.items():
        target = ASSETS / path
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"written: {os.path.relpath(target, PROJECT_DIR)}")
    for target in sorted(ASSETS.rglob("*.yaml")):
        if target.relative_to(ASSETS).as_posix() not in made:
            Path(target).unlink()
            print(f"removed: {os.path.relpath(target, PROJECT_DIR)}")


if __name__ == "__main__":
    main()
