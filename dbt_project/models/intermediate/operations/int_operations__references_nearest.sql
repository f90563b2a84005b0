-- One row per kind and reference that leads nowhere and for which a known one is near.
{{ config(materialized="table") }}

with lost as (
    select distinct
        kind,
        reference
    from {{ ref("int_operations__references_lost") }}
),

known as (select * from {{ ref("int_operations__references_known") }}),

-- Another letter case first; else up to two letters, at most one in three. Of accounts and orders, which are many, only
-- another case.
alike as (
    select
        lost.kind,
        lost.reference,
        known.reference as known_reference,
        0 as letters_apart
    from lost
    inner join known on lost.kind = known.kind and lower(lost.reference) = lower(known.reference)

    union all

    select
        lost.kind,
        lost.reference,
        known.reference as known_reference,
        levenshtein(lower(lost.reference), lower(known.reference)) as letters_apart
    from lost
    inner join known
        on lost.kind = known.kind
        and length(known.reference) >= length(lost.reference) - 2
        and length(known.reference) <= length(lost.reference) + 2
    where
        lost.kind not in ('account', 'order')
        and length(lost.reference) >= 3
        and levenshtein(lower(lost.reference), lower(known.reference))
        <= case when length(lost.reference) >= 6 then 2 else 1 end
),

int_operations__references_nearest as (
    select
        kind,
        reference,
        known_reference
    from alike
    qualify
        row_number() over (
            partition by kind, reference
            order by letters_apart nulls last, known_reference nulls last
        ) = 1
)

select * from int_operations__references_nearest
