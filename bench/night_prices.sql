-- What a post of each account costs by its last known followers ($night). Nobody was paid yet, so by the price bands.
create or replace table marts.dim_account_price as
with priced as (
    select a.*, b.low, b.high, b.source_note, coalesce(b.typical, round(b.low::double
            * exp(ln(b.high::double / b.low) * ln(a.followers::double / b.low_at_followers)
            / ln(b.high_at_followers::double / b.low_at_followers)), 2)::decimal(18, 4)) as typical
    from kept_account a
    left join build.seeds.price_bands b on b.platform in (a.platform, '*') and a.followers >= b.min_followers
        and (b.max_followers is null or a.followers < b.max_followers)
        and $night >= b.valid_from and (b.valid_to is null or $night < b.valid_to)
    where a.followers is not null
)
select p.platform, account_id, followers, followers_known_on as followers_date,
    coalesce(t.tier, case when followers < l.lowest then 'below' else 'unclassified' end) as tier,
    typical::decimal(38, 6) as price_base, low::decimal(38, 6) as price_low_base, high::decimal(38, 6) as price_high_base,
    case when typical is not null then 'price band' end as price_basis, source_note as price_source,
    'USD' as base_currency, $night as as_of_date, data_origin
from priced p
join (select platform, min(lowest) as lowest from bound where scheme = 'standard' group by all) l
    on p.platform = l.platform
left join bound t on t.scheme = 'standard' and p.platform = t.platform and p.followers >= t.lowest
    and p.followers < t.highest;
