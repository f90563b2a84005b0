"""`make bench-shortlist`: seconds and proven gap of shortlists over many candidates.

The candidates are made, the same on every machine, and published as marts in a temporary folder; each ask then runs
as `make shortlist` does: the marts are read, the program is solved, what it says is checked.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

import duckdb

from ingestion.config import Settings
from serving.report.source import open_source
from serving.shortlist.ask import read_ask
from serving.shortlist.optimise import amount, make_shortlist

# What a brand would ask, from the easy to the tight.
ASKS: dict[str, dict[str, str | None]] = {
    "followers, cheapest": {"followers": "20000000"},
    "engagements, at most 40 creators": {"engagements": "900000", "max_creators": "40"},
    "reach, a budget, a country": {"reach": "3000000", "budget": "400000", "country": "TW"},
    "most engagements for a budget": {"budget": "50000"},
    "most engagements, one big name": {"budget": "50000", "iceberg": "0.5"},
    "followers, at most 12 creators": {"followers": "20000000", "max_creators": "12"},
}

# Followers spread like audiences do, by a power law from 1,000 to about 10M; prices about a cent to three a follower.
MADE = """
create schema marts;

create table marts.made as
with numbered as (
    select
        n, (n * 7919 + 13) % 100003 / 100003.0 as u, (n * 104729 + 7) % 99991 / 99991.0 as v,
        (n * 15485863 + 3) % 99989 / 99989.0 as w
    from range($candidates) as numbers (n)
)

select
    case n % 3 when 0 then 'instagram' when 1 then 'tiktok' else 'youtube' end as platform,
    'made-' || lpad(n::varchar, 8, '0') as account_id,
    -- One person in ten has a second account.
    'person-' || case when n % 10 = 1 then n - 1 else n end as creator_id,
    cast(1000 * power(1 - u * 0.9999, -1.0) as bigint) as followers,
    0.01 + 0.05 * v as er, 0.1 + 0.4 * w as reach_rate,
    cast(round(20 + power(1000 * power(1 - u * 0.9999, -1.0), 0.9) * (0.01 + 0.03 * w), 2) as decimal(38, 6)) as price,
    case n % 5 when 0 then 'TW' when 1 then 'JP' else 'US' end as country
from numbered;

create table marts.dim_account as
select
    platform, account_id, creator_id, account_id as display_name, account_id as handle, 'beauty' as niche, country,
    null::varchar as city, null::varchar as language, date '2026-03-01' as last_seen_date, 'simulated' as data_origin
from marts.made;

create table marts.dim_account_price as
select
    platform, account_id, followers, null::varchar as tier, price as price_base, 'price band' as price_basis,
    'USD' as base_currency, date '2026-03-01' as as_of_date, 'simulated' as data_origin
from marts.made;

create table marts.fct_account_engagement_daily as
select
    platform, account_id, date '2026-03-01' as snapshot_date, er as er_followers_median_30,
    reach_rate as reach_rate_median_30, 'simulated' as data_origin
from marts.made;

create table marts.fct_follower_trust_daily as
select
    platform, account_id, date '2026-03-01' as snapshot_date, 90 as trust_score, 'trusted' as verdict,
    'trusted' as engagement_verdict, false as is_suspicious
from marts.made;
"""


def main() -> None:
    """Print a line per ask: seconds, candidates, accounts on the list, its price, the proven gap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10_000)
    candidates = parser.parse_args().candidates
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder))  # type: ignore[call-arg]
        settings.published.mkdir(parents=True)
        with closing(duckdb.connect(str(settings.published / "groundswell.duckdb"))) as marts:
            for statement in MADE.split(";"):
                if statement.strip():
                    marts.execute(statement, {"candidates": candidates} if "$candidates" in statement else None)
        print(f"{'ask':<34}{'seconds':>8}{'candidates':>12}{'accounts':>10}{'price':>14}{'gap':>10}")
        for name, given in ASKS.items():
            start = time.perf_counter()
            with open_source(settings, run_id="") as source:
                found = make_shortlist(source, read_ask(given))
            seconds = time.perf_counter() - start
            print(
                f"{name:<34}{seconds:>8.1f}{found.candidates:>12,}{len(found.solved.chosen):>10,}"
                f"{amount(found.money):>14}{found.solved.gap:>10.4%}"
                + ("  cut short" if found.solved.is_cut_short else "")
            )


if __name__ == "__main__":
    main()
