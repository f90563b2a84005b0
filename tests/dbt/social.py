"""A world of contests, hashtags, mentions and live sessions of which every figure is worked out on paper.

Contests of acme, as of 10 January. C1 runs from the 1st to the 5th, C2 from the 4th to the 20th, C3 (no contest by its
objective) has one entry, C4 begins on the 20th.

    entry  contest  account  on                      reach
    e1     C1       ann      1st, p1                 100 of its own
    e2     C1       ann      2nd, p1 again           300, the last reach of p1: the post counts once, with 300
    e3     C1       bob      5th, referred by ann    unknown
    e4     C1       bob      6th: outside            9
    e5     C2       bob      6th: entered C1 before  40
    e6     C2       cid      7th, a customer         unknown, p2 was never captured
    e7     C2       dee      7th, refers herself     unknown
    e8     C3       eve      8th                     7
    e9     nothing  eve      8th                     7

C1: 3 entries, 1 outside, 2 participants, both new, in 5 days: 0.4 a day; reach 300 of 2 entries; spend 50 + 30 = 80, 40
for each. C2: 3 entries, 3 participants, cid and dee new, in 7 days (4th to 10th): 2 / 7 a day; reach 40 of 1; spend
unknown, for its cost has no rate. C3: 1 entry, eve is new. C4: nothing yet.

Hashtags on TikTok. ann (2,000 followers, nano) and bob (20,000, micro), captured every day from 1 January.

    post  of   published  hashtags          seen
    w0    ann  Jan 1      #Fun              on the 1st: the first crawl
    w1    ann  Jan 8      #fun|#AcmeLove    on the 8th, and every day after
    w2    ann  Jan 9      #fun              on the 9th
    w3    bob  Jan 15     #FUN              on the 16th
    w4    bob  Jan 16     #fun|fun          on the 16th
    w5    ann  Jan 16     #fun              on the 16th
    old   ann  Jan 5      #fun              on the 16th, 11 days old: no trend

On 16 January: 3 posts, 2 accounts in two tiers, one each. Its week (10th to 16th) has 3, the week before (3rd to 9th) 2,
and in the week before that (27 December to 2 January) there was a capture: growth 3 / 2 - 1 = 0.5. On the 9th growth is
unknown: nothing was captured up to 26 December.

Mentions on 5 January: acme 3 (10 + 2 engagements and 18 + 0, one hidden), zenith 1 (10 + 0), quiet none, other 1 and not
tracked, which is alone on the 6th: a day without a row. Of mentions acme has 3 / 4; of engagements 30 / 40; of reach 600 / 800.

Live sessions of acme's campaign L. s1: 5 January 20:00 to 21:00, 200 viewers, host hal, trained. Orders: o1 at 20:30
names it, 120 - 20 charged, 10 tax and 10 shipping: 100, net 80; a quarter of it goes back. o2 at 21:00 sharp, EUR 40 at
1.25: 50, net 50. o3 on the 19th at 21:00, 14 days after the end to the second, names nothing, but cus was in s1 on the
5th at 21:00: 30. o4 on the 19th at 21:00:01, names it: outside. o5 at 19:59 names it: outside. o6 is of cus as well, but a
renewal. GMV in it 150, after it 30; given back 25; net 80 + 50 + 30 - 20 = 140; conversion 2 / 200; 150 / 200 = 0.75.
"""

from datetime import date
from typing import Any

Feeds = dict[str, list[dict[str, Any]]]
CONTESTS_AS_OF = date(2026, 1, 10)
AS_OF = date(2026, 1, 31)


def _campaign(campaign: str, start: str, end: str, **more: str) -> dict[str, Any]:
    return {"campaign_id": campaign, "brand": "acme", "start_date": start, "end_date": end, **more}


def _entry(name: str, campaign: str, account: str, at: str, **more: str) -> dict[str, Any]:
    return {
        "entry_id": name, "campaign_id": campaign, "platform": "tiktok", "account_id": account,
        "entered_at": f"{at} 12:00:00", **more,
    }  # fmt: skip


def _cost(name: str, campaign: str, amount: str, currency: str = "USD") -> dict[str, Any]:
    return {
        "cost_id": name, "campaign_id": campaign, "cost_date": "2026-01-02", "cost_type": "product", "amount": amount,
        "currency": currency,
    }  # fmt: skip


def contests() -> Feeds:
    """Contests, as of 10 January."""
    return {
        "campaigns": [
            _campaign("C1", "2026-01-01", "2026-01-05", objective="contest", name="Prize"),
            _campaign("C2", "2026-01-04", "2026-01-20", objective="contest"),
            _campaign("C3", "2026-01-01", "2026-01-31", objective="sales"),
            _campaign("C4", "2026-01-20", "2026-01-25", objective="contest"),
            _campaign("none", "2026-01-01", "2026-01-31", objective="sales"),
        ],
        "contest_entries": [
            _entry("e1", "C1", "ann", "2026-01-01", post_id="p1", reach="100"),
            _entry("e2", "C1", "ann", "2026-01-02", post_id="p1"),
            _entry("e3", "C1", "bob", "2026-01-05", referrer_account_id="ann"),
            _entry("e4", "C1", "bob", "2026-01-06", reach="9"),
            _entry("e5", "C2", "bob", "2026-01-06", reach="40"),
            _entry("e6", "C2", "cid", "2026-01-07", post_id="p2", customer_id="k1"),
            _entry("e7", "C2", "dee", "2026-01-07", referrer_account_id="dee"),
            _entry("e8", "C3", "eve", "2026-01-08", reach="7"),
            _entry("e9", "nothing", "eve", "2026-01-08", reach="7"),
        ],
        "post_snapshots": [
            {"platform": "tiktok", "post_id": "p1", "account_id": "ann", "captured_at": f"2026-01-0{day} 03:00:00",
             "reach": reach}
            for day, reach in ((2, "200"), (3, "300"), (4, None))
        ],
        "costs": [_cost("k1", "C1", "50"), _cost("k2", "C1", "30"), _cost("k3", "C2", "10", "JPY")],
    }  # fmt: skip


def _post(name: str, account: str, published: str, hashtags: str, *seen: int) -> list[dict[str, Any]]:
    return [
        {"platform": "tiktok", "post_id": name, "account_id": account, "published_at": f"{published} 09:00:00",
         "captured_at": f"2026-01-{day:02d} 10:00:00", "hashtags": hashtags}
        for day in seen
    ]  # fmt: skip


def hashtags() -> Feeds:
    """Posts of two accounts from 1 to 16 January, and a brand."""
    return {
        "brands": [{"brand": "acme", "hashtags": "#acmelove"}],
        "account_snapshots": [
            {"platform": "tiktok", "account_id": account, "captured_at": f"2026-01-{day:02d} 03:00:00",
             "followers": followers}
            for day in range(1, 17) for account, followers in (("ann", "2000"), ("bob", "20000"))
        ],
        "post_snapshots": [
            *_post("w0", "ann", "2026-01-01", "#Fun", 1),
            *_post("w1", "ann", "2026-01-08", "#fun|#AcmeLove", *range(8, 17)),
            *_post("w2", "ann", "2026-01-09", "#fun", 9),
            *_post("w3", "bob", "2026-01-15", "#FUN", 16),
            *_post("w4", "bob", "2026-01-16", "#fun|fun", 16),
            *_post("w5", "ann", "2026-01-16", "#fun", 16),
            *_post("old", "ann", "2026-01-05", "#fun", 16),
        ],
    }  # fmt: skip


def mention(name: str, brand: str, account: str | None = "a", at: str = "2026-01-05", **more: str) -> dict[str, Any]:
    return {
        "mention_id": name, "brand": brand, "platform": "tiktok", "account_id": account,
        "mentioned_at": f"{at} 12:00:00", **more,
    }  # fmt: skip


def mentions() -> Feeds:
    """Mentions of two of three tracked brands, and of one that is not tracked."""
    return {
        "brands": [
            {"brand": "acme", "name": "Acme"},
            {"brand": "zenith", "is_rival": "true"},
            {"brand": "quiet", "is_rival": "true"},
        ],
        "mentions": [
            mention("m1", "acme", likes="10", comments="2", reach="400"),
            mention("m2", "acme", "b", likes="18", comments="0", reach="200"),
            mention("m3", "acme", "b", comments="5"),
            mention("m4", "zenith", None, likes="10", comments="0", reach="200"),
            mention("m5", "other", likes="900", comments="9", reach="9"),
            mention("m6", "other", at="2026-01-06"),
        ],
    }


def session(name: str, start: str, end: str | None, host: str = "hal", **more: str) -> dict[str, Any]:
    return {
        "live_session_id": name, "platform": "tiktok", "host_id": host, "started_at": start, "ended_at": end, **more,
    }  # fmt: skip


def order(name: str, at: str, gross: str, live: str | None = None, **more: str) -> dict[str, Any]:
    return {
        "order_id": name, "customer_id": "cus", "ordered_at": at, "gross_amount": gross, "currency": "USD",
        "live_session_id": live, **more,
    }  # fmt: skip


def live() -> Feeds:
    """One live session and the orders around it."""
    return {
        "campaigns": [_campaign("L", "2026-01-01", "2026-01-31", objective="live")],
        "fx_rates": [{"rate_date": "2026-01-05", "currency": "EUR", "rate_to_base": "1.25"}],
        "live_sessions": [
            session("s1", "2026-01-05 20:00:00", "2026-01-05 21:00:00", campaign_id="L", unique_viewers="200",
                    peak_viewers="90", host_type="trained_host"),
        ],
        "touches": [
            {"touch_id": "t1", "customer_id": "cus", "touched_at": "2026-01-05 21:00:00", "touch_type": "live",
             "live_session_id": "s1"},
        ],
        "orders": [
            order("o1", "2026-01-05 20:30:00", "120", "s1", customer_id="x", discount_amount="20", tax_amount="10",
                  shipping_amount="10"),
            order("o2", "2026-01-05 21:00:00", "40", "s1", customer_id="x", currency="EUR"),
            order("o3", "2026-01-19 21:00:00", "30"),
            order("o4", "2026-01-19 21:00:01", "7", "s1"),
            order("o5", "2026-01-05 19:59:00", "7", "s1"),
            order("o6", "2026-01-10 12:00:00", "7", subscription_id="S", renewal_number="1"),
        ],
        "refunds": [
            {"refund_id": "r1", "order_id": "o1", "refunded_at": "2026-01-06 12:00:00", "amount": "25",
             "currency": "USD"},
        ],
    }  # fmt: skip
