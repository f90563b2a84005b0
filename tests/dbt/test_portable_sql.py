"""Models and data tests are written in the SQL that DuckDB and Spark 4 share; the rest stands in macros, dispatched.

The compiled SQL of a model holds what its macros wrote, so it cannot tell who wrote a construct. The project is therefore
compiled a second time, from a copy in which the body of each `duckdb__` macro is a form without an engine (`NEUTRAL`):
the same arguments, in a call of a function that no engine has, cast to the type of the value. Whatever construct of one
engine is left then stands in a model, in a data test or in a macro that is not dispatched. Both branches of
`is_incremental()` are compiled.

sqlglot parses that SQL and tells the type of each expression, from the columns of a warehouse without rows. A type that
it cannot tell counts as the wrong one, since a rule that cannot see must not say that all is well.
"""

import copy
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from warehouse.build import dbt

# What stands in the place of each dispatched macro. A macro that opens a list into rows, or aggregates, is a plain value
# here: what is linted are its arguments and what the model does with the result.
NEUTRAL = {
    "add_days": "cast(neutral({{ day }}, {{ days }}) as date)",
    "all_columns_but": "*{% for name, other in others.items() %}, {{ other }}{% endfor %}",
    "begin_pass": "",
    "counted": "cast(neutral({{ value }}) as string)",
    "day_in_zone": "cast(neutral({{ instant }}, {{ zone }}) as date)",
    "days_before": "cast(neutral({{ instant }}, {{ days }}) as timestamp)",
    "days_preceding": "{{ days }} preceding",
    "days_between": "cast(neutral({{ earlier }}, {{ later }}) as bigint)",
    "each_day": "cast(neutral({{ first_day }}, {{ last_day }}) as date)",
    "each_number": "cast(neutral({{ first_number }}, {{ last_number }}) as bigint)",
    "end_passes": "",
    "element_at_place": "cast(neutral({{ values }}, {{ place }}) as double)",
    "exact_share": "cast(neutral({{ amount }}, {{ part }}, {{ whole }}, {{ scale }}) as decimal(24, 4))",
    "extra_integer": "cast(neutral({{ column }}, '{{ name }}') as bigint)",
    "forget_checkpoints": "",
    "is_in_pass": "cast(neutral(plan.pass_number, '{{ model_name }}') as boolean)",
    "joined": "cast(neutral({{ value }}, '{{ separator }}' order by {{ order }}) as string)",
    "key_hash": "cast(neutral({{ key | join(', ') }}) as bigint)",
    "last_value_before": "lag({{ value }}) over {{ window }}",
    "made_first": "",
    "normal_codes": "cast(neutral({{ cell }}) as string)",
    "normal_text": "cast(neutral({{ text }}) as string)",
    "compatibility_form": "cast(neutral({{ text }}) as string)",
    "median_absolute_deviation": "cast(neutral({{ value }}) as double)",
    "micros_between": "cast(neutral({{ earlier }}, {{ later }}) as bigint)",
    "quantiles": "cast(neutral({{ value }}, {{ fractions | join(', ') }}) as double)",
    "read_again": "",
    "value_at_first": "min({{ value }})",
    "value_at_last": "max({{ value }})",
    "squared_modulo": "cast(neutral({{ seed }}, {{ keys | join(', ') }}) as bigint)",
    "strip_leading": "cast(neutral({{ text }}, '{{ characters }}') as string)",
    "words_of": "cast(neutral({{ text }}) as string)",
}
# dbt's own macro, which writes statements around a model and none of its SQL.
OF_DBT = {"create_table_as"}
DISPATCHED = re.compile(r"(\{% macro duckdb__(\w+)\([^)]*\) -%\}).*?(\{%- endmacro %\})", re.DOTALL)

TYPES = {sqlglot.TokenType.VARCHAR, sqlglot.TokenType.TEXT}
DECIMAL = exp.DataType.Type.DECIMAL
PLAIN_DECIMAL = exp.DataType(this=DECIMAL)
DOUBLE = exp.DataType.Type.DOUBLE
UNKNOWN = exp.DataType.Type.UNKNOWN
INSTANTS = {exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ}
# Types that mean the same on both engines; sqlglot calls DuckDB's varchar a text.
SHARED_TYPES = {
    *INSTANTS, DECIMAL, DOUBLE, exp.DataType.Type.BIGINT, exp.DataType.Type.BOOLEAN, exp.DataType.Type.INT,
    exp.DataType.Type.TEXT,
}  # fmt: skip


# What sqlglot does not know of DuckDB's functions: a median is a double, as one of decimals is a fault itself.
METADATA = {
    **Dialect.get_or_raise("duckdb").EXPRESSION_METADATA,
    exp.Median: {"returns": DOUBLE},
    exp.ArgMax: {"annotator": lambda types, node: types._annotate_by_args(node, "this")},
}


@dataclass(frozen=True)
class Rule:
    """A construct that only macros may write: functions or words by name, a node of the SQL as it is written, or one with
    types.
    """

    why: str
    functions: str = "(?!)"
    written: Callable[[exp.Expression], bool] = lambda _: False
    typed: Callable[[exp.Expression], bool] = lambda _: False
    words: str = "(?!)"


def type_of(node: exp.Expression) -> exp.DataType.Type:
    return node.type.this if node.type else UNKNOWN


def divides_decimals(node: exp.Expression) -> bool:
    if isinstance(node, exp.IntDiv):
        return True
    if not isinstance(node, exp.Div):
        return False
    types = {type_of(node.this), type_of(node.expression)}
    return DOUBLE not in types and bool(types & {DECIMAL, UNKNOWN})


def is_never_zero(node: exp.Expression) -> bool:
    """Whether a divisor can be seen not to be 0: a number, `nullif(x, 0)`, or made of such."""
    match node:
        case exp.Literal():
            return float(node.this) != 0
        case exp.Nullif():
            return isinstance(node.expression, exp.Literal) and float(node.expression.this) == 0
        case exp.Cast() | exp.Paren():
            return is_never_zero(node.this)
        case exp.Greatest():
            return any(
                isinstance(each, exp.Literal) and float(each.this) > 0 for each in [node.this, *node.expressions]
            )
        case exp.Pow():
            return is_never_zero(node.this)
        case exp.Mul():
            return is_never_zero(node.this) and is_never_zero(node.expression)
    return False


def may_divide_by_zero(node: exp.Expression) -> bool:
    return isinstance(node, exp.Div | exp.IntDiv | exp.Mod) and not is_never_zero(node.expression)


def ranks_decimals(node: exp.Expression) -> bool:
    if isinstance(node, exp.Median):
        return type_of(node.this) in (DECIMAL, UNKNOWN)
    if isinstance(node, exp.WithinGroup):
        return any(type_of(ordered.this) in (DECIMAL, UNKNOWN) for ordered in node.find_all(exp.Ordered))
    return False


def subtracts_instants(node: exp.Expression) -> bool:
    return isinstance(node, exp.Sub) and {type_of(node.this), type_of(node.expression)} <= INSTANTS


def numbers_weekdays(node: exp.Expression) -> bool:
    return isinstance(node, exp.Extract) and node.name.lower() in ("dow", "isodow", "dayofweek", "weekday")


def has_own_type(node: exp.Expression) -> bool:
    return isinstance(node, exp.DataType) and node.this not in SHARED_TYPES


def skips_null_values(node: exp.Expression) -> bool:
    """Whether a filter on the aggregate says that its value is not null."""
    kept = node.parent if isinstance(node.parent, exp.Filter) else None
    return kept is not None and f"NOT {node.this.sql('duckdb')} IS NULL" in kept.expression.sql("duckdb")


def ranks_aggregates(node: exp.Expression) -> bool:
    if not isinstance(node, exp.Qualify) or not (node.parent and node.parent.args.get("group")):
        return False
    return any(
        ordered.find(exp.AggFunc) for window in node.find_all(exp.Window) for ordered in window.find_all(exp.Ordered)
    )


def is_a(*kinds: type[exp.Expression]) -> Callable[[exp.Expression], bool]:
    return lambda node: isinstance(node, kinds)


# Design, sections 11 and 12: what differed when the compiled models ran on Spark 4.
RULES = {
    "an interval": Rule(
        "Spark reads no `interval (n) day` and has no `to_days`",
        r"to_(years|months|weeks|days|hours|minutes|seconds|milliseconds|microseconds)|make_interval",
        is_a(exp.Interval),
    ),
    "a hint to the planner": Rule(
        "Spark reads no `as [not] materialized`",
        written=lambda node: isinstance(node, exp.CTE) and node.args.get("materialized") is not None,
    ),
    "a list": Rule(
        "lists count from 1 or from 0, and each engine has its own functions of them and its own way to join texts",
        r"list|list_\w+|array_\w+|range|generate_series|sequence|len|element_at|(string|str)_split\w*|split"
        r"|string_agg|listagg|group_concat|flatten",
        is_a(exp.Array, exp.Bracket, exp.Slice, exp.Lambda, exp.List),
    ),
    "a list opened into rows": Rule(
        "`unnest` is `explode` on Spark, which stands alone in a select", r"unnest|explode\w*", is_a(exp.Unnest)
    ),
    "a struct": Rule(
        "each engine has its own literals and functions of structs and maps",
        r"struct|row|struct_\w+|named_struct|map|map_\w+",
        is_a(exp.Struct, exp.Map, exp.ToMap),
    ),
    "JSON": Rule(
        "Spark has `get_json_object` and no arrows",
        r"json|json_\w+|\w+_json|get_json_object",
        is_a(exp.JSONExtract, exp.JSONExtractScalar),
    ),
    "a regular expression": Rule(
        "RE2 on DuckDB, Java's on Spark",
        r"regexp_\w+|rlike",
        is_a(exp.RegexpLike, exp.RegexpFullMatch, exp.SimilarTo, exp.Glob),
    ),
    "a formatted text": Rule(
        "Spark prints the pattern of `format('{:,}')`, and writes dates by other letters",
        r"format|printf|format_\w+|strftime|strptime|try_strptime|date_format|to_char",
    ),
    "a date difference": Rule(
        "`date_diff` of DuckDB names a unit, `datediff` of Spark turns the order, and `-` gives a number or an interval",
        r"date_?diff|date_?sub|date_add|timestampdiff|age|epoch\w*|unix_\w+",
        typed=subtracts_instants,
    ),
    "a weekday numbered by the engine": Rule(
        "Sunday is 0 on DuckDB and 1 on Spark",
        r"(iso)?dayofweek|dow|isodow|weekday|dayname|monthname|date_?part",
        numbers_weekdays,
    ),
    "a median absolute deviation": Rule("Spark has no `mad`", "mad"),
    "a quantile of decimals": Rule(
        "the median of decimals is a decimal on DuckDB and a double on Spark: cast to double first",
        typed=ranks_decimals,
    ),
    "a quantile of one engine": Rule(
        "Spark has no `quantile_cont`, and sketches differ in every engine",
        r"quantile\w*|approx_\w+|reservoir_quantile|percentile_approx|histogram\w*",
    ),
    "a division of decimals": Rule(
        "its result is a double on DuckDB and a rounded decimal on Spark, and Spark reads no `//`: cast one side to double",
        typed=divides_decimals,
    ),
    "a division by what may be 0": Rule(
        "infinite or null on DuckDB, an error on Spark: divide by `nullif(x, 0)`", written=may_divide_by_zero
    ),
    "a type of one engine": Rule(
        "Spark has no HUGEINT, no unsigned and no nested types of DuckDB", written=has_own_type
    ),
    "a text by its length": Rule("`varchar` has a length on Spark: both read `string`", words="varchar|text"),
    "a value at an end of a group": Rule(
        "of a null value at the end DuckDB gives the one before, Spark null",
        written=lambda node: isinstance(node, exp.ArgMax | exp.ArgMin) and not skips_null_values(node),
    ),
    "nulls that a window ignores": Rule(
        "`ignore nulls` stands within the brackets on DuckDB, after them on Spark", written=is_a(exp.IgnoreNulls)
    ),
    "columns replaced or left out": Rule(
        "`* replace` is unknown to Spark, `* exclude` is `* except` there",
        written=lambda node: isinstance(node, exp.Star) and any(node.args.get(key) for key in ("replace", "except_")),
    ),
    "a place by an aggregate": Rule(
        "Spark finds no column that is not grouped by in a `qualify`: rank in a CTE of its own",
        written=ranks_aggregates,
    ),
    "an engine's own hash": Rule("`hash` gives another number on each engine", r"hash"),
}


def with_plain_decimals(node: exp.Expression) -> exp.Expression:
    """A query as sqlglot types it best: it takes `0.5` for a double, and DOUBLE x DECIMAL(18, 8) for a DECIMAL(18, 8)."""
    if isinstance(node, exp.Literal) and not node.is_string and re.fullmatch(r"\d*\.\d*", node.this):
        return exp.Cast(this=node, to=PLAIN_DECIMAL.copy())
    if isinstance(node, exp.DataType) and node.this == DECIMAL:
        return PLAIN_DECIMAL.copy()
    return node


def functions_of(sql: str) -> set[str]:
    """Names that stand before a bracket, as they are written: parsed, `datediff` and `date_diff` would be one."""
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    return {name.text.lower() for name, bracket in pairwise(tokens) if bracket.token_type == sqlglot.TokenType.L_PAREN}


def faults_of(sql: str, schema: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """The rules that a query breaks, each with the part that breaks it. `schema`: catalog, schema, table, column, type."""
    functions = sorted(functions_of(sql))
    words = sorted(
        {token.text.lower() for token in sqlglot.tokenize(sql, dialect="duckdb") if token.token_type in TYPES}
    )
    written = sqlglot.parse_one(sql, dialect="duckdb")
    typed = annotate_types(
        qualify(
            written.copy().transform(with_plain_decimals), dialect="duckdb", schema=schema, quote_identifiers=False,
            validate_qualify_columns=False,
        ),
        schema=schema,
        expression_metadata=METADATA,
        dialect="duckdb",
    )  # fmt: skip
    return [
        (name, fragment)
        for name, rule in RULES.items()
        for fragment in [
            *(f"{function}()" for function in functions if re.fullmatch(rule.functions, function)),
            *(word for word in words if re.fullmatch(rule.words, word)),
            *(node.sql("duckdb") for node in written.walk() if rule.written(node)),
            *(node.sql("duckdb") for node in typed.walk() if rule.typed(node)),
        ]
    ]


def without_engine(project: Path) -> set[str]:
    """Put the neutral forms into a copy of the project; the names of all its dispatched macros."""
    found = set()

    def neutral(macro: re.Match[str]) -> str:
        head, name, tail = macro.groups()
        found.add(name)
        return macro[0] if name in OF_DBT else f"{head} {NEUTRAL.get(name, '')} {tail}"

    for path in (project / "macros").glob("*.sql"):
        path.write_text(DISPATCHED.sub(neutral, path.read_text()))
    return found


@pytest.fixture(scope="module")
def neutral_sql(empty, tmp_path_factory):
    """Compiled SQL without an engine, by the file under the project; of both branches of `is_incremental()`."""
    folder = tmp_path_factory.mktemp("neutral")
    project = folder / "dbt_project"
    shutil.copytree(dbt.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    without_engine(project)
    texts = set()
    for branch in ([], ["--full-refresh"]):
        compiled = replace(empty, artifacts=folder / "dbt").dbt("compile", *branch, project=project)
        assert compiled.code == 0, compiled.printed
        models = folder / "dbt" / "compiled" / "groundswell" / "models"
        texts |= {(str(path.relative_to(models)), path.read_text()) for path in models.rglob("*.sql")}
    return sorted(texts)


@pytest.fixture(scope="module")
def schema(empty):
    """Types of all columns of the warehouse, as sqlglot takes them."""
    columns = empty.query(
        "select database_name, schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
    )
    types: dict[str, Any] = {}
    for database, schema_name, table, column, kind in columns:
        types.setdefault(database, {}).setdefault(schema_name, {}).setdefault(table, {})[column] = exp.DataType.build(
            kind, dialect="duckdb"
        ).transform(with_plain_decimals)
    return types


def test_every_dispatched_macro_has_a_neutral_form(tmp_path):
    shutil.copytree(dbt.DBT_PROJECT / "macros", tmp_path / "macros")
    assert without_engine(tmp_path) == set(NEUTRAL) | OF_DBT
    macros = "".join(path.read_text() for path in (dbt.DBT_PROJECT / "macros").glob("*.sql"))
    assert set(re.findall(r'adapter\.dispatch\("(\w+)"\)', macros)) == set(NEUTRAL)


def test_constructs_of_one_engine_stand_in_dispatched_macros_only(neutral_sql, schema):
    found = {
        f"{file}: {fault}: {fragment}\n    {RULES[fault].why}"
        for file, sql in neutral_sql
        for fault, fragment in faults_of(sql, schema)
    }
    assert not found, "\n".join(sorted(found))


def test_the_lint_reads_every_model(neutral_sql, manifest):
    models = {node["path"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert models <= {file for file, _ in neutral_sql}


def test_sqlglot_reads_what_duckdb_runs(empty):
    """A model that it could not parse would have to be left out of every lint and of its lineage."""
    compiled = list((dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models").rglob("*.sql"))
    assert compiled
    for path in compiled:
        assert sqlglot.parse_one(path.read_text(), dialect="duckdb"), path


PLANTED = [
    ("select d + interval (n) day from t", {"an interval"}),
    ("select sum(x) over (order by d range between interval 30 day preceding and current row) from t", {"an interval"}),
    ("select at - to_days(3) from t", {"an interval"}),
    ("with a as materialized (select 1 as x) select x from a", {"a hint to the planner"}),
    ("with a as not materialized (select 1 as x) select x from a", {"a hint to the planner"}),
    ("select x[1] from t", {"a list"}),
    ("select [1, 2] as x", {"a list"}),
    ("select list_extract(x, 1) from t", {"a list"}),
    ("select list(x order by x) from t", {"a list"}),
    ("select string_split(x, '|') from t", {"a list"}),
    ("select string_agg(x, ', ' order by x) from t", {"a list"}),
    ("select generate_series(1, 3)", {"a list"}),
    ("select list_transform(x, y -> y + 1) from t", {"a list"}),
    ("select unnest(x) from t", {"a list opened into rows"}),
    ("select y from t cross join unnest(t.x) as u(y)", {"a list opened into rows"}),
    ("select {'a': 1} as x", {"a struct"}),
    ("select struct_pack(a := 1) as x", {"a struct"}),
    ("select map(x, y) from t", {"a struct"}),
    ("select json_extract_string(x, '$.a') from t", {"JSON"}),
    ("select x ->> '$.a' from t", {"JSON"}),
    ("select regexp_matches(x, 'a+') from t", {"a regular expression"}),
    ("select x from t where x ~ 'a+'", {"a regular expression"}),
    ("select x from t where x similar to 'a+'", {"a regular expression"}),
    ("select format('{:,}', n) from t", {"a formatted text"}),
    ("select strftime(d, '%Y') from t", {"a formatted text"}),
    ("select date_diff('day', d, e) from t", {"a date difference"}),
    ("select datediff('day', d, e) from t", {"a date difference"}),
    ("select d - e from t", {"a date difference"}),
    ("select at - at from t", {"a date difference"}),
    ("select epoch(at) from t", {"a date difference"}),
    ("select dayofweek(d) from t", {"a weekday numbered by the engine"}),
    ("select extract(dow from d) from t", {"a weekday numbered by the engine"}),
    ("select date_part('dow', d) from t", {"a weekday numbered by the engine"}),
    ("select mad(x) from t", {"a median absolute deviation"}),
    ("select median(amount) from t", {"a quantile of decimals"}),
    ("select median(amount * n) filter (where n > 0) from t", {"a quantile of decimals"}),
    ("select percentile_cont(0.5) within group (order by amount) from t", {"a quantile of decimals"}),
    ("select median(what) from of_no_known_type", {"a quantile of decimals"}),
    ("select quantile_cont(rate, 0.5) from t", {"a quantile of one engine"}),
    ("select approx_quantile(rate, 0.5) from t", {"a quantile of one engine"}),
    ("select amount / nullif(n, 0) from t", {"a division of decimals"}),
    ("select n / 60.0 from t", {"a division of decimals"}),
    ("with s as (select sum(amount) as a from t) select a / 2 from s", {"a division of decimals"}),
    ("select n // 2 from t", {"a division of decimals"}),
    ("select rate / n from t", {"a division by what may be 0"}),
    ("select n % n from t", {"a division by what may be 0"}),
    ("select rate / nullif(n, 1) from t", {"a division by what may be 0"}),
    ("select cast(n as hugeint) from t", {"a type of one engine"}),
    ("select n::uinteger from t", {"a type of one engine"}),
    ("select cast(at as timestamptz) from t", {"a type of one engine"}),
    ("select cast(x as integer[]) from t", {"a type of one engine"}),
    ("select hash(x) from t", {"an engine's own hash"}),
    ("select cast(n as varchar) from t", {"a text by its length"}),
    ("select n::text from t", {"a text by its length"}),
    ("select max_by(x, d) from t", {"a value at an end of a group"}),
    ("select min_by(x, d) filter (where n > 0) from t", {"a value at an end of a group"}),
    ("select lag(n ignore nulls) over (partition by x order by d) from t", {"nulls that a window ignores"}),
    ("select * replace (n + 1 as n) from t", {"columns replaced or left out"}),
    ("select * exclude (n) from t", {"columns replaced or left out"}),
    (
        "select x, count(*) as n from t group by x qualify row_number() over (order by count(*) desc) = 1",
        {"a place by an aggregate"},
    ),
]
COLUMNS = {
    "t": {
        name: exp.DataType.build(kind, dialect="duckdb").transform(with_plain_decimals)
        for name, kind in {
            "d": "date", "e": "date", "at": "timestamp", "n": "bigint", "x": "varchar", "y": "varchar", "rate": "double",
            "amount": "decimal(18, 4)",
        }.items()
    }
}  # fmt: skip


@pytest.mark.parametrize(("sql", "faults"), PLANTED)
def test_the_lint_sees_each_construct(sql, faults):
    assert {fault for fault, _ in faults_of(sql, COLUMNS)} == faults


def test_every_rule_has_a_construct_that_breaks_it():
    assert set().union(*(faults for _, faults in PLANTED)) == set(RULES)


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(neutral(d, n) as date), cast(n as integer), x::string, cast(rate as decimal(38, 6)) from t",
        "select cast(amount as double) / nullif(n, 0), n / 2, rate / 2.5, n % 7, amount * n from t",
        "select rate / greatest(n, 1), rate / (2 * cast(nullif(amount, 0) as double)), rate / power(10, n) from t",
        "select median(rate), median(n), median(cast(amount as double)) filter (where n > 0) from t",
        "select percentile_cont(0.5) within group (order by cast(amount as double)) from t",
        "select max_by(x, d) filter (where x is not null), count_if(n > 0), greatest(n, 1), coalesce(x, y) from t group by all",
        "select lag(n) over (partition by x order by d) from t qualify row_number() over (order by d) = 1",
        "select date_trunc('month', d), year(d), d >= date '2026-01-01', split_part(x, ' ', 1), x || y from t",
        "with a as (select x from t) select x from a where x in ('interval', 'hash(x)') -- mad(x), x[1]",
        "select n as hash, rate as mad from t",
    ],
)
def test_the_lint_lets_shared_sql_pass(sql):
    assert faults_of(sql, COLUMNS) == []


def test_the_lint_sees_a_model_and_not_its_macros(tmp_path):
    """Written in a model a construct stays; written by a dispatched macro it is gone, and its arguments stay."""
    (tmp_path / "macros").mkdir()
    macro = tmp_path / "macros" / "engine.sql"
    macro.write_text("{% macro duckdb__words_of(text) -%} unnest(string_split({{ text }}, '|')) {%- endmacro %}")
    assert without_engine(tmp_path) == {"words_of"}
    assert macro.read_text() == (
        "{% macro duckdb__words_of(text) -%} cast(neutral({{ text }}) as string) {%- endmacro %}"
    )


def reaches(manifest, unique_ids, wanted):
    """Whether one of these macros calls another, directly or not."""
    seen, fresh = set(), set(unique_ids)
    while fresh:
        seen |= fresh
        fresh = {
            called
            for name in fresh & manifest["macros"].keys()
            for called in manifest["macros"][name]["depends_on"]["macros"]
        } - seen
    return wanted in seen


def views_of_texts(manifest):
    """Views that call Java on Spark, by whether they are tables there."""
    return {
        node["name"]: "view_of_texts()" in node["raw_code"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["config"]["materialized"] == "view"
        and reaches(manifest, node["depends_on"]["macros"], "macro.groundswell.compatibility_form")
    }


def test_no_view_of_spark_holds_what_it_takes_for_another_each_time(manifest):
    assert views_of_texts(manifest) == {"stg_landing__collaboration_deliveries": True, "stg_landing__touches": True}


def test_a_view_that_forgets_it_is_seen(manifest):
    broken = copy.deepcopy(manifest)
    node = broken["nodes"]["model.groundswell.stg_landing__touches"]
    node["raw_code"] = node["raw_code"].replace("materialized=view_of_texts()", 'materialized="view"')
    assert views_of_texts(broken)["stg_landing__touches"] is False
