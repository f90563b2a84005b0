-- One row per account that any feed names: captured or not, by itself, by a post, an agreement, a customer or a vendor.
{{ config(materialized="view") }}

{#- Feeds that name an account by its platform and id. -#}
{% set feeds = ["collaborations", "customer_accounts", "live_sessions"] %}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

given as (select * from {{ ref("stg_landing__accounts") }}),

shown as (select * from {{ ref("int_snapshot__post_showings") }}),

reported as (select * from {{ ref("int_creator__vendor_metrics") }}),

named as (
    select
        platform,
        account_id,
        data_origin
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)

    union all

    -- Also one whose posts alone were captured, by whoever shows them.
    select
        platform,
        account_id,
        data_origin
    from shown

    union all

    select
        platform,
        author_account_id as account_id,
        data_origin
    from shown
    where author_account_id <> ''

    union all

    select
        platform,
        account_id,
        data_origin
    from given

    union all

    select
        platform,
        account_id,
        data_origin
    from reported

    {% for feed in feeds %}
        union all

        select
            platform,
            account_id,
            data_origin
        from {{ ref("stg_landing__" ~ feed) }}
        where account_id is not null
    {% endfor %}
),

int_creator__accounts_named as (
    select
        platform,
        account_id,
        max(data_origin) as data_origin
    from named
    group by platform, account_id
)

select * from int_creator__accounts_named
