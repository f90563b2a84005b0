-- One row per post and capture instant, of the planned days.
with landed as (select * from {{ source("raw", "post_snapshots") }}),

-- Two files that disagree about one key and instant are both in raw; which one counts must not depend on the order in
-- which they came, so the later `as_of` wins, then the larger hash.
stg_landing__post_snapshots as (
    select *
    from landed
    qualify
        row_number() over (
            partition by platform, post_id, captured_at
            order by as_of desc nulls last, source_sha256 desc nulls last
        ) = 1
)

select * from stg_landing__post_snapshots
