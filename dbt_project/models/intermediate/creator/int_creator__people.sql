-- One row per person whom the feed `accounts` or a collaboration names: the accounts, and what is said of the largest.
{{ config(materialized="view") }}

with given as (
    select * from {{ ref("int_snapshot__attributes_merged") }}
    where creator_id is not null
),

states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

collaborations as (
    select * from {{ ref("int_agreement__collaborations_listed") }}
    where is_landed
),

newest as (
    select *
    from states
    where snapshot_date = (select max(latest.snapshot_date) from states as latest)
),

-- An account is its person's by the feed `accounts`; a collaboration may name somebody of whom that feed says nothing.
accounts as (
    select
        platform,
        account_id,
        creator_id
    from given

    union

    select
        collaborations.platform,
        collaborations.account_id,
        collaborations.creator_id
    from collaborations
    left join given
        on collaborations.platform = given.platform and collaborations.account_id = given.account_id
    where given.account_id is null and collaborations.creator_id <> '(unknown)'
),

described as (
    select
        accounts.creator_id,
        accounts.platform,
        accounts.account_id,
        given.city,
        newest.followers,
        newest.first_seen_date,
        newest.last_seen_date,
        {% for name in ["handle", "display_name", "niche", "country", "language"] %}
            coalesce(given.{{ name }}, newest.{{ name }}) as {{ name }},
        {% endfor %}
        coalesce(newest.data_origin, 'observed') as data_origin,
        row_number() over (
            partition by accounts.creator_id
            order by newest.followers desc nulls last, accounts.platform asc, accounts.account_id asc
        ) as place
    from accounts
    left join given on accounts.platform = given.platform and accounts.account_id = given.account_id
    left join newest on accounts.platform = newest.platform and accounts.account_id = newest.account_id
),

platforms as (
    select
        creator_id,
        {{ joined("distinct platform", "|", "platform") }} as platforms,
        count(*) as accounts,
        min(first_seen_date) as first_seen_date,
        max(last_seen_date) as last_seen_date,
        max(data_origin) as data_origin
    from described
    group by creator_id
),

int_creator__people as (
    select
        platforms.*,
        described.platform,
        described.account_id,
        described.handle,
        described.display_name,
        described.niche,
        described.country,
        described.city,
        described.language,
        described.followers
    from platforms
    inner join described on platforms.creator_id = described.creator_id and described.place = 1
)

select * from int_creator__people
