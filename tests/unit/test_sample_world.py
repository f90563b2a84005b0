"""The sample world: its files are what its maker makes, its days are whole, and its truths follow from its files."""

import csv
import gzip
import io
from collections import Counter, defaultdict
from datetime import date, timedelta

import duckdb
import pytest

from ingestion.mapping.in_use import library_mappings
from ingestion.sample import SAMPLES
from sample.world import accounts as people
from sample.world import make

from .simulated import require_own_layout

WORLD = SAMPLES["world"]
FIRST_DAY, LAST_DAY = date(2023, 7, 4), date(2023, 10, 31)
DAYS = [FIRST_DAY + timedelta(days=nth) for nth in range(120)]
MOST_BYTES = 6_000_000
LATE = "account_snapshots/simulated_account_snapshots_2023-09-25.csv.gz"
CURVES = "account_snapshots/youtube_curves_2023-10-31.csv.gz"

Rows = list[dict[str, str]]


def texts() -> dict[str, str]:
    """Path below landing and text of each committed file."""
    return {
        path.relative_to(WORLD.folder).as_posix(): gzip.decompress(path.read_bytes()).decode()
        for path in sorted(WORLD.folder.rglob("*.gz"))
    }


@pytest.fixture(scope="module")
def files() -> dict[str, Rows]:
    return {path: list(csv.DictReader(io.StringIO(text))) for path, text in texts().items()}


@pytest.fixture(scope="module")
def truths() -> Rows:
    return list(csv.DictReader(make.TRUTH.open(encoding="utf-8")))


def feed(files: dict[str, Rows], name: str) -> Rows:
    """All simulated rows of a feed."""
    return [row for path, rows in files.items() if path.startswith(f"{name}/simulated_") for row in rows]


def test_the_committed_files_are_what_the_maker_makes() -> None:
    made = make.make()
    committed = {f"world/landing/{path}": text for path, text in texts().items()}
    committed["truth.csv"] = make.TRUTH.read_text(encoding="utf-8")
    assert set(committed) == set(made)
    for path, text in committed.items():
        assert text == made[path], f"{path}: run `make sample`"


def test_the_files_are_small_and_hold_no_time() -> None:
    zipped = [path.read_bytes() for path in WORLD.folder.rglob("*.gz")]
    assert sum(map(len, zipped)) <= MOST_BYTES
    # Neither a time nor a file name: equal text gives equal bytes.
    assert {(each[3], each[4:8]) for each in zipped} == {(0, b"\0\0\0\0")}


def test_simulated_files_say_so_and_have_the_layout_of_their_feeds(files: dict[str, Rows]) -> None:
    names = [path.partition("/")[0] for path in files if "/simulated_" in path]
    assert len(names) == 20
    for path, text in texts().items():
        if "/simulated_" in path:
            require_own_layout(path.partition("/")[0], text.partition("\n")[0])
    assert library_mappings()["youtube_curves"].origin == "observed"


def test_every_platform_has_every_account_on_every_day(files: dict[str, Rows]) -> None:
    captured: dict[tuple[str, str], list[date]] = defaultdict(list)
    for row in feed(files, "account_snapshots"):
        captured[row["platform"], row["account_id"]].append(date.fromisoformat(row["captured_at"][:10]))
    assert {platform for platform, _ in captured} == {"bluesky", "instagram", "tiktok", "youtube"}
    assert all(sorted(days) == DAYS for days in captured.values())
    of_curves = Counter(row["captured_at"][:10] for row in files[CURVES])
    assert sorted(of_curves) == [str(day) for day in DAYS]
    # A channel may miss two days, and few do.
    assert min(of_curves.values()) >= 0.98 * len({row["account_id"] for row in files[CURVES]})


def test_the_curves_are_the_publishers_counts_without_his_missing_days(files: dict[str, Rows]) -> None:
    rows = files[CURVES]
    source = duckdb.sql(f"select account_id, day, subscribers, views from read_parquet('{people.CURVES}')").fetchall()
    published = sorted({day for _, day, _, _ in source if day <= LAST_DAY})[-120:]
    # The window would begin two days earlier without them, so two are missing: 13 July and 14 September.
    assert published[0] == date(2023, 7, 2)
    assert {date(2023, 7, 13), date(2023, 9, 14)} & {*published} == set()
    moved = dict(zip(published, DAYS, strict=True))
    counts = {
        (account, str(moved[day])): (str(subs), str(views)) for account, day, subs, views in source if day in moved
    }
    ours = {(row["account_id"], row["captured_at"][:10]): (row["subscribers"], row["views"]) for row in rows}
    assert ours.items() <= counts.items()
    assert {row["captured_at"][10:] for row in rows} == {"T12:00:00Z"}
    assert 200 <= len({row["account_id"] for row in rows}) == len({row["display_name"] for row in rows}) <= 400


def test_an_outage_takes_the_counts_of_one_platform_on_one_day(files: dict[str, Rows], truths: Rows) -> None:
    (outage,) = [row for row in truths if row["fact"] == "outage"]
    unknown = [row for row in feed(files, "account_snapshots") if not row["followers"]]
    assert {(row["platform"], row["captured_at"][:10]) for row in unknown} == {("tiktok", outage["first_day"])}
    assert len(unknown) == int(outage["size"])
    watched = len({row["account_id"] for row in feed(files, "account_snapshots") if row["platform"] == "tiktok"})
    # More than a tenth are missed, and fewer than would stop a night.
    assert 0.2 < len(unknown) / watched < 0.6


def test_one_day_of_one_platform_comes_a_week_late(files: dict[str, Rows], truths: Rows) -> None:
    (late,) = [row for row in truths if row["fact"] == "late_file"]
    assert late["last_day"] in LATE
    assert {(row["platform"], row["captured_at"][:10]) for row in files[LATE]} == {("bluesky", late["first_day"])}
    in_time = files[LATE.replace(late["last_day"], str(LAST_DAY))]
    assert not [row for row in in_time if row["platform"] == "bluesky" and row["captured_at"][:10] == late["first_day"]]


def test_what_the_world_is_there_for(files: dict[str, Rows], truths: Rows) -> None:
    facts = Counter(row["fact"] for row in truths)
    assert 8 <= facts["purchase"] <= 12
    assert len({row["words"] for row in truths if row["fact"] == "purchase"}) == facts["purchase"]
    assert facts["look_alike"] == 4
    assert {facts[fact] for fact in ("misread", "outage", "late_file", "leaked_code", "changed_agreement")} == {1}
    campaigns = feed(files, "campaigns")
    assert 8 <= len(campaigns) == facts["campaign_return"] <= 12
    assert Counter(row["objective"] for row in campaigns)["contest"] == 2
    assert {row["objective"] for row in campaigns} == {"awareness", "engagement", "sales", "contest", "live"}
    agreed = feed(files, "collaborations")
    assert {row["partner_type"] for row in agreed} == {"paid", "gifted", "affiliate", "advocate"}
    assert Counter(row["is_rival"] for row in feed(files, "brands")) == {"false": 1, "true": 3}
    assert {row["host_type"] for row in feed(files, "live_sessions")} == {"creator", "trained_host"}
    assert len({row["campaign_id"] for row in feed(files, "contest_entries")}) == 2
    renewed = [row for row in feed(files, "orders") if row["renewal_number"] not in ("", "0")]
    given_back = {row["order_id"] for row in feed(files, "refunds")}
    assert renewed
    assert given_back & {row["order_id"] for row in renewed}


def test_terms_of_pay_change_once(files: dict[str, Rows], truths: Rows) -> None:
    (changed,) = [row for row in truths if row["fact"] == "changed_agreement"]
    versions: dict[str, Rows] = defaultdict(list)
    for row in feed(files, "collaborations"):
        versions[row["collaboration_id"]].append(row)
    (twice,) = [rows for rows in versions.values() if len(rows) == 2]
    assert twice[1]["collaboration_id"] == changed["subject"]
    assert twice[1]["valid_from"] == changed["first_day"] == "2023-09-01"
    assert [(row["rule_id"], row["cookie_window_days"]) for row in twice] == [("sim-r10", "14"), ("sim-r15", "30")]


def test_one_code_leaks_on_one_day(files: dict[str, Rows], truths: Rows) -> None:
    (leak,) = [row for row in truths if row["fact"] == "leaked_code"]
    by_day = Counter(row["ordered_at"][:10] for row in feed(files, "orders") if row["promo_code"] == leak["subject"])
    (day, many), (_, next_most) = by_day.most_common(2)
    assert day == leak["first_day"]
    assert many >= int(leak["size"]) > 5 * next_most


# Spend, net revenue and return of each campaign, read from the files without the maker: a code's owner, else the last
# click within the cookie, has the order; a refund takes its share of net; an affiliate's commission is spend.
RETURNS = """
with terms as (
    select distinct on (collaboration_id) collaboration_id, campaign_id, promo_code, link_id, rule_id as first_rule
    from collaborations order by collaboration_id, valid_from
),
rates as (select cast(rate_date as date) as rate_date, currency, cast(rate_to_base as double) as rate from fx_rates),
clicks as (
    select touches.customer_id, cast(touched_at as timestamp) as clicked_at, terms.collaboration_id
    from touches inner join terms using (link_id) where touch_type = 'click'
),
owned as (
    select
        orders.order_id, orders.subscription_id, cast(orders.ordered_at as timestamp) as ordered_on, orders.currency,
        cast(gross_amount as double) - coalesce(cast(discount_amount as double), 0) as charged,
        charged - coalesce(cast(tax_amount as double), 0) - coalesce(cast(shipping_amount as double), 0)
            as net,
        coalesce(
            (select collaboration_id from terms where terms.promo_code = orders.promo_code),
            (
                select max_by(clicks.collaboration_id, clicks.clicked_at) from clicks
                where clicks.customer_id = orders.customer_id and clicks.clicked_at <= cast(orders.ordered_at as timestamp)
                    and clicks.clicked_at >= cast(orders.ordered_at as timestamp) - interval 30 day
            ),
            -- A renewal is the first order's.
            (
                select max_by(clicks.collaboration_id, clicks.clicked_at) from orders as begun
                inner join clicks on clicks.customer_id = begun.customer_id
                where begun.subscription_id = orders.subscription_id and begun.renewal_number = '0'
                    and clicks.clicked_at <= cast(begun.ordered_at as timestamp)
            )
        ) as collaboration_id
    from orders
),
sold as (
    select
        terms.campaign_id, terms.collaboration_id, owned.ordered_on,
        (net - coalesce((select sum(cast(amount as double)) from refunds where refunds.order_id = owned.order_id), 0)
            * net / charged)
        * case owned.currency when 'USD' then 1 else (
            select max_by(rate, rate_date) from rates
            where rates.currency = owned.currency and rate_date <= cast(owned.ordered_on as date)
        ) end as kept,
        case first_rule
            when 'sim-r40' then 0.4
            when 'sim-r10' then
                case
                    when terms.collaboration_id = $changed and ordered_on >= '2023-09-01' then 0.15
                    when ordered_on < '2023-08-15' then 0.10
                    else 0.12
                end
            else 0
        end as rate
    from owned inner join terms using (collaboration_id)
),
paid as (
    select
        campaign_id,
        sum(cast(amount as double) * case costs.currency when 'USD' then 1 else (
            select max_by(rate, rate_date) from rates
            where rates.currency = costs.currency and rate_date <= cast(cost_date as date)
        ) end) as spend
    from costs where campaign_id is not null group by campaign_id
)
select campaign_id, any_value(spend) + sum(kept * rate) as spend, sum(kept) as net_revenue
from sold inner join paid using (campaign_id) group by campaign_id
"""


def test_returns_follow_from_the_files(truths: Rows) -> None:
    connection = duckdb.connect()
    for name in ("collaborations", "fx_rates", "touches", "orders", "refunds", "costs"):
        path = WORLD.folder / name / f"simulated_{name}_{LAST_DAY}.csv.gz"
        connection.execute(f"create table {name} as select * from read_csv('{path}', all_varchar = true)")
    (changed,) = [row["subject"] for row in truths if row["fact"] == "changed_agreement"]
    found = {name: figures for name, *figures in connection.execute(RETURNS, {"changed": changed}).fetchall()}
    planted = {row["subject"]: row for row in truths if row["fact"] == "campaign_return"}
    assert set(found) == set(planted)
    for campaign, (spend, net_revenue) in found.items():
        row = planted[campaign]
        assert float(spend) == pytest.approx(float(row["spend"]), abs=0.05), campaign
        assert float(net_revenue) == pytest.approx(float(row["net_revenue"]), abs=0.05), campaign
        roi = float(net_revenue) / float(spend) - 1
        assert roi == pytest.approx(float(row["roi"]), abs=0.0002)
        assert -0.60 <= roi <= 1.80
