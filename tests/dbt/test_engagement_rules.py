"""Each rule of posts, engagement, tiers and benchmarks is noticed by its unit test when it is broken."""

from typing import Any

import pytest

STAGED = "models/staging/landing/stg_landing__"

# Unit test: the edit that breaks its rule. Rounds, for one dbt start costs as much as all tests.
ROUNDS: list[dict[str, tuple[str, str, str]]] = [
    {
        "disagreeing_files_of_posts_later_file_wins": (
            f"{STAGED}post_snapshots.sql", "arrival_order desc", "arrival_order asc",
        ),
        "disagreeing_attributes_of_one_instant_later_file_wins": (
            f"{STAGED}accounts.sql", "arrival_order desc", "arrival_order asc",
        ),
        "a_brand_is_as_last_delivered": (f"{STAGED}brands.sql", "arrival_order desc", "arrival_order asc"),
        "last_capture_of_a_post_of_the_day_wins_nulls_and_all": (
            "models/intermediate/snapshot/int_snapshot__post_days_deduplicated.sql", "captured_at desc", "captured_at asc",
        ),
        "a_showing_is_new_once": (
            "models/intermediate/snapshot/int_snapshot__post_showings.sql", "snapshot_date > standing", "snapshot_date < standing",
        ),
        "a_post_is_told_of_when_it_is_new_changed_or_back_after_7_days": (
            "models/intermediate/snapshot/int_snapshot__post_traits_changed.sql", "set seen_days = 7", "set seen_days = 8",
        ),
        "a_window_holds_posts_of_72_hours_to_90_days_captured_in_7_days": (
            "models/intermediate/engagement/int_engagement__window_selected.sql", "between 72 *", "between 71 *",
        ),
        "rates_are_of_the_followers_at_publication_else_of_the_day": (
            "macros/engagement.sql", "/ nullif({{ divisor }}, 0)", "/ coalesce({{ divisor }}, 1)",
        ),
        "growth_looks_back_to_the_last_known_count_of_the_same_account": (
            "models/intermediate/snapshot/int_snapshot__post_changes_measured.sql", "look_back_days = 35", "look_back_days = 36",
        ),
        "growth_goes_on_from_what_is_carried": (
            "models/intermediate/snapshot/int_snapshot__post_changes_measured.sql", "where post_hash in (select moved", "where post_hash not in (select moved",
        ),
        "a_post_goes_on_from_the_newest_checkpoint_before_the_plan": (
            "models/intermediate/snapshot/int_snapshot__post_last_known_values.sql", "case when states.{{ is_near }} then states.{{ count }} end",
            "states.{{ count }}",
        ),
        "growth_is_per_elapsed_day_and_since_publication": (
            "models/marts/engagement/fct_post_daily.sql", "* 24 *", "*",
        ),
        "a_brand_goes_by_its_id_name_aliases_hashtags_and_own_accounts": (
            "models/intermediate/agreement/int_agreement__brand_names_listed.sql", '"aliases", ', "",
        ),
        "rivals_are_counted_once_over_90_days": ("models/intermediate/agreement/int_agreement__rivals_counted.sql", "count(distinct", "count("),
        "one_small_number_of_likes_everywhere_is_hidden": (
            "models/intermediate/engagement/int_engagement__post_rates_measured.sql", "followers_today >= 1000", "followers_today >= 900",
        ),
        "every_capture_that_read_a_count_is_kept": (
            "models/intermediate/snapshot/int_snapshot__counts_captured.sql", "or views_total is not null", "or views_total > 0",
        ),
        "attributes_are_those_known_on_the_day": (
            "models/intermediate/engagement/int_engagement__attributes_dated.sql",
            "updates.snapshot_date <= planned.snapshot_date",
            "updates.snapshot_date >= planned.snapshot_date",
        ),
        "an_account_without_posts_has_a_row_and_no_rates": (
            "models/intermediate/engagement/int_engagement__accounts_rated.sql", "full outer join", "left join",
        ),
        "a_cell_of_fewer_than_30_shows_the_next_larger_one": (
            "macros/benchmark.sql", "fewest_accounts() -%} 30", "fewest_accounts() -%} 29",
        ),
        "a_suspicious_account_is_ranked_and_nobodys_peer": (
            "models/intermediate/benchmark/int_benchmark__peers_described.sql", "and not coalesce(evaluated.is_suspicious, false)", "",
        ),
        "an_account_is_compared_in_the_smallest_cell_of_30_peers": (
            "models/intermediate/benchmark/int_benchmark__cells_matched.sql", "where tier not in ('below', 'unclassified')", "",
        ),
        "a_percentile_is_the_share_of_peers_at_most_as_high": (
            "models/marts/benchmark/fct_account_benchmark_daily.sql", "filter (where is_peer) over", "over",
        ),
        "an_account_is_in_the_cells_of_what_is_known_of_it": (
            "models/intermediate/benchmark/int_benchmark__cells_aggregated.sql", "and (measured.all_countries = 1 or measured.country is not null)",
            "",
        ),
        "a_run_is_told_of_on_its_7th_day_and_on_no_later_one": (
            "models/intermediate/tier/int_tier__streaks_detected.sql", "or day_of_run = {{ run_days }}", "or day_of_run >= {{ run_days }}",
        ),
        "an_account_turns_where_a_run_or_new_cut_offs_end_another_tier": (
            "models/intermediate/tier/int_tier__changes_detected.sql", "followers > compared.previous", "followers < compared.previous",
        ),
        "a_night_tells_its_own_turns_from_all_runs_before": (
            "models/intermediate/tier/int_tier__changes_detected.sql", "where changes.snapshot_date in (select planned.snapshot_date from planned)", "",
        ),
        "an_account_weighs_its_followers_reach_and_engagements_unless_it_is_suspicious": (
            "models/intermediate/equivalence/int_equivalence__accounts_pooled.sql", "order by md5(tiered.account_id), tiered.account_id", "order by tiered.account_id",
        ),
        "a_tier_costs_what_was_spent_by_the_day_else_its_price_band": (
            "models/intermediate/equivalence/int_equivalence__prices_gathered.sql", "and tiers.snapshot_date >= posts.valid_from", "",
        ),
        "so_many_accounts_cost_their_number_times_the_mean_and_one_costs_the_typical_price": (
            "models/marts/equivalence/fct_tier_equivalence.sql", "lower_prices.mean_base", "lower_prices.typical_base",
        ),
        "a_price_is_observed_else_of_the_rate_card_else_of_its_tier_else_of_the_band": (
            "models/intermediate/pricing/int_pricing__accounts_priced.sql", "order by place)", "order by place desc)",
        ),
        "a_post_costs_what_was_spent_by_then_on_the_posts_by_then": (
            "models/intermediate/pricing/int_pricing__posts_priced.sql", "and cost_type <> 'commission'", "",
        ),
        "a_collaboration_has_the_tier_of_the_last_count_by_its_day": ("macros/tiers.sql", "add_days(day, -7)", "add_days(day, -8)"),
        "an_order_counts_once_in_a_group_under_any_touch": (
            "models/intermediate/returns/int_returns__group_revenue.sql", "where credited.model = 'any_touch'", "",
        ),
        "a_group_pays_back_on_the_first_day_that_profit_reaches_spend": (
            "models/intermediate/returns/int_returns__group_totals.sql", "unknown_so_far = 0 and", "",
        ),
        "accounts_that_turned_in_time_among_those_that_were_followed": (
            "models/marts/tier/fct_tier_graduation.sql", "days_to_turn <= horizons", "days_to_turn < horizons",
        ),
        "the_feed_of_accounts_wins_over_what_captures_carry": (
            "models/marts/creator/dim_account.sql",
            "coalesce(given.{{ name }}, seen.{{ name }})",
            "coalesce(seen.{{ name }}, given.{{ name }})",
        ),
    },
    {
        "a_post_is_told_of_when_it_is_new_changed_or_back_after_7_days": (
            "models/intermediate/snapshot/int_snapshot__post_traits_changed.sql", "coalesce(earlier.is_same, latest.is_same)", "latest.is_same",
        ),
        "a_post_is_compared_with_what_is_carried_of_the_week_before": (
            "models/intermediate/snapshot/int_snapshot__post_traits_changed.sql", "order by seen_earlier.snapshot_date desc", "order by seen_earlier.snapshot_date",
        ),
        "a_window_goes_on_from_what_is_carried": (
            "models/intermediate/engagement/int_engagement__window_selected.sql", "case when {{ column }}_known_at = captured_at then {{ column }} end as", "{{ column }} as",
        ),
        "a_post_goes_on_from_the_newest_checkpoint_before_the_plan": (
            "macros/posts.sql",
            "case when {{ later }}.post_id is not null then {{ later }}.{{ trait }} else {{ earlier }}.{{ trait }} end",
            "coalesce({{ later }}.{{ trait }}, {{ earlier }}.{{ trait }})",
        ),
        "followers_are_those_of_the_last_capture_at_or_before_publication": (
            "models/intermediate/snapshot/int_snapshot__post_traits_changed.sql", 'value_at_last("followers.followers"', 'value_at_first("followers.followers"',
        ),
        "pinned_and_collab_posts_are_in_when_the_setting_leaves_none_out": (
            "models/intermediate/engagement/int_engagement__window_selected.sql", "where name = 'left_out_posts'", "",
        ),
        "the_latest_traits_of_posts_of_90_days": (
            "models/intermediate/engagement/int_engagement__post_rates_measured.sql", "where not is_early and", "where",
        ),
        "no_growth_is_measured_across_a_new_definition_of_its_kind_of_post": (
            "models/intermediate/snapshot/int_snapshot__post_changes_measured.sql", " or kinds.content_type is null", "",
        ),
        "growth_is_per_elapsed_day_and_since_publication": (
            "models/marts/engagement/fct_post_daily.sql", "case when aged.age >= 0 then", "case when true then",
        ),
        "a_post_names_a_brand_by_hashtag_or_mention": (
            "models/intermediate/agreement/int_agreement__brand_posts_named.sql", "names.platform in (words.platform, '*')", "true",
        ),
        "an_update_without_an_attribute_does_not_take_it_back": (
            "models/intermediate/snapshot/int_snapshot__attributes_merged.sql", "max_by({{ name }}, updated_at) filter (where {{ name }} is not null)",
            "max_by(coalesce({{ name }}, ''), updated_at)",
        ),
        "attributes_are_those_known_on_the_day": (
            "models/intermediate/engagement/int_engagement__attributes_dated.sql", "        not exists (", "        exists (",
        ),
        "a_percentile_is_the_share_of_peers_at_most_as_high": (
            "models/marts/benchmark/fct_account_benchmark_daily.sql", "_n >= {{ fewest_accounts() }}", "_n >= 29",
        ),
        "one_simulated_part_makes_a_row_simulated": (
            "models/intermediate/engagement/int_engagement__accounts_rated.sql", "greatest(seen.data_origin", "least(seen.data_origin",
        ),
        "an_account_is_in_the_cells_of_what_is_known_of_it": (
            "models/intermediate/benchmark/int_benchmark__cells_aggregated.sql", "filter (where not is_suspicious) as n", "as n",
        ),
        "a_run_is_told_of_on_its_7th_day_and_on_no_later_one": (
            "models/intermediate/tier/int_tier__streaks_detected.sql", "where days.followers is not null", "",
        ),
        "an_account_turns_where_a_run_or_new_cut_offs_end_another_tier": (
            "models/intermediate/tier/int_tier__changes_detected.sql", "when in_order.is_settled then 'streak'", "else 'streak'",
        ),
        "an_account_weighs_its_followers_reach_and_engagements_unless_it_is_suspicious": (
            "models/intermediate/equivalence/int_equivalence__accounts_pooled.sql",
            "case when not tiered.is_suspicious then tiered.{{ measure }}_value end as", "tiered.{{ measure }}_value as",
        ),
        "a_tier_costs_what_was_spent_by_the_day_else_its_price_band": (
            "models/intermediate/equivalence/int_equivalence__prices_gathered.sql", "tiers.snapshot_date < posts.valid_to", "true",
        ),
        "a_price_is_observed_else_of_the_rate_card_else_of_its_tier_else_of_the_band": (
            "macros/prices.sql", "order by bands.platform = '*'", "order by bands.platform <> '*'",
        ),
        "a_collaboration_has_the_tier_of_the_last_count_by_its_day": (
            "models/intermediate/returns/int_returns__collaborations_tiered.sql", "where followers is not null", "",
        ),
        "a_post_costs_what_was_spent_by_then_on_the_posts_by_then": (
            "models/intermediate/pricing/int_pricing__posts_priced.sql", "where not is_fee_missing", "",
        ),
        "accounts_that_turned_in_time_among_those_that_were_followed": (
            "models/marts/tier/fct_tier_graduation.sql", "and later.direction = 'up'", "",
        ),
    },
]  # fmt: skip


def test_every_model_of_posts_tiers_and_engagement_with_a_branch_has_a_unit_test(manifest):
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    broken = {edit[0].rpartition("/")[2].removesuffix(".sql") for rules in ROUNDS for edit in rules.values()}
    assert {name for name in broken if name.startswith(("stg_", "int_", "fct_", "dim_", "bridge_"))} <= tested


@pytest.mark.parametrize("rules", ROUNDS, ids=["first round", "second round"])
def test_a_broken_rule_fails_its_unit_test(empty, broken_project, rules: dict[str, Any]):
    run = empty.dbt("test", "--select", *rules, project=broken_project(*rules.values()))
    assert run.code == 1, run.printed
    # A test that cannot run at all is no proof that its rule was noticed.
    assert set(rules) - run.of_status("fail") == set(), run.printed
