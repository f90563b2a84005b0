"""Bad input and edges of contests, mentions and live sessions: flagged in words, nothing lost; and what is sound is not."""

from datetime import date
from typing import Any

import pytest

from tests.dbt import social
from tests.dbt.commerce import Compiled, World
from tests.dbt.social import mention, order, session

AS_OF = social.AS_OF
CONTEST = {
    "campaign_id": "C", "brand": "acme", "objective": "contest", "start_date": "2026-01-05", "end_date": "2026-01-10",
}  # fmt: skip
ENTRY = {
    "entry_id": "e", "campaign_id": "C", "platform": "tiktok", "account_id": "a", "entered_at": "2026-01-05 00:00:00",
}  # fmt: skip
BRANDS = [{"brand": "acme"}, {"brand": "zenith", "is_rival": "true"}]


@pytest.fixture(scope="module")
def world(compiled_social: Compiled) -> World:
    return World(compiled_social)


def issues(world: World, as_of: date = AS_OF, **feeds: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    world.build(feeds, as_of)
    return set(world.query("select feed, record_id, issue from groundswell.marts.fct_commerce_issue"))


def live(world: World, columns: str, **feeds: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    world.build(feeds, AS_OF)
    return world.query(f"select {columns} from groundswell.marts.fct_live_session order by live_session_id")


# Contests


@pytest.mark.parametrize(
    ("entered", "flagged"),
    [
        ("2026-01-04 23:59:59", True),
        ("2026-01-05 00:00:00", False),
        ("2026-01-10 23:59:59", False),
        ("2026-01-11 00:00:00", True),
    ],
)
def test_both_days_of_a_contest_are_inside_it(world: World, entered: str, flagged: bool) -> None:
    found = issues(world, campaigns=[CONTEST], contest_entries=[ENTRY | {"entered_at": entered}])
    assert found == ({("contest_entries", "e", "outside the dates of its contest")} if flagged else set())
    counted = world.query("select entries, entries_outside_dates, participants from groundswell.marts.fct_contest")
    assert counted == [(0, 1, 0) if flagged else (1, 0, 1)]


def test_an_entry_waits_for_its_campaign(world: World) -> None:
    assert issues(world, contest_entries=[ENTRY]) == {("contest_entries", "e", "campaign unknown")}
    assert world.query("select * from groundswell.marts.fct_contest") == []
    assert issues(world, contest_entries=[ENTRY], campaigns=[CONTEST]) == set()


def test_a_contest_that_ends_before_it_starts_counts_nothing_and_says_so(world: World) -> None:
    found = issues(world, campaigns=[CONTEST | {"end_date": "2026-01-01"}], contest_entries=[ENTRY])
    assert found == {
        ("campaigns", "C", "ends before it starts"),
        ("contest_entries", "e", "outside the dates of its contest"),
    }
    assert world.query(
        "select days_elapsed, entries, entries_outside_dates, new_participants_per_day from groundswell.marts.fct_contest"
    ) == [(0, 0, 1, None)]


def test_without_any_entry_landed_entries_are_unknown_not_none(world: World) -> None:
    assert issues(world, campaigns=[CONTEST]) == set()
    assert world.query("select entries, participants, new_participants_per_day from groundswell.marts.fct_contest") == [
        (None, None, None)
    ]
    assert world.query("select * from groundswell.marts.fct_contest_daily") == []


def test_a_participant_of_two_contests_at_once_is_new_to_the_one_entered_first(world: World) -> None:
    entries = [
        ENTRY | {"entry_id": "late", "entered_at": "2026-01-07 00:00:00"},
        ENTRY | {"entry_id": "first", "campaign_id": "D", "entered_at": "2026-01-06 00:00:00"},
        ENTRY | {"entry_id": "other brand", "campaign_id": "Z", "entered_at": "2026-01-05 00:00:00"},
        # Of another platform: another participant.
        ENTRY | {"entry_id": "elsewhere", "platform": "youtube", "entered_at": "2026-01-08 00:00:00"},
    ]
    campaigns = [CONTEST, CONTEST | {"campaign_id": "D"}, CONTEST | {"campaign_id": "Z", "brand": "zenith"}]
    world.build({"campaigns": campaigns, "contest_entries": entries}, AS_OF)
    assert world.query(
        "select campaign_id, participants, new_participants from groundswell.marts.fct_contest order by 1"
    ) == [("C", 2, 1), ("D", 1, 1), ("Z", 1, 1)]


def test_an_entry_outside_the_dates_makes_nobody_known(world: World) -> None:
    entries = [
        ENTRY | {"entry_id": "early", "entered_at": "2026-01-01 00:00:00"},
        ENTRY | {"entry_id": "in", "campaign_id": "D"},
    ]
    world.build({"campaigns": [CONTEST, CONTEST | {"campaign_id": "D"}], "contest_entries": entries}, AS_OF)
    assert world.query("select campaign_id, new_participants from groundswell.marts.fct_contest order by 1") == [
        ("C", 0),
        ("D", 1),
    ]


# Mentions


def test_a_mention_of_no_tracked_brand_is_in_no_share(world: World) -> None:
    found = issues(world, brands=BRANDS, mentions=[mention("m", "acme"), mention("n", "ACME")])
    assert found == {("mentions", "n", "brand not tracked")}
    assert world.query("select brand, mentions, mention_share from groundswell.marts.fct_share_of_voice_daily order by 1") == [
        ("acme", 1, 1.0), ("zenith", 0, 0.0),
    ]  # fmt: skip
    assert issues(world, brands=[*BRANDS, {"brand": "ACME"}], mentions=[mention("n", "ACME")]) == set()


def test_a_day_without_a_tracked_brand_has_no_row(world: World) -> None:
    issues(world, brands=BRANDS, mentions=[mention("m", "other"), mention("n", "acme", at="2026-01-06")])
    days = world.query("select distinct snapshot_date from groundswell.marts.fct_share_of_voice_daily")
    assert days == [(date(2026, 1, 6),)]


def test_a_mention_that_moves_to_another_day_stands_on_that_one(world: World) -> None:
    moved = [mention("m", "acme"), mention("m", "acme", at="2026-01-06", as_of="2026-01-07 00:00:00")]
    for order_of_delivery in (moved, moved[::-1]):
        assert issues(world, brands=BRANDS, mentions=order_of_delivery) == set()
        assert world.query(
            "select snapshot_date, mentions from groundswell.marts.fct_share_of_voice_daily where brand = 'acme' order by 1"
        ) == [(date(2026, 1, 6), 1)]
    # The same day, told again: the later delivery counts, once.
    again = [mention("m", "acme", likes="1", comments="1"),
             mention("m", "acme", likes="5", comments="1", as_of="2026-01-07 00:00:00")]  # fmt: skip
    assert issues(world, brands=BRANDS, mentions=again) == set()
    assert world.query(
        "select mentions, engagements from groundswell.marts.fct_share_of_voice_daily where brand = 'acme'"
    ) == [(1, 6)]


def test_one_brand_of_unknown_engagements_leaves_no_share_of_them(world: World) -> None:
    told = [mention("m", "acme", likes="5", comments="1"), mention("n", "zenith", likes="5")]
    issues(world, brands=BRANDS, mentions=told)
    assert world.query(
        "select brand, engagements, engagement_share from groundswell.marts.fct_share_of_voice_daily order by 1"
    ) == [("acme", 6, None), ("zenith", None, None)]


# Live sessions

DAY = "2026-01-05 "


def test_sessions_of_one_host_that_overlap_are_named_and_ones_that_touch_are_not(world: World) -> None:
    first = session("s1", DAY + "20:00:00", DAY + "21:00:00")
    assert issues(world, live_sessions=[first, session("s2", DAY + "20:59:59", DAY + "22:00:00")]) == {
        ("live_sessions", "s1", "overlaps another of its host"),
        ("live_sessions", "s2", "overlaps another of its host"),
    }
    explained = "select explanation from groundswell.marts.fct_commerce_issue where record_id = 's1'"
    assert world.query(explained) == [
        ("its host hal is live at once in s2: an order counts for the session that it names",)
    ]
    assert world.query("select overlapping_sessions from groundswell.marts.fct_live_session") == [(1,), (1,)]
    for sound in (
        session("s2", DAY + "21:00:00", DAY + "22:00:00"),
        session("s2", DAY + "20:30:00", DAY + "22:00:00", host="other"),
        session("s2", DAY + "20:30:00", DAY + "22:00:00") | {"platform": "youtube"},
    ):
        assert issues(world, live_sessions=[first, sound]) == set()


def test_a_session_that_never_ends_sells_for_a_day(world: World) -> None:
    orders = [
        order("o1", "2026-01-06 20:00:00", "10", "s1", customer_id="x"),
        order("o2", "2026-01-06 20:00:01", "5", "s1", customer_id="x"),
    ]
    endless = session("s1", DAY + "20:00:00", None)
    assert issues(world, live_sessions=[endless], orders=orders) == {("live_sessions", "s1", "never ended")}
    assert live(
        world,
        "is_ended, ended_at, duration_minutes, orders_in_session, orders_after",
        live_sessions=[endless],
        orders=orders,
    ) == [(False, None, None, 1, 1)]
    # On the day on which it began it may still go on; on the next it does not.
    assert issues(world, as_of=date(2026, 1, 5), live_sessions=[endless]) == set()
    assert issues(world, as_of=date(2026, 1, 6), live_sessions=[endless]) == {("live_sessions", "s1", "never ended")}
    assert issues(world, live_sessions=[endless | {"ended_at": DAY + "20:00:00"}]) == set()


def test_a_session_that_ends_before_it_starts_has_an_unknown_end(world: World) -> None:
    reversed_ = session("s1", DAY + "20:00:00", DAY + "19:59:59", unique_viewers="4")
    orders = [order("o1", DAY + "21:00:00", "10", "s1", customer_id="x")]
    assert issues(world, live_sessions=[reversed_], orders=orders) == {("live_sessions", "s1", "ends before it starts")}
    assert world.query(
        "select is_ended, ended_at, orders_in_session, gmv_in_session_base, conversion_rate from groundswell.marts.fct_live_session"
    ) == [(False, None, 1, 10, 0.25)]


def test_an_order_of_a_session_that_is_not_landed_waits_for_it(world: World) -> None:
    orders = [order("o1", DAY + "21:00:00", "10", "s1", customer_id="x")]
    assert issues(world, orders=orders) == {("orders", "o1", "live session unknown")}
    assert issues(world, orders=orders, live_sessions=[session("s1", DAY + "20:00:00", DAY + "21:00:00")]) == set()


def test_a_session_of_an_unknown_campaign_has_no_brand(world: World) -> None:
    of_campaign = session("s1", DAY + "20:00:00", DAY + "21:00:00", campaign_id="L")
    assert issues(world, live_sessions=[of_campaign]) == {("live_sessions", "s1", "campaign unknown")}
    campaign = {"campaign_id": "L", "brand": "acme", "start_date": "2026-01-01", "end_date": "2026-01-31"}
    assert issues(world, live_sessions=[of_campaign], campaigns=[campaign]) == set()


def test_the_last_live_touch_leads_an_order_that_names_no_session(world: World) -> None:
    sessions = [
        session("s1", "2026-01-05 20:00:00", "2026-01-05 21:00:00"),
        session("s2", "2026-01-07 20:00:00", "2026-01-07 21:00:00"),
    ]

    def touch(name: str, at: str, live_session: str, kind: str = "live") -> dict[str, Any]:
        return {"touch_id": name, "customer_id": "cus", "touched_at": at, "touch_type": kind,
                "live_session_id": live_session}  # fmt: skip

    touches = [
        touch("t1", "2026-01-05 20:30:00", "s1"),
        touch("t2", "2026-01-07 20:30:00", "s2"),
        touch("t3", "2026-01-09 20:30:00", "s1", "click"),
        touch("t4", "2026-01-10 12:00:01", "s1"),
    ]
    orders = [order("o1", "2026-01-10 12:00:00", "10"), order("o2", "2026-01-07 20:29:59", "5")]
    columns = "live_session_id, orders_in_session, orders_after, gmv_after_base"
    assert live(world, columns, live_sessions=sessions, touches=touches, orders=orders) == [
        ("s1", 0, 1, 5),
        ("s2", 0, 1, 10),
    ]
    # 14 days after the touch to the second, and a second more.
    late = [order("o1", "2026-01-21 20:30:00", "10"), order("o2", "2026-01-21 20:30:01", "5", customer_id="cus")]
    assert live(world, columns, live_sessions=sessions, touches=touches[:2], orders=late) == [
        ("s1", 0, 0, 0),
        ("s2", 0, 1, 10),
    ]


def test_without_any_order_landed_sales_are_unknown_not_none(world: World) -> None:
    one = [session("s1", DAY + "20:00:00", DAY + "21:00:00", unique_viewers="4")]
    columns = "orders_in_session, orders_after, gmv_in_session_base, gmv_after_base, net_revenue_base, conversion_rate"
    assert live(world, columns, live_sessions=one) == [(None, None, None, None, None, None)]
    elsewhere = [order("o1", DAY + "21:00:00", "10", customer_id="x")]
    assert live(world, columns, live_sessions=one, orders=elsewhere) == [(0, 0, 0, 0, 0, 0.0)]


def test_an_order_without_a_rate_leaves_the_sales_unknown(world: World) -> None:
    one = [session("s1", DAY + "20:00:00", DAY + "21:00:00", unique_viewers="4")]
    orders = [
        order("o1", DAY + "20:30:00", "10", "s1", currency="EUR", customer_id="x"),
        order("o2", DAY + "20:30:00", "10", "s1", customer_id="y"),
    ]
    columns = "orders_in_session, gmv_in_session_base, gmv_after_base, net_revenue_base, sales_per_viewer_base"
    assert live(world, columns, live_sessions=one, orders=orders) == [(2, None, 0, None, None)]


# Each rule, broken in the SQL, changes a figure of the hand-worked worlds: model, text of its compiled SQL, what takes its
# place, the worlds' feeds.
BROKEN = {
    "entries of any day count": ("int_social__entries_placed", "entries.snapshot_date between", "contests.start_date between", social.contests),
    "everybody is new to every contest": ("int_social__entries_placed", "partition by is_counted, brand,", "partition by is_counted, campaign_id,", social.contests),
    "who names himself is referred": ("int_social__entries_placed", "entries.referrer_account_id <> entries.account_id", "entries.referrer_account_id is not null", social.contests),
    "a post reaches once an entry": ("fct_contest", "coalesce('post ' || post_id, 'entry ' || entry_id)", "entry_id", social.contests),
    "the first reach of a post": ("int_social__entries_placed", "max_by(days.reach", "min_by(days.reach", social.contests),
    "a cost without a rate is none": ("fct_contest", "case when count(amount_base) = count(*) then sum(amount_base) end", "coalesce(sum(amount_base), 0)", social.contests),
    "a contest runs to its end before it has": ("int_social__contests_listed", "least(campaigns.end_date, base.as_of_date)", "campaigns.end_date", social.contests),
    "objective alone makes a contest": ("int_social__contests_listed", "or campaigns.campaign_id in", "and campaigns.campaign_id in", social.contests),
    "old posts are a trend": ("int_social__hashtags_added", "traits.published_at >=", "traits.snapshot_date >=", social.hashtags),
    "hashtags are compared as typed": ("int_social__hashtags_added", "lower(trim(word))", "trim(word)", social.hashtags),
    "growth against a first crawl": ("int_social__hashtags_counted", "case when compared.platform is not null then", "case when true then", social.hashtags),
    "a week of six days": ("int_social__hashtags_counted", "hashtag_days.snapshot_date > cast(today.snapshot_date + interval (-7)", "hashtag_days.snapshot_date > cast(today.snapshot_date + interval (0)", social.hashtags),
    "a hidden like is 0": ("int_social__mentions_observed", "mentions.likes + mentions.comments", "coalesce(mentions.likes, 0) + mentions.comments", social.mentions),
    "untracked brands are mentioned": ("int_social__mentions_summed", "where is_tracked and", "where", social.mentions),
    "GMV is net": ("int_social__session_orders_matched", "round(valued.charged_amount *", "round(valued.net_amount *", social.live),
    "an order at the end is after it": ("int_social__session_orders_matched", "led_back.ordered_at <= sessions.open_until then", "led_back.ordered_at < sessions.open_until then", social.live),
    "orders after it count for ever": ("int_social__session_orders_matched", "then 'after'\n            else 'later'", "then 'after'\n            else 'after'", social.live),
    "renewals are sold live": ("int_social__session_orders_matched", "and orders.renewal_number = 0", "", social.live),
    "refunds give nothing back": ("int_social__session_orders_matched", "else given_back.net_lowered_base", "else 0", social.live),
    "a viewer is the most at once": ("fct_live_session", "nullif(unique_viewers", "nullif(peak_viewers", social.live),
}  # fmt: skip
MARTS = ("fct_contest", "fct_contest_daily", "fct_hashtag_daily", "fct_share_of_voice_daily", "fct_live_session")


def figures(world: World, feeds: social.Feeds) -> dict[str, set[tuple[Any, ...]]]:
    as_of = social.CONTESTS_AS_OF if "contest_entries" in feeds else social.AS_OF
    world.build(feeds, as_of)
    return {mart: world.mart(mart) for mart in MARTS}


@pytest.fixture(scope="module")
def sound(world: World) -> dict[str, dict[str, set[tuple[Any, ...]]]]:
    made = (social.contests, social.hashtags, social.mentions, social.live)
    return {feeds.__name__: figures(world, feeds()) for feeds in made}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_shows(
    world: World, sound: dict[str, Any], compiled_social: Compiled, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, old, new, feeds = BROKEN[rule]
    (sql,) = (sql for node, sql in compiled_social.models if node["name"] == name)
    assert old in sql, f"{name} no longer holds {old!r}: adjust the test"
    broken = [(node, sql.replace(old, new) if node["name"] == name else sql) for node, sql in compiled_social.models]
    monkeypatch.setattr(compiled_social, "models", broken)
    assert figures(world, feeds()) != sound[feeds.__name__]
