-- One row per claim, platform (`*` = all), side and unit: an account, campaign or session with what the claim measures.
{{ config(materialized="table") }}

{% set small = "('nano', 'micro')" %}
{% set large = "('macro', 'mega')" %}
{% set tiers = "('nano', 'micro', 'macro', 'mega')" %}

with accounts as (select * from {{ ref("int_claim__accounts_rated") }}),

collaborations as (select * from {{ ref("int_claim__collaborations_measured") }}),

graduation as (select * from {{ ref("fct_tier_graduation") }}),

settings as (select * from {{ ref("stg_meta__settings") }}),

scheme as (
    select value
    from settings
    where name = 'default_scheme'
),

currency as (
    select value
    from settings
    where name = 'base_currency'
),

campaign_returns as (
    select *
    from {{ ref("fct_campaign_roi") }}
    where model = 'linear' and campaign_id <> '(none)'
),

-- A niche counts where it has both, so that a niche that engages more is on neither side.
niche_peers as (
    select
        platform,
        niche,
        median(er_followers_median_30) as median_er
    from accounts
    where tier in ('micro', 'mega') and niche is not null and er_followers_median_30 is not null
    group by platform, niche
    having count_if(tier = 'micro') > 0 and count_if(tier = 'mega') > 0
),

advocates as (
    select distinct
        platform,
        account_id
    from {{ ref("fct_advocate") }}
    where relationship in ('advocate', 'ambassador') and is_current
),

-- One account, one vote: what it costs, brings and is paid over all its collaborations.
hired as (
    select
        platform,
        account_id,
        max_by(tier, collaboration_id) as tier,
        max(followers) as followers,
        median(spend_per_post) as spend_per_post,
        median(fee_per_post) as fee_per_post,
        median(orders_per_post) as orders_per_post,
        max(data_origin) as data_origin
    from collaborations
    group by platform, account_id
),

outlived as (
    select
        platform,
        account_id,
        max_by(tier, collaboration_id) as tier,
        max(case when is_still_posting then 1 else 0 end) as stayed,
        max(data_origin) as data_origin
    from {{ ref("int_advocacy__collaborations_outlived") }}
    where is_still_posting is not null
    group by platform, account_id
),

campaign_tiers as (
    select
        campaign_id,
        count_if(tier in {{ small }}) > 0 and count_if(tier in {{ large }}) > 0 as is_mixed,
        count(distinct tier) = 1 as is_single,
        max(data_origin) as data_origin
    from collaborations
    where campaign_id is not null and tier in {{ tiers }}
    group by campaign_id
),

graduates as (
    select
        *,
        {{ each_number(1, "least(accounts, " ~ claim_draws() ~ ")") }} as number
    from graduation
    where
        horizon_days = 365
        and from_tier = 'nano'
        and to_tier = 'micro'
        and accounts > 0
        and scheme = (select scheme.value from scheme)
),

units as (
    {{ claim_unit(
        "micro_er_beats_mega_same_niche", "accounts.platform", "case accounts.tier when 'micro' then 'a' else 'b' end",
        "accounts.tier", "accounts.account_id", "accounts.er_followers_median_30 / nullif(niche_peers.median_er, 0)",
        origin="accounts.data_origin",
    ) }}
    from accounts
    inner join niche_peers on accounts.platform = niche_peers.platform and accounts.niche = niche_peers.niche
    where accounts.tier in ('micro', 'mega') and niche_peers.median_er > 0

    union all

    {{ claim_unit("mega_er_under_2pct", "platform", "'a'", "tier", "account_id", "er_followers_median_30") }}
    from accounts
    where tier = 'mega'

    union all

    {{ claim_unit(
        "advocates_10x", "accounts.platform", "case when advocates.account_id is not null then 'a' else 'b' end",
        "case when advocates.account_id is not null then 'advocates' else 'other accounts' end",
        "accounts.account_id", "accounts.er_followers_median_30", origin="accounts.data_origin",
    ) }}
    from accounts
    left join advocates on accounts.platform = advocates.platform and accounts.account_id = advocates.account_id
    where advocates.account_id is not null or accounts.tier in {{ tiers }}

    union all

    {{ claim_unit(
        "er_peak_1k_5k", "accounts.platform", "bands.side", "bands.side_name", "accounts.account_id",
        "accounts.er_followers_median_30", origin="accounts.data_origin",
    ) }}
    from accounts
    inner join {{ ref("claim_bands") }} as bands
        on accounts.followers >= bands.min_followers
        and accounts.followers < coalesce(bands.max_followers, accounts.followers + 1)

    union all

    {{ claim_unit(
        "reach_rate_higher_under_10k", "platform", "case when followers < 10000 then 'a' else 'b' end",
        "case when followers < 10000 then 'under 10,000 followers' else 'from 10,000 followers' end", "account_id",
        "reach_rate_median_30",
    ) }}
    from accounts
    where followers > 0

    union all

    {{ claim_unit(
        "size_inverse_engagement", "platform", "'a'", "'accounts'", "account_id", "ln(case when followers > 0 then followers end)",
        "ln(case when er_followers_median_30 * followers > 0 then er_followers_median_30 * followers end)",
    ) }}
    from accounts
    where platform = 'instagram' and followers > 0 and er_followers_median_30 > 0

    union all

    {{ claim_unit(
        "followers_do_not_predict_sales", "'*'", "'a'", "'accounts'", "platform || ':' || account_id", "followers",
        "orders_per_post",
    ) }}
    from hired

    union all

    {{ claim_unit(
        "nano_gifted_micro_200", "'*'", "case tier when 'nano' then 'a' when 'micro' then 'b' else 'c' end",
        "case when tier in " ~ large ~ " then 'macro and mega' else tier end", "platform || ':' || account_id",
        "case
            when tier = 'nano' then case when fee_per_post = 0 then 1 else 0 end
            when tier = 'micro' then case when fee_per_post between 200 and 1000 then 1 else 0 end
            when followers > 50000000 then case when fee_per_post >= 500000 then 1 else 0 end
            else case when fee_per_post between 2000 and 500000 then 1 else 0 end
        end",
        "1",
    ) }}
    from hired
    where
        tier in {{ tiers }}
        and fee_per_post is not null
        and 'USD' = (select currency.value from currency)

    union all

    {{ claim_unit(
        "nanos_cheaper_than_mega", "'*'", "case tier when 'nano' then 'a' else 'b' end",
        "case tier when 'nano' then '20 nano accounts' else 'one mega account' end", "platform || ':' || account_id",
        "case tier when 'nano' then 20 * spend_per_post else spend_per_post end",
    ) }}
    from hired
    where tier in ('nano', 'mega')

    union all

    {{ claim_unit(
        "graduation", "platform", "'a'", "'nano accounts followed for 365 days'", "cast(number as varchar)",
        "case when number <= round(least(accounts, " ~ claim_draws() ~ ") * share_turned) then 1 else 0 end", "1",
    ) }}
    from graduates

    union all

    {{ claim_unit(
        "ambassadors_stay", "'*'", "case tier when 'nano' then 'a' else 'b' end",
        "case tier when 'nano' then 'nano' else 'micro, macro and mega' end", "platform || ':' || account_id", "stayed",
        "1",
    ) }}
    from outlived
    where tier in {{ tiers }}

    union all

    {{ claim_unit(
        "weekly_conversations", "platform", "case when tier in " ~ small ~ " then 'a' else 'b' end",
        "case when tier in " ~ small ~ " then 'nano and micro' else 'macro and mega' end", "account_id",
        "comments_per_week * 1000 / nullif(followers, 0)",
    ) }}
    from accounts
    where tier in {{ tiers }} and followers > 0

    union all

    {{ claim_unit(
        "paid_posts_lose_trust", "platform", "'a'", "'accounts with both'", "account_id", "er_sponsored / nullif(er_organic, 0)",
    ) }}
    from accounts
    where er_organic > 0

    union all

    {{ claim_unit(
        "rival_brands", "platform", "case when tier in " ~ large ~ " then 'a' else 'b' end",
        "case when tier in " ~ large ~ " then 'macro and mega' else 'nano and micro' end", "account_id",
        "rival_brands_90d", "1",
    ) }}
    from accounts
    where tier in {{ tiers }}

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

    union all

    {{ claim_unit(
        "live_host_sales", "'*'", "case host_type when 'trained_host' then 'a' else 'b' end",
        "case host_type when 'trained_host' then 'trained hosts' else 'creators' end", "live_session_id",
        "gmv_in_session_base", "unique_viewers",
    ) }}
    from {{ ref("fct_live_session") }}
    where host_type is not null and unique_viewers > 0
),

-- What is unknown says nothing. A statistic of one value alone needs no second.
int_claim__units_gathered as (
    select units.*
    from units
    inner join {{ ref("claims") }} as claims on units.claim = claims.claim
    where
        units.x is not null
        and (units.y is not null or claims.statistic in ('median', 'median_ratio'))
)

select * from int_claim__units_gathered
