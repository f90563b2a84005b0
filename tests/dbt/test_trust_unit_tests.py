"""Each unit test of trust notices when its rule is broken, and every signal has one."""

from typing import Any

TRUST = "models/intermediate/trust/int_trust__"

# Each edit breaks one rule; its unit test must fail.
BROKEN: dict[str, tuple[str, str, str]] = {
    "no_growth_is_made_of_what_is_no_base": (
        f"{TRUST}growth_measured.sql",
        "and today.views_total >= last_known.views_before",
        "and true",
    ),
    "no_growth_across_a_new_definition": (f"{TRUST}growth_measured.sql", "breaks.views_since is null or", "true or"),
    "growth_is_that_since_followers_were_last_known": (
        f"{TRUST}growth_measured.sql",
        "max(past.snapshot_date) as followers_known_on",
        "min(past.snapshot_date) - 1 as followers_known_on",
    ),
    "peers_are_all_accounts_of_the_day": (f"{TRUST}growth_peers_measured.sql", "gap_days <= 7", "gap_days <= 8"),
    "what_is_tested_stands_not_in_its_usual": (
        f"{TRUST}windows_measured.sql",
        "filter (where age >= 3) as base_median",
        "filter (where age < 3) as base_median",
    ),
    "unknown_views_explain_nothing_and_leave_nothing_unexplained": (
        "macros/trust.sql",
        "when {{ value }} <= 0 then 0 end",
        "else 0 end",
    ),
    "a_move_of_everybody_is_nobodys": (f"{TRUST}windows_measured.sql", "coalesce(moves.median, 0)", "0"),
    "a_rise_over_a_long_absence_is_no_rise_of_a_day": (
        f"{TRUST}windows_measured.sql",
        "max_gap_days = 7",
        "max_gap_days = 8",
    ),
    "a_burst_stands_out_and_is_not_explained": (
        f"{TRUST}bursts_detected.sql",
        "unexplained_3 >=",
        "unexplained_3 >= 0 *",
    ),
    "growth_that_views_leave_unexplained": (
        f"{TRUST}idle_growth_detected.sql",
        "where {{ is_slow_growth() }} and",
        "where",
    ),
    "a_pace_is_compared_with_one_before_it": (
        f"{TRUST}paces_compared.sql",
        ", -20)",
        ", -19)",
    ),
    "a_drip_is_even_and_new": (f"{TRUST}drips_detected.sql", "unexplained_20 >= 0.5", "unexplained_20 >= 0.3"),
    "a_loss_after_a_burst_counts_beyond_the_peers_loss": (
        f"{TRUST}burst_losses_detected.sql",
        "highest - followers + fall_of_peers * highest",
        "highest - followers",
    ),
    "following_many_and_unfollowing_them": (
        f"{TRUST}following_swings_detected.sql",
        "and following_down_28 > 0",
        "or following_down_28 > 0",
    ),
    "a_gain_of_the_size_of_an_order": (
        f"{TRUST}round_jumps_detected.sql",
        "count_resolution * 100",
        "count_resolution",
    ),
    "far_more_followers_than_neighbours_in_views": (
        f"{TRUST}residuals_detected.sql",
        "min_neighbours = 30",
        "min_neighbours = 29",
    ),
    "rates_need_posts_followers_and_peers_of_their_size": (
        f"{TRUST}rates_compared.sql",
        "min_posts = 5",
        "min_posts = 4",
    ),
    "rates_far_from_those_of_peers": (
        f"{TRUST}rates_detected.sql",
        "'like_rate_views_median_30' and distance > 0",
        "'like_rate_views_median_30'",
    ),
    "rates_that_left_the_accounts_own": (f"{TRUST}rate_shifts_detected.sql", ", -28)", ", -27)"),
    "points_grow_from_the_cut_to_the_full_weight": (f"{TRUST}signals_raised.sql", ", 1.0)", ", 9.0)"),
    "two_signals_convict_and_one_does_not": (
        f"{TRUST}accounts_judged.sql",
        "filter (where side = '{{ side }}') as {{ side }}_points",
        "as {{ side }}_points",
    ),
    "evidence_weighs_for_90_days_and_not_before_it_is_seen": (
        f"{TRUST}accounts_judged.sql",
        "and days.snapshot_date >= signals.snapshot_date",
        "",
    ),
    "no_verdict_beyond_the_evidence": (f"{TRUST}accounts_judged.sql", "min_changes = 7", "min_changes = 6"),
    "touching_days_of_evidence_are_one_flag": (
        "models/marts/trust/fct_follower_flag.sql",
        "window_start > {{",
        "window_start < {{",
    ),
}
# A second rule of a unit test that breaks above.
SECOND = {
    "two_signals_convict_and_one_does_not": (
        f"{TRUST}accounts_judged.sql",
        "'suspicious' in (verdict, engagement_verdict)",
        "verdict = 'suspicious'",
    ),
}
SAWTOOTH = {"a_sawtooth_rises_and_falls_three_times": ("macros/trust.sql", "downs_28 >= 3", "downs_28 >= 2")}


def test_every_signal_has_a_unit_test(manifest):
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    signals = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][2] == "trust" and node["name"].endswith("_detected")
    }
    assert len(signals) == 10
    assert signals <= tested


def test_a_broken_rule_of_trust_fails_its_unit_test(empty, broken_project):
    rules: dict[str, Any] = BROKEN | SAWTOOTH
    run = empty.dbt("test", "--select", *rules, project=broken_project(*rules.values()))
    assert run.code == 1, run.printed
    assert run.of_status("fail") >= set(rules), set(rules) - run.of_status("fail")
