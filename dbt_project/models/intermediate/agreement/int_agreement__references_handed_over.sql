-- One row per collaboration and promo code or link of it: from when it holds the reference, and from when no longer.
{{ config(materialized="table") }}

with named as (select * from {{ ref("int_agreement__references_named") }}),

-- One who no longer names a reference keeps it until another takes it. Where both took it on one day it is the other's
-- alone, if that one still names it.
pairs as (
    select
        former.kind,
        former.reference,
        former.brand,
        former.collaboration_id as former_id,
        later.collaboration_id as later_id,
        former.end_date as former_end,
        case when later.taken_on = former.taken_on then former.start_date else later.taken_on end as handed_on,
        later.taken_on > former.taken_on as is_in_turn
    from named as former
    inner join named as later
        on former.kind = later.kind
        and former.reference = later.reference
        and former.brand = later.brand
        and former.collaboration_id <> later.collaboration_id
        and (
            former.taken_on < later.taken_on
            or (former.taken_on = later.taken_on and later.is_current)
        )
    where not former.is_current
),

given as (
    select
        kind,
        reference,
        former_id as collaboration_id,
        min(handed_on) as end_day
    from pairs
    group by kind, reference, former_id
),

-- The days until then are the former one's, though the later one's agreement may have begun before; a code is nobody's
-- after the agreement, a link stays.
taken as (
    select
        kind,
        reference,
        later_id as collaboration_id,
        max(
            case
                when kind = 'code' then least(handed_on, coalesce({{ add_days("former_end", 1) }}, handed_on))
                else handed_on
            end
        ) as first_day
    from pairs
    where is_in_turn
    group by kind, reference, later_id
),

int_agreement__references_handed_over as (
    select
        named.kind,
        named.reference,
        named.collaboration_id,
        named.brand,
        named.end_date,
        given.end_day,
        greatest(named.start_date, coalesce(taken.first_day, named.start_date)) as first_day
    from named
    left join given
        on named.kind = given.kind
        and named.reference = given.reference
        and named.collaboration_id = given.collaboration_id
    left join taken
        on named.kind = taken.kind
        and named.reference = taken.reference
        and named.collaboration_id = taken.collaboration_id
)

select * from int_agreement__references_handed_over
