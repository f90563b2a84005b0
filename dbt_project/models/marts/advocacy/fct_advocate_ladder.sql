-- One row per brand, customer of a shop, account of the customer and step that was reached, in the order of its days.
{{ config(materialized="table") }}

{% set key = "shop, brand, customer_id, platform, account_id" %}

with relationships as (select * from {{ ref("int_advocacy__relationships_merged") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

-- Held tiers that the scheme names; under the lowest of them, and in a gap, an account stands on no step.
spells as (
    select history.*
    from {{ ref("dim_account_tier_history") }} as history
    inner join default_scheme on history.scheme = default_scheme.scheme
    where history.tier not in ('below', 'unclassified')
),

customers as (
    select
        {{ key }},
        min(valid_from) as first_date,
        case when count(valid_to) = count(*) then max(valid_to) end as last_date
    from relationships
    group by {{ key }}
),

-- A tier counts from the first day as a customer on, and for as long as it is held, whatever the relationship then is.
steps as (
    select
        {{ key }},
        'relationship' as ladder,
        relationship as step,
        valid_from,
        valid_to,
        data_origin
    from relationships

    union all

    select
        customers.shop,
        customers.brand,
        customers.customer_id,
        customers.platform,
        customers.account_id,
        'tier' as ladder,
        spells.tier as step,
        greatest(spells.valid_from, customers.first_date) as valid_from,
        spells.valid_to,
        spells.data_origin
    from customers
    inner join spells
        on customers.platform = spells.platform
        and customers.account_id = spells.account_id
        and (spells.valid_to is null or customers.first_date < spells.valid_to)
        and (customers.last_date is null or customers.last_date > spells.valid_from)
),

numbered as (
    select
        *,
        row_number() over in_order as step_number,
        lag(step) over in_order as previous_step,
        lag(valid_from) over in_order as previous_from
    from steps
    window in_order as (partition by {{ key }} order by valid_from, ladder)
),

fct_advocate_ladder as (
    select
        cast(numbered.shop as string) as shop,
        cast(numbered.brand as string) as brand,
        cast(numbered.customer_id as string) as customer_id,
        cast(numbered.platform as string) as platform,
        cast(numbered.account_id as string) as account_id,
        cast(numbered.step_number as integer) as step_number,
        cast(numbered.ladder as string) as ladder,
        cast(numbered.step as string) as step,
        cast(numbered.previous_step as string) as previous_step,
        cast(numbered.valid_from as date) as valid_from,
        cast(numbered.valid_to as date) as valid_to,
        cast(
            {{ days_between("numbered.valid_from", "coalesce(numbered.valid_to, base.as_of_date)") }} as integer
        ) as days_in_step,
        cast({{ days_between("numbered.previous_from", "numbered.valid_from") }} as integer)
            as days_since_previous_step,
        cast(base.as_of_date as date) as as_of_date,
        cast(numbered.data_origin as string) as data_origin
    from numbered
    cross join base
)

select * from fct_advocate_ladder
