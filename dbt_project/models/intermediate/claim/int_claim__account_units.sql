-- One row per claim about the rates of accounts, platform, side and account.
{{ config(materialized="view") }}

with accounts as (
    select
        rated.*,
        sides.standing,
        sides.is_small,
        case when sides.is_small then sides.small_names else sides.large_names end as size_names
    from {{ ref("int_claim__accounts_rated") }} as rated
    left join {{ ref("int_claim__tier_sides") }} as sides
        on rated.platform = sides.platform and rated.tier = sides.tier
),

-- A niche counts where it has both, so that a niche that engages more is on neither side.
niche_peers as (
    select
        platform,
        niche,
        median(er_followers_median_30) as median_er
    from accounts
    where standing in ('second', 'highest') and niche is not null and er_followers_median_30 is not null
    group by platform, niche
    having count_if(standing = 'second') > 0 and count_if(standing = 'highest') > 0
),

advocates as (
    select distinct
        platform,
        account_id
    from {{ ref("fct_advocate") }}
    where relationship in ('advocate', 'ambassador') and is_current
),

int_claim__account_units as (
    {{ claim_unit(
        "micro_er_beats_mega_same_niche", "accounts.platform",
        "case accounts.standing when 'second' then 'a' else 'b' end", "accounts.tier", "accounts.account_id",
        "accounts.er_followers_median_30 / nullif(niche_peers.median_er, 0)", origin="accounts.data_origin",
    ) }}
    from accounts
    inner join niche_peers on accounts.platform = niche_peers.platform and accounts.niche = niche_peers.niche
    where accounts.standing in ('second', 'highest') and niche_peers.median_er > 0

    union all

    {{ claim_unit("mega_er_under_2pct", "platform", "'a'", "tier", "account_id", "er_followers_median_30") }}
    from accounts
    where standing = 'highest'

    union all

    {{ claim_unit(
        "advocates_10x", "accounts.platform", "case when advocates.account_id is not null then 'a' else 'b' end",
        "case when advocates.account_id is not null then 'advocates' else 'other accounts' end",
        "accounts.account_id", "accounts.er_followers_median_30", origin="accounts.data_origin",
    ) }}
    from accounts
    left join advocates on accounts.platform = advocates.platform and accounts.account_id = advocates.account_id
    where advocates.account_id is not null or accounts.standing is not null

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
        "weekly_conversations", "platform", "case when is_small then 'a' else 'b' end", "size_names", "account_id",
        "comments_per_week * 1000 / nullif(followers, 0)",
    ) }}
    from accounts
    where standing is not null and followers > 0

    union all

    {{ claim_unit(
        "paid_posts_lose_trust", "platform", "'a'", "'accounts with both'", "account_id", "er_sponsored / nullif(er_organic, 0)",
    ) }}
    from accounts
    where er_organic > 0

    union all

    {{ claim_unit(
        "rival_brands", "platform", "case when is_small then 'b' else 'a' end", "size_names", "account_id",
        "rival_brands_90d", "1",
    ) }}
    from accounts
    where standing is not null
)

select * from int_claim__account_units
