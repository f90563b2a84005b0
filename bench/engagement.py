"""One night of engagement and benchmarks, as a ratio to a hand-written DuckDB script of the same columns.

`make bench-engagement` (ARGS="--accounts 1000000 --posts 5000000 --pairs 3"). Both read the same history, 98 days of
followers and 8 nights of posts, and their values must be equal to the last digit. Exit code 1 when the ratio of medians
or the memory is above its limit.
"""

import sys
from pathlib import Path

from bench.paired import Bench, main

# Skewed, and the same on every machine: a few accounts have most followers and most posts.
WORLD = """
create or replace temp table account as
select
    'instagram' as platform, 'account' || i as account_id,
    cast(1000 * pow(10, 3.5 * pow((i * 7919 % {accounts}) / {accounts}, 3)) as bigint) as followers,
    'niche' || (i * 31 % 20) as niche, 'C' || (i * 17 % 25) as country
from range({accounts}) as t (i);

insert into intermediate.int_snapshot__account_days_deduplicated by name
select platform, account_id, date '{night}' as snapshot_date, timestamp '{night} 03:00:00' as captured_at,
    followers, niche, country, 'observed' as data_origin
from account;

insert into intermediate.int_snapshot__followers_captured by name
select platform, account_id, cast(day + interval 3 hour as timestamp) as captured_at,
    followers - cast(followers * date_diff('day', day, date '{night}') / 1000 as bigint) as followers,
    cast(day as date) as snapshot_date
from account, generate_series(timestamp '{night}' - interval 97 day, timestamp '{night}', interval 1 day) as d (day);

create or replace temp table post as
select
    'instagram' as platform, 'post' || i as post_id,
    -- The square puts most posts on few accounts.
    'account' || cast(floor(pow((i * 104729 % {posts}) / {posts}, 2) * {accounts}) as bigint) as account_id,
    cast(timestamp '{night} 06:00:00' - to_minutes(i * 7907 % 132480) as timestamp) as published_at,
    i * 15485863 % 9973 as likes, i * 32452843 % 499 as comments, i * 49979687 % 97 as creator_replies,
    9973 + i * 67867967 % 90001 as views, case when i % 3 = 0 then 9973 + i * 86028121 % 50021 end as reach,
    i % 9 = 0 as is_sponsored, i % 50 = 0 as is_pinned, i % 40 = 0 as is_collab,
    case when i % 4 = 0 then '#tag' || i % 1000 || '|#brand' || i % 60 end as hashtags,
    case when i % 7 = 0 then '@brand' || i % 60 end as mentions
from range({posts}) as t (i);

insert into intermediate.int_snapshot__post_days_deduplicated by name
select
    platform, post_id, account_id, published_at, likes + night as likes, comments, creator_replies,
    views + night as views, reach, is_sponsored, is_pinned, is_collab, hashtags, mentions, 'observed' as data_origin,
    cast(timestamp '{night} 04:00:00' - to_days(7 - cast(night as integer)) as timestamp) as captured_at,
    cast(date '{night}' - (7 - cast(night as integer)) as date) as snapshot_date
from post, range(8) as n (night)
-- One capture in ten is missing, and a post is not seen before it is there.
where (likes + night) % 10 > 0 and published_at <= timestamp '{night} 04:00:00' - to_days(7 - cast(night as integer));

create or replace view raw.accounts as
select 'instagram' as platform, 'account' || i as account_id, null::varchar as creator_id, null::varchar as handle,
    null::varchar as display_name, 'niche' || (i * 13 % 20) as niche, null::varchar as country, null::varchar as city,
    null::varchar as language, timestamp '2026-01-01 00:00:00' as updated_at, null::varchar as extra,
    'observed' as data_origin, null::varchar as source_file, 1::bigint as source_line, 'a' as source_sha256,
    'b' as batch_id, timestamp '2026-01-01 00:00:00' as as_of, timestamp '2026-01-01 00:00:00' as loaded_at,
    date '2026-01-01' as snapshot_date
from range(0, {accounts}, 2) as t (i);

create or replace view raw.brands as
select 'b' || i as brand, 'Brand' || i as name, null::varchar as aliases, '#brand' || i as hashtags,
    null::varchar as own_accounts, i % 2 = 0 as is_rival, null::varchar as extra, 'observed' as data_origin,
    null::varchar as source_file, 1::bigint as source_line, 'a' as source_sha256, 'b' as batch_id,
    timestamp '2026-01-01 00:00:00' as as_of, timestamp '2026-01-01 00:00:00' as loaded_at,
    date '2026-01-01' as snapshot_date
from range(60) as t (i);
"""

BENCH = Bench(
    script=Path(__file__),
    world=WORLD,
    # What a night makes of posts and followers that are already observed.
    models=(
        "int_snapshot__post_traits_changed", "int_agreement__brand_posts_named", "int_engagement__accounts_rated",
        "int_engagement__attributes_dated", "fct_account_engagement_daily", "fct_account_benchmark_daily",
        "fct_tier_benchmark_daily",
    ),
    compared=(
        "groundswell.marts.fct_account_engagement_daily", "groundswell.marts.fct_account_benchmark_daily",
        "groundswell.marts.fct_tier_benchmark_daily",
    ),
    before=(
        "int_snapshot__post_last_known_values", "int_snapshot__post_traits_changed", "int_agreement__brand_posts_named",
    ),
    has_posts=True,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(BENCH, __doc__))
