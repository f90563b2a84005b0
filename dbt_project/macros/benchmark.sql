{#- The rates that an account is ranked by among its peers: name of its percentile, column of its rate. -#}
{% macro percentile_rates() -%}
    {{ return({"er": "er_followers_median_30", "like_rate": "like_rate_views_median_30"}) }}
{%- endmacro %}

{#- Benchmark cells of an account from its own upwards, with the columns that make each. -#}
{% macro benchmark_cells() -%}
    {{ return({
        "own": "platform, snapshot_date, tier, niche, country",
        "niche": "platform, snapshot_date, tier, niche",
        "country": "platform, snapshot_date, tier, country",
        "tier": "platform, snapshot_date, tier",
    }) }}
{%- endmacro %}

{#- Of columns that stand once per cell, e.g. `own_n` to `tier_n`, the one of the chosen cell. -#}
{% macro of_chosen_cell(prefix, suffix, chosen="cell") -%}
    case {{ chosen }}
        {%- for cell in benchmark_cells() %}
            when '{{ cell }}' then {{ prefix }}{{ cell }}{{ suffix }}
        {%- endfor %}
    end
{%- endmacro %}

{#- Fewest accounts of which a spread is shown or another account is compared with: of fewer, one moves the middle. -#}
{% macro fewest_accounts() -%} 30 {%- endmacro %}
