-- One row per claim about collaborations, side and unit: an account that was hired, or a campaign.
{{ config(materialized="view") }}

with collaborations as (select * from {{ ref("int_claim__collaborations_measured") }}),

sides as (select * from {{ ref("int_claim__tier_sides") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

campaign_returns as (
    select * from {{ ref("fct_campaign_roi") }}
    where attribution_model = 'linear' and campaign_id <> '(always-on)'
),

-- One account, one vote: what it costs, brings and is paid over all its collaborations.
hired as (
    select
        platform,
        account_id,
        {{ value_at_last("tier", "collaboration_id") }} as tier,
        max(followers) as followers,
        median(spend_per_post) as spend_per_post,
        median(fee_per_post) as fee_per_post,
        median(orders_per_post) as orders_per_post,
        max(data_origin) as data_origin
    from collaborations
    group by platform, account_id
),

hired_of_sides as (
    select
        hired.*,
        sides.standing,
        sides.large_names,
        hired.platform || ':' || hired.account_id as account_key
    from hired
    inner join sides on hired.platform = sides.platform and hired.tier = sides.tier
),

outlived as (
    select
        platform,
        account_id,
        {{ value_at_last("tier", "collaboration_id") }} as tier,
        max(case when is_still_posting then 1 else 0 end) as stayed,
        max(data_origin) as data_origin
    from {{ ref("int_advocacy__post_contract_activity") }}
    where is_still_posting is not null
    group by platform, account_id
),

campaign_tiers as (
    select
        collaborations.campaign_id,
        count_if(sides.is_small) > 0 and count_if(not sides.is_small) > 0 as is_mixed,
        count(distinct collaborations.tier) = 1 as is_single,
        max(collaborations.data_origin) as data_origin
    from collaborations
    inner join sides on collaborations.platform = sides.platform and collaborations.tier = sides.tier
    where collaborations.campaign_id is not null
    group by collaborations.campaign_id
),

int_claim__collaboration_units as (
    {{ claim_unit(
        "followers_do_not_predict_sales", "'*'", "'a'", "'accounts'", "platform || ':' || account_id", "followers",
        "orders_per_post",
    ) }}
    from hired

    union all

    {{ claim_unit(
        "nano_gifted_micro_200", "'*'", "case standing when 'lowest' then 'a' when 'second' then 'b' else 'c' end",
        "case when standing in ('lowest', 'second') then tier else large_names end", "account_key",
        "case
            when standing = 'lowest' then case when fee_per_post = 0 then 1 else 0 end
            when standing = 'second' then case when fee_per_post between 200 and 1000 then 1 else 0 end
            when followers > 50000000 then case when fee_per_post >= 500000 then 1 else 0 end
            else case when fee_per_post between 2000 and 500000 then 1 else 0 end
        end",
        "1",
    ) }}
    from hired_of_sides
    where fee_per_post is not null and 'USD' = (select base.currency from base)

    union all

    {{ claim_unit(
        "nanos_cheaper_than_mega", "'*'", "case standing when 'lowest' then 'a' else 'b' end",
        "case standing when 'lowest' then '20 ' || tier || ' accounts' else 'one ' || tier || ' account' end",
        "account_key", "case standing when 'lowest' then 20 * spend_per_post else spend_per_post end",
    ) }}
    from hired_of_sides
    where standing in ('lowest', 'highest')

    union all

    {{ claim_unit(
        "ambassadors_stay", "'*'", "case sides.standing when 'lowest' then 'a' else 'b' end",
        "case sides.standing when 'lowest' then outlived.tier else sides.larger_names end",
        "outlived.platform || ':' || outlived.account_id", "outlived.stayed", "1", origin="outlived.data_origin",
    ) }}
    from outlived
    inner join sides on outlived.platform = sides.platform and outlived.tier = sides.tier

    union all

    {{ claim_unit(
        "mixed_beats_single", "'*'", "case when campaign_tiers.is_mixed then 'a' else 'b' end",
        "case when campaign_tiers.is_mixed then 'small and large tiers' else 'one tier' end",
        "campaign_returns.campaign_id", "campaign_returns.roas",
        origin="greatest(campaign_returns.data_origin, campaign_tiers.data_origin)",
    ) }}
    from campaign_returns
    inner join campaign_tiers on campaign_returns.campaign_id = campaign_tiers.campaign_id
    where campaign_tiers.is_mixed or campaign_tiers.is_single
)

select * from int_claim__collaboration_units
