"""One night of the statistics of 28 days on which trust rests, as a ratio to a hand-written DuckDB script.

`make bench-windows` (ARGS="--accounts 1000000 --pairs 3"). Both read the same 31 days of counts and growth; the growth
of the night, what peers did and every column of the windows must be equal to the last digit. Exit code 1 when the
ratio of medians or the memory is above its limit.
"""

import sys
from pathlib import Path

from bench.paired import Bench, main

# Skewed, with a day in twenty missed, rounded counts on one platform, bursts, and losses.
WORLD = """
insert into intermediate.int_snapshot__account_days_deduplicated by name
select
    case when i % 3 = 0 then 'tiktok' else 'youtube' end as platform, 'account' || i as account_id,
    cast(date '{night}' - cast(back as integer) as date) as snapshot_date,
    case when i % 3 = 0 then count else count // step * step end as followers,
    i % 900 + (31 - back) * (i % 3) as following,
    1000 * i + (31 - back) * (i % 97) * 10 as views_total, 'observed' as data_origin
from (
    select *, cast(power(10, greatest(length(cast(count as varchar)) - 3, 0)) as bigint) as step
    from (
        select
            i, back,
            cast(
                1000 * pow(10, 3.5 * pow((i * 7919 % {accounts}) / {accounts}, 3))
                * (1 + 0.0004 * (i % 13 - 3) * (31 - back) + 0.001 * ((i * 31 + back * 17) % 7))
                * case when i % 200 = 0 and back < i % 20 then 1.3 else 1 end as bigint
            ) as count
        from range({accounts}) as a (i), range(32) as d (back)
        where (i * 13 + back) % 20 <> 0
    ) as counted
) as rounded;

insert into intermediate.int_trust__growth_measured by name
select
    platform, account_id, snapshot_date, followers, following, views_total, data_origin,
    cast(date_diff('day', known_on, snapshot_date) as integer) as gap_days, followers - known as followers_gain,
    following - following_known as following_gain, views_total - views_known as views_gain,
    cast(date_diff('day', known_on, snapshot_date) as integer) as views_gap_days,
    case platform when 'youtube' then cast(power(10, greatest(length(cast(followers as varchar)) - 3, 0)) as bigint)
        else 1 end as count_resolution,
    cast(ln(followers / cast(known as double)) as decimal(18, 8)) as log_growth
from (
    select
        *, lag(snapshot_date) over by_day as known_on, lag(followers) over by_day as known,
        lag(following) over by_day as following_known, lag(views_total) over by_day as views_known
    from intermediate.int_snapshot__account_days_deduplicated
    window by_day as (partition by platform, account_id order by snapshot_date)
) as days
where snapshot_date < date '{night}';
"""

BENCH = Bench(
    script=Path(__file__),
    world=WORLD,
    models=("int_trust__growth_measured", "int_trust__growth_peers_measured", "int_trust__windows_measured"),
    compared=(
        "build.intermediate.int_trust__growth_measured", "build.intermediate.int_trust__growth_peers_measured",
        "build.intermediate.int_trust__windows_measured",
    ),
    before=("int_trust__growth_peers_measured",),
    nights_before=31,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(BENCH, __doc__))
