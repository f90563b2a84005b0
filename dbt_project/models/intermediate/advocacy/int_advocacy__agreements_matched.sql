-- One row per brand, account of a customer and collaboration of the brand with the account or the person behind it.
{{ config(materialized="view") }}

with relationships as (select * from {{ ref("int_advocacy__relationships_dated") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

attributes as (select * from {{ ref("int_snapshot__attributes_merged") }}),

accounts as (
    select distinct
        brand,
        platform,
        account_id,
        as_of_date
    from relationships
),

people as (
    select
        accounts.*,
        attributes.creator_id
    from accounts
    left join attributes on accounts.platform = attributes.platform and accounts.account_id = attributes.account_id
),

int_advocacy__agreements_matched as (
    select
        people.brand,
        people.platform,
        people.account_id,
        collaborations.collaboration_id,
        collaborations.partner_type,
        collaborations.promo_code,
        collaborations.start_date,
        collaborations.end_date,
        collaborations.data_origin,
        -- The last day of an agreement is still its own.
        coalesce(collaborations.end_date >= people.as_of_date, true) as is_running,
        people.platform = collaborations.platform and people.account_id = collaborations.account_id as is_of_account
    from people
    inner join collaborations
        on people.brand = collaborations.brand
        and (
            (people.platform = collaborations.platform and people.account_id = collaborations.account_id)
            or people.creator_id = collaborations.creator_id
        )
    where collaborations.start_date <= people.as_of_date
)

select * from int_advocacy__agreements_matched
