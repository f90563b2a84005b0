-- How far counts can be trusted ($night): growth beside peers and beside each account's own 28 days, the signals that
-- this raises, verdicts and flags. No count is redefined within 30 days of it. One look at 30 days of growth gives what
-- was last known and all sums up to yesterday.
create temp table past as
with crowd as (
    select platform, snapshot_date, median, mad
    from build.intermediate.int_trust__growth_peers_measured
    where snapshot_date between $night - 30 and $night - 1 and metric = 'growth_per_day' and n >= 20
),
days as (
    select platform, account_id, snapshot_date, followers, following, views_total, followers_gain, following_gain,
        gap_days, ($night - snapshot_date)::integer as age,
        (count_resolution / nullif(followers, 0)::double)::decimal(18, 8) as step,
        case when views_gap_days <= 7 then views_gain end as views,
        case when views_gain is not null then views_gap_days end as views_days,
        case when gap_days <= 7 then log_growth end as growth,
        case when gap_days <= 7 and log_growth is not null
            then log_growth - (coalesce(median, 0) * gap_days)::decimal(18, 8) end as excess
    from build.intermediate.int_trust__growth_measured
    left join crowd using (platform, snapshot_date)
    where snapshot_date between $night - 30 and $night - 1
),
moves as (
    select *, case when excess is not null then gap_days end as days,
        case when excess is not null then followers_gain end as gain,
        case when views is not null then views_days end as days_of_views,
        case when excess > 0 and growth > 0 then least(excess, growth)
            when excess < 0 and growth < 0 then greatest(excess, growth) end as moved,
        case when moved > 1.2 * step then moved end as up, case when moved < -1.2 * step then -moved end as down
    from days
)
select platform, account_id, max(snapshot_date) as known_on, arg_max(followers, snapshot_date) as followers_before,
    arg_max(following, snapshot_date) as following_before,
    max(snapshot_date) filter (where views_total is not null) as views_known_on,
    arg_max(views_total, snapshot_date) as views_before,
    sum(case when age < 3 then excess end) as excess_3,
    sum(case when age < 3 then gain end) as gain_3,
    sum(case when age < 3 then days end) as days_3,
    sum(case when age < 5 then views end) as views_5,
    sum(case when age < 5 then days_of_views end) as views_days_5,
    count(case when age >= 3 then excess end) as base_changes,
    list(excess::double / nullif(gap_days, 0)) filter (where age >= 3 and excess is not null) as base,
    list(views::double / nullif(views_days, 0)) filter (where age >= 5 and views is not null) as base_views,
    sum(case when age < 5 then excess end) as excess_part_0,
    sum(case when age < 5 then days end) as days_part_0,
    sum(case when age between 5 and 9 then excess end) as excess_part_1,
    sum(case when age between 5 and 9 then days end) as days_part_1,
    sum(case when age between 10 and 14 then excess end) as excess_part_2,
    sum(case when age between 10 and 14 then days end) as days_part_2,
    sum(case when age between 15 and 19 then excess end) as excess_part_3,
    sum(case when age between 15 and 19 then days end) as days_part_3,
    sum(case when age < 20 then gain end) as gain_20,
    sum(case when age < 20 then views end) as views_20,
    sum(case when age < 20 then days_of_views end) as views_days_20,
    sum(case when age < 28 then up end) as up_28,
    sum(case when age < 28 then down end) as down_28,
    count(case when age < 28 then up end) as ups_28,
    count(case when age < 28 then down end) as downs_28,
    sum(case when age < 28 then least(growth - excess, 0) end) as fall_of_peers_28,
    sum(case when age < 28 then greatest(following_gain, 0) end) as following_up_28,
    sum(case when age < 28 then greatest(-following_gain, 0) end) as following_down_28,
    count(case when age < 28 then excess end) as changes_28,
    sum(case when age < 28 then days end) as days_28,
    sum(case when age < 28 then excess end) as excess_28,
    sum(case when age < 28 then views end) as views_28,
    sum(case when age < 28 then days_of_views end) as views_days_28
from moves
group by platform, account_id;

create temp table int_trust__growth_measured as
select platform, account_id, $night as snapshot_date, followers, following, views_total, data_origin,
    ($night - known_on)::integer as gap_days, followers - followers_before as followers_gain,
    following - following_before as following_gain,
    case when views_total >= views_before then views_total - views_before end as views_gain,
    ($night - views_known_on)::integer as views_gap_days,
    case platform when 'youtube' then power(10, greatest(length(followers::varchar) - 3, 0)) else 1 end::bigint
        as count_resolution,
    case when followers > 0 and followers_before > 0
        then ln(followers / followers_before::double) end::decimal(18, 8) as log_growth
from today_account
left join past using (platform, account_id)
where followers is not null;

create temp table int_trust__growth_peers_measured as
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

-- A sum of what is known of both.
create temp macro plus(a, b) as coalesce(a + b, a, b);
-- What is unknown stays so, which `greatest` would turn into 0.
create temp macro above_zero(x) as case when x > 0 then x when x <= 0 then 0 end;

create temp table int_trust__windows_measured as
with days as (
    select g.*, coalesce(mad, 0) as peers_mad,
        (count_resolution / nullif(followers, 0)::double)::decimal(18, 8) as step,
        case when views_gap_days <= 7 then views_gain end as views,
        case when views_gain is not null then views_gap_days end as views_days,
        case when gap_days <= 7 then log_growth end as growth,
        case when gap_days <= 7 and log_growth is not null
            then log_growth - (coalesce(median, 0) * gap_days)::decimal(18, 8) end as excess
    from int_trust__growth_measured g
    left join int_trust__growth_peers_measured p on g.platform = p.platform and metric = 'growth_per_day' and n >= 20
),
moves as (
    select *, case when excess is not null then gap_days end as days,
        case when excess is not null then followers_gain end as gain,
        case when views is not null then views_days end as days_of_views,
        case when excess > 0 and growth > 0 then least(excess, growth)
            when excess < 0 and growth < 0 then greatest(excess, growth) end as moved,
        case when moved > 1.2 * step then moved end as up, case when moved < -1.2 * step then -moved end as down
    from days
),
windows as (
    select platform, account_id, t.snapshot_date, plus(excess_3, excess)::decimal(18, 8) as excess_3,
        plus(gain_3, gain)::bigint as gain_3, plus(days_3, days)::bigint as days_3,
        plus(views_5, views)::bigint as views_5, plus(views_days_5, days_of_views)::bigint as views_days_5,
        coalesce(base_changes, 0) as base_changes, list_median(base) as base_median, list_mad(base) as base_mad,
        list_median(base_views) as base_views_per_day, plus(excess_part_0, excess)::decimal(18, 8) as excess_part_0,
        plus(days_part_0, days)::bigint as days_part_0, excess_part_1::decimal(18, 8) as excess_part_1,
        days_part_1::bigint as days_part_1, excess_part_2::decimal(18, 8) as excess_part_2,
        days_part_2::bigint as days_part_2, excess_part_3::decimal(18, 8) as excess_part_3,
        days_part_3::bigint as days_part_3, plus(gain_20, gain)::bigint as gain_20,
        plus(views_20, views)::bigint as views_20, plus(views_days_20, days_of_views)::bigint as views_days_20,
        plus(up_28, up)::decimal(18, 8) as up_28, plus(down_28, down)::decimal(18, 8) as down_28,
        coalesce(ups_28, 0) + (up is not null)::bigint as ups_28,
        coalesce(downs_28, 0) + (down is not null)::bigint as downs_28,
        plus(fall_of_peers_28, least(growth - excess, 0))::decimal(18, 8) as fall_of_peers_28,
        plus(following_up_28, greatest(t.following_gain, 0))::bigint as following_up_28,
        plus(following_down_28, greatest(-t.following_gain, 0))::bigint as following_down_28,
        coalesce(changes_28, 0) + (excess is not null)::bigint as changes_28, plus(days_28, days)::bigint as days_28,
        plus(excess_28, excess)::decimal(18, 8) as excess_28, plus(views_28, views)::bigint as views_28,
        plus(views_days_28, days_of_views)::bigint as views_days_28,
        followers, count_resolution, step, data_origin, peers_mad
    from moves t
    left join past using (platform, account_id)
),
beside as (
    select *, followers - gain_3 as followers_before_3, excess_3 - base_median * days_3 as burst,
        greatest(1.4826 * base_mad, step / 2, 1.4826 * peers_mad, 0.001) as scatter,
        above_zero(views_5 - base_views_per_day * views_days_5) as extra_views_5
    from windows
)
select * exclude (peers_mad),
    case when base_changes >= 7 then (burst - step) / nullif(scatter * sqrt(days_3), 0) end as burst_z,
    greatest(0.03, step + 6 * scatter) as smallest_visible_burst,
    1 - (greatest(base_median, 0) * days_3 * followers_before_3 + extra_views_5 * 0.2) / nullif(gain_3, 0)
        as unexplained_3,
    burst >= 0.03 and burst_z >= 6 and gain_3 >= 100 and followers_before_3 >= 1000 as is_burst,
    least(up_28, down_28) >= 0.04 and ups_28 >= 3 and downs_28 >= 3 and base_changes >= 7 and followers >= 1000
        as is_sawtooth
from beside;

-- How facts are said.
create temp macro counted(x) as format('{:,}', round(x)::bigint);
create temp macro gained(x) as case when x >= 0 then '+' else '' end || counted(x);
create temp macro times_usual(x) as case when x >= 1000 then 'over 1,000 times the usual'
    else counted(x) || ' times the usual' end;
create temp macro percent(x) as round(100 * x)::bigint::varchar || ' %';
create temp macro tenths(x) as (100 * x)::decimal(18, 1)::varchar || ' %';
create temp macro in_days(x) as case when x = 1 then 'one day' else x::varchar || ' days' end;

-- Growth within 3 days that stands out by 6 standard deviations of the usual.
create temp table burst as
select * from int_trust__windows_measured where is_burst;

-- Bursts of the 20 days before, beside today: of one that several days saw, the highest count is its top.
create temp table fallen as
with earlier as (
    select platform, account_id, min(snapshot_date - days_3::integer) as began,
        min(followers_before_3) as followers_before, max(followers) as highest
    from build.intermediate.int_trust__windows_measured
    where snapshot_date between $night - 20 and $night - 1 and is_burst
    group by all
)
select t.platform, t.account_id, began, highest - followers_before as gain,
    highest - followers + fall_of_peers_28 * highest as lost, least(lost / nullif(gain, 0)::double, 1.0) as share_lost
from int_trust__windows_measured t join earlier e using (platform, account_id)
where followers < highest and gain > 0 and lost >= 2 * step * highest;

-- Who grew for 20 days or rose and fell in turns, beside the latest pace before that.
create temp table pace as
with mover as (
    select *, days_part_0 + days_part_1 + days_part_2 + days_part_3 as days_20,
        excess_part_0 + excess_part_1 + excess_part_2 + excess_part_3 as growth_20
    from int_trust__windows_measured
    where (growth_20 >= 0.09 or is_sawtooth) and days_20 >= 15
        and days_part_0 >= 2 and days_part_1 >= 2 and days_part_2 >= 2 and days_part_3 >= 2
),
before as (
    select platform, account_id, arg_max(w.excess_28, w.snapshot_date) as excess,
        arg_max(w.days_28, w.snapshot_date) as days,
        arg_max(w.views_28, w.snapshot_date) filter (where w.views_days_28 > 0) as views,
        arg_max(w.views_days_28, w.snapshot_date) filter (where w.views_days_28 > 0) as views_days
    from build.intermediate.int_trust__windows_measured w
    semi join mover using (platform, account_id)
    where w.snapshot_date between $night - 30 and $night - 20 and w.changes_28 >= 7
    group by all
),
paced as (
    select m.*, b.excess / nullif(b.days, 0)::double as pace_before,
        b.views / nullif(b.views_days, 0)::double as views_before,
        views_before * views_days_20 as views_expected_20, views_before * views_days_28 as views_expected_28,
        case when is_sawtooth then up_28 * followers end as gain_in_turns_28,
        [excess_part_0 / days_part_0::double, excess_part_1 / days_part_1::double,
            excess_part_2 / days_part_2::double, excess_part_3 / days_part_3::double] as parts
    from mover m join before b using (platform, account_id)
)
select *, list_min(parts) / nullif(list_max(parts), 0) as evenness,
    1 - (greatest(pace_before, 0) * days_20 * followers + above_zero(views_20 - views_expected_20) * 0.2)
        / nullif(gain_20, 0) as unexplained_20,
    1 - above_zero(views_28 - views_expected_28) * 0.2 / nullif(gain_in_turns_28, 0) as unexplained_turns_28,
    growth_20 >= 0.10 and gain_20 >= 100 and evenness >= 0.3 and growth_20 >= 2 * greatest(pace_before, 0) * days_20
        as is_slow
from paced;

-- Rates beside those of accounts of about the same size.
create temp table int_trust__rates_compared as
with large as (
    select *, 'observed' as data_origin, length(followers::varchar)::varchar as cell
    from rated where followers >= 1000
),
rates as (
    select platform, account_id, followers, data_origin, 'er_followers_median_30' as metric, cell,
        er_followers_median_30 as rate
    from large where er_followers_median_30_posts >= 5 and er_followers_median_30 > 0
    union all
    select platform, account_id, followers, data_origin, 'like_rate_views_median_30', cell, like_rate_views_median_30
    from large where like_rate_views_median_30_posts >= 5 and like_rate_views_median_30 > 0
    union all
    select platform, account_id, followers, data_origin, 'comment_like_ratio', cell, comment_like_ratio
    from large where comment_like_ratio_posts >= 5 and comment_like_ratio > 0
)
select *, $night as snapshot_date, ln(rate) as log_rate from rates;

create temp table compared_rate as
with peer as (
    select platform, metric, cell, median(log_rate) as usual, mad(log_rate) as mad
    from int_trust__rates_compared group by all having count(*) >= 30
)
select r.platform, account_id, r.metric, rate, log_rate, usual,
    (log_rate - usual) / greatest(1.4826 * mad, 0.25) as distance,
    case r.metric when 'like_rate_views_median_30' then log_rate - usual
        when 'comment_like_ratio' then usual - log_rate end >= 0.5 * 1.4826 * mad as is_unusual
from int_trust__rates_compared r join peer p on r.platform = p.platform and r.metric = p.metric and r.cell = p.cell;

-- What speaks against an account on this night, as strong as its weight allows.
create temp table int_trust__signals_raised as
with idle as (
    select platform, account_id, unexplained_3 as statistic, $night - days_3::integer as window_start, gain_3 as gain,
        gained(gain_3) || ' followers with ' || counted(views_5) || ' new views, against '
        || counted(base_views_per_day * views_days_5) || ' usual ones' as fact
    from burst
    union all
    select platform, account_id, unexplained_20, $night - days_20::integer, gain_20,
        gained(gain_20) || ' followers in ' || in_days(days_20) || ' with ' || counted(views_20)
        || ' new views, against ' || counted(views_expected_20) || ' at the earlier pace'
    from pace where is_slow
    union all
    select platform, account_id, unexplained_turns_28, $night - 28, gain_in_turns_28,
        gained(gain_in_turns_28) || ' followers in several rises of 28 days with ' || counted(views_28)
        || ' new views, against ' || counted(views_expected_28) || ' at the earlier pace'
    from pace
),
round_size as (
    select *, gain_3 / power(10, floor(log10(gain_3))) as mantissa, least(abs(mantissa - 1), abs(mantissa - 2) / 2,
        abs(mantissa - 2.5) / 2.5, abs(mantissa - 5) / 5, abs(mantissa - 10) / 10) as distance
    from burst where gain_3 >= 950 and count_resolution * 100 <= gain_3
),
neighbour as (
    select g.platform, account_id, followers, exp(median) as expected,
        (ln(followers::double) - median) / greatest(1.4826 * mad, 0.3) as statistic
    from int_trust__growth_measured g
    join int_trust__growth_peers_measured p on g.platform = p.platform and metric = 'followers_of_neighbours'
        and n >= 30 and cell = floor(log10(views_total::double) * 4)::integer::varchar
    where followers >= 1000 and views_total >= 1000
        and statistic >= (select cut from build.meta.config_trust_signals where signal = 'more_followers_than_neighbours')
),
far as (
    select *, case when metric = 'comment_like_ratio' then metric
        when metric = 'like_rate_views_median_30' then 'likes_without_views'
        when distance < 0 then 'er_far_below_peers' else 'er_far_above_peers' end as signal
    from compared_rate
    where (metric <> 'like_rate_views_median_30' or distance > 0) and abs(distance) >= (
        select min(cut) from build.meta.config_trust_signals
        where signal in ('comment_like_ratio', 'likes_without_views', 'er_far_below_peers', 'er_far_above_peers'))
),
shifted as (
    select platform, account_id, metric, any_value(c.rate) as rate, max(h.snapshot_date) as since,
        arg_max(h.log_rate, h.snapshot_date) as log_rate_before, any_value(c.log_rate) - log_rate_before as shift
    from compared_rate c join build.intermediate.int_trust__rates_compared h using (platform, account_id, metric)
    where is_unusual and h.snapshot_date between $night - 35 and $night - 28
    group by all
),
detected as (
    select platform, account_id, 'burst' as signal, burst as statistic, $night - days_3::integer as window_start,
        gain_3 as followers_affected, gained(gain_3) || ' followers in ' || in_days(days_3) || case
            when base_median > 0 then ', ' || times_usual(gain_3 / (base_median * days_3 * followers_before_3))
            else ', where it usually gains none' end as fact
    from burst where unexplained_3 is null or unexplained_3 >= 0.3
    union all
    select platform, account_id, 'burst_then_loss', share_lost, began, round(lost)::bigint, percent(share_lost)
        || ' of the ' || counted(gain) || ' followers gained were lost within ' || in_days($night - began)
    from fallen
    union all
    select platform, account_id, 'sawtooth', least(up_28, down_28)::double, $night - 28,
        round(least(up_28, down_28) * followers)::bigint, 'followers up by ' || percent(up_28) || ' and down by '
        || percent(down_28) || ' in all, in turns, within 28 days'
    from int_trust__windows_measured
    where is_sawtooth
    union all
    select platform, account_id, 'following_swings', least(following_up_28, following_down_28)
        / nullif(followers, 0)::double, $night - 28, least(following_up_28, following_down_28),
        'followed ' || counted(following_up_28) || ' accounts and unfollowed ' || counted(following_down_28)
        || ' within 28 days'
    from int_trust__windows_measured where following_up_28 > 0 and following_down_28 > 0
    union all
    select platform, account_id, 'drip', evenness, $night - days_20::integer, gain_20,
        gained(gain_20) || ' followers in ' || in_days(days_20) || ', its slowest 5 days at ' || percent(evenness)
        || ' of its fastest'
    from pace where is_slow and (unexplained_20 is null or unexplained_20 >= 0.5)
    union all
    select platform, account_id, 'growth_without_activity', statistic, window_start,
        round(statistic * gain)::bigint, fact
    from idle where statistic is not null
    qualify row_number() over (partition by platform, account_id order by statistic desc, window_start desc) = 1
    union all
    select platform, account_id, 'round_number_jump', 1 - distance, $night - days_3::integer, gain_3,
        'the gain of ' || counted(gain_3) || ' is the size of an order'
    from round_size
    union all
    select platform, account_id, 'more_followers_than_neighbours', statistic, $night,
        round(followers - expected)::bigint, counted(followers)
        || ' followers, where accounts with about as many views have ' || counted(expected)
    from neighbour
    union all
    select platform, account_id, signal, abs(distance), $night - 90, null, case metric
            when 'er_followers_median_30' then 'an engagement rate of '
            when 'comment_like_ratio' then 'comments at a share of likes of ' else 'likes at a share of views of ' end
        || tenths(rate) || ', where accounts of its size have ' || tenths(exp(usual))
    from far
    union all
    select platform, account_id, 'likes_outgrew_views', shift, since, null, 'likes went from '
        || tenths(exp(log_rate_before)) || ' to ' || tenths(rate) || ' of views within ' || in_days($night - since)
    from shifted where metric = 'like_rate_views_median_30'
    union all
    select platform, account_id, 'comments_left_behind', -shift, since, null, 'comments went from '
        || tenths(exp(log_rate_before)) || ' to ' || tenths(rate) || ' of likes within ' || in_days($night - since)
    from shifted where metric = 'comment_like_ratio'
)
select platform, account_id, $night as snapshot_date, signal, w.side, statistic::double as statistic,
    w.cut as threshold, window_start, $night as window_end, followers_affected, fact,
    round(points_at_cut + (points_in_full - points_at_cut) * least((statistic - cut) / nullif(in_full - cut, 0), 1.0))
        ::integer as points, t.data_origin
from detected d
join build.meta.config_trust_signals w using (signal)
join today_account t using (platform, account_id)
where statistic >= cut;

-- Of each signal its strongest day of the last 90 weighs, the latest if several are as strong.
create temp table evidence as
with raised as (
    from build.intermediate.int_trust__signals_raised where window_end >= $night - 90
    union all by name from int_trust__signals_raised
),
strongest as (
    select platform, account_id, side, signal, max(points) as points,
        arg_max({fact: fact, window_start: window_start, window_end: window_end},
            points * 1000 - ($night - snapshot_date)) as day
    from raised group by all
)
select platform, account_id, sum(points) filter (where side = 'audience') as audience_points,
    sum(points) filter (where side = 'engagement') as engagement_points,
    count(*) filter (where side = 'audience')::integer as audience_signals,
    count(*) filter (where side = 'engagement')::integer as engagement_signals,
    string_agg(day.fact, '; ' order by side, points desc, signal) as reasons, min(day.window_start) as evidence_start,
    max(day.window_end) as evidence_end
from strongest group by all;

create temp table judged as
with verdict as (
    select score, verdict from range(101) s (score)
    join build.meta.config_trust_verdicts on score >= min_score and score < max_score
),
rated as (
    select platform, account_id from compared_rate group by all having count(*) >= 2
),
covered as (
    select t.platform, t.account_id, t.data_origin, reasons, evidence_start, evidence_end,
        coalesce(changes_28, 0) as changes_28, smallest_visible_burst, coalesce(views_days_28, 0) > 0 as has_views,
        coalesce(audience_signals, 0) as audience_signals, coalesce(engagement_signals, 0) as engagement_signals,
        100 - least(coalesce(audience_points, 0), 100)::bigint as audience_score,
        100 - least(coalesce(engagement_points, 0), 100)::bigint as engagement_score,
        t.followers >= 1000 and changes_28 >= 7 and base_changes >= 7 and smallest_visible_burst <= 0.18
            as can_judge_audience,
        r.account_id is not null as can_judge_engagement
    from today_account t
    left join int_trust__windows_measured w on t.platform = w.platform and t.account_id = w.account_id
    left join rated r on t.platform = r.platform and t.account_id = r.account_id
    left join evidence e on t.platform = e.platform and t.account_id = e.account_id
)
select c.*,
    case when a.verdict = 'suspicious' or can_judge_audience then a.verdict else 'insufficient_data' end as verdict,
    case when e.verdict = 'suspicious' or can_judge_engagement then e.verdict else 'insufficient_data' end
        as engagement_verdict,
    'suspicious' in (a.verdict, e.verdict) as is_suspicious
from covered c join verdict a on audience_score = a.score join verdict e on engagement_score = e.score;

create temp table suspicious_account as
select platform, account_id from judged where is_suspicious;

insert into marts.fct_follower_trust_daily by name
select platform, account_id, $night as snapshot_date,
    case when verdict <> 'insufficient_data' then audience_score end as trust_score, verdict,
    case when engagement_verdict <> 'insufficient_data' then engagement_score end as engagement_score,
    engagement_verdict, is_suspicious, reasons, audience_signals, engagement_signals, evidence_start as evidence_window_start,
    evidence_end as evidence_window_end, changes_28 as changes_known_28d,
    least(changes_28, 28)::double / 28 as coverage, has_views, smallest_visible_burst, data_origin
from judged;

-- Stretches of days that the evidence covers without a break of a week, each with its strongest day.
create or replace table marts.fct_follower_flag as
with raised as (
    from build.intermediate.int_trust__signals_raised union all by name from int_trust__signals_raised
),
reached as (
    select platform, account_id, signal, snapshot_date, window_start, window_end, points,
        window_start > 7 + max(window_end) over (
            by_start rows between unbounded preceding and 1 preceding
        ) as is_new
    from raised
    window by_start as (partition by platform, account_id, signal order by window_start, snapshot_date)
),
stretches as (
    select *, count(*) filter (where is_new) over (
        partition by platform, account_id, signal order by window_start, snapshot_date) as stretch
    from reached
),
flag as (
    select platform, account_id, signal, min(window_start) as window_start, max(window_end) as window_end,
        min(snapshot_date) as first_raised_date,
        arg_max(snapshot_date, points * 100000 + (snapshot_date - date '2020-01-01')) as snapshot_date
    from stretches group by platform, account_id, signal, stretch
)
select f.platform, f.account_id, f.signal, f.window_start, f.window_end, first_raised_date, r.side, statistic,
    threshold, points, followers_affected, fact || '. Looks like ' || looks_like || '; could also be ' || could_also_be
        || '.' as explanation, data_origin
from flag f
join raised r on f.platform = r.platform and f.account_id = r.account_id and f.signal = r.signal
    and f.snapshot_date = r.snapshot_date
join build.meta.config_trust_signals w on f.signal = w.signal;
