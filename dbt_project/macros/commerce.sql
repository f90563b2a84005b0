{#- Money. Amounts have six decimals, rates eight. -#}

{#- Of several deliveries of one key the one that counts: `arrival_order` orders them by `as_of`, then by the file's own
    modification time, then by the order of landing. -#}
{% macro latest_delivery(key) -%}
    qualify
        row_number() over (
            partition by {{ key | join(", ") }}
            order by arrival_order desc nulls last, source_line desc nulls last
        ) = 1
{%- endmacro %}

{#- Deliveries of one key in their order, from the first to the one that counts; `within` orders rows of one file. -#}
{% macro delivery_order(within=[]) -%}
    arrival_order nulls first
    {%- for column in within %}, {{ column }} nulls first{% endfor %}
{%- endmacro %}

{#- Whether a day lies in a half-open span of days, of which either end may be open. -#}
{% macro is_within(day, span) -%}
    ({{ span }}.first_day is null or {{ day }} >= {{ span }}.first_day)
    and ({{ span }}.end_day is null or {{ day }} < {{ span }}.end_day)
{%- endmacro %}

{#- An amount in base currency, null without a rate. An amount is below 10^14 and a rate below 10^10, so a product is
    below 10^24 and DECIMAL(38, 6) also holds the sum of 10^8 such products; six decimals keep the cent of a currency
    that is worth a ten-thousandth of the base. -#}
{% macro in_base(amount, rate) -%} cast(round({{ amount }} * {{ rate }}, 6) as decimal(38, 6)) {%- endmacro %}

{#- Rate of a row's currency: 1 for the base itself, else the carried rate of its day, else null. -#}
{% macro rate_to_base(currency, carried) -%}
    case when {{ currency }} = base.currency then cast(1 as decimal(18, 8)) else {{ carried }} end
{%- endmacro %}

{#- amount x part / whole, half up, exact: a division of decimals is a double on DuckDB. Part and whole have `scale`
    decimals, the amount and the result six. Each factor is below 9 x 10^18 of its units, so the doubled product stays
    within a 128-bit integer. Null where the whole is 0. -#}
{% macro exact_share(amount, part, whole, scale=6) -%}
    {{ return(adapter.dispatch("exact_share")(amount, part, whole, scale)) }}
{%- endmacro %}

{% macro duckdb__exact_share(amount, part, whole, scale) -%}
    {%- set unit = "1" ~ "0" * scale -%}
    {%- set whole_units = "cast((" ~ whole ~ ") * " ~ unit ~ " as hugeint)" -%}
    cast(
        cast(
            (
                2 * cast(({{ amount }}) * 1000000 as hugeint) * cast(({{ part }}) * {{ unit }} as hugeint)
                + {{ whole_units }}
            ) // nullif(2 * {{ whole_units }}, 0) as decimal(22, 0)
        ) * cast(0.000001 as decimal(7, 6)) as decimal(24, 6)
    )
{%- endmacro %}

{#- Spark's whole division gives a bigint, so what is left over goes off first and the division is exact. -#}
{% macro spark__exact_share(amount, part, whole, scale) -%}
    {%- set unit = "1" ~ "0" * scale -%}
    {%- set whole_units = "cast((" ~ whole ~ ") * " ~ unit ~ " as decimal(38, 0))" -%}
    {%- set doubled -%}
        cast(
            2 * cast(({{ amount }}) * 1000000 as decimal(18, 0)) * cast(({{ part }}) * {{ unit }} as decimal(18, 0))
            + {{ whole_units }} as decimal(38, 0)
        )
    {%- endset -%}
    {%- set divisor = "nullif(2 * " ~ whole_units ~ ", 0)" -%}
    cast(
        cast(
            ({{ doubled }} - {{ doubled }} % {{ divisor }}) / {{ divisor }} as decimal(22, 0)
        ) * cast(0.000001 as decimal(7, 6)) as decimal(24, 6)
    )
{%- endmacro %}

{#- The name of a refund's line, or of an order's cancellation, in ids of entries: it is unique with the shop in front. -#}
{% macro entry_name(shop, record, line) -%}
    concat_ws('/', nullif({{ shop }}, ''), {{ record }}, case when {{ line }} <> '#1' then {{ line }} end)
{%- endmacro %}

{#- Join of two relations on an id that a shop has given. -#}
{% macro same_in_shop(one, other, id) -%}
    {{ one }}.shop = {{ other }}.shop and {{ one }}.{{ id }} = {{ other }}.{{ id }}
{%- endmacro %}

{#- An instant moved back by whole days of 24 hours. -#}
{% macro days_before(instant, days) -%}
    {{ return(adapter.dispatch("days_before")(instant, days)) }}
{%- endmacro %}

{% macro duckdb__days_before(instant, days) -%} ({{ instant }} - to_days(cast({{ days }} as integer))) {%- endmacro %}

{% macro spark__days_before(instant, days) -%}
    ({{ instant }} - make_dt_interval(cast({{ days }} as integer)))
{%- endmacro %}

{#- The day of an instant (UTC without zone) by the clocks of a time zone. -#}
{% macro day_in_zone(instant, zone) -%} {{ return(adapter.dispatch("day_in_zone")(instant, zone)) }} {%- endmacro %}

{% macro duckdb__day_in_zone(instant, zone) -%}
    cast(timezone({{ zone }}, timezone('UTC', {{ instant }})) as date)
{%- endmacro %}

{% macro spark__day_in_zone(instant, zone) -%}
    cast(convert_timezone('UTC', {{ zone }}, {{ instant }}) as date)
{%- endmacro %}

{#- The day of an instant on which dates of agreements are looked up: by the clocks of its shop, UTC where none are
    said. `shops` is a left join on `config_shops`. -#}
{% macro agreement_day(instant, shops="shops") -%}
    case
        when coalesce({{ shops }}.time_zone, 'UTC') = 'UTC' then cast({{ instant }} as date)
        else {{ day_in_zone(instant, shops ~ ".time_zone") }}
    end
{%- endmacro %}

{#- One row per day from one date to another, as a column of a select. -#}
{% macro each_day(first_day, last_day) -%}
    {{ return(adapter.dispatch("each_day")(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__each_day(first_day, last_day) -%}
    cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date)
{%- endmacro %}

{% macro spark__each_day(first_day, last_day) -%}
    explode(case
        when {{ first_day }} <= {{ last_day }}
            then sequence(cast({{ first_day }} as date), cast({{ last_day }} as date), interval 1 day)
    end)
{%- endmacro %}

{#- A whole number that a file held in a column of its own, kept in `extra`; null where there is none. -#}
{% macro extra_integer(column, name) -%}
    {{ return(adapter.dispatch("extra_integer")(column, name)) }}
{%- endmacro %}

{% macro duckdb__extra_integer(column, name) -%}
    cast(try_cast(json_extract_string({{ column }}, '$.{{ name }}') as decimal(18, 2)) as bigint)
{%- endmacro %}

{% macro spark__extra_integer(column, name) -%}
    cast(round(try_cast(get_json_object({{ column }}, '$.{{ name }}') as decimal(18, 2))) as bigint)
{%- endmacro %}

{#- Days after publication whose counts are valued as EMV. -#}
{% macro emv_settled_days() -%} 30 {%- endmacro %}

{#- The nine attribution models; each is rows of `fct_attribution`. -#}
{% macro attribution_models() -%}
    {{ return([
        "first_touch", "last_touch", "last_non_direct", "linear", "position_40_20_40", "time_decay", "promo_code",
        "code_or_last_click", "any_touch",
    ]) }}
{%- endmacro %}

{#- Those under which the credits of an order are exactly 1 together, so that all groups hold all of the money. -#}
{% macro conserving_models() -%} {{ return(attribution_models() | reject("equalto", "any_touch") | list) }} {%- endmacro %}

{#- A row for each of all nine, in a column `model`. -#}
{% macro attribution_model_rows() -%}
    {% for model in attribution_models() -%}
        select '{{ model }}' as model {{ "union all " if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What a cost can be for. -#}
{% macro cost_types() -%}
    {{ return([
        "fee", "product", "shipping", "production", "usage_rights", "ads", "commission", "agency", "tools",
    ]) }}
{%- endmacro %}

{#- Columns of spend: all of it, and that of each type of cost. -#}
{% macro spend_columns() -%}
    {%- set columns = ["spend_base"] -%}
    {%- for cost_type in cost_types() -%} {%- do columns.append("spend_" ~ cost_type ~ "_base") -%} {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Terms of pay of a collaboration: what a version of it is of. -#}
{% macro agreement_terms() -%}
    {{ return(["rule_id", "cookie_window_days", "partner_type", "agreed_fee", "posts_agreed", "currency"]) }}
{%- endmacro %}

{#- One rate over another, as rates are kept: with eight decimals. Divided as doubles, whose 15 digits are more than the
    eight of any currency that is worth a ten-thousandth of the base. -#}
{% macro crossed_rate(dividend, divisor) -%} {{ as_decimal(ratio(dividend, divisor), 18, 8) }} {%- endmacro %}
