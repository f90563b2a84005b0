"""Every file of the sample world, and the truths that are planted in it.

`python -m sample.world.make` writes them anew (`make sample`). A pure function of the bundled curves and a seed.
"""

import csv
import io
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

from sample import simulate, simulate_commerce, simulate_social
from sample.simulate import Row, files_of
from sample.world import accounts as people
from sample.world import agreements, money, posts, social
from sample.world.accounts import FIRST_DAY, LAST_DAY, Account
from sample.world.agreements import BRAND, CAMPAIGNS, Agreement
from sample.world.money import Money

LANDING = Path(__file__).parent / "landing"
TRUTH = Path(__file__).parents[1] / "truth.csv"

HEADERS = {
    **simulate.HEADERS,
    **simulate_commerce.HEADERS,
    **simulate_social.HEADERS,
    "collaborations": simulate_commerce.HEADERS["collaborations"] + ",valid_from",
    "costs": "cost_id,brand,campaign_id,collaboration_id,cost_date,cost_type,amount,currency",
}
CURVES_HEADER = "account_id,captured_at,display_name,subscribers,views"
TRUTH_HEADER = "fact,platform,subject,first_day,last_day,is_bought,has_views,size,spend,net_revenue,roi,words"


def make() -> dict[str, str]:
    """Path below `sample/` and text of each file."""
    accounts = people.make_accounts()
    fans = agreements.fans_of(accounts)
    agreed = agreements.make_agreements(accounts)
    published = _posts(accounts, fans, agreed)
    sessions = social.session_rows(agreed)
    books = money.make_money(agreed, social.live_orders(sessions, agreed))
    touches = list(money.touch_rows(books.orders, agreed))
    snapshots = list(people.snapshot_rows(accounts, _moments(published)))
    late = [row for row in snapshots if _is_late(row)]
    rows: dict[str, list[Row]] = {
        "account_snapshots": [row for row in snapshots if not _is_late(row)],
        "post_snapshots": list(posts.snapshot_rows(published)),
        "accounts": list(people.account_rows(accounts)),
        "brands": list(simulate.brand_rows()),
        "campaigns": [_campaign_row(one) for one in CAMPAIGNS],
        "collaborations": [row for one in agreed for row in _agreement_rows(one, agreed)],
        "collaboration_posts": [
            {"collaboration_id": one.collaboration_id, "platform": post.account.platform, "post_id": post.post_id}
            for one in agreed
            for post in one.posts
        ],
        "commission_rules": [
            dict(zip(HEADERS["commission_rules"].split(","), rule, strict=True)) for rule in money.RULES
        ],
        "rate_cards": [row for one in agreed for row in _rate_cards(one)],
        "costs": books.costs,
        "orders": [money.order_row(order) for order in books.orders],
        "refunds": list(money.refund_rows(books.orders)),
        "touches": [*touches, *social.live_touches(books.orders, sessions)],
        "link_clicks": list(money.click_rows(agreed, touches)),
        "fx_rates": list(money.rate_rows()),
        "live_sessions": sessions,
        "contest_entries": list(social.contest_rows(accounts)),
        "mentions": list(social.mention_rows(published)),
        "customer_accounts": list(social.customer_rows(fans)),
    }
    files = files_of(HEADERS, rows, LAST_DAY)
    files |= files_of({"account_snapshots": HEADERS["account_snapshots"]}, {"account_snapshots": late},
                      people.DELIVERED_LATE)  # fmt: skip
    files[f"account_snapshots/youtube_curves_{LAST_DAY}.csv.gz"] = _text(CURVES_HEADER, people.curve_rows())
    truth = {"truth.csv": _text(TRUTH_HEADER, _truths(accounts, agreed, books))}
    return {f"world/landing/{path}": text for path, text in files.items()} | truth


def _posts(accounts: list[Account], fans: list[Account], agreed: list[Agreement]) -> list[posts.Post]:
    """Each account's posts in the order of their times."""
    speak = frozenset(one.account_id for one in fans)
    by_account: dict[str, list[posts.Post]] = defaultdict(list)
    for one in agreed:
        if one.account:
            by_account[one.account.account_id] += one.posts
    for account in accounts:
        by_account[account.account_id] += posts.own_posts(account, speak)
    return [
        post
        for account in accounts
        for post in sorted(by_account[account.account_id], key=lambda post: (post.published, post.post_id))
    ]


def _moments(published: list[posts.Post]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = defaultdict(list)
    for post in published:
        found[post.account.account_id].append(post.published)
    return found


def _is_late(row: Row) -> bool:
    return row["platform"] == "bluesky" and str(row["captured_at"]).startswith(str(people.LATE_DAY))


def _campaign_row(one: agreements.Campaign) -> Row:
    budget = {"sim-splash": 70_000, "sim-faces": 36_000, "sim-mixed": 24_000, "sim-live": 14_000}
    return {
        "campaign_id": one.campaign_id, "brand": BRAND, "name": one.name, "objective": one.objective,
        "start_date": one.start, "end_date": one.end, "budget": budget.get(one.campaign_id, 9_000), "currency": "USD",
        "hashtags": one.tag,
    }  # fmt: skip


def _agreement_rows(one: Agreement, agreed: list[Agreement]) -> list[Row]:
    """Its row, and a second version where its terms of pay change."""
    account = one.account
    first: Row = {
        "collaboration_id": one.collaboration_id, "campaign_id": one.campaign.campaign_id if one.campaign else "",
        "brand": BRAND, "creator_id": account.creator_id if account else "",
        "platform": account.platform if account else "web",
        "account_id": account.account_id if account else f"sim-host-{one.number:03d}",
        "partner_type": one.partner_type, "promo_code": one.code, "link_id": one.link_id,
        "cookie_window_days": 14 if one.rule_id else "", "rule_id": one.rule_id,
        "agreed_fee": money.in_currency(one.fee, one.currency) if one.fee else "", "posts_agreed": len(one.posts) or "",
        "currency": one.currency, "start_date": one.start, "end_date": one.end or "", "valid_from": one.start,
    }  # fmt: skip
    if one is not agreements.changed(agreed):
        return [first]
    terms = {"rule_id": agreements.CHANGED_RULE, "cookie_window_days": 30, "valid_from": agreements.CHANGED_ON}
    return [first, first | terms]


def _rate_cards(one: Agreement) -> list[Row]:
    """What a paid creator asks for a post of each kind."""
    if not one.account or not one.fee:
        return []
    price = one.fee / len(one.posts)
    return [
        {
            "platform": one.account.platform, "account_id": one.account.account_id, "content_type": kind,
            "price": (price * (4 + nth) / 4).quantize(money.CENT), "currency": "USD", "valid_from": one.start,
        }
        for nth, kind in enumerate(posts.CONTENT[one.account.platform])
    ]  # fmt: skip


def _truths(accounts: list[Account], agreed: list[Agreement], books: Money) -> list[Row]:
    """One row per planted truth: what happened to whom, and what campaigns cost and brought by the maker's books."""

    def on(nth: int) -> date:
        return FIRST_DAY + timedelta(days=nth)

    found: list[Row] = [
        {
            "fact": "purchase" if one.is_bought else "misread" if one.event.kind == "misread" else "look_alike",
            "platform": one.platform, "subject": one.account_id, "first_day": on(one.event.day),
            "last_day": min(on(one.event.last_day), LAST_DAY), "is_bought": str(one.is_bought).lower(),
            "has_views": str(one.platform == "youtube").lower(), "size": round(one.event.size, 3),
            "words": one.planted,
        }
        for one in accounts
        if one.event
    ]  # fmt: skip
    changed, leaked = agreements.changed(agreed), agreements.leaked(agreed)
    found += [
        {"fact": "outage", "platform": "tiktok", "first_day": people.OUTAGE_DAY, "last_day": people.OUTAGE_DAY,
         "size": sum(people.is_out(one, people.OUTAGE_DAY) for one in accounts),
         "words": "follower counts of so many accounts are not captured"},
        {"fact": "late_file", "platform": "bluesky", "first_day": people.LATE_DAY, "last_day": people.DELIVERED_LATE,
         "words": "the counts of the first day come in a file of the last one"},
        {"fact": "leaked_code", "subject": leaked.code, "first_day": agreements.LEAKED_DAY,
         "last_day": agreements.LEAKED_DAY, "size": agreements.LEAKED_ORDERS,
         "words": "strangers use a code that was given to one creator"},
        {"fact": "changed_agreement", "subject": changed.collaboration_id, "first_day": agreements.CHANGED_ON,
         "words": f"from {changed.rule_id} to {agreements.CHANGED_RULE}, and a cookie of 30 days for one of 14"},
    ]  # fmt: skip
    found += [
        {
            "fact": "campaign_return", "subject": one.campaign_id, "first_day": one.start, "last_day": one.end,
            "size": book.orders, "spend": round(book.spend, 2), "net_revenue": round(book.net_revenue, 2),
            "roi": round(book.roi, 4), "words": one.name,
        }
        for one in CAMPAIGNS
        for book in [books.books[one.campaign_id]]
    ]  # fmt: skip
    return found


def _text(header: str, rows: list[Row]) -> str:
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, header.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def write(files: dict[str, str]) -> None:
    """Write each file whose text changed below `sample/`."""
    simulate.write({path: text for path, text in files.items() if path.endswith(".gz")}, TRUTH.parent)
    TRUTH.write_text(files["truth.csv"], encoding="utf-8")


if __name__ == "__main__":
    write(make())
