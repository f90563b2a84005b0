"""Every data test of money fires on data that breaks its rule, and none on the hand-worked world."""

import pytest

from tests.dbt.conftest import Warehouse
from tests.dbt.test_data_tests import of_money

KEYS = (
    "intermediate.int_agreement__versions", "intermediate.int_agreement__terms_compared", "intermediate.int_agreement__references_named",
    "intermediate.int_agreement__references_handed_over", "intermediate.int_attribution__owners_resolved",
    "intermediate.int_spend__costs_rated", "intermediate.int_spend__commission_days",
    "groundswell.marts.dim_collaboration_version",
    "intermediate.int_core__fx_rates_carried", "intermediate.int_order__orders_valued",
    "intermediate.int_order__refunds_applied", "intermediate.int_order__codes_matched",
    "intermediate.int_attribution__touches_resolved", "intermediate.int_attribution__paths_ordered",
    "intermediate.int_attribution__credits_assigned", "intermediate.int_attribution__revenue_credited",
    "intermediate.int_attribution__last_clicks_matched", "intermediate.int_commission__earners_resolved",
    "intermediate.int_commission__commissions_accrued", "intermediate.int_spend__spend_dated",
    "intermediate.int_pricing__posts_priced", "groundswell.marts.dim_account_price",
    "intermediate.int_returns__posts_valued", "intermediate.int_attribution__links_clicked",
    "intermediate.int_returns__collaborations_checked", "intermediate.int_attribution__code_days_measured",
    "intermediate.int_returns__collaborations_tiered", "intermediate.int_returns__group_members",
    "intermediate.int_returns__group_days", "intermediate.int_returns__groups",
    "groundswell.marts.fct_attribution", "groundswell.marts.fct_commission_ledger",
    "groundswell.marts.fct_spend_ledger", "groundswell.marts.fct_collaboration_roi",
    "groundswell.marts.fct_campaign_roi", "groundswell.marts.fct_tier_roi", "groundswell.marts.fct_campaign_daily",
    "groundswell.marts.fct_promo_code_daily",
    "intermediate.int_attribution__link_days", "intermediate.int_returns__days", "groundswell.marts.fct_order",
    "groundswell.marts.fct_click_daily", "groundswell.marts.fct_return_daily", "groundswell.marts.fct_payout_statement",
    "groundswell.marts.dim_brand", "groundswell.marts.dim_campaign", "groundswell.marts.dim_collaboration",
    "groundswell.marts.bridge_collaboration_tier", "groundswell.marts.bridge_post_collaboration",
    "intermediate.int_spend__payout_months",
)  # fmt: skip
STAGED = (
    "campaigns", "collaborations", "collaboration_posts", "commission_rules", "rate_cards", "costs", "link_clicks",
    "touches", "orders", "refunds", "fx_rates", "collaboration_deliveries", "commission_rule_deliveries",
)  # fmt: skip

# A key that stands twice, then one breach of each identity.
BREAK = (
    "".join(f"insert into {table} select * from {table};\n" for table in KEYS)
    + """
insert into groundswell.marts.fct_commerce_issue by name
    select 'orders' as feed, 'o1' as record_id, 'broken' as issue, '' as explanation, 'observed' as data_origin
    from range(2);
insert into intermediate.int_operations__references_nearest select 'code', 'KIM1O', 'KIM10' from range(2);
insert into staging.stg_landing__order_states select * from staging.stg_landing__order_states;
insert into staging.stg_landing__withdrawals (feed, shop, record_id, line_id)
    select 'costs', '', 'k', '' from range(2);
insert into staging.stg_landing__contradictions (feed, record_id, issue) select 'orders', 'o1', 'broken' from range(2);
insert into staging.stg_landing__withdrawing_deliveries (feed, mapping, as_of)
    select 'orders', 'm', timestamp '2026-01-01' from range(2);
create or replace table revenue as select * from intermediate.int_order__revenue_dated;
insert into revenue select * replace (net_amount - 1000 as net_amount, net_revenue_base - 1000 as net_revenue_base)
    from revenue;
create or replace view intermediate.int_order__revenue_dated as select * from revenue;
create or replace table campaigns as select * from intermediate.int_returns__campaigns_listed;
insert into campaigns select * from campaigns;
insert into campaigns select * from campaigns;
create or replace view intermediate.int_returns__campaigns_listed as select * from campaigns;

update groundswell.marts.fct_attribution set credit = 0.9 where attribution_model = 'linear' and order_id = 'o1';
delete from groundswell.marts.fct_attribution where attribution_model = 'any_touch' and order_id = 'o2';
update groundswell.marts.fct_commission_ledger set amount = -100 where entry_type = 'reversal';
update groundswell.marts.fct_commission_ledger set fx_rate = null;
update groundswell.marts.fct_spend_ledger set amount = amount + 1, amount_base = amount_base + 1, fx_rate = null;
delete from groundswell.marts.fct_collaboration_roi where attribution_model = 'linear' and collaboration_id = 'K3';
update groundswell.marts.fct_collaboration_roi set net_revenue_base = net_revenue_base + 1;
update groundswell.marts.fct_campaign_daily set net_revenue_base = 7;
update groundswell.marts.dim_collaboration_version set valid_to = valid_from;
update groundswell.marts.dim_account_price set price_basis = 'hearsay', price_base = null;
delete from groundswell.marts.fct_order where order_id = 'o1';
delete from groundswell.marts.fct_payout_statement where collaboration_id = 'K4';
delete from groundswell.marts.dim_collaboration where collaboration_id = 'K3';
delete from groundswell.marts.bridge_collaboration_tier where collaboration_id = 'K2';
delete from groundswell.marts.dim_campaign where campaign_id <> '(always-on)';
delete from groundswell.marts.dim_brand where brand <> '(unknown)';
create or replace table listed as select * from intermediate.int_agreement__collaborations_listed;
insert into listed select * from listed;
delete from listed where collaboration_id = 'K3';
create or replace view intermediate.int_agreement__collaborations_listed as select * from listed;
update groundswell.marts.fct_order set is_new_customer = true, status = 'cancelled', issue = 'hearsay';
update groundswell.marts.fct_return_daily set spend_base = spend_base + 1, clicks = clicks + 1;
update groundswell.marts.fct_collaboration_roi set roi_basis = 'hearsay';
update groundswell.marts.fct_campaign_roi set roi_basis = 'hearsay';
update groundswell.marts.fct_tier_roi set roi_basis = 'hearsay';
"""
)


def break_staging(warehouse: Warehouse) -> str:
    """Each staged feed with its rows four times over, by reading raw instead of the settled rows."""
    views = []
    for feed in STAGED:
        sql = warehouse.query(
            f"select sql from duckdb_views() where view_name = 'stg_landing__{feed}' and schema_name = 'staging'"
        )[0][0]
        body = sql.split(" AS ", 1)[1].rstrip("; \n")
        views.append(f"create or replace table repeated_{feed} as ({body});")
        # Four times: the models of one row each have theirs twice.
        views += [f"insert into repeated_{feed} select * from repeated_{feed};"] * 2
        views.append(f"create or replace view staging.stg_landing__{feed} as select * from repeated_{feed};")
    return "\n".join(views)


@pytest.fixture(scope="module")
def broken(by_hand, tmp_path_factory):
    """The hand-worked world with every rule broken."""
    warehouse = by_hand.copy(tmp_path_factory.mktemp("broken_money"))
    with warehouse.connect() as connection:
        # A feed without a row cannot have one twice.
        connection.execute(
            "create or replace view raw.rate_cards as select 'youtube' as platform, 'a' as account_id, 'video' as"
            " content_type, date '2026-01-01' as valid_from, timestamp '2026-01-01' as as_of, 1 as"
            " arrival_order, 1 as source_line"
        )
    staging = break_staging(warehouse)
    with warehouse.connect() as connection:
        connection.execute(BREAK)
        connection.execute(staging)
    return warehouse


def test_every_data_test_of_money_fires(broken, manifest):
    names = of_money(manifest)
    run = broken.dbt("test", "--select", *names.values())
    expected = set(names)
    assert len(expected) > 60
    assert set(run.results) == expected
    silent = {name for name in expected if run.results[name]["status"] not in ("fail", "warn")}
    assert silent == set()
    # What stops publishing, and what only warns.
    warned = {name.split(".")[2] for name in expected if run.results[name]["status"] == "warn"}
    assert warned == {"nothing_flagged_fct_commerce_issue_"}


def test_none_fires_on_the_world_worked_out_by_hand(by_hand, manifest):
    run = by_hand.dbt("test", "--select", *of_money(manifest).values())
    assert {row["status"] for row in run.results.values()} == {"pass"}
