"""Live sessions, contest entries, mentions and customers with accounts of the sample world."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from sample.simulate import Row, draw, pick
from sample.world.accounts import FIRST_DAY, LAST_DAY, Account
from sample.world.agreements import BRAND, CAMPAIGNS, HOSTS, Agreement
from sample.world.money import Order, basket, iso
from sample.world.posts import Post

# Sessions of each kind of host, viewers of a session, and orders a viewer.
SESSIONS = 8
VIEWERS = {"creator": (1_500, 5_000), "trained_host": (250, 900)}
SALES = {"creator": 0.0035, "trained_host": 0.022}
ENTRIES = {"sim-photo": 90, "sim-recipe": 70}


def session_rows(agreements: list[Agreement]) -> list[Row]:
    """Live sessions of hired creators and of trained hosts, in turns."""
    live = next(one for one in CAMPAIGNS if one.objective == "live")
    hired = [one for one in agreements if one.campaign is live]
    creators, hosts = hired[:-HOSTS], hired[-HOSTS:]
    rows = []
    for nth in range(2 * SESSIONS):
        kind, agreement = (
            ("creator", creators[nth // 2 % len(creators)]) if nth % 2 == 0
            else ("trained_host", hosts[nth // 2 % len(hosts)])
        )  # fmt: skip
        name = f"sim-live-{nth + 1:02d}"
        begin = datetime.combine(live.start, time(18)) + timedelta(days=1 + int(3.5 * nth), minutes=30 * (nth % 3))
        low, high = VIEWERS[kind]
        viewers = round(low * (high / low) ** draw("world", name, "viewers"))
        rows.append({
            "live_session_id": name, "platform": "tiktok",
            "host_id": agreement.account.account_id if agreement.account else f"sim-host-{agreement.number:03d}",
            "account_id": agreement.account.account_id if agreement.account else "",
            "campaign_id": live.campaign_id, "started_at": iso(begin),
            "ended_at": iso(begin + timedelta(minutes=50 + round(70 * draw("world", name, "long")))),
            "peak_viewers": round(viewers * (0.35 + 0.25 * draw("world", name, "peak"))),
            "unique_viewers": viewers, "host_type": kind,
        })  # fmt: skip
    return rows


def live_orders(sessions: list[Row], agreements: list[Agreement]) -> list[Order]:
    """Orders in a session, by the link that its host has pinned: a code would be used by many on a few days."""
    by_host = {one.account.account_id if one.account else f"sim-host-{one.number:03d}": one for one in agreements
               if one.campaign and one.campaign.objective == "live"}  # fmt: skip
    found = []
    for session in sessions:
        name, one = str(session["live_session_id"]), by_host[str(session["host_id"])]
        begin, end = (datetime.fromisoformat(str(session[key]).removesuffix("Z")) for key in ("started_at", "ended_at"))
        for nth in range(round(int(str(session["unique_viewers"])) * SALES[str(session["host_type"])])):
            order = f"{name.removeprefix('sim-')}-{nth:02d}"
            moment = begin + (end - begin) * draw("world", order, "when")
            found.append(basket(order, moment, one, "", session=name))
    return found


def live_touches(orders: list[Order], sessions: list[Row]) -> Iterator[Row]:
    """Most of those who order in a session were seen in it before."""
    campaign = {str(row["live_session_id"]): row["campaign_id"] for row in sessions}
    for order in orders:
        if order.session_id and draw("world", order.order_id, "watched") < 0.7:
            yield {
                "touch_id": f"{order.order_id}-t0", "customer_id": order.customer_id,
                "touched_at": iso(order.moment - timedelta(minutes=1)), "touch_type": "live", "channel": "live",
                "campaign_id": campaign[order.session_id], "live_session_id": order.session_id,
            }  # fmt: skip


def contest_rows(accounts: list[Account]) -> Iterator[Row]:
    """Entries of two contests: fans whom nobody watches and watched accounts, some of them referred by another."""
    ours = [one for one in accounts if one.platform == "instagram" and one.tier == "nano"][:30]
    for campaign in CAMPAIGNS:
        if campaign.objective != "contest":
            continue
        begin = datetime.combine(campaign.start, time(8))
        days = (campaign.end - campaign.start).days
        entered = []
        for nth in range(ENTRIES[campaign.campaign_id]):
            name = f"{campaign.campaign_id}-e{nth:03d}"
            fan = f"sim-fan-{int(80 * draw('world', name, 'fan')):03d}"
            account = ours[int(len(ours) * draw("world", name, "who"))].account_id
            is_ours = draw("world", name, "ours") < 0.3
            entered.append(
                (begin + timedelta(days=days * draw("world", name, "when") ** 1.4), name, account if is_ours else fan)
            )
        before: list[str] = []
        for moment, name, account in sorted(entered):
            others = tuple(each for each in before if each != account)
            yield {
                "entry_id": name, "campaign_id": campaign.campaign_id, "platform": "instagram", "account_id": account,
                "entered_at": iso(moment),
                "referrer_account_id": pick(others, "world", name, "referrer")
                if others and draw("world", name, "referred") < 0.4 else "",
                "reach": round(150 + 2_500 * draw("world", name, "reach") ** 2),
            }  # fmt: skip
            before.append(account)


def mention_rows(posts: list[Post]) -> Iterator[Row]:
    """What a listening tool finds: the posts that name a brand, the brand's own and its rivals'."""
    for post in sorted(posts, key=lambda one: (one.published, one.post_id)):
        for brand in post.brands:
            if FIRST_DAY <= post.published.date() <= LAST_DAY:
                yield {
                    "mention_id": f"m-{post.post_id}-{brand}", "brand": brand, "platform": post.account.platform,
                    "account_id": post.account.account_id, "post_id": post.post_id,
                    "mentioned_at": iso(post.published), "hashtags": "|".join(post.tags),
                }  # fmt: skip


def customer_rows(fans: list[Account]) -> Iterator[Row]:
    """Customers who became advocates, one in four of them ambassadors; four in five consent."""
    for nth, account in enumerate(fans, start=1):
        name = account.account_id
        steps = [("customer", FIRST_DAY - timedelta(days=200 + int(100 * draw("world", name, "customer"))))]
        if draw("world", name, "advocate") < 0.85:
            steps.append(("advocate", FIRST_DAY - timedelta(days=int(90 * draw("world", name, "since")))))
            if draw("world", name, "ambassador") < 0.25:
                steps.append(("ambassador", FIRST_DAY + timedelta(days=20 + int(50 * draw("world", name, "later")))))
        for step, (relationship, since) in enumerate(steps):
            consents = relationship != "customer" and draw("world", name, "consents") < 0.8
            yield {
                "customer_id": f"sim-cust-voice-{nth:03d}", "brand": BRAND, "platform": account.platform,
                "account_id": name, "relationship": relationship, "valid_from": since,
                "valid_to": steps[step + 1][1] if step + 1 < len(steps) else "",
                "consented_at": f"{since}T10:00:00Z" if consents else "",
            }  # fmt: skip
