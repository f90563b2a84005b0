"""Metrics of the semantic layer: each one, at each of its groupings, equals SQL that is written here on the marts.

The marts are filled with rows that have what real ones do: groups without a cost, costs without a rate, orders without a
value, counts that nobody knows, days without a capture, and null where a key leads nowhere. One engine answers all.
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.errors import ContractError, UsageError
from serving.metrics import engine as metricflow
from serving.metrics.definitions import GROUPINGS, MODEL, PERIODS, mart_of, metric_nodes, metrics, semantic_models
from serving.metrics.question import Answer, Question, answer, groupings_of
from serving.report.source import Source
from tests.dbt.conftest import Warehouse
from warehouse.cli import metrics as command

# --- rows

# Each mart's rows of a number `n` that counts up from 0; what is not said is null.
ROWS = {
    "dim_brand": (3, "['acme', 'zen', '(unknown)'][n + 1] as brand, ['Acme', 'Zen'][n + 1] as brand_name"),
    "dim_campaign": (
        6,
        "['C1', 'C2', 'C3', 'C4', '(always-on)', '(unattributed)'][n + 1] as campaign_id,"
        " ['acme', 'acme', 'zen', 'zen', '(unknown)', '(unknown)'][n + 1] as brand,"
        " ['Spring', 'Spring'][n + 1] as campaign_name, ['sales', 'live'][n + 1] as objective,"
        " case when n < 4 then date '2025-12-20' + cast(n * 20 as integer) end as start_date,"
        " [1000, 500, 300][n + 1] as budget_base, [400, null, 450, 80, 70][n + 1] as budget_used_base",
    ),
    "dim_collaboration": (
        11,
        "case when n < 8 then 'K' || n else ['(campaign)', '(overhead)', '(unattributed)'][n - 7] end as collaboration_id,"
        " case when n < 8 then ['C1', 'C1', 'C2', '(always-on)'][n % 4 + 1]"
        " else [null, '(always-on)', '(unattributed)'][n - 7] end as campaign_id,"
        " case when n < 8 then ['acme', 'zen'][n % 2 + 1] else '(unknown)' end as brand,"
        " case when n < 8 then 'P' || n // 2 else '(unknown)' end as creator_id,"
        " case when n < 8 then ['instagram', 'tiktok', 'web'][n % 3 + 1] end as platform,"
        " case when n < 8 then 'a' || n end as account_id,"
        " case when n < 8 then ['paid', 'gifted', 'affiliate'][n % 3 + 1] else 'unallocated' end as partner_type,"
        " n < 8 as is_landed, case when n < 8 then date '2025-12-10' + cast(n * 13 as integer) end as start_date,"
        " case when n < 8 and n % 3 > 0 then n end as posts_agreed, case when n < 8 then n // 2 end as posts_delivered",
    ),
    "bridge_collaboration_tier": (
        22,
        "case when n // 2 < 8 then 'K' || n // 2 else ['(campaign)', '(overhead)', '(unattributed)'][n // 2 - 7] end"
        " as collaboration_id, ['standard', 'iab_uk'][n % 2 + 1] as scheme,"
        " case when n // 2 > 7 then 'unallocated' else ['nano', 'micro', 'unknown', 'mid', 'top'][(n % 2) * 2 + n % 3 + 1]"
        " end as tier",
    ),
    "dim_tier": (2, "['standard', 'iab_uk'][n + 1] as scheme, 'nano' as tier"),
    "fct_return_daily": (
        1200,
        "['K0', 'K1', 'K2', 'K3', 'K4', 'K5', 'K6', 'K7', '(campaign)', '(overhead)', '(unattributed)'][n % 11 + 1]"
        " as collaboration_id,"
        " case n % 11 when 8 then ['C1', 'C4'][n % 2 + 1] when 9 then '(always-on)' when 10 then '(unattributed)'"
        " else ['C1', 'C1', 'C2', '(always-on)'][n % 11 % 4 + 1] end as campaign_id,"
        " case when n % 11 < 8 then ['acme', 'zen'][n % 11 % 2 + 1] else '(unknown)' end as brand,"
        " ['code_or_last_click', 'linear', 'last_touch'][n % 3 + 1] as attribution_model,"
        " date '2025-12-28' + cast(n % 70 as integer) as activity_date,"
        # Nobody knows what K7 costs; a cost of K2 has no rate; an order of K4 has no value, one of K5 no product cost.
        " case when n % 11 in (7, 10) then 0 else n % 4 end as cost_entries,"
        " case when n % 11 = 2 and n % 5 = 0 then 1 else 0 end as unrated_costs,"
        " case when n % 11 in (7, 10) then 0 else n % 4 * 12.345678 end as spend_base,"
        " n % 7 as clicks, case when n % 11 in (8, 9) then 0 else n % 3 + 0.25 end as orders,"
        " case when n % 11 in (8, 9, 6) then 0 else n % 2 + 0.125 end as new_customer_orders,"
        " case when n % 11 = 4 and n % 7 = 0 then 1 else 0 end as unvalued_orders,"
        " case when n % 11 = 5 and n % 7 = 0 then 1 else 0 end as uncosted_orders,"
        " case when n % 11 in (8, 9) then 0 else n % 9 * 21.000001 - 10 end as net_revenue_base,"
        " case when n % 11 in (8, 9) then 0 else n % 9 * 4.5 end as product_cost_base",
    ),
    "fct_collaboration_roi": (
        24,
        "'K' || n // 3 as collaboration_id, ['code_or_last_click', 'linear', 'last_touch'][n % 3 + 1] as attribution_model,"
        " ['C1', 'C1', 'C2', '(always-on)'][n // 3 % 4 + 1] as campaign_id, ['acme', 'zen'][n // 3 % 2 + 1] as brand,"
        " date '2025-12-10' + cast(n // 3 * 13 as integer) as start_date,"
        # K3 has no post; the impressions of K0 and K4 are unknown, of K1 and K5 those of a post.
        " case when n // 3 <> 3 then 2 end as posts,"
        " case when n // 3 % 4 = 2 then n * 100 end as impressions,"
        " case when n // 3 % 4 = 2 then 2 when n // 3 % 4 = 1 then 1 else 0 end as posts_with_impressions,"
        " case when n // 3 % 4 in (1, 2) then n * 100 end as impressions_known,"
        " case when n // 3 % 4 in (1, 2) then n * 5.5 end as spend_with_impressions_base,"
        " case when n // 3 <> 3 then n * 1000 end as views, case when n // 3 <> 3 then 2 else 0 end as posts_with_views,"
        " case when n // 3 <> 3 then n * 1000 end as views_known, case when n // 3 <> 3 then n * 7 end"
        " as spend_with_views_base,"
        " case when n // 3 not in (3, 5) then n * 10 end as engagements,"
        " case when n // 3 <> 3 then 1 else 0 end as posts_with_engagements,"
        " case when n // 3 <> 3 then n * 10 end as engagements_known,"
        " case when n // 3 <> 3 then n * 6 end as spend_with_engagements_base,"
        " case when n // 3 in (0, 2, 5) then 1 else 0 end as posts_with_emv,"
        " case when n // 3 in (0, 2, 5) then n * 3.25 end as emv",
    ),
    "fct_order": (
        60,
        "'' as shop, 'o' || n as order_id, date '2025-12-28' + cast(n as integer) as activity_date,"
        " ['acme', 'zen', '(unknown)'][n % 3 + 1] as brand, ['FR', 'DE', null][n % 5 + 1] as country,"
        " ['Paris', null][n % 2 + 1] as city, n % 4 = 0 as is_new_customer, case when n % 10 = 0 then 0 else 1 end"
        " as order_count, case when n % 13 > 0 then n * 3.5 end as net_revenue_base",
    ),
    "fct_account_latest": (
        10,
        "['instagram', 'tiktok', 'web'][n % 3 + 1] as platform, 'a' || n as account_id, 'handle' || n as handle,"
        " ['beauty', 'gaming', null][n % 4 + 1] as niche, ['FR', null, 'DE'][n % 3 + 1] as country,"
        " ['nano', 'micro'][n % 2 + 1] as tier, 'standard' as scheme",
    ),
    # Accounts are captured on some days alone; followers are unknown now and then, also on an account's last day.
    "fct_account_daily": (
        300,
        "['instagram', 'tiktok', 'web'][n % 10 % 3 + 1] as platform, 'a' || n % 10 as account_id,"
        " date '2026-01-01' + cast(n // 10 + n % 3 as integer) as snapshot_date,"
        " case when n % 7 > 0 then n * 10 end as followers, case when n % 7 > 0 then ['nano', 'micro'][n // 40 % 2 + 1] end"
        " as tier",
    ),
    "fct_account_engagement_daily": (
        300,
        "['instagram', 'tiktok', 'web'][n % 10 % 3 + 1] as platform, 'a' || n % 10 as account_id,"
        " date '2026-01-01' + cast(n // 10 + n % 3 as integer) as snapshot_date, ['nano', 'micro', null][n % 4 + 1] as tier,"
        " ['beauty', null][n % 3 + 1] as niche, ['FR', 'DE', null][n % 10 % 4 + 1] as country,"
        " case when n % 5 > 0 then n / 3000 end as er_followers_mean_12,"
        " case when n % 10 > 6 then n / 700 end as reach_rate_median_30",
    ),
    "fct_follower_trust_daily": (
        300,
        "['instagram', 'tiktok', 'web'][n % 10 % 3 + 1] as platform, 'a' || n % 10 as account_id,"
        " date '2026-01-01' + cast(n // 10 + n % 3 as integer) as snapshot_date,"
        " ['trusted', 'watch', 'suspicious', 'insufficient_data'][(n + n // 10) % 4 + 1] as verdict,"
        " case when n % 2 = 0 then 'insufficient_data' else 'trusted' end as engagement_verdict,"
        " (n + n // 10) % 4 = 2 as is_suspicious, case when n % 6 > 0 then n * 3 end as unexplained_followers",
    ),
    "fct_post": (
        80,
        "['instagram', 'tiktok', 'web'][n % 10 % 3 + 1] as platform, 'p' || n as post_id,"
        " case when n % 9 > 0 then 'a' || n % 10 end as account_id,"
        " case when n % 11 > 0 then date '2025-12-20' + cast(n as integer) end as published_date,"
        " ['reel', 'post', null][n % 3 + 1] as content_type, [true, false, null][n % 4 + 1] as is_sponsored,"
        " case when n % 6 > 0 then n * 5 end as engagements, case when n % 5 > 0 then (n % 8) * 100 end"
        " as followers_at_publication, case when n % 3 = 1 then n * 20 end as reach,"
        " case when n % 4 = 0 then 'K' || n % 8 end as collaboration_id,"
        " case when n % 4 = 0 then ['C1', 'C2'][n % 8 // 4 + 1] end as campaign_id,"
        " case when n % 4 = 0 then ['acme', 'zen'][n % 8 // 4 + 1] end as brand",
    ),
    "fct_share_of_voice_daily": (
        60,
        "['acme', 'zen', '(unknown)'][n % 3 + 1] as brand, date '2025-12-30' + cast(n // 3 as integer) as snapshot_date,"
        " (n % 3) * (n // 3 % 4) as mentions, 3 * (n // 3 % 4) as mentions_of_all",
    ),
    "fct_live_session": (
        12,
        "'L' || n as live_session_id, ['instagram', 'tiktok'][n % 2 + 1] as platform,"
        " ['creator', 'trained_host', null][n % 4 + 1] as host_type, ['C1', null][n % 3 + 1] as campaign_id,"
        " ['acme', null][n % 3 + 1] as brand, case when n % 5 > 0 then 'a' || n % 10 end as account_id,"
        " timestamp '2026-01-01 20:00:00' + to_days(cast(n * 5 as integer)) as started_at,"
        " case when n <> 5 then n * 99.5 end as gmv_in_session_base",
    ),
    "dim_date": (120, "date '2025-12-01' + cast(n as integer) as date_day"),
}  # fmt: skip


@pytest.fixture(scope="module")
def source(empty: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """The marts of a release with these rows, read as the command reads them."""
    file = tmp_path_factory.mktemp("metrics") / "groundswell.duckdb"
    shutil.copy(empty.settings.marts_db, file)
    with closing(duckdb.connect(str(file))) as connection:
        for mart, (count, columns) in ROWS.items():
            connection.execute(f"delete from marts.{mart}")
            connection.execute(f"insert into marts.{mart} by name select {columns} from range({count}) as rows(n)")
        yield Source(empty.settings, "", connection)


# --- the same, in SQL on the marts


@dataclass(frozen=True)
class Fact:
    """How metrics of a mart are computed without the semantic layer.

    Attributes:
        rows: mart and joins, and which rows count.
        by: a grouping's column.
        day: the column of days of what happened, empty where there is none.
        account: what the last row of a period is taken of; empty for flows.
    """

    rows: str
    by: dict[str, str]
    day: str = ""
    account: str = ""

    def sql(
        self, value: str, groupings: tuple[str, ...], model: str, scheme: str, days: tuple[date, date] | None = None
    ) -> str:
        columns = [f"{self.column(name)} as {name}" for name in groupings]
        rows = self.rows.format(model=model, scheme=scheme)
        if days:
            rows += f" and cast({self.day} as date) between date '{days[0]}' and date '{days[1]}'"
        if self.account:
            periods = [self.column(name) for name in groupings if name in PERIODS]
            partition = ", ".join([self.account, *periods])
            rows += f" qualify row_number() over (partition by {partition} order by f.snapshot_date desc) = 1"
            inner = ", ".join([*columns, "f.*"])
            names = "".join(f"{name}, " for name in groupings)
            return f"select {names}{value} as value from (select {inner} from {rows}) as f group by all"
        return f"select {', '.join([*columns, f'{value} as value'])} from {rows} group by all"

    def column(self, grouping: str) -> str:
        if grouping in PERIODS:
            return f"cast(date_trunc('{grouping}', {self.day}) as date)"
        return self.by[grouping]


OF_COLLABORATION = {
    "cohort_month": "cast(date_trunc('month', c.start_date) as date)", "platform": "c.platform", "tier": "t.tier",
    "brand": "f.brand", "brand_name": "b.brand_name", "campaign": "f.campaign_id", "campaign_name": "g.campaign_name",
    "objective": "g.objective", "collaboration": "f.collaboration_id", "partner_type": "c.partner_type",
    "creator": "c.creator_id", "handle": "a.handle", "country": "a.country", "niche": "a.niche",
}  # fmt: skip
JOINS = (
    " left join marts.dim_collaboration as c on f.collaboration_id = c.collaboration_id"
    " left join marts.bridge_collaboration_tier as t on f.collaboration_id = t.collaboration_id and t.scheme = '{scheme}'"
    " left join marts.fct_account_latest as a on c.platform = a.platform and c.account_id = a.account_id"
    " left join marts.dim_brand as b on f.brand = b.brand"
    " left join marts.dim_campaign as g on f.campaign_id = g.campaign_id"
)
LATEST = " left join marts.fct_account_latest as a on f.platform = a.platform and f.account_id = a.account_id"
OF_ACCOUNT = {"platform": "f.platform", "handle": "a.handle"}
FACTS = {
    "returns": Fact(
        f"marts.fct_return_daily as f{JOINS} where f.attribution_model = '{{model}}'"
        " and f.collaboration_id <> '(unattributed)'",
        OF_COLLABORATION, "f.activity_date",
    ),
    "nobody": Fact(
        f"marts.fct_return_daily as f{JOINS} where f.attribution_model = '{{model}}'"
        " and f.collaboration_id = '(unattributed)'",
        OF_COLLABORATION, "f.activity_date",
    ),
    "linked": Fact(
        f"marts.fct_collaboration_roi as f{JOINS} where f.attribution_model = '{{model}}'", OF_COLLABORATION
    ),
    "agreed": Fact(f"marts.dim_collaboration as f{JOINS} where true", OF_COLLABORATION),
    "campaigns": Fact(
        "marts.dim_campaign as f left join marts.dim_brand as b on f.brand = b.brand where true",
        {
            "cohort_month": "cast(date_trunc('month', f.start_date) as date)", "brand": "f.brand",
            "brand_name": "b.brand_name", "campaign": "f.campaign_id", "campaign_name": "f.campaign_name",
            "objective": "f.objective",
        },
    ),
    "orders": Fact(
        "marts.fct_order as f left join marts.dim_brand as b on f.brand = b.brand where true",
        {
            "brand": "f.brand", "brand_name": "b.brand_name", "country": "f.country", "city": "f.city",
            "is_new_customer": "f.is_new_customer",
        },
        "f.activity_date",
    ),
    "accounts": Fact(
        f"marts.fct_account_daily as f{LATEST} where true",
        OF_ACCOUNT | {"tier": "f.tier", "country": "a.country", "niche": "a.niche"},
        "f.snapshot_date", "f.platform, f.account_id",
    ),
    "engagement": Fact(
        f"marts.fct_account_engagement_daily as f{LATEST} where true",
        OF_ACCOUNT | {"tier": "f.tier", "country": "f.country", "niche": "f.niche"},
        "f.snapshot_date", "f.platform, f.account_id",
    ),
    "trust": Fact(
        f"marts.fct_follower_trust_daily as f{LATEST} where true",
        OF_ACCOUNT | {"tier": "a.tier", "country": "a.country", "niche": "a.niche"},
        "f.snapshot_date", "f.platform, f.account_id",
    ),
    "posts": Fact(
        f"marts.fct_post as f{LATEST} left join marts.dim_collaboration as c on f.collaboration_id = c.collaboration_id"
        " left join marts.dim_brand as b on f.brand = b.brand"
        " left join marts.dim_campaign as g on f.campaign_id = g.campaign_id where true",
        {
            **OF_COLLABORATION, **OF_ACCOUNT, "tier": "a.tier", "content_type": "f.content_type",
            "is_sponsored": "f.is_sponsored",
        },
        "f.published_date",
    ),
    "voice": Fact(
        "marts.fct_share_of_voice_daily as f left join marts.dim_brand as b on f.brand = b.brand where true",
        {"brand": "f.brand", "brand_name": "b.brand_name"}, "f.snapshot_date",
    ),
    "live": Fact(
        f"marts.fct_live_session as f{LATEST} left join marts.dim_brand as b on f.brand = b.brand"
        " left join marts.dim_campaign as g on f.campaign_id = g.campaign_id where true",
        {
            **OF_ACCOUNT, "tier": "a.tier", "country": "a.country", "niche": "a.niche", "brand": "f.brand",
            "brand_name": "b.brand_name", "campaign": "f.campaign_id", "campaign_name": "g.campaign_name",
            "objective": "g.objective", "host_type": "f.host_type",
        },
        "f.started_at",
    ),
}  # fmt: skip

SPENT = "case when sum(f.cost_entries) > 0 and sum(f.unrated_costs) = 0 then sum(f.spend_base) end"
# What a group of agreements has earned; costs of campaigns alone sell nothing.
SOLD = (
    "count(*) filter (where f.collaboration_id not in ('(campaign)', '(overhead)')) > 0 and sum(f.unvalued_orders) = 0"
)
EARNED = f"case when {SOLD} then sum(f.net_revenue_base) end"
KEPT = f"case when {SOLD} and sum(f.uncosted_orders) = 0 then sum(f.net_revenue_base) - sum(f.product_cost_base) end"
AGREED = "count(*) filter (where f.collaboration_id not in ('(campaign)', '(overhead)')) > 0"
BUDGETED = "f.budget_base is not null and f.budget_used_base is not null"
RATED = "f.engagements is not null and f.followers_at_publication > 0"
REACHED = "f.reach is not null and f.followers_at_publication > 0"
EVALUATED = "not (f.verdict = 'insufficient_data' and f.engagement_verdict = 'insufficient_data')"


def sold(column: str) -> str:
    """What agreements have earned, null where a group has costs of campaigns alone."""
    return f"case when {AGREED} then sum(f.{column}) end"


def over(value: str, whole: str) -> str:
    """A ratio that is null where its denominator is unknown, 0 or below."""
    return f"({value}) / case when ({whole}) > 0 then ({whole}) end"


def whole(count: str) -> str:
    """A count of linked posts, null where it is unknown of one of them."""
    return f"case when count(*) filter (where f.posts > 0 and f.{count} is null) = 0 then sum(f.{count}) end"


# Mart and value of each metric. A value of two marts has a part of each, and how they are put together.
EXPECTED: dict[str, tuple[str, str]] = {
    "cost_entries": ("returns", "sum(f.cost_entries)"),
    "unrated_costs": ("returns", "sum(f.unrated_costs)"),
    "spend_known": ("returns", "sum(f.spend_base)"),
    "clicks": ("returns", "sum(f.clicks)"),
    "orders": ("returns", sold("orders")),
    "new_customer_orders": ("returns", sold("new_customer_orders")),
    "unvalued_orders": ("returns", sold("unvalued_orders")),
    "uncosted_orders": ("returns", sold("uncosted_orders")),
    "net_revenue_known": ("returns", sold("net_revenue_base")),
    "product_cost_known": ("returns", sold("product_cost_base")),
    "orders_unattributed": ("nobody", "sum(f.orders)"),
    "net_revenue_unattributed": ("nobody", "sum(f.net_revenue_base)"),
    "spend": ("returns", SPENT),
    "net_revenue": ("returns", EARNED),
    "gross_profit": ("returns", KEPT),
    "roi_net": ("returns", over(f"({EARNED}) - ({SPENT})", SPENT)),
    "roi_profit": ("returns", over(f"({KEPT}) - ({SPENT})", SPENT)),
    "roas": ("returns", over(EARNED, SPENT)),
    "cpc": ("returns", over(SPENT, "sum(f.clicks)")),
    "cpa": ("returns", over(SPENT, f"case when {AGREED} then sum(f.orders) end")),
    "cpa_new_customers": ("returns", over(SPENT, f"case when {AGREED} then sum(f.new_customer_orders) end")),
    "collaboration_posts": ("linked", "sum(f.posts)"),
    "posts_with_emv": ("linked", "sum(f.posts_with_emv)"),
    "emv": ("linked", "sum(f.emv)"),
    "collaborations": ("agreed", "sum(case when f.is_landed then 1 end)"),
    "collaborations_with_posts_agreed": ("agreed", "count(*) filter (where f.posts_agreed is not null)"),
    "posts_agreed": ("agreed", "sum(f.posts_agreed)"),
    "posts_delivered": ("agreed", "sum(f.posts_delivered) filter (where f.posts_agreed is not null)"),
    "posts_delivered_share": (
        "agreed", over("sum(f.posts_delivered) filter (where f.posts_agreed is not null)", "sum(f.posts_agreed)")
    ),
    "campaigns_with_budget_use": ("campaigns", f"count(*) filter (where {BUDGETED})"),
    "budget": ("campaigns", f"sum(f.budget_base) filter (where {BUDGETED})"),
    "budget_spent": ("campaigns", f"sum(f.budget_used_base) filter (where {BUDGETED})"),
    "budget_used": (
        "campaigns",
        over(f"sum(f.budget_used_base) filter (where {BUDGETED})", f"sum(f.budget_base) filter (where {BUDGETED})"),
    ),
    "shop_orders": ("orders", "sum(f.order_count)"),
    "shop_new_customer_orders": ("orders", "sum(case when f.is_new_customer then f.order_count else 0 end)"),
    "shop_unvalued_orders": ("orders", "count(*) filter (where f.net_revenue_base is null)"),
    "shop_net_revenue_known": ("orders", "sum(f.net_revenue_base)"),
    "shop_net_revenue": ("orders", "case when count(*) = count(f.net_revenue_base) then sum(f.net_revenue_base) end"),
    "accounts": ("accounts", "count(*)"),
    "accounts_with_followers": ("accounts", "count(f.followers)"),
    "followers": ("accounts", "sum(f.followers)"),
    "accounts_with_er": ("engagement", "count(f.er_followers_mean_12)"),
    "er_mean": ("engagement", "sum(f.er_followers_mean_12) / count(f.er_followers_mean_12)"),
    "accounts_with_reach_rate": ("engagement", "count(f.reach_rate_median_30)"),
    "reach_rate_mean": ("engagement", "sum(f.reach_rate_median_30) / count(f.reach_rate_median_30)"),
    "accounts_with_verdict": ("trust", f"count(*) filter (where {EVALUATED})"),
    "accounts_suspicious": ("trust", "count(*) filter (where f.is_suspicious)"),
    "suspicious_share": ("trust", over("count(*) filter (where f.is_suspicious)", f"count(*) filter (where {EVALUATED})")),
    "accounts_with_unexplained_followers": ("trust", "count(f.unexplained_followers)"),
    "unexplained_followers": ("trust", "sum(f.unexplained_followers)"),
    "posts": ("posts", "count(*)"),
    "posts_with_er": ("posts", f"count(*) filter (where {RATED})"),
    "er_engagements": ("posts", f"sum(f.engagements) filter (where {RATED})"),
    "er_followers": ("posts", f"sum(f.followers_at_publication) filter (where {RATED})"),
    "er": (
        "posts",
        over(f"sum(f.engagements) filter (where {RATED})", f"sum(f.followers_at_publication) filter (where {RATED})"),
    ),
    "posts_with_reach_rate": ("posts", f"count(*) filter (where {REACHED})"),
    "rr_reach": ("posts", f"sum(f.reach) filter (where {REACHED})"),
    "rr_followers": ("posts", f"sum(f.followers_at_publication) filter (where {REACHED})"),
    "reach_rate": (
        "posts",
        over(f"sum(f.reach) filter (where {REACHED})", f"sum(f.followers_at_publication) filter (where {REACHED})"),
    ),
    "mentions": ("voice", "sum(f.mentions)"),
    "mentions_of_all_brands": ("voice", "sum(f.mentions_of_all)"),
    "share_of_voice": ("voice", over("sum(f.mentions)", "sum(f.mentions_of_all)")),
    "live_sessions": ("live", "count(*)"),
    "live_sessions_unvalued": ("live", "count(*) filter (where f.gmv_in_session_base is null)"),
    "live_gmv_known": ("live", "sum(f.gmv_in_session_base)"),
    "live_gmv": ("live", "case when count(*) = count(f.gmv_in_session_base) then sum(f.gmv_in_session_base) end"),
}  # fmt: skip
for count in ("impressions", "views", "engagements"):
    EXPECTED |= {
        f"posts_with_{count}": ("linked", f"sum(f.posts_with_{count})"),
        f"{count}_known": ("linked", f"sum(f.{count}_known)"),
        f"spend_with_{count}": ("linked", f"sum(f.spend_with_{count}_base)"),
        f"collaborations_without_{count}": ("linked", f"count(*) filter (where f.posts > 0 and f.{count} is null)"),
        f"{count}_counted": ("linked", f"sum(f.{count})"),
        count: ("linked", whole(count)),
    }
UNIT_COSTS = {"cpm": ("impressions", 1000), "cpm_views": ("views", 1000), "cpe": ("engagements", 1)}
for cost, (count, times) in UNIT_COSTS.items():
    EXPECTED[f"{cost}_known"] = ("linked", over(f"sum(f.spend_with_{count}_base) * {times}", f"sum(f.{count}_known)"))


Groups = dict[tuple[Any, ...], Any]


def computed(
    source: Source,
    name: str,
    by: tuple[str, ...],
    model: str = MODEL,
    scheme: str = "standard",
    days: tuple[date, date] | None = None,
) -> Groups:
    """Value of a metric by group, in SQL on the marts."""
    if name in UNIT_COSTS:
        count, times = UNIT_COSTS[name]
        spent = groups(source, FACTS["returns"].sql(SPENT, by, model, scheme))
        counted = groups(source, FACTS["linked"].sql(whole(count), by, model, scheme))
        return {
            group: float(spent[group]) * times / float(counted[group])
            if spent.get(group) is not None and counted.get(group)
            else None
            for group in spent | counted
        }
    fact, value = EXPECTED[name]
    return groups(source, FACTS[fact].sql(value, by, model, scheme, days))


def groups(source: Source, sql: str) -> Groups:
    return {tuple(row.values())[:-1]: row["value"] for row in source.rows(sql)}


def different(found: Any, expected: Any) -> bool:
    """Sums are equal to the last digit, ratios and means to twelve."""
    if found is None or expected is None:
        return found is not expected
    if isinstance(found, float) or isinstance(expected, float):
        return not math.isclose(float(found), float(expected), rel_tol=1e-12, abs_tol=1e-12)
    return bool(Decimal(found) != Decimal(expected))


def faults(source: Source, found: Answer, names: tuple[str, ...], by: tuple[str, ...], **under: Any) -> list[str]:
    """Where an answer is not what SQL says of each of its metrics, group by group."""
    keys = [tuple(row[name] for name in by) for row in found.rows]
    assert len(keys) == len(set(keys)), by
    wrong = []
    for name in names:
        expected = computed(source, name, by, **under)
        assert set(expected) <= set(keys), (name, by)
        for key, row in zip(keys, found.rows, strict=True):
            if different(row[name], expected.get(key)):
                wrong.append(f"{name} by {key}: {row[name]}, in SQL {expected.get(key)}")
    return wrong


# --- each metric at each grouping


def test_every_metric_has_its_sql_here() -> None:
    assert set(metrics()) == {*EXPECTED, *UNIT_COSTS}


@pytest.mark.parametrize("grouping", [None, *GROUPINGS])
def test_every_metric_equals_sql_on_the_marts(source: Source, grouping: str | None) -> None:
    by = (grouping,) if grouping else ()
    names = tuple(
        name
        for name, metric in metrics().items()
        if (grouping is None or grouping in groupings_of(name)) and metric.needs in (None, grouping)
    )
    assert names
    found = answer(source, Question(names, by))
    assert found.columns == [*by, *names]
    assert faults(source, found, names, by) == []


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (("month", "platform"), ("spend", "net_revenue", "orders", "accounts", "followers", "er", "live_gmv")),
        (("week", "tier"), ("followers", "er_mean", "suspicious_share", "posts")),
        (("tier", "partner_type", "cohort_month"), ("roi_net", "cpm", "cpe_known", "posts_delivered_share")),
        (("campaign", "brand"), ("roi_net", "roi_profit", "cpa_new_customers", "emv", "budget_used")),
        (("brand", "week"), ("share_of_voice", "shop_orders", "shop_net_revenue")),
    ],
)
def test_metrics_by_several_groupings(source: Source, by: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert faults(source, answer(source, Question(names, by)), names, by) == []


def test_metrics_under_another_model_and_scheme(source: Source) -> None:
    names, by = ("roi_net", "cpe", "emv"), ("tier",)
    found = answer(source, Question(names, by, ("linear",), "iab_uk"))
    assert faults(source, found, names, by, model="linear", scheme="iab_uk") == []
    assert {row["tier"] for row in found.rows} >= {"mid", "top"}


def test_metrics_by_model_hold_each_model_by_itself(source: Source) -> None:
    names, by = ("spend", "net_revenue", "cpm"), ("campaign",)
    found = answer(source, Question(names, ("attribution_model", *by)))
    for model in ("code_or_last_click", "last_touch", "linear"):
        of_model = [row for row in found.rows if row["attribution_model"] == model]
        assert faults(source, replace(found, rows=of_model), names, by, model=model) == []
    assert {row["attribution_model"] for row in found.rows} == {"code_or_last_click", "last_touch", "linear"}
    two = answer(source, Question(names, ("attribution_model",), ("linear", "last_touch")))
    assert [row["attribution_model"] for row in two.rows] == ["last_touch", "linear"]


@pytest.mark.parametrize("by", [(), ("week",), ("month", "platform")])
def test_days_from_and_to_bound_a_question(source: Source, by: tuple[str, ...]) -> None:
    """Both are included; weeks and months at the ends are those days of them, and an account's last day lies within."""
    first, last = date(2026, 1, 6), date(2026, 1, 21)
    names = ("spend", "orders", "accounts", "followers", "er", "suspicious_share")
    found = answer(source, Question(names, by, first=first, last=last))
    assert faults(source, found, names, by, days=(first, last)) == []
    assert faults(source, answer(source, Question(names, by)), names, by, days=(first, last)) != []


def test_an_answer_that_differs_from_sql_is_found(source: Source) -> None:
    """Another model's; 0 where it is unknown; a group too few would be found by its key."""
    names, by = ("net_revenue", "roi_net"), ("brand",)
    found = answer(source, Question(names, by, ("linear",)))
    assert [fault.partition(": ")[0] for fault in faults(source, found, names, by)] == [
        "net_revenue by ('zen',)",
        "roi_net by ('zen',)",
    ]
    counted = [{**row, "net_revenue": 0} if row["net_revenue"] is None else row for row in found.rows]
    assert faults(source, replace(found, rows=counted), ("net_revenue",), by, model="linear") != []


# --- what the field asks for

OF_MONEY = {
    "platform", "tier", "brand", "campaign", "collaboration", "partner_type", "country", "niche",
}  # fmt: skip
DAYS = {"day", "week", "month"}
ASKED = {
    **dict.fromkeys(["spend", "net_revenue", "gross_profit", "orders", "clicks"], OF_MONEY | DAYS | {"cohort_month"}),
    **dict.fromkeys(
        ["roi_net", "roas", "cpm", "cpe", "cpc", "cpa", "cpa_new_customers", "emv", "posts_delivered_share"],
        OF_MONEY | {"cohort_month"},
    ),
    "budget_used": {"brand", "campaign"},
    "shop_orders": {"brand", "country"} | DAYS,
    **dict.fromkeys(
        ["accounts", "followers", "er_mean", "reach_rate_mean", "suspicious_share", "unexplained_followers"],
        {"platform", "tier", "country", "niche"} | DAYS,
    ),
    **dict.fromkeys(["er", "reach_rate"], OF_MONEY | DAYS),
    "share_of_voice": {"brand"} | DAYS,
    "live_gmv": {"platform", "brand", "campaign"} | DAYS,
}


def test_metrics_have_the_groupings_that_are_asked_for() -> None:
    assert {name: asked - set(groupings_of(name)) for name, asked in ASKED.items()} == {name: set() for name in ASKED}


# --- what has no answer


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(("spend",), ("campaign",), ("linear", "last_touch")), "linear and last_touch have no sum"),
        (Question(("spend",), (), ("any_touch",)), "any_touch is no model of attribution whose credits sum"),
        (Question(("followers",), (), ("linear",)), "followers: not of a model of attribution"),
        (Question(("followers", "spend"), ("attribution_model",)), "followers: not of a model of attribution"),
        (Question(("roi_net",), ("month",)), "roi_net: told to date, and by cohort_month"),
        (Question(("spend", "cpe"), first=date(2026, 1, 1)), "cpe: told to date, and by cohort_month"),
        (Question(("share_of_voice",), ("week",)), "share_of_voice has a value by brand alone"),
        (Question(("roi_nett",)), "there is no metric roi_nett: did you mean roi_net"),
        (Question(("spend",), ("teir",)), "there is no grouping teir: did you mean tier"),
        (Question(("spend",), ("content_type",)), "spend cannot be grouped by content_type; it can by day, week"),
        (Question(("spend",), ("tier",), (), "iab"), "there is no tier scheme iab: did you mean iab_uk"),
        (Question(("followers",), ("tier",), (), "iab_uk"), "the tier of an account is that of the default scheme"),
        (Question(("spend", "spend")), "spend is named twice"),
        (Question(()), "name at least one metric"),
    ],
)
def test_a_question_without_an_answer_is_refused(source: Source, question: Question, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        answer(source, question)


def models_unfixed(nodes: list[dict[str, Any]]) -> list[str]:
    """Metrics that any tool would sum over models: of a mart that holds several, and without a filter to one."""
    several = {
        measure["name"]
        for model in semantic_models()
        if any(dimension["name"] == "attribution_model" for dimension in model.get("dimensions", []))
        for measure in model["measures"]
    }
    return [
        node["name"]
        for node in nodes
        if node["type_params"].get("measure") in several
        and f"attribution_model') }}}} = '{MODEL}'" not in node.get("filter", "")
    ]


def test_no_tool_sums_a_metric_over_models() -> None:
    nodes = metric_nodes()
    assert models_unfixed(nodes) == []
    del next(node for node in nodes if node["name"] == "orders")["filter"]
    assert models_unfixed(nodes) == ["orders"]
    facts = {mart_of(model) for model in semantic_models() if "attribution_model" in str(model.get("dimensions"))}
    assert facts == {"fct_return_daily", "fct_collaboration_roi"}


def test_a_model_is_a_plain_word() -> None:
    with pytest.raises(ValueError, match="no plain word"):
        metricflow.manifest(model="x' or '1' = '1")


# --- one reading of the YAML


def test_dbt_reads_the_same_metrics(manifest: dict[str, Any]) -> None:
    """MetricFlow is given what dbt would give it: measures, dimensions, keys, filters, and what a metric is made of."""
    ours = metricflow.manifest()
    theirs = {model["name"]: model for model in manifest["semantic_models"].values()}
    assert sorted(theirs) == sorted(model.name for model in ours.semantic_models)
    for model in ours.semantic_models:
        given = theirs[model.name]
        assert model.node_relation.alias == given["node_relation"]["alias"]
        for kind in ("entities", "dimensions", "measures"):
            found = {part.name: (part.expr or part.name) for part in getattr(model, kind)}
            assert found == {part["name"]: part["expr"] or part["name"] for part in given[kind]}, (model.name, kind)
        assert {m.name: m.agg.value for m in model.measures} == {m["name"]: m["agg"] for m in given["measures"]}
    described = {metric["name"]: metric for metric in manifest["metrics"].values()}
    assert sorted(described) == sorted(metrics())
    for name, metric in metrics().items():
        given = described[name]["type_params"]
        sides = [given[side]["name"] for side in ("numerator", "denominator") if given[side]]
        assert set(metric.inputs) == {part["name"] for part in given["metrics"]} | set(sides), name
        assert metric.measure == (given["measure"] or {}).get("name"), name


# --- one value per metric


@pytest.mark.parametrize(
    ("grouping", "mart", "key"),
    [("campaign", "fct_campaign_roi", "campaign_id"), ("collaboration", "fct_collaboration_roi", "collaboration_id")],
)
def test_a_metric_has_the_value_of_the_mart(by_hand: Warehouse, grouping: str, mart: str, key: str) -> None:
    """On the world of docs/money-by-hand.md: what one asks of the metrics and what one reads in the mart are one."""
    columns = {
        "spend": "spend_base", "net_revenue": "net_revenue_base", "gross_profit": "gross_profit_base", "orders": "orders",
        "roi_net": "roi_net", "roi_profit": "roi_profit", "roas": "roas", "cpc": "cpc", "cpa": "cpa", "cpm": "cpm",
        "cpm_views": "cpm_views", "cpe": "cpe", "cpe_known": "cpe_known", "emv": "emv", "views": "views",
    }  # fmt: skip
    with closing(duckdb.connect(str(by_hand.settings.marts_db), read_only=True)) as connection:
        source = Source(by_hand.settings, "", connection)
        for model in ("code_or_last_click", "linear"):
            found = {row[grouping]: row for row in answer(source, Question(tuple(columns), (grouping,), (model,))).rows}
            expected = source.rows(f"select * from marts.{mart} where attribution_model = '{model}'")
            assert expected
            for row in expected:
                for name, column in columns.items():
                    value = found[row[key]][name] if row[key] in found else None
                    if value is None or row[column] is None:
                        assert value == row[column], (row[key], name)
                    else:
                        # The mart's unit costs are rounded to six places.
                        assert math.isclose(float(value), float(row[column]), abs_tol=1e-6), (row[key], name)


# --- the command


def test_the_command_asks_the_published_release(
    three_days: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Accounts `a` and `b` of YouTube, with 1000 and 50, 1100 and 50, 1300 and 40 followers on 4, 5 and 6 January."""
    asked = Question(("accounts", "followers", "spend"), ("day", "platform"))
    assert command.ask(three_days.settings, asked, None) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["day", "platform", "accounts", "followers", "spend"],
        ["2026-01-04", "youtube", "2", "1,050", "-"],
        ["2026-01-05", "youtube", "2", "1,150", "-"],
        ["2026-01-06", "youtube", "2", "1,340", "-"],
    ]
    # The week from Monday, 5 January: each account by its last day there, never a sum over days.
    target = tmp_path / "new" / "weeks.csv"
    assert command.ask(three_days.settings, Question(("accounts", "followers"), ("week",)), target) == 0
    assert target.read_text().splitlines() == ["week,accounts,followers", "2025-12-29,2,1050", "2026-01-05,2,1340"]
    assert [path.name for path in target.parent.iterdir()] == ["weeks.csv"]


def test_a_release_of_older_code_is_named_with_its_remedy(three_days: Warehouse, tmp_path: Path) -> None:
    settings = three_days.copy(tmp_path).settings
    release = (settings.published / "groundswell.duckdb").resolve()
    with closing(duckdb.connect(str(release))) as connection:
        connection.execute("alter table marts.fct_account_daily drop column followers")
    with pytest.raises(ContractError, match="one that was built by older code is renewed by `make nightly`"):
        command.ask(settings, Question(("followers",)), None)
