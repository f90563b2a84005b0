"""Each rule of the advocates' models, broken in the SQL, fails the unit test that stands beside it."""

from typing import Any

# Name of the unit test: file, what it holds, what takes its place.
BROKEN: dict[str, tuple[str, str, str]] = {
    "a_relationship_counts_until_it_ends_or_the_next_one_begins": (
        "models/intermediate/advocacy/int_advocacy__relationships_dated.sql",
        "least(stated_to, next_from)",
        "stated_to",
    ),
    "one_relationship_without_a_break_is_one_stretch": (
        "models/intermediate/advocacy/int_advocacy__relationships_merged.sql",
        "and lag(valid_to) over in_order = valid_from",
        "",
    ),
    "one_customer_id_of_two_shops_is_two_customers": (
        "models/intermediate/advocacy/int_advocacy__relationships_merged.sql",
        "select * from {{ ref(",
        "select * replace ('' as shop) from {{ ref(",
    ),
    "a_post_is_about_a_brand_that_it_names_or_was_made_for": (
        "models/intermediate/advocacy/int_advocacy__posts_gathered.sql",
        "where observed.published_date <= observed.last_captured_date",
        "",
    ),
    "agreements_of_an_account_and_of_the_person_behind_it": (
        "models/intermediate/advocacy/int_advocacy__agreements_matched.sql",
        "or people.creator_id = collaborations.creator_id",
        "",
    ),
    "who_praises_on_after_an_agreement_ended": (
        "models/intermediate/advocacy/int_advocacy__post_contract_activity.sql",
        "least_days = 30",
        "least_days = 31",
    ),
    "what_is_wrong_with_a_relationship_is_said_in_words": (
        "models/intermediate/advocacy/int_advocacy__records_flagged.sql",
        "where captured.account_id is null",
        "where false",
    ),
    "an_advocate_is_what_its_relationships_posts_and_codes_say": (
        "models/marts/advocacy/fct_advocate.sql",
        "and claims.first_date <= posts.published_date",
        "",
    ),
    "whether_somebody_still_posts_needs_thirty_days": (
        "models/marts/advocacy/fct_advocate.sql",
        "least_days = 30",
        "least_days = 29",
    ),
    "relationships_and_held_tiers_stand_in_the_order_of_their_days": (
        "models/marts/advocacy/fct_advocate_ladder.sql",
        "greatest(spells.valid_from, customers.first_date)",
        "spells.valid_from",
    ),
    "a_programme_adds_up_accounts_once_and_divides_sums": (
        "models/marts/advocacy/fct_advocate_programme.sql",
        "filter (where is_first_claim)",
        "",
    ),
}


def test_a_broken_rule_fails_its_unit_test(empty: Any, broken_project: Any) -> None:
    folders = ("path:models/intermediate/advocacy", "path:models/marts/advocacy")
    run = empty.dbt(
        "test", "--select", *(f"{where},test_type:unit" for where in folders), project=broken_project(*BROKEN.values())
    )
    assert run.code == 1, run.printed
    # Each of them, and every unit test of these models is among them.
    assert run.of_status("fail") == set(BROKEN) == set(run.of_status("fail", "pass", "error")), run.printed
