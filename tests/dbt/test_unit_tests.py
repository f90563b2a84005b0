"""dbt's unit tests pass on an empty warehouse, and each notices when its rule is broken."""

from typing import Any

import pytest

UNIT_TESTS = ("test", "--select", "test_type:unit")


def test_unit_tests_pass_and_all_of_them_run(empty, manifest):
    run = empty.dbt(*UNIT_TESTS)
    assert run.code == 0, run.printed
    assert set(run.results) == set(manifest["unit_tests"])
    assert len(run.results) > 20


def test_every_account_model_with_a_branch_has_a_unit_test(manifest):
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    assert tested >= {
        "stg_landing__account_snapshots",
        "int_snapshot__counts_captured",
        "int_snapshot__counts_held",
        "int_snapshot__followers_captured",
        "int_snapshot__account_days_deduplicated",
        "int_snapshot__account_last_known_values",
        "int_snapshot__account_changes_measured",
        "fct_account_tier_daily",
        "dim_account",
        "fct_account_daily",
    }


# Each edit breaks one rule; its unit test must fail. Two rounds, for one dbt start costs as much as all tests.
ROUNDS: list[dict[str, tuple[str, str, str]]] = [
    {
        "tier_bounds_are_half_open": (
            "macros/tiers.sql",
            "< coalesce(bounds.max_followers",
            "<= coalesce(bounds.max_followers",
        ),
        "last_capture_of_the_day_wins": (
            "models/intermediate/snapshot/int_snapshot__account_days_deduplicated.sql",
            "captured_at desc",
            "captured_at asc",
        ),
        "change_reaches_back_400_days_and_no_further": (
            "models/intermediate/snapshot/int_snapshot__account_changes_measured.sql",
            "look_back_days = 400",
            "look_back_days = 401",
        ),
        "youtube_counts_step_by_their_fourth_digit": (
            "models/marts/creator/fct_account_daily.sql",
            "resolutions.significant_digits, 0)",
            "resolutions.significant_digits + 1, 0)",
        ),
        "a_change_is_per_elapsed_day": ("macros/changes.sql", "({{ count }} -", "(2 * {{ count }} -"),
        "a_count_is_held_beside_the_last_accepted_one": ("macros/held.sql", "5 * least", "6 * least"),
        "names_are_those_of_the_latest_day": (
            "models/marts/creator/dim_account.sql",
            "_known_on < seen",
            "_known_on <= seen",
        ),
        "an_account_is_as_its_newest_checkpoint_knows_it": (
            "models/marts/creator/dim_account.sql",
            "where snapshot_date = ",
            "where snapshot_date <= ",
        ),
        "a_state_goes_on_from_the_newest_checkpoint_before_the_plan": (
            "models/intermediate/snapshot/int_snapshot__account_last_known_values.sql",
            "coalesce(carried.first_seen_date, since.first_seen_date)",
            "since.first_seen_date",
        ),
        "a_change_is_measured_against_what_is_carried": (
            "models/intermediate/snapshot/int_snapshot__account_changes_measured.sql",
            "(select max(carried.snapshot_date) from carried)",
            "(select min(carried.snapshot_date) - 9 from carried)",
        ),
        "disagreeing_files_later_file_wins": (
            "models/staging/landing/stg_landing__account_snapshots.sql",
            "arrival_order desc",
            "arrival_order asc",
        ),
    },
    {
        "a_gap_in_advocacy_is_unclassified": ("macros/tiers.sql", "else 'unclassified'", "else 'below'"),
        "a_tier_row_holds_from_valid_from_until_before_valid_to": (
            "macros/tiers.sql",
            "< schemes.valid_to",
            "<= schemes.valid_to",
        ),
        "rows_of_a_platform_replace_general_rows_of_their_scheme": (
            "macros/tiers.sql",
            "is_general = bool_and(is_general)",
            "is_general or bool_or(true)",
        ),
        "only_planned_days_are_observed": (
            "models/intermediate/snapshot/int_snapshot__account_days_deduplicated.sql",
            "where snapshot",
            "where true or snapshot",
        ),
        "a_capture_less_than_12_hours_before_tells_no_pace": (
            "macros/changes.sql",
            "{{ return(12) }}",
            "{{ return(13) }}",
        ),
        "a_held_count_that_is_said_again_is_accepted": (
            "models/intermediate/snapshot/int_snapshot__counts_held.sql",
            ">= {{ 20 * hour }}",
            ">= {{ 19 * hour }}",
        ),
        "none_confirms_another_where_many_are_held": (
            "models/intermediate/snapshot/int_snapshot__counts_held.sql",
            "and not is_acknowledged",
            "",
        ),
        "a_held_count_is_null_and_stands_beside_its_day": (
            "models/intermediate/snapshot/int_snapshot__account_days_deduplicated.sql",
            "and held_{{ count }}.metric",
            "or held_{{ count }}.metric",
        ),
        "a_held_capture_is_nobodys_followers": (
            "models/intermediate/snapshot/int_snapshot__followers_captured.sql",
            "and held.metric = 'followers'",
            "",
        ),
        "change_steps_over_a_null_day": ("macros/engine.sql", "{{ value }} ignore nulls", "{{ value }}"),
        "no_change_is_measured_across_a_new_definition": (
            "macros/changes.sql",
            "{{ count }}_known_at >= {{ count }}_since",
            "true",
        ),
        "counts_are_exact_where_no_rounding_of_followers_is_known": (
            "models/marts/creator/fct_account_daily.sql",
            "is null then 1",
            "is null then null",
        ),
        "tier_is_that_of_the_default_scheme": (
            "models/marts/creator/fct_account_daily.sql",
            "default_scheme.scheme = tiers.scheme",
            "'standard' = tiers.scheme",
        ),
        "a_state_is_the_latest_of_each_attribute": (
            "models/intermediate/snapshot/int_snapshot__account_last_known_values.sql",
            "max_by({{ attribute }}",
            "min_by({{ attribute }}",
        ),
        "captures_of_one_day_stay_apart": (
            "models/staging/landing/stg_landing__account_snapshots.sql",
            '"account_id", "captured_at"',
            '"account_id", "snapshot_date"',
        ),
    },
]


@pytest.mark.parametrize("rules", ROUNDS, ids=["first round", "second round"])
def test_a_broken_rule_fails_its_unit_test(empty, broken_project, rules: dict[str, Any]):
    run = empty.dbt("test", "--select", *rules, project=broken_project(*rules.values()))
    assert run.code == 1, run.printed
    assert run.of_status("fail") >= set(rules), run.printed
