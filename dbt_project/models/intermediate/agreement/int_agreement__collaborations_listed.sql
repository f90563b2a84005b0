-- One row per collaboration that is landed, or that a cost or a post's link names: with whom, and the terms of now.
{{ config(materialized="view") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

creators as (select * from {{ ref("int_agreement__creators_named") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

terms as (
    select versions.*
    from versions
    cross join base
    where {{ is_within("base.as_of_date", "versions") }}
),

-- What it once named stays its own until another takes it.
held as (
    select
        collaboration_id,
        {{ joined("case when kind = 'code' then reference end", "|", "reference") }} as codes,
        {{ joined("case when kind = 'link' then reference end", "|", "reference") }} as links
    from {{ ref("int_agreement__references_handed_over") }}
    where end_day is null
    group by collaboration_id
),

named as (
    {% for feed in ["collaborations", "costs", "collaboration_posts"] %}
        select
            collaboration_id,
            data_origin
        from {{ ref("stg_landing__" ~ feed) }}
        where collaboration_id is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

ids as (
    select
        collaboration_id,
        max(data_origin) as data_origin
    from named
    group by collaboration_id
),

int_agreement__collaborations_listed as (
    select
        ids.collaboration_id,
        collaborations.campaign_id,
        collaborations.brand,
        creators.creator_id,
        collaborations.platform,
        collaborations.account_id,
        collaborations.start_date,
        collaborations.end_date,
        terms.partner_type,
        terms.rule_id,
        terms.cookie_window_days,
        terms.agreed_fee,
        terms.posts_agreed,
        terms.currency,
        held.codes,
        held.links,
        collaborations.collaboration_id is not null as is_landed,
        case
            when collaborations.collaboration_id is not null
                then coalesce(collaborations.end_date >= base.as_of_date, true)
        end as is_open,
        coalesce(collaborations.data_origin, ids.data_origin) as data_origin
    from ids
    cross join base
    left join collaborations on ids.collaboration_id = collaborations.collaboration_id
    left join creators on ids.collaboration_id = creators.collaboration_id
    left join terms on ids.collaboration_id = terms.collaboration_id
    left join held on ids.collaboration_id = held.collaboration_id
)

select * from int_agreement__collaborations_listed
