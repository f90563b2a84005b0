"""Who may be on a shortlist, from the published marts: what each account brings, what its post costs, who it is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from serving.report.source import Row, Source
from serving.shortlist.ask import ATTRIBUTES, Ask, ShortlistError

MARTS = (
    "dim_account", "dim_account_price", "dim_tier_scheme", "fct_account_engagement_daily", "fct_follower_trust_daily",
)  # fmt: skip
# How many values of an attribute a message names.
NAMED = 20

# Rates of the platform's latest days that have any; the verdict of the account's own last day. A big name has the
# followers of the third tier of the scheme, or of the highest where there are fewer (macro and mega of `standard`); a
# list is held against one of the highest tier.
ACCOUNTS = """
with valid as (
    select platforms.platform, schemes.tier, schemes.tier_rank, schemes.min_followers
    from (select platform, max(as_of_date) as day from marts.dim_account_price group by platform) as platforms
    join marts.dim_tier_scheme as schemes
        on schemes.scheme = $scheme and schemes.platform in (platforms.platform, '*')
        and platforms.day >= schemes.valid_from and (schemes.valid_to is null or platforms.day < schemes.valid_to)
    -- A platform's own rows take the place of the general ones.
    qualify (schemes.platform = '*') = bool_and(schemes.platform = '*') over (partition by platforms.platform)
),

placed as (
    select
        *, row_number() over (partition by platform order by tier_rank) as place,
        count(*) over (partition by platform) as tiers
    from valid
),

sizes as (
    select
        platform,
        min(min_followers) filter (where place > 2 or place = tiers) as big_from,
        max(min_followers) filter (where place = tiers) as top_from,
        max(tier) filter (where place = tiers) as top_tier
    from placed group by platform
),

latest as (
    select platform, max(snapshot_date) as day from marts.fct_account_engagement_daily
    where er_followers_median_30 is not null group by platform
),

rates as (
    select
        rated.platform, rated.account_id,
        max_by(er_followers_median_30, snapshot_date) as er,
        max_by(reach_rate_median_30, snapshot_date) as reach_rate,
        max(rated.data_origin) as data_origin,
        min(latest.day) as day
    from marts.fct_account_engagement_daily as rated
    join latest on rated.platform = latest.platform and rated.snapshot_date between latest.day - 6 and latest.day
    where er_followers_median_30 is not null or reach_rate_median_30 is not null
    group by rated.platform, rated.account_id
)

select
    accounts.platform, accounts.account_id, accounts.creator_id, accounts.display_name, accounts.handle,
    accounts.niche, accounts.country, accounts.city, accounts.language,
    prices.tier, prices.followers,
    cast(floor(round(prices.followers * rates.reach_rate, 6)) as bigint) as reach,
    cast(floor(round(prices.followers * rates.er, 6)) as bigint) as engagements,
    cast(ceil(prices.price_base * 100) as bigint) as price_cents,
    prices.price_basis, prices.base_currency, prices.as_of_date, rates.day as rates_day,
    coalesce(prices.followers >= sizes.big_from, false) as is_big,
    coalesce(prices.followers >= sizes.top_from, false) as is_top, sizes.top_tier,
    trust.trust_score, coalesce(trust.is_suspicious, false) as is_suspicious,
    coalesce(trust.verdict = 'watch' or trust.engagement_verdict = 'watch', false) as is_watched,
    coalesce(greatest(prices.data_origin, rates.data_origin), accounts.data_origin) as data_origin
from marts.dim_account as accounts
left join marts.dim_account_price as prices using (platform, account_id)
left join sizes using (platform)
left join rates using (platform, account_id)
left join marts.fct_follower_trust_daily as trust
    on accounts.platform = trust.platform and accounts.account_id = trust.account_id
    and accounts.last_seen_date = trust.snapshot_date
order by accounts.platform, accounts.account_id
"""


@dataclass(frozen=True)
class World:
    """Accounts by platform and id, with what the ask needs of each.

    `usable` marks those with a known price and known figures whose counts look neither bought nor worth a look;
    `left_out` counts the others of those that the ask is about, by the first reason that holds. Column `creator`
    numbers people: accounts of one `creator_id` share a number. `matches` marks who is within each limit on who they
    are.
    """

    accounts: pd.DataFrame
    usable: Any
    left_out: dict[str, int]
    currency: str
    release: Row
    matches: dict[str, Any] = field(default_factory=dict)

    def eligible(self, without: str | None = None) -> Any:
        """Places of the usable accounts within all limits on who they are, but for one of them."""
        mask = self.usable.copy()
        for name, match in self.matches.items():
            if name != without:
                mask &= match
        return np.flatnonzero(mask)


def read_world(source: Source, ask: Ask) -> World:
    """All accounts of the release. Raises ShortlistError before the first release, and for an unknown value."""
    if not source.holds(*MARTS):
        raise ShortlistError("no release with prices has been published yet: run `make nightly` first")
    assert source.marts is not None
    accounts = source.marts.execute(ACCOUNTS, {"scheme": source.settings.default_scheme}).df()
    if accounts.empty:
        raise ShortlistError("the release holds no account: land `account_snapshots` and run `make nightly`")
    people = accounts["creator_id"].fillna(accounts["platform"] + "\n" + accounts["account_id"])
    accounts["creator"] = pd.factorize(people)[0]
    matches = {name: _match(accounts, name, value) for name, value in ask.only}
    asked = np.logical_and.reduce([np.ones(len(accounts), bool), *matches.values()])
    reasons = {
        "with suspicious counts": accounts["is_suspicious"].to_numpy(bool),
        "whose counts are worth a look": accounts["is_watched"].to_numpy(bool),
        "of unknown price": accounts["price_cents"].isna().to_numpy(),
        **{
            f"of unknown {figure}": accounts[figure].isna().to_numpy()
            for figure in sorted({ask.measure, *(["engagements"] if ask.aim == "engagements" else [])})
        },
    }
    usable, left_out = np.ones(len(accounts), bool), {}
    for why, holds in reasons.items():
        left_out[why] = int((asked & usable & holds).sum())
        usable &= ~holds
    if ask.min_trust is not None:
        left_out["of unknown trust"] = int((asked & usable & accounts["trust_score"].isna().to_numpy()).sum())
        matches["min_trust"] = (accounts["trust_score"] >= ask.min_trust).fillna(False).to_numpy(bool)
    currency = accounts["base_currency"].dropna()
    return World(
        accounts,
        usable,
        {why: count for why, count in left_out.items() if count},
        str(currency.iloc[0]) if len(currency) else "",
        source.release or {},
        matches,
    )


def _match(accounts: pd.DataFrame, name: str, value: str) -> Any:
    """Which accounts have a value, whatever its case. Raises ShortlistError, with those that there are."""
    assert name in ATTRIBUTES
    known = accounts[name].str.strip().str.lower()
    match = (known == value.lower()).fillna(False).to_numpy(bool)
    if not match.any():
        values = sorted(known.dropna().unique())
        more = f" and {len(values) - NAMED} more" if len(values) > NAMED else ""
        there = f"there are: {', '.join(values[:NAMED])}{more}" if values else f"no account's {name} is known"
        raise ShortlistError(f"no account has {name} {value}; {there}")
    return match
