-- The hand-written reference: the night's growth, what everybody did, and each account beside its own 28 days ($night).
create table int_trust__growth_measured as
with known as (
    select platform, account_id, max(snapshot_date) as known_on, arg_max(followers, snapshot_date) as followers_before,
        arg_max(following, snapshot_date) as following_before, max(snapshot_date) filter (where views_total is not null)
        as views_known_on, arg_max(views_total, snapshot_date) as views_before
    from build.intermediate.int_snapshot__account_days_deduplicated
    where snapshot_date between $night - 30 and $night - 1 and followers is not null
    group by all
)
select platform, account_id, snapshot_date, followers, following, views_total, data_origin,
    date_diff('day', known_on, $night)::integer as gap_days, followers - followers_before as followers_gain,
    following - following_before as following_gain,
    case when views_total >= views_before then views_total - views_before end as views_gain,
    date_diff('day', views_known_on, $night)::integer as views_gap_days,
    case platform when 'youtube' then power(10, greatest(length(followers::varchar) - 3, 0)) else 1 end::bigint
        as count_resolution,
    case when followers > 0 and followers_before > 0
        then ln(followers / followers_before::double) end::decimal(18, 8) as log_growth
from build.intermediate.int_snapshot__account_days_deduplicated
left join known using (platform, account_id)
where snapshot_date = $night and followers is not null;

create table int_trust__growth_peers_measured as
with measures as (
    select platform, 'growth_per_day' as metric, '*' as cell, log_growth::double / nullif(gap_days, 0) as measure
    from int_trust__growth_measured where log_growth is not null and gap_days <= 7
    union all
    select platform, 'followers_of_neighbours', floor(log10(views_total::double) * 4)::integer::varchar,
        ln(followers::double)
    from int_trust__growth_measured where followers >= 1000 and views_total >= 1000
)
select platform, $night as snapshot_date, metric, cell, count(*) as n, median(measure) as median, mad(measure) as mad
from measures group by platform, metric, cell;

create table int_trust__windows_measured as
with crowd as (
    select platform, snapshot_date, median, mad
    from (
        from build.intermediate.int_trust__growth_peers_measured
        where snapshot_date > $night - 31 and snapshot_date < $night
        union all by name from int_trust__growth_peers_measured
    )
    where metric = 'growth_per_day' and n >= 20
),
days as (
    select g.*, date_diff('day', snapshot_date, $night) as age, coalesce(mad, 0) as peers_mad,
        (count_resolution / nullif(followers, 0)::double)::decimal(18, 8) as step,
        case when views_gap_days <= 7 then views_gain end as views, case when views_gain is not null then views_gap_days end
        as views_days, case when gap_days <= 7 then log_growth end as growth,
        case when gap_days <= 7 and log_growth is not null
            then log_growth - (coalesce(median, 0) * gap_days)::decimal(18, 8) end as excess
    from (
        from build.intermediate.int_trust__growth_measured where snapshot_date > $night - 31 and snapshot_date < $night
        union all by name from int_trust__growth_measured
    ) g
    left join crowd using (platform, snapshot_date)
),
moves as (
    select *, excess::double / nullif(gap_days, 0) as excess_per_day,
        case when excess > 0 and growth > 0 then least(excess, growth)
            when excess < 0 and growth < 0 then greatest(excess, growth) end as moved
    from days
),
windows as (
    select platform, account_id, $night as snapshot_date,
        sum(excess) filter (where age < 3)::decimal(18, 8) as excess_3,
        sum(followers_gain) filter (where age < 3 and excess is not null)::bigint as gain_3,
        sum(gap_days) filter (where age < 3 and excess is not null)::bigint as days_3,
        sum(views) filter (where age < 5)::bigint as views_5,
        sum(views_days) filter (where age < 5 and views is not null)::bigint as views_days_5,
        count(excess) filter (where age >= 3) as base_changes,
        median(excess_per_day) filter (where age >= 3) as base_median,
        mad(excess_per_day) filter (where age >= 3) as base_mad,
        median(views::double / nullif(views_days, 0)) filter (where age >= 5) as base_views_per_day,
        sum(excess) filter (where age between 0 and 4)::decimal(18, 8) as excess_part_0,
        sum(gap_days) filter (where age between 0 and 4 and excess is not null)::bigint as days_part_0,
        sum(excess) filter (where age between 5 and 9)::decimal(18, 8) as excess_part_1,
        sum(gap_days) filter (where age between 5 and 9 and excess is not null)::bigint as days_part_1,
        sum(excess) filter (where age between 10 and 14)::decimal(18, 8) as excess_part_2,
        sum(gap_days) filter (where age between 10 and 14 and excess is not null)::bigint as days_part_2,
        sum(excess) filter (where age between 15 and 19)::decimal(18, 8) as excess_part_3,
        sum(gap_days) filter (where age between 15 and 19 and excess is not null)::bigint as days_part_3,
        sum(followers_gain) filter (where age < 20 and excess is not null)::bigint as gain_20,
        sum(views) filter (where age < 20)::bigint as views_20,
        sum(views_days) filter (where age < 20 and views is not null)::bigint as views_days_20,
        sum(moved) filter (where age < 28 and moved > 1.2 * step)::decimal(18, 8) as up_28,
        sum(-moved) filter (where age < 28 and moved < -1.2 * step)::decimal(18, 8) as down_28,
        count(*) filter (where age < 28 and moved > 1.2 * step) as ups_28,
        count(*) filter (where age < 28 and moved < -1.2 * step) as downs_28,
        sum(least(growth - excess, 0)) filter (where age < 28)::decimal(18, 8) as fall_of_peers_28,
        sum(greatest(following_gain, 0)) filter (where age < 28)::bigint as following_up_28,
        sum(greatest(-following_gain, 0)) filter (where age < 28)::bigint as following_down_28,
        count(excess) filter (where age < 28) as changes_28,
        sum(gap_days) filter (where age < 28 and excess is not null)::bigint as days_28,
        sum(excess) filter (where age < 28)::decimal(18, 8) as excess_28,
        sum(views) filter (where age < 28)::bigint as views_28,
        sum(views_days) filter (where age < 28 and views is not null)::bigint as views_days_28,
        max(followers) filter (where age = 0) as followers, max(count_resolution) filter (where age = 0) as count_resolution,
        max(step) filter (where age = 0) as step, max(data_origin) filter (where age = 0) as data_origin,
        max(peers_mad) filter (where age = 0) as peers_mad
    from moves
    group by platform, account_id
    having count(*) filter (where age = 0) > 0
),
beside as (
    select *, followers - gain_3 as followers_before_3, excess_3 - base_median * days_3 as burst,
        greatest(1.4826 * base_mad, step / 2, 1.4826 * peers_mad, 0.001) as scatter,
        case when views_5 - base_views_per_day * views_days_5 > 0 then views_5 - base_views_per_day * views_days_5
            when views_5 - base_views_per_day * views_days_5 <= 0 then 0 end as extra_views_5
    from windows
)
select *, case when base_changes >= 7 then (burst - step) / nullif(scatter * sqrt(days_3), 0) end as burst_z,
    greatest(0.03, step + 6 * scatter) as smallest_visible_burst,
    1 - (greatest(base_median, 0) * days_3 * followers_before_3 + extra_views_5 * 0.2) / nullif(gain_3, 0)
        as unexplained_3,
    burst >= 0.03 and burst_z >= 6 and gain_3 >= 100 and followers_before_3 >= 1000 as is_burst,
    least(up_28, down_28) >= 0.04 and ups_28 >= 3 and downs_28 >= 3 and base_changes >= 7 and followers >= 1000
        as is_sawtooth
from beside;
