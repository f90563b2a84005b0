-- One row per tracked brand and UTC day on which any tracked brand was mentioned.
with spoken as (select * from {{ ref("int_social__mentions_summed") }}),

brands as (select * from {{ ref("int_social__brands_tracked") }}),

days as (
    select
        snapshot_date,
        max(data_origin) as data_origin
    from spoken
    group by snapshot_date
),

origins as (select max(data_origin) as data_origin from brands),

-- A brand that nobody mentioned has 0 of everything; one whose mentions all lack a count has an unknown one.
filled as (
    select
        brands.brand,
        brands.name,
        brands.is_rival,
        days.snapshot_date,
        coalesce(spoken.mentions, 0) as mentions,
        case
            when spoken.brand is null then 0
            when spoken.mentions_with_account > 0 then spoken.accounts
        end as accounts,
        {% for metric in ["engagements", "reach"] %}
            case when spoken.brand is null then 0 else spoken.{{ metric }} end as {{ metric }},
            coalesce(spoken.mentions_with_{{ metric }}, 0) as mentions_with_{{ metric }},
        {% endfor %}
        greatest(days.data_origin, origins.data_origin) as data_origin
    from days
    cross join brands
    cross join origins
    left join spoken on brands.brand = spoken.brand and days.snapshot_date = spoken.snapshot_date
),

-- A whole of which a part is unknown is unknown: the others' shares would be too large.
totals as (
    select
        snapshot_date,
        {% for metric in ["engagements", "reach"] %}
            case when count({{ metric }}) = count(*) then sum({{ metric }}) end as {{ metric }},
        {% endfor %}
        sum(mentions) as mentions
    from filled
    group by snapshot_date
),

fct_share_of_voice_daily as (
    select
        cast(filled.brand as string) as brand,
        cast(filled.snapshot_date as date) as snapshot_date,
        cast(filled.name as string) as brand_name,
        cast(filled.is_rival as boolean) as is_rival,
        cast(filled.mentions as bigint) as mentions,
        cast(totals.mentions as bigint) as mentions_of_all,
        cast(filled.accounts as bigint) as accounts,
        cast(filled.engagements as bigint) as engagements,
        cast(filled.mentions_with_engagements as bigint) as mentions_with_engagements,
        cast(filled.reach as bigint) as reach,
        cast(filled.mentions_with_reach as bigint) as mentions_with_reach,
        cast({{ ratio("filled.mentions", "totals.mentions") }} as double) as mention_share,
        cast({{ ratio("filled.engagements", "totals.engagements") }} as double) as engagement_share,
        cast({{ ratio("filled.reach", "totals.reach") }} as double) as reach_share,
        cast(filled.data_origin as string) as data_origin
    from filled
    inner join totals on filled.snapshot_date = totals.snapshot_date
)

select * from fct_share_of_voice_daily
