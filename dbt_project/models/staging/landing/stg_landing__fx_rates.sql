-- One row per day and currency: its rate to the base currency, as delivered, else crossed over another currency.
with landed as (select * from {{ source("raw", "fx_rates") }}),

context as (select currency as base_currency from {{ ref("stg_meta__run_context") }}),

latest as (
    select *
    from landed
    {{ latest_delivery(["rate_date", "currency", "quote_currency"]) }}
),

delivered as (
    select
        latest.rate_date,
        latest.currency,
        latest.rate_to_base,
        latest.quote_currency
    from latest
    cross join context
    where latest.quote_currency is null or latest.quote_currency = context.base_currency
),

-- A rate of 0 would make money of nothing: none is crossed over it.
quoted as (
    select
        rate_date,
        currency,
        quote_currency,
        rate_to_base as rate
    from latest
    where quote_currency is not null and rate_to_base > 0
),

-- One unit of the base is so many of the other.
inverted as (
    select
        quoted.rate_date,
        quoted.quote_currency as currency,
        {{ crossed_rate("1", "quoted.rate") }} as rate_to_base
    from quoted
    inner join context on quoted.currency = context.base_currency
),

-- A bank quotes all currencies for one of its own: what that is in the base, over what it is in the other.
crossed as (
    select
        quotes.rate_date,
        quotes.quote_currency as currency,
        quotes.currency as over_currency,
        {{ crossed_rate("bases.rate", "quotes.rate") }} as rate_to_base
    from quoted as quotes
    inner join quoted as bases on quotes.rate_date = bases.rate_date and quotes.currency = bases.currency
    inner join context on bases.quote_currency = context.base_currency
    where quotes.quote_currency <> bases.quote_currency
),

candidates as (
    select
        rate_date,
        currency,
        rate_to_base,
        case when quote_currency is null then 1 else 2 end as choice_rank,
        cast(null as string) as over_currency
    from delivered
    union all
    select
        rate_date,
        currency,
        rate_to_base,
        3 as choice_rank,
        cast(null as string) as over_currency
    from inverted
    union all
    select
        rate_date,
        currency,
        rate_to_base,
        4 as choice_rank,
        over_currency
    from crossed
),

stg_landing__fx_rates as (
    select
        rate_date,
        currency,
        rate_to_base
    from candidates
    qualify
        row_number() over (
            partition by rate_date, currency
            order by choice_rank nulls last, over_currency nulls last
        ) = 1
)

select * from stg_landing__fx_rates
