"""What a user sets reaches the marts, and a change of it plans what is made from it and nothing else."""

import copy
import json

import pytest

from ingestion import landing, ledger
from ingestion.errors import ConfigError
from ingestion.lease import hold
from ingestion.user_config.load import DEFAULTS, load
from tests.dbt.money import BY_HAND, LAST_DAY, land_and_build
from tests.integration import small
from warehouse.build import manifest as dbt_manifest
from warehouse.build import run as build
from warehouse.release import publish

SCHEME = "scheme,platform,tier,tier_rank,min_followers,max_followers,source_note\n"
OWN = SCHEME + "own,*,small,1,0,3000,a test\nown,*,large,2,3000,,a test\n"
# An edit of a row of the package's table, which the user's file repeats.
EDITS = {
    "trust_signals": ("burst,audience,0.03,", "burst,audience,0.02,"),
    "trust_weights": ("times_own_followers_per_view,8,", "times_own_followers_per_view,4,"),
    "trust_verdicts": ("60 points or more", "Sixty points or more"),
    "rate_cards": ("likes,USD,0.21,", "likes,USD,0.22,"),
    "benchmarks": (",0.0172,", ",0.0173,"),
    "tier_schemes": ("standard,*,nano,1,1000,", "standard,*,nano,1,900,"),
}


def edit(folder, table):
    old, new = EDITS[table]
    text = (DEFAULTS / f"{table}.csv").read_text()
    assert old in text
    (folder / f"{table}.csv").write_text(text.replace(old, new, 1))


@pytest.fixture(scope="module")
def project(empty):
    """dbt's manifest, as the planner reads it."""
    return small.read_project(empty.settings)


@pytest.fixture
def own(empty, tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    return empty.settings.model_copy(update={"config": folder})


def fingerprints(project, settings):
    return {model.name: model.fingerprint for model in dbt_manifest.models_of(project, settings, load(settings))}


def changed(project, own, change):
    before = fingerprints(project, own)
    change(own.config)
    after = fingerprints(project, own)
    return {name for name in before if before[name] != after[name]}


def add_scheme(folder):
    (folder / "tier_schemes.csv").write_text(OWN)


def made_from(manifest, *sources):
    """Models that read one of these sources, directly or through others."""
    found, open_ids = set(), [f"source.groundswell.meta.{source}" for source in sources]
    while open_ids:
        children = manifest["child_map"][open_ids.pop()]
        fresh = {child for child in children if child.startswith("model.")} - found
        found |= fresh
        open_ids += fresh
    return {name.rpartition(".")[2] for name in found}


@pytest.mark.parametrize("table", [table for table in EDITS if table != "tier_schemes"])
def test_a_changed_row_changes_the_models_that_are_made_from_its_table_and_no_other(project, manifest, own, table):
    models = changed(project, own, lambda folder: edit(folder, table))
    assert models == made_from(manifest, f"config_{table}") != set()


def test_a_changed_cut_of_trust_leaves_tiers_and_money_alone(project, own):
    models = changed(project, own, lambda folder: edit(folder, "trust_signals"))
    assert {"int_trust__windows_measured", "fct_follower_trust_daily", "fct_account_benchmark_daily"} <= models
    assert not {"fct_account_daily", "fct_account_tier_daily", "fct_collaboration_roi", "dim_account"} & models


def holds_schemes(node):
    """Whether its first line, the grain, has a scheme in it; a group of money may be a tier of a scheme."""
    grain = node["raw_code"].split("\n")[0]
    return "scheme" in grain or "grouping" in grain


def test_an_added_scheme_changes_what_holds_schemes_in_its_grain_alone(project, manifest, own):
    models = changed(project, own, add_scheme)
    nodes = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert {name for name in models if not holds_schemes(nodes[name])} == set()
    assert {"dim_tier_scheme", "fct_account_tier_daily", "fct_tier_roi", "fct_tier_benchmark_daily"} <= models


def test_a_model_that_does_not_say_that_it_takes_the_default_scheme_is_planned(project, own):
    undeclared = copy.deepcopy(project)
    del undeclared.nodes["model.groundswell.fct_account_daily"].config.meta["schemes"]
    assert "fct_account_daily" in changed(undeclared, own, add_scheme)


def test_a_changed_row_of_the_default_scheme_changes_what_takes_it_alone_too(project, manifest, own):
    models = changed(project, own, lambda folder: edit(folder, "tier_schemes"))
    assert models == made_from(manifest, "config_tier_schemes", "config_default_scheme")


def build_again(warehouse, folder):
    settings = warehouse.settings.model_copy(update={"config": folder})
    with small.read_once(), hold(settings, "again", "test", lambda _: None) as lease:
        built = build.build_marts(settings, "again", LAST_DAY, lease, lambda _: None)
    return built.status


def marts_of(warehouse):
    """Rows and content of each mart, but for those that tell of runs."""
    names = [name for (name,) in warehouse.query("select table_name from duckdb_tables() where schema_name = 'marts'")]
    return {
        name: warehouse.query(f"select count(*), sum(hash(t)) from groundswell.marts.{name} t")
        for name in names
        if name not in ("fct_landed_file", "fct_quality_result", "fct_publication")
    }


def test_marts_after_an_added_scheme_are_those_of_one_that_was_there_from_the_start(by_hand, tmp_path, monkeypatch):
    """The proof that a model which says so depends on the default scheme alone: it is not planned, and comes out alike."""
    folder = tmp_path / "config"
    folder.mkdir()
    added = by_hand.copy(tmp_path / "added")
    publish_run(added)
    add_scheme(folder)
    assert build_again(added, folder) == "built"
    monkeypatch.setenv("GROUNDSWELL_CONFIG", str(folder))
    from_start = land_and_build(tmp_path / "from_start", BY_HAND, LAST_DAY)
    assert ("own",) in added.query("select distinct scheme from groundswell.marts.fct_tier_roi")
    assert marts_of(added) == marts_of(from_start)


def publish_run(warehouse):
    (run_id,) = warehouse.query("select run_id from meta.run")[0]
    with hold(warehouse.settings, run_id, "test", lambda _: None) as lease:
        published = publish.publish_release(warehouse.settings, run_id, lease, lambda _: None)
    return json.loads((warehouse.settings.published / "latest" / "release.json").read_text()), published


def test_a_release_names_the_configuration_that_it_is_made_with(three_days, tmp_path):
    warehouse = three_days.copy(tmp_path)
    folder = tmp_path / "config"
    folder.mkdir()
    note = json.loads((warehouse.settings.published / "latest" / "release.json").read_text())
    assert note["config"] == load(warehouse.settings).digests
    add_scheme(folder)
    assert build_again(warehouse, folder) == "built"
    after, _ = publish_run(warehouse)
    assert {name for name, digest in after["config"].items() if digest != note["config"][name]} == {"tier_schemes"}
    assert ("own", "small") in warehouse.query("select scheme, tier from groundswell.marts.fct_account_tier_daily")


def test_nothing_is_landed_or_built_with_a_configuration_that_cannot_be(three_days, tmp_path):
    warehouse = three_days.copy(tmp_path)
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "tier_schemes.csv").write_text(SCHEME + "own,*,small,one,0,,a test\n")
    said = r"tier_schemes.csv:2: tier_rank is 'one': write a whole number"
    with pytest.raises(ConfigError, match=said):
        build_again(warehouse, folder)
    (warehouse.settings.landing / "account_snapshots" / "more.csv").write_text("platform,account_id,captured_at\n")
    with pytest.raises(ConfigError, match=said):
        landing.land_files(warehouse.settings.model_copy(update={"config": folder}), "again", lambda _: None)
    with ledger.read(warehouse.settings) as connection:
        assert not [row for row in ledger.deliveries(connection) if "more" in row["path"]]
    assert warehouse.query("select run_id from meta.run") == [("first",)]
