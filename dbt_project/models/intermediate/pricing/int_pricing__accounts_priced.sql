-- One row per account with known followers: what one post of it costs, by the best of four bases.
-- One model, as the bases are candidates for one choice: each is a short sum, and none has another reader.
{{ config(materialized="view") }}

{% set fewest = 5 %}

with base as (select * from {{ ref("stg_meta__run_context") }}),

states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

posts as (
    select * from {{ ref("int_pricing__posts_priced") }}
    where valid_to is null
),

cards as (select * from {{ ref("stg_landing__rate_cards") }}),

bands as (select * from {{ ref("price_bands") }}),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

schemes as (select * from {{ source("meta", "config_default_scheme") }}),

accounts as (
    select
        states.platform,
        states.account_id,
        states.followers,
        cast(states.followers_known_at as date) as followers_known_on,
        states.data_origin,
        base.as_of_date as snapshot_date,
        concat_ws('|', states.platform, states.account_id) as account_key
    from states
    cross join base
    where
        states.snapshot_date = (select max(newest.snapshot_date) from states as newest)
        and states.followers is not null
),

{{ tiered_from("accounts") }},

{{ banded_from("accounts", "account_key") }},

observed as (
    select
        platform,
        account_id,
        {{ per_post("sum(spend_base)", "sum(posts)") }} as price_base,
        min(price_base) as low_base,
        max(price_base) as high_base,
        count(*) as collaborations,
        sum(posts) as posts,
        max(data_origin) as data_origin
    from posts
    group by platform, account_id
),

-- Of each content type the card that is valid on the last day built.
valid_cards as (
    select
        cards.platform,
        cards.account_id,
        cards.valid_from,
        cards.data_origin,
        {{ in_base("cast(cards.price as decimal(22, 6))", rate_to_base("cards.currency", "rates.rate_to_base")) }}
            as price_base
    from cards
    cross join base
    left join rates on cards.currency = rates.currency and base.as_of_date = rates.rate_day
    where cards.valid_from <= base.as_of_date and (cards.valid_to is null or base.as_of_date < cards.valid_to)
    qualify
        row_number() over (
            partition by cards.platform, cards.account_id, cards.content_type order by cards.valid_from desc nulls last
        ) = 1
),

carded as (
    select
        platform,
        account_id,
        {{ price_quantile("price_base", 0.5) }} as price_base,
        min(price_base) as low_base,
        max(price_base) as high_base,
        count(*) as content_types,
        max(valid_from) as valid_from,
        max(data_origin) as data_origin
    from valid_cards
    where price_base is not null
    group by platform, account_id
),

of_tiers as (
    select
        platform,
        tier,
        {{ price_quantile("price_base", 0.5) }} as price_base,
        {{ price_quantile("price_base", 0.25) }} as low_base,
        {{ price_quantile("price_base", 0.75) }} as high_base,
        count(*) as collaborations,
        max(data_origin) as data_origin
    from posts
    where tier not in ('below', 'unclassified')
    group by platform, tier
    having count(*) >= {{ fewest }}
),

candidates as (
    select
        platform,
        account_id,
        1 as place,
        'observed' as price_basis,
        price_base,
        low_base,
        high_base,
        'spend on ' || posts || ' posts of ' || collaborations || ' collaborations of the account' as price_source,
        data_origin
    from observed

    union all

    select
        platform,
        account_id,
        2 as place,
        'rate card' as price_basis,
        price_base,
        low_base,
        high_base,
        'median of ' || content_types || ' content types of its rate card of ' || valid_from as price_source,
        data_origin
    from carded

    union all

    select
        tiered.platform,
        tiered.account_id,
        3 as place,
        'tier observed' as price_basis,
        of_tiers.price_base,
        of_tiers.low_base,
        of_tiers.high_base,
        'median of ' || of_tiers.collaborations || ' collaborations with ' || of_tiers.tier || ' accounts'
            as price_source,
        of_tiers.data_origin
    from tiered
    inner join of_tiers on tiered.platform = of_tiers.platform and tiered.tier = of_tiers.tier

    union all

    select
        accounts.platform,
        accounts.account_id,
        4 as place,
        'price band' as price_basis,
        banded.typical_base as price_base,
        banded.low_base,
        banded.high_base,
        banded.source_note as price_source,
        accounts.data_origin
    from accounts
    inner join banded on accounts.account_key = banded.account_key
),

best as (
    select *
    from candidates
    where price_base is not null
    qualify row_number() over (partition by platform, account_id order by place) = 1
),

int_pricing__accounts_priced as (
    select
        accounts.platform,
        accounts.account_id,
        accounts.followers,
        accounts.followers_known_on,
        tiered.tier,
        best.price_base,
        best.low_base as price_low_base,
        best.high_base as price_high_base,
        best.price_basis,
        best.price_source,
        accounts.snapshot_date as as_of_date,
        greatest(accounts.data_origin, best.data_origin) as data_origin
    from accounts
    left join tiered on accounts.account_key = tiered.account_key
    left join best on accounts.platform = best.platform and accounts.account_id = best.account_id
)

select * from int_pricing__accounts_priced
