"""The project keeps its own rules: names, contracts, keys, descriptions, who reads what, and SQL that is repeatable."""

import re
from dataclasses import replace

import pytest

from ingestion.contracts import undated_feeds
from warehouse import data_dictionary
from warehouse.build import dbt, reach

# Every mart is a row of the overview, and only those are marts.
MARTS = frozenset(
    re.findall(r"^\| `((?:dim|fct|bridge)_\w+)` \|", data_dictionary.blocks()["__overview__"], re.MULTILINE)
)
# A participle is for a step, a plain noun for a list; the peers' statistics have the name that the design gives them.
NAMED_OTHERWISE = {"int_peer_stats"}
NAME_OF_LAYER = {
    "staging": r"stg_{folder}__[a-z0-9_]+",
    "intermediate": r"int_{folder}__[a-z0-9_]+",
    "marts": r"(dim|fct|bridge)_[a-z0-9_]+",
}


def of_type(manifest, kind):
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == kind}


@pytest.fixture(scope="module")
def models(manifest):
    return of_type(manifest, "model")


@pytest.fixture(scope="module")
def marts(models):
    return {name: node for name, node in models.items() if layer_of(node) == "marts"}


def layer_of(node):
    return node["fqn"][1]


def parents_of(node, kind):
    return {name for name in node["depends_on"]["nodes"] if name.startswith(f"{kind}.")}


def keys_of(manifest, node):
    """Tests of the unique key of a model: its columns, and its filter."""
    return [
        (test["test_metadata"]["kwargs"]["combination_of_columns"], test["config"]["where"])
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test"
        and test["attached_node"] == node["unique_id"]
        and test["test_metadata"]["name"] == "unique_combination_of_columns"
    ]


def test_marts_are_exactly_these(marts):
    assert set(marts) == MARTS


def test_names_tell_the_layer_and_the_folder(models):
    for name, node in models.items():
        layer, folder = node["fqn"][1:3]
        assert re.fullmatch(NAME_OF_LAYER[layer].format(folder=folder), name) or name in NAMED_OTHERWISE, node["path"]


def test_the_first_line_is_the_grain(models):
    for name, node in models.items():
        assert node["raw_code"].startswith("-- One row per "), name


def test_contracts_are_enforced_on_marts_and_only_there(models):
    assert {name for name, node in models.items() if node["contract"]["enforced"]} == MARTS


def test_marts_have_one_key_test_of_their_own_columns(manifest, marts):
    for name, node in marts.items():
        keys = keys_of(manifest, node)
        assert len(keys) == 1, name
        assert set(keys[0][0]) <= set(node["columns"]), name


def test_models_and_all_columns_are_described(models, marts):
    for name, node in models.items():
        assert node["description"].strip(), name
    for name, node in marts.items():
        assert node["columns"], name
        for column in node["columns"].values():
            assert column["description"].strip(), f"{name}.{column['name']}"
            assert column["data_type"], f"{name}.{column['name']}"


def test_seeds_and_sources_are_described(manifest):
    for node in [*of_type(manifest, "seed").values(), *manifest["sources"].values()]:
        assert node["description"].strip(), node["unique_id"]


def is_config(source):
    """Whether a source is a table that a user may change: typed and checked, so nothing is left to stage."""
    return source.startswith("source.groundswell.meta.config_")


def test_marts_read_no_source_but_the_plan_and_the_configuration(marts):
    """A windowed mart may ask which of its own dates it replaces; no mart reads what was landed."""
    plan = "source.groundswell.meta.plan"
    for name, node in marts.items():
        if plan in parents_of(node, "source"):
            assert set(re.findall(r'planned_dates\("(\w+)"\)', node["raw_code"])) == {name}
    for name, node in marts.items():
        assert all(is_config(source) for source in parents_of(node, "source") - {plan}), name


def test_marts_read_no_staging_of_landed_data(marts):
    for name, node in marts.items():
        staged = {parent for parent in parents_of(node, "model") if ".stg_" in parent}
        assert all(parent.startswith("model.groundswell.stg_meta__") for parent in staged), name


def test_intermediate_models_read_no_source_but_the_plan_the_settings_and_the_configuration(models):
    allowed = {"source.groundswell.meta.plan", "source.groundswell.meta.setting"}
    for name, node in models.items():
        if layer_of(node) == "intermediate":
            assert all(is_config(source) for source in parents_of(node, "source") - allowed), name


def test_arrows_between_layers_run_one_way(models):
    order = ["staging", "intermediate", "marts"]
    by_id = {node["unique_id"]: node for node in models.values()}
    for name, node in models.items():
        for parent in parents_of(node, "model"):
            # Claims are checked on what is published, as anybody would who reads the marts, and what is last known of an
            # account is what its daily marts say.
            if layer_of(node) == "intermediate" and (
                node["fqn"][2] == "claim" or name == "int_creator__accounts_known"
            ):
                continue
            assert order.index(layer_of(by_id[parent])) <= order.index(layer_of(node)), f"{name} reads {parent}"


# Each domain reads those before it, and itself.
DOMAINS = (
    "core", "snapshot", "tier", "agreement", "engagement", "trust", "benchmark", "order", "attribution", "commission",
    "spend", "returns", "pricing", "equivalence", "social", "advocacy", "creator", "claim", "operations",
)  # fmt: skip


def read_too_early(models):
    """Models that read one of a later domain, as `model reads parent`."""
    domains = {node["unique_id"]: node["fqn"][2] for node in models.values() if layer_of(node) != "staging"}
    return {
        f"{name} reads {parent.rpartition('.')[2]}"
        for name, node in models.items()
        for parent in parents_of(node, "model")
        if parent in domains and DOMAINS.index(domains[parent]) > DOMAINS.index(domains[node["unique_id"]])
    }


def test_domains_are_the_same_in_both_layers_and_read_one_way(models):
    assert {node["fqn"][2] for node in models.values() if layer_of(node) != "staging"} <= set(DOMAINS)
    assert read_too_early(models) == set()


def test_a_model_that_reads_a_later_domain_is_found(models):
    later = models["fct_claim_check"]["unique_id"]
    dim_account = models["dim_account"]
    broken = {**dim_account, "depends_on": {**dim_account["depends_on"], "nodes": [later]}}
    assert read_too_early({**models, "dim_account": broken}) == {"dim_account reads fct_claim_check"}


def long_without_reason(models):
    """Models over 120 lines whose leading comment does not say why they are one."""
    return {
        name
        for name, node in models.items()
        if node["raw_code"].count("\n") >= 120 and "One model" not in re.match(r"(?:--.*\n)+", node["raw_code"]).group()
    }


def test_a_long_model_says_why_it_is_one(models):
    assert long_without_reason(models) == set()


def test_a_long_model_that_does_not_say_why_is_found(models):
    long = {**models["dim_date"], "raw_code": "-- One row per day.\n" + "select 1\n" * 120}
    assert long_without_reason({"dim_date": long}) == {"dim_date"}


def test_a_unit_test_stands_where_its_model_is_described(manifest, models):
    for test in manifest["unit_tests"].values():
        described = models[test["model"]]["patch_path"].rpartition("//")[2]
        assert test["original_file_path"] == described, test["name"]


def test_windowed_models_are_replaced_by_date(manifest, models):
    windowed = {name: node for name, node in models.items() if node["config"]["materialized"] == "incremental"}
    assert set(windowed) == set(REACHES)
    for name, node in windowed.items():
        assert node["config"]["incremental_strategy"] == "replace_window", name
        ((columns, where),) = keys_of(manifest, node)
        assert "snapshot_date" in columns, name
        assert where == "planned", name
        if layer_of(node) == "marts":
            assert "snapshot_date" in node["columns"], name


# Worked out by hand along each chain, feed by feed: what the models say of themselves must add up to this.
ALL_HISTORY = 36_500
REACHES = {
    "fct_account_daily": {"account_snapshots": 800},
    "fct_account_tier_daily": {"account_snapshots": 400},
    "fct_follower_arrival": {"follower_arrivals": 0},
    "fct_post_daily": {"post_snapshots": ALL_HISTORY},
    # 90 of suspicions since a withheld date + 30 of the day before of who became suspicious + those of the verdicts.
    "fct_follower_trust_daily": {"account_snapshots": 1205, "post_snapshots": ALL_HISTORY},
    # 90 of posts + 7 of followers at their publication; of the attributes all that was ever given.
    "fct_account_engagement_daily": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY, "accounts": ALL_HISTORY},
    # The 657 of the verdicts that leave suspicious peers out, more than the 97 of the rates that are ranked.
    "fct_account_benchmark_daily": {"account_snapshots": 1085, "post_snapshots": ALL_HISTORY, "accounts": ALL_HISTORY},
    "fct_tier_benchmark_daily": {"account_snapshots": 1085, "post_snapshots": ALL_HISTORY, "accounts": ALL_HISTORY},
    "fct_hashtag_daily": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "fct_hashtag_tier_daily": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "fct_share_of_voice_daily": {"mentions": 0},
    "int_snapshot__account_days_deduplicated": {"account_snapshots": 400},
    "int_snapshot__counts_captured": {"account_snapshots": 0},
    # 400 of a 0 beside the last accepted count. All that reads followers or views depends on what is held: 400 more.
    "int_snapshot__counts_held": {"account_snapshots": 400},
    "int_snapshot__account_last_known_values": {"account_snapshots": ALL_HISTORY},
    "int_engagement__accounts_rated": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "int_engagement__attributes_dated": {
        "account_snapshots": 497,
        "post_snapshots": ALL_HISTORY,
        "accounts": ALL_HISTORY,
    },
    # An earlier capture of a post may come however late, and then it says whose the post is: no limit.
    "int_snapshot__post_showings": {"post_snapshots": ALL_HISTORY},
    "int_snapshot__post_authors": {"post_snapshots": ALL_HISTORY},
    "int_snapshot__post_days_deduplicated": {"post_snapshots": ALL_HISTORY},
    "int_snapshot__post_traits_changed": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "int_snapshot__post_last_known_values": {"post_snapshots": ALL_HISTORY},
    "int_creator__accounts_known": {
        "account_snapshots": ALL_HISTORY,
        "post_snapshots": ALL_HISTORY,
        "accounts": ALL_HISTORY,
    },
    "bridge_post_hashtag": {"account_snapshots": ALL_HISTORY, "post_snapshots": ALL_HISTORY},
    "int_agreement__brand_posts_named": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "int_social__hashtags_added": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "int_social__mentions_observed": {"mentions": 0},
    "int_trust__growth_measured": {"account_snapshots": 444},
    "int_trust__growth_peers_measured": {"account_snapshots": 444},
    # 31 of growth, each day since the last known one at most 30 days before, without the misreads of 14 days.
    "int_trust__windows_measured": {"account_snapshots": 475},
    "int_trust__rates_compared": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    "int_trust__engagement_peers_measured": {"account_snapshots": 497, "post_snapshots": ALL_HISTORY},
    # 38 of a rise and of the window before it, 42 of its posts, 440 of the events that it is part of.
    "int_trust__rises_raised": {"account_snapshots": 513},
    "int_trust__turns_measured": {"account_snapshots": 503},
    "int_trust__posts_compared": {"account_snapshots": 555, "post_snapshots": ALL_HISTORY},
    "int_trust__events_evaluated": {"account_snapshots": 995, "post_snapshots": ALL_HISTORY},
    "int_trust__signals_raised": {"account_snapshots": 995, "post_snapshots": ALL_HISTORY},
    # 90 of evidence more.
    "int_trust__accounts_evaluated": {"account_snapshots": 1085, "post_snapshots": ALL_HISTORY},
    "int_trust__dates_withheld": {"account_snapshots": 1115, "post_snapshots": ALL_HISTORY},
    "int_trust__misreads": {"account_snapshots": 414},
    "int_tier__streaks_detected": {"account_snapshots": 428},
    "int_tier__changes_detected": {"account_snapshots": ALL_HISTORY},
    "int_equivalence__equivalents_sampled": {"account_snapshots": 1085, "post_snapshots": ALL_HISTORY},
}


@pytest.fixture(scope="module")
def nodes(models, manifest):
    """Models as the planner sees them, of the artifact that these tests read."""
    by_id = {node["unique_id"]: node for node in models.values()}
    raw = {key: node["identifier"] for key, node in manifest["sources"].items() if node["source_name"] == "raw"}

    def feeds(unique_id):
        if unique_id in raw:
            return frozenset({raw[unique_id]})
        node = by_id.get(unique_id)
        return frozenset().union(*(feeds(parent) for parent in node["depends_on"]["nodes"])) if node else frozenset()

    return {
        name: reach.Node(
            own=node["config"]["meta"].get("look_back_days", 0),
            absorbs=node["config"]["meta"].get("absorbs", False),
            parents=tuple(by_id[parent]["name"] for parent in node["depends_on"]["nodes"] if parent in by_id),
            feeds=feeds(node["unique_id"]),
        )
        for name, node in models.items()
    }


def dated(found):
    """Without feeds whose rows have no day: these plan no date."""
    return {feed: days for feed, days in found.items() if feed not in undated_feeds()}


def test_what_models_say_of_themselves_adds_up_along_the_chains(nodes, models):
    found = reach.reaches(nodes)
    windowed = {name for name, node in models.items() if node["config"]["materialized"] == "incremental"}
    assert {name: dated(found[name]) for name in windowed} == REACHES


def test_a_window_that_is_widened_widens_what_depends_on_it(nodes):
    """The negative: 30 days more in one model, and nothing else is touched. A maximum would not have moved."""
    before = nodes["int_trust__rises_raised"]
    found = reach.reaches({**nodes, "int_trust__rises_raised": replace(before, own=68)})
    for name, days in {"int_trust__signals_raised": 1025, "int_trust__accounts_evaluated": 1115,
                       "fct_follower_trust_daily": 1235, "int_equivalence__equivalents_sampled": 1115}.items():  # fmt: skip
        assert found[name]["account_snapshots"] == days
    assert found["fct_account_engagement_daily"]["account_snapshots"] == 497


def test_what_goes_on_from_a_checkpoint_takes_only_its_own_look_back(nodes):
    """The negative: without `absorbs` everything that goes on from one would depend on all history."""
    checkpoints = {name for name, node in nodes.items() if node.absorbs}
    assert checkpoints == {
        "int_snapshot__account_last_known_values", "int_snapshot__post_last_known_values",
        "int_creator__accounts_known",
    }  # fmt: skip
    adding = {name: replace(node, absorbs=False) for name, node in nodes.items()}
    assert reach.reaches(adding)["fct_account_daily"]["account_snapshots"] == ALL_HISTORY
    # Without the one model that a first capture reaches through, however late it comes.
    known = {
        name: replace(node, own=0) if name == "int_snapshot__post_showings" else node for name, node in adding.items()
    }
    assert reach.reaches(known)["fct_post_daily"]["post_snapshots"] == 70


def test_a_model_reads_no_further_back_than_it_says(models):
    """Where the SQL names its look-back, the model says the same days."""
    named = {
        name: int(written[1])
        for name, node in models.items()
        if (written := re.search(r"set look_back_days = (\d+)", node["raw_code"]))
    }
    assert named == {
        "int_snapshot__account_changes_measured": 400,
        "int_snapshot__post_changes_measured": 35,
        "int_snapshot__post_last_known_values": 35,
        "int_tier__streaks_detected": 28,
        "int_trust__dates_withheld": 30,
        "int_trust__events_evaluated": 440,
        "int_trust__growth_measured": 30,
        "int_trust__misreads": 14,
        "int_trust__posts_compared": 42,
        "int_trust__rises_raised": 38,
        "int_trust__suspicions_withheld": 90,
        "int_trust__turns_measured": 28,
        "int_trust__windows_summed": 31,
    }
    for name, days in named.items():
        assert models[name]["config"]["meta"]["look_back_days"] == days, name


def test_every_mart_has_a_reader(manifest):
    read = {parent for exposure in manifest["exposures"].values() for parent in exposure["depends_on"]["nodes"]}
    assert read == {f"model.groundswell.{name}" for name in MARTS}
    assert {exposure["owner"]["name"] for exposure in manifest["exposures"].values()} == {"Groundswell"}


# Design, section 7 "Equal values": what differs from run to run. What another engine reads otherwise is the matter of
# test_portable_sql.py; a hash stands here too, as it may choose rows but never make a value, whoever writes it.
UNREPEATABLE = {
    "an average or deviation": r"\b(avg|mean|fsum|kahan_sum|stddev\w*|variance|var_\w+|corr|covar_\w+|regr_\w+)\s*\(",
    "a row taken at random": r"\b(any_value|arbitrary|first|last|random|uuid|sample)\s*\(",
    "DuckDB's own hash": r"\bhash\s*\(",
    "the time of the run": r"\b(now|today|get_current_timestamp)\s*\(|\bcurrent_(date|timestamp|time)\b",
}

# Here a hash only chooses which rows are put in order, by `key_hash`: no value comes of it.
CHOOSE_BY_HASH = {
    "int_snapshot__account_days_deduplicated",
    "int_snapshot__post_changes_measured",
    "int_snapshot__post_days_deduplicated",
    "int_engagement__post_rates_measured",
    "stg_landing__account_snapshots",
    "stg_landing__follower_arrivals",
    "stg_landing__post_snapshots",
}


def test_a_model_that_reads_itself_leaves_out_what_its_run_replaces(models):
    """Its planned dates are deleted before its rows are read (`duckdb__create_table_as`)."""
    left_out = (
        r"newest_checkpoint\(this\)|from \{\{ this \}\} as standing\s+where standing.snapshot_date"
        r" (not in \(select planned|< \(select min\(planned)"
    )
    codes = {name: re.sub(r"--[^\n]*", "", node["raw_code"]) for name, node in models.items()}
    reading = {name: code for name, code in codes.items() if re.search(r"\bthis\b", code)}
    assert set(reading) == {
        "int_creator__accounts_known",
        "int_snapshot__account_last_known_values",
        "int_snapshot__counts_held",
        "int_snapshot__post_last_known_values",
        "int_snapshot__post_showings",
    }
    for name, code in reading.items():
        assert len(re.findall(r"\bthis\b", code)) == len(list(re.finditer(left_out, code))), name


def arguments_of(sql: str, functions: str) -> list[str]:
    """What stands between the brackets of each call of these functions."""
    found = []
    for call in re.finditer(rf"\b({functions})\s*\(", sql):
        depth, end = 1, call.end()
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        found.append(sql[call.end() : end - 1])
    return found


def faults_of(sql: str) -> list[str]:
    text = re.sub(r"--[^\n]*|/\*.*?\*/", "", sql.lower(), flags=re.DOTALL)
    faults = [fault for fault, pattern in UNREPEATABLE.items() if re.search(pattern, text)]
    if any(re.search(r"\b(double|float|real)\b", inner) for inner in arguments_of(text, "sum")):
        faults.append("a sum of doubles")
    if any("order by" not in inner for inner in arguments_of(text, "list|array_agg|string_agg|group_concat|listagg")):
        faults.append("an unordered list")
    return faults


def test_models_give_the_same_values_every_time(empty, models):
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    compiled = {path.stem: path.read_text() for path in folder.rglob("*.sql")}
    assert set(models) <= set(compiled)
    found = {name: faults_of(compiled[name]) for name in models if faults_of(compiled[name])}
    assert found == {name: ["DuckDB's own hash"] for name in CHOOSE_BY_HASH}


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("select avg(x)", "an average or deviation"),
        ("select STDDEV_SAMP (x)", "an average or deviation"),
        ("select sum(cast(a as double) * b)", "a sum of doubles"),
        ("select any_value(x)", "a row taken at random"),
        ("select string_agg(x, ',')", "an unordered list"),
        ("select list(upper(x))", "an unordered list"),
        ("select hash(x)", "DuckDB's own hash"),
        ("select current_date", "the time of the run"),
    ],
)
def test_the_lint_sees_each_fault(sql, fault):
    assert faults_of(sql) == [fault]


@pytest.mark.parametrize(
    "sql",
    [
        "select sum(x), max_by(x, d), median(x), cast(sum(y) as double)",
        "select string_agg(x, ',' order by x), list(upper(x) order by y)",
        "select 1 -- not avg(x)\n",
        "select last_known, hash_of, first_seen_date",
    ],
)
def test_the_lint_lets_sound_sql_pass(sql):
    assert faults_of(sql) == []


# A model of whose parents none stands in its own text cannot be read alone. The plan is asked for by every windowed model,
# and by the strategy that replaces it; what tells the rows that are renewed reads what stands in the model's text too.
MACROS_THAT_READ = {
    "accounts_with_flags_read_whole", "accounts_with_flags_renewed", "first_day_of_evidence", "first_day_of_posts",
    "is_not_frozen", "passes_of", "planned_dates", "spark__drop_planned_parts",
}  # fmt: skip


def reads_of(macros: dict[str, str]) -> set[str]:
    """Names of macros that call ref() or source()."""
    texts = {name: re.sub(r"\{#.*?#\}|--[^\n]*", "", sql, flags=re.DOTALL) for name, sql in macros.items()}
    return {name for name, text in texts.items() if re.search(r"\b(ref|source)\s*\(", text)}


@pytest.fixture(scope="module")
def macros(manifest):
    return {
        node["name"]: node["macro_sql"] for node in manifest["macros"].values() if node["package_name"] == "groundswell"
    }


def test_a_model_names_itself_what_it_reads(macros):
    assert {"roi_columns", "tiered_from", "latest_delivery"} <= set(macros)
    assert reads_of(macros) == MACROS_THAT_READ


@pytest.mark.parametrize(
    "sql",
    [
        "{% macro m() %} select * from {{ ref('fct_spend_ledger') }} {% endmacro %}",
        '{% macro m() %} {% set days = source ("meta", "plan") %} {% endmacro %}',
        "{% macro m() %} {{ builtins.ref('dim_date') }} {% endmacro %}",
    ],
)
def test_a_macro_that_reads_is_seen(sql):
    assert reads_of({"m": sql}) == {"m"}


def test_a_macro_that_speaks_of_reading_is_none():
    assert reads_of({"m": "{#- as ref(x) -#} {% macro m(prefs) %} {{ href(1) }} -- ref(y)\n {% endmacro %}"}) == set()


def test_names_are_not_quoted(models):
    """On Spark a double-quoted name is a text, and would be read without a word."""
    for name, node in models.items():
        sql = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", node["raw_code"], flags=re.DOTALL)
        assert '"' not in sql, name
