"""Social: who took part in contests, which hashtags grow, the share of voice, and what live sessions sold."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

CONTESTS = 6
HASHTAGS = 8
# The latest day of each hashtag within so many days of the newest.
RECENT_DAYS = 7
SHARE_DAYS = 30

CONTEST_ROWS = "select * from marts.fct_contest order by start_date desc, campaign_id limit $many"

HASHTAG_ROWS = """
select * from marts.fct_hashtag_daily
where snapshot_date > (select max(snapshot_date) from marts.fct_hashtag_daily) - $days
qualify row_number() over (partition by platform, hashtag order by snapshot_date desc) = 1
order by posts_7d desc, accounts desc, platform, hashtag limit $many
"""

# A ratio of sums of what is known. A brand with mentions of which none knows its part leaves no brand a share.
SHARES = """
with days as (
    select *, max(snapshot_date) over () as last_day from marts.fct_share_of_voice_daily
),

brands as (
    select
        brand, max_by(brand_name, snapshot_date) as brand_name, bool_or(is_rival) as is_rival,
        sum(mentions) as mentions,
        case when sum(mentions) = 0 or sum(mentions_with_engagements) > 0
            then coalesce(sum(engagements), 0) end as engagements,
        case when sum(mentions) = 0 or sum(mentions_with_reach) > 0
            then coalesce(sum(reach), 0) end as reach,
        sum(mentions_with_engagements) as mentions_with_engagements, sum(mentions_with_reach) as mentions_with_reach,
        min(snapshot_date) as first_day, max(last_day) as last_day, max(data_origin) as data_origin
    from days where snapshot_date > last_day - $days group by brand
)

select
    *, mentions / nullif(sum(mentions) over (), 0) as mention_share,
    case when count(engagements) over () = count(*) over ()
        then engagements / nullif(sum(engagements) over (), 0) end as engagement_share,
    case when count(reach) over () = count(*) over () then reach / nullif(sum(reach) over (), 0) end as reach_share
from brands order by mentions desc, brand
"""

# Rates over the sessions that know both of their parts.
LIVE = """
select
    host_type, count(*) as sessions, max(base_currency) as currency, max(as_of_date) as as_of,
    count_if(not is_ended) as unended, count_if(is_window_open) as open,
    count(*) filter (where unique_viewers > 0 and orders_in_session is not null) as watched,
    case when count(gmv_in_session_base) = count(*) then sum(gmv_in_session_base) end as gmv_in_session,
    case when count(gmv_after_base) = count(*) then sum(gmv_after_base) end as gmv_after,
    case when count(refunded_base) = count(*) then sum(refunded_base) end as refunded,
    sum(orders_in_session) filter (where unique_viewers > 0)
        / nullif(sum(unique_viewers) filter (where orders_in_session is not null), 0) as conversion_rate,
    sum(gmv_in_session_base) filter (where unique_viewers > 0)
        / nullif(sum(unique_viewers) filter (where gmv_in_session_base is not null), 0) as sales_per_viewer,
    max(data_origin) as data_origin
from marts.fct_live_session group by host_type order by host_type nulls last
"""


def read(source: Source, _: Common) -> Row | None:
    """Contests, hashtags, share of voice and live sessions; null while there is none of them."""
    found = {
        "contests": source.rows(CONTEST_ROWS, many=CONTESTS),
        "hashtags": [
            row | {"label": label(row["largest_tier"])}
            for row in source.rows(HASHTAG_ROWS, days=RECENT_DAYS, many=HASHTAGS)
        ],
        "shares": source.rows(SHARES, days=SHARE_DAYS),
        "hosts": source.rows(LIVE),
    }
    return found if any(found.values()) else None


SECTION = Section(
    "social",
    "Social",
    read,
    ("fct_contest", "fct_hashtag_daily", "fct_share_of_voice_daily", "fct_live_session"),
)
