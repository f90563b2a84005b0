"""Each unit test of trust notices when its rule is broken, and every signal has one."""

from typing import Any

import pytest

from .test_seeds import read_default

TRUST = "models/intermediate/trust/int_trust__"

# Each edit breaks one rule; its unit test must fail.
BROKEN: dict[str, tuple[str, str, str]] = {
    "a_move_that_is_undone_was_a_misread": ("macros/trust.sql", "168 * 3600", "167 * 3600"),
    "a_count_grows_at_its_own_pace_beneath_a_misread": ("macros/trust.sql", "coalesce(pace_", "coalesce(0 * pace_"),
    "captures_that_take_turns_are_misread": ("macros/trust.sql", "{{ move }} * 10 >=", "{{ move }} * 12 >="),
    "growth_steps_over_a_count_that_proved_a_misread": (
        "models/intermediate/trust/int_trust__growth_measured.sql",
        "and today.snapshot_date >= misreads.snapshot_date",
        "",
    ),
    "no_window_holds_a_count_that_proved_a_misread": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        "where misreads.account_id is null",
        "",
    ),
    "nobody_is_suspicious_before_the_evidence_has_settled": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "settled_days = 5",
        "settled_days = 4",
    ),
    "a_flag_of_a_misread_ends_when_that_is_known": (
        "models/marts/trust/fct_follower_flag.sql",
        "min(snapshot_date) as misread_on",
        "max(snapshot_date) as misread_on",
    ),
    "no_growth_is_made_of_what_is_no_base": (
        "models/intermediate/trust/int_trust__growth_measured.sql",
        "and today.views_total >= last_known.views_before",
        "and true",
    ),
    "views_that_stand_still_for_everybody_are_unknown": (
        "models/intermediate/trust/int_trust__growth_measured.sql",
        "max(views_gain) > 0",
        "true",
    ),
    "a_rounded_count_has_the_pace_of_its_window": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        "count_resolution > 1",
        "count_resolution > 100",
    ),
    "no_growth_across_a_new_definition": (
        "models/intermediate/trust/int_trust__growth_measured.sql",
        "breaks.views_since is null or",
        "true or",
    ),
    "growth_is_that_since_followers_were_last_known": (
        "models/intermediate/trust/int_trust__growth_measured.sql",
        "max(past.snapshot_date) as followers_known_on",
        "min(past.snapshot_date) - 1 as followers_known_on",
    ),
    "peers_are_all_accounts_of_the_day": (
        "models/intermediate/trust/int_trust__growth_peers_measured.sql",
        "gap_days <= 7",
        "gap_days <= 8",
    ),
    "what_is_tested_stands_not_in_its_usual": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        "filter (where age >= 3) as middle_pace",
        "filter (where age < 3) as middle_pace",
    ),
    "a_move_of_everybody_is_nobodys": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        "coalesce(moves.median, 0)",
        "0",
    ),
    "a_rise_over_a_long_absence_is_no_rise_of_a_day": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        "max_gap_days = 7",
        "max_gap_days = 8",
    ),
    "rates_need_posts_followers_and_peers_of_their_size": (
        "models/intermediate/trust/int_trust__rates_compared.sql",
        "min_posts = 5",
        "min_posts = 4",
    ),
    "rates_far_from_those_of_peers": (
        "models/intermediate/trust/int_trust__rate_distances_measured.sql",
        "peers.mad, 0.25)",
        "peers.mad, 0.5)",
    ),
    "rates_that_left_the_accounts_own": (
        "models/intermediate/trust/int_trust__rate_shifts_measured.sql",
        ", -28)",
        ", -27)",
    ),
    "points_grow_from_the_cut_to_the_full_weight": (
        "models/intermediate/trust/int_trust__signals_raised.sql",
        ", 1.0)",
        ", 9.0)",
    ),
    "evidence_weighs_for_90_days_and_not_before_it_is_seen": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "and days.snapshot_date >= signals.snapshot_date",
        "",
    ),
    "touching_days_of_evidence_are_one_flag": (
        "models/marts/trust/fct_follower_flag.sql",
        "window_start > {{",
        "window_start < {{",
    ),
    "views_that_come_later_explain_what_was_flagged": (
        "macros/trust.sql",
        "when {{ value }} <= 0 then 0 end",
        "else 0 end",
    ),
    "a_rise_is_faster_than_the_pace_before_it": (
        "models/intermediate/trust/int_trust__rises_raised.sql",
        '"-longer.days")',
        '"-longer.days + 1")',
    ),
    "posts_of_an_event_beside_those_before": (
        "models/intermediate/trust/int_trust__posts_compared.sql",
        "[0.9]",
        "[0.8]",
    ),
    "rises_that_overlap_are_one_event": (
        "macros/trust.sql",
        "or window_start > rise_before",
        "or window_start > rise_before + 1",
    ),
    "posts_speak_where_views_do_not": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "compared.posts_before >= 5",
        "compared.posts_before >= 4",
    ),
    "a_sawtooth_is_turning_points_that_last": (
        "models/intermediate/trust/int_trust__turns_measured.sql",
        "counted.flips_28 >= 5",
        "counted.flips_28 >= 12",
    ),
    "what_nothing_explains_is_a_share_of_the_followers_or_unknown": (
        "macros/trust.sql",
        "case when {{ share }} > 1 then 1.0 else {{ share }} end",
        "least({{ share }}, 1.0)",
    ),
    "what_a_view_wins_is_the_accounts_own": (
        "models/intermediate/trust/int_trust__windows_measured.sql",
        "min_base_days = 7, 3, 17",
        "min_base_days = 7, 2, 17",
    ),
    "what_stays_under_the_cut_is_no_burst": (
        "models/intermediate/trust/int_trust__windows_measured.sql",
        "and tested.burst_z >= weights.least_z",
        "or tested.burst_z >= weights.least_z",
    ),
    "a_lowered_cut_raises_a_burst": (
        "models/intermediate/trust/int_trust__windows_measured.sql",
        "and tested.gain_3 >= weights.least_gain",
        "and true",
    ),
    "two_signals_convict_and_one_does_not": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "where evidence.side = '{{ side }}' and evidence.is_of_event = 0",
        "where evidence.is_of_event = 0",
    ),
    "other_evidence_settles_and_ends_with_a_misread": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "where misreads.account_id is null and signals",
        "where signals",
    ),
    "no_verdict_beyond_the_evidence": (
        "models/intermediate/trust/int_trust__coverage_measured.sql",
        "windows.changes_28 < 3",
        "windows.changes_28 < 4",
    ),
    "views_that_do_not_move_are_unknown": (
        "models/intermediate/trust/int_trust__windows_summed.sql",
        'nullif({{ whole_sum("views_gain", "age < 28") }}, 0)',
        '{{ whole_sum("views_gain", "age < 28") }}',
    ),
    "a_flag_of_an_event_is_its_latest_judgement_and_ends_when_explained": (
        "models/marts/trust/fct_follower_flag.sql",
        "case when not is_event then points end desc",
        "points desc",
    ),
}
# A second rule of a unit test that breaks above: an edit that the first round would hide.
SECOND: dict[str, tuple[str, str, str]] = {
    "points_grow_from_the_cut_to_the_full_weight": (
        f"{TRUST}signals_raised.sql",
        """and platform not in (select short.platform from {{ source("meta", "config_retention") }} as short)""",
        "",
    ),
    "a_move_that_is_undone_was_a_misread": ("macros/trust.sql", "168 * 3600", "192 * 3600"),
    "a_count_grows_at_its_own_pace_beneath_a_misread": (
        "models/intermediate/trust/int_trust__misreads.sql",
        '"snapshot_date", -look_back_days',
        '"snapshot_date", -99',
    ),
    "two_signals_convict_and_one_does_not": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "'suspicious' in (verdict, engagement_verdict)",
        "verdict = 'suspicious'",
    ),
    "nobody_is_suspicious_before_the_evidence_has_settled": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "when not events.has_stood then 0",
        "",
    ),
    "what_stays_under_the_cut_is_no_burst": (
        "models/intermediate/trust/int_trust__windows_measured.sql",
        "greatest(\n            cuts.burst,",
        "greatest(\n            0.01,",
    ),
    "a_lowered_cut_raises_a_burst": (
        "models/intermediate/trust/int_trust__windows_measured.sql",
        "tested.burst >= cuts.burst",
        "tested.burst >= 0.03",
    ),
    "posts_of_an_event_beside_those_before": (
        "models/intermediate/trust/int_trust__posts_compared.sql",
        'add_days("first_rise", -7)',
        'add_days("window_end", -7)',
    ),
    "posts_speak_where_views_do_not": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "bool_or(\n            case when events.is_large",
        "bool_and(\n            case when events.is_large",
    ),
    "rises_that_overlap_are_one_event": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "> events.highest_date and windows",
        "> events.event_start and windows",
    ),
    "views_that_come_later_explain_what_was_flagged": (
        "macros/trust.sql",
        "weights.times_own_followers_per_view *",
        "1 *",
    ),
}
THIRD: dict[str, tuple[str, str, str]] = {
    "nobody_is_suspicious_before_the_evidence_has_settled": (
        "models/intermediate/trust/int_trust__accounts_evaluated.sql",
        "order by points_of_event desc",
        "order by points_of_event asc",
    ),
    "a_sawtooth_is_turning_points_that_last": (
        "models/intermediate/trust/int_trust__turns_measured.sql",
        "greatest(1.2 * step, 0.005)",
        "greatest(0.2 * step, 0.005)",
    ),
    "posts_of_an_event_beside_those_before": (
        "models/intermediate/trust/int_trust__posts_compared.sql",
        '"max(window_start) filter (where length <= 7)", 1)',
        '"max(window_start) filter (where length <= 7)", 2)',
    ),
    "posts_speak_where_views_do_not": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "compared.window_end between events.first_flagged\n        and",
        "compared.window_end <=",
    ),
    "rises_that_overlap_are_one_event": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "where misreads.account_id is null\n),",
        "),",
    ),
    "views_that_come_later_explain_what_was_flagged": (
        "macros/trust.sql",
        "weights.followers_per_view_most,\n        greatest",
        "9,\n            greatest",
    ),
}
FOURTH: dict[str, tuple[str, str, str]] = {
    "posts_of_an_event_beside_those_before": (
        "models/intermediate/trust/int_trust__posts_compared.sql",
        "{% set days_after = 7 %}",
        "{% set days_after = 14 %}",
    ),
    "posts_speak_where_views_do_not": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "when events.is_large then compared.is_above_all",
        "when false then compared.is_above_all",
    ),
}
FIFTH: dict[str, tuple[str, str, str]] = {
    "posts_speak_where_views_do_not": (
        "models/intermediate/trust/int_trust__events_evaluated.sql",
        "days_of_views, days_of_posts = 400, 20, 7, 7",
        "days_of_views, days_of_posts = 400, 20, 7, 1",
    ),
}
EVENTS = "models/intermediate/trust/int_trust__events_evaluated.sql"
ONE_EVENT = "attention_is_one_event_however_seldom_it_is_seen"
# Further rules of one unit test, each broken by itself.
OF_ONE_EVENT: list[dict[str, tuple[str, str, str]]] = [
    {ONE_EVENT: ("macros/trust.sql", "or window_start > rise_before", "or window_start >= rise_before")}
] + [
    {ONE_EVENT: (EVENTS, was, becomes)}
    for was, becomes in (
        ("        max(excess) as excess,", "        max(excess) filter (where length <= 7) as excess,"),
        ('add_days("events.mostly_gained_on", days_of_views)', 'add_days("events.event_end", days_of_views)'),
        ("when since.views_days_to_half * 2", "when since.views_days * 2"),
        ("case when window_start <= event_start then", "case when true then"),
    )
]


def seeded() -> set[str]:
    return {row["signal"] for row in read_default("trust_signals")}


def raised(manifest: dict[str, Any]) -> set[str]:
    """Signals whose models the union of all signals reads."""
    parents = manifest["nodes"]["model.groundswell.int_trust__signals_raised"]["depends_on"]["nodes"]
    prefix = "model.groundswell.int_trust__"
    return {parent.removeprefix(prefix) for parent in parents if parent.startswith(prefix)}


def faults_of_signals(signals: set[str], manifest: dict[str, Any]) -> list[str]:
    """What the rows of the seed, the models that are united and their unit tests do not agree on."""
    tests: dict[str, list[Any]] = {}
    for test in manifest["unit_tests"].values():
        tests.setdefault(test["model"].removeprefix("int_trust__"), []).append(test["config"]["meta"].get("broken_by"))
    return [
        *(f"{name} is in the seed and its model is not raised" for name in sorted(signals - raised(manifest))),
        *(f"{name} is raised and not in the seed" for name in sorted(raised(manifest) - signals)),
        *(
            f"{name} has no unit test that says what breaks it"
            for name in sorted(signals)
            if not any(tests.get(name, []))
        ),
    ]


def test_a_signal_is_a_row_of_the_seed_and_a_model_with_a_unit_test(manifest):
    assert "burst" in seeded()
    assert faults_of_signals(seeded(), manifest) == []


def test_a_signal_that_is_not_both_is_told(manifest):
    assert faults_of_signals(seeded() | {"borrowed_audience"}, manifest) == [
        "borrowed_audience is in the seed and its model is not raised",
        "borrowed_audience has no unit test that says what breaks it",
    ]
    assert faults_of_signals(seeded() - {"burst"}, manifest) == ["burst is raised and not in the seed"]


def rules_of_signals(manifest: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Unit test of a signal: the edit that breaks its rule, which stands beside it."""
    return {
        test["name"]: (f"{TRUST}{test['model'].removeprefix('int_trust__')}.sql", *test["config"]["meta"]["broken_by"])
        for test in manifest["unit_tests"].values()
        if test["config"]["meta"].get("broken_by")
    }


@pytest.mark.parametrize("rules", [BROKEN, SECOND, THIRD, FOURTH, FIFTH, *OF_ONE_EVENT])
def test_a_broken_rule_of_trust_fails_its_unit_test(empty, broken_project, manifest, rules: dict[str, Any]):
    rules = rules | (rules_of_signals(manifest) if rules is BROKEN else {})
    run = empty.dbt("test", "--select", *rules, project=broken_project(*rules.values()))
    assert run.code == 1, run.printed
    assert run.of_status("fail") >= set(rules), set(rules) - run.of_status("fail")
