{#- What one post costs. -#}

{#- Price of a post of an account with so many followers in a row of the seed `price_bands`, in the row's currency: the
    usual one where the source names it, else between low and high by followers, straight in logarithms. -#}
{% macro price_in_band(followers, band) -%}
    case
        when {{ band }}.typical is not null then {{ band }}.typical
        else
            cast(
                round(
                    cast({{ band }}.low as double) * exp(
                        ln({{ ratio(band ~ ".high", band ~ ".low") }})
                        * ln({{ ratio(followers, band ~ ".low_at_followers") }})
                        / nullif(ln({{ ratio(band ~ ".high_at_followers", band ~ ".low_at_followers") }}), 0)
                    ),
                    2
                ) as decimal(18, 4)
            )
    end
{%- endmacro %}

{#- CTEs that price followers by the bands, up to one named `banded`: a row for each row of `sized` that a band holds on
    its snapshot_date. `sized` needs platform, snapshot_date, followers and `key`, the column that names it; a CTE `bands` holds the
    seed, `rates` the carried rates and `base` the base currency. -#}
{% macro banded_from(sized, key) -%}
bands_of as (
    select
        sized.{{ key }},
        sized.snapshot_date,
        bands.low,
        {{ price_in_band("sized.followers", "bands") }} as typical,
        bands.high,
        bands.currency,
        bands.source_note
    from {{ sized }} as sized
    inner join bands
        on bands.platform in (sized.platform, '*')
        and sized.followers >= bands.min_followers
        and (bands.max_followers is null or sized.followers < bands.max_followers)
        and sized.snapshot_date >= bands.valid_from
        and (bands.valid_to is null or sized.snapshot_date < bands.valid_to)
    -- A platform's own rows take the place of the general ones.
    qualify
        row_number() over (
            partition by sized.{{ key }}, sized.snapshot_date order by bands.platform = '*', bands.valid_from desc nulls last
        ) = 1
),

banded as (
    select
        bands_of.{{ key }},
        bands_of.snapshot_date,
        {% for price in ["low", "typical", "high"] %}
            {{ in_base(
                "cast(bands_of." ~ price ~ " as decimal(24, 4))", rate_to_base("bands_of.currency", "rates.rate_to_base")
            ) }} as {{ price }}_base,
        {% endfor %}
        bands_of.source_note
    from bands_of
    cross join base
    left join rates on bands_of.currency = rates.currency and bands_of.snapshot_date = rates.rate_day
)
{%- endmacro %}

{#- Money per post, to six decimals: exact sums, divided last. -#}
{% macro per_post(amount, posts) -%}
    {{ as_decimal(ratio(amount, posts), 38, 6) }}
{%- endmacro %}

{#- A quantile of prices, linear between ranks. -#}
{% macro price_quantile(price, fraction) -%}
    {%- set quantile = "percentile_cont(" ~ fraction ~ ") within group (order by cast(" ~ price ~ " as double))" -%}
    {{ as_decimal(quantile, 38, 6) }}
{%- endmacro %}
