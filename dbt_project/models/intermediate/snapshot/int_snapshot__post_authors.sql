-- One row per post that anybody but its author shows and UTC day on which somebody new did: whose it is from then on.
-- The one place that decides the author. A post without a row belongs to the account that shows it.
-- One model: who claims a post and who shows it are told from the same showings of the few posts at hand.
with planned as (
    {{ planned_dates("int_snapshot__post_authors") }}
),

showings as (select * from {{ ref("int_snapshot__post_showings") }}),

linked as (select * from {{ ref("stg_meta__linked_accounts") }}),

own as (select * from {{ ref("stg_meta__own_accounts") }}),

-- Nearly all of a night's new posts are shown by one account, which nothing else claims.
changed as {{ made_first() }} (
    select distinct
        platform,
        post_id,
        snapshot_date as as_of_date
    from showings
    where snapshot_date in (select planned.snapshot_date from planned)
),

known as (
    select
        showings.platform,
        showings.post_id,
        showings.account_id,
        showings.captured_at,
        showings.data_origin,
        changed.as_of_date,
        nullif(showings.author_account_id, '') as author_account_id
    from changed
    inner join showings
        on changed.platform = showings.platform
        and changed.post_id = showings.post_id
        and changed.as_of_date >= showings.snapshot_date
),

shown as (
    select
        platform,
        post_id,
        as_of_date,
        account_id,
        min(captured_at) as captured_at
    from known
    group by platform, post_id, as_of_date, account_id
),

-- Who may be the author, and why: the smallest reason speaks, of equal ones the earliest capture.
candidates as (
    select
        platform,
        post_id,
        as_of_date,
        author_account_id as account_id,
        1 as reason,
        min(captured_at) as captured_at
    from known
    where author_account_id is not null
    group by platform, post_id, as_of_date, author_account_id
    union all
    select
        changed.platform,
        changed.post_id,
        changed.as_of_date,
        linked.account_id,
        2 as reason,
        shown.captured_at
    from changed
    inner join linked on changed.platform = linked.platform and changed.post_id = linked.post_id
    left join shown
        on changed.platform = shown.platform
        and changed.post_id = shown.post_id
        and changed.as_of_date = shown.as_of_date
        and linked.account_id = shown.account_id
    union all
    select
        shown.platform,
        shown.post_id,
        shown.as_of_date,
        shown.account_id,
        case when own.account_id is null then 3 else 4 end as reason,
        shown.captured_at
    from shown
    left join own on shown.platform = own.platform and shown.account_id = own.account_id
),

decided as (
    select
        platform,
        post_id,
        as_of_date,
        account_id
    from candidates
    qualify
        row_number() over (
            partition by platform, post_id, as_of_date
            order by reason asc, captured_at asc nulls last, account_id asc
        ) = 1
),

described as (
    select
        platform,
        post_id,
        as_of_date,
        count(*) as showings,
        {{ joined("distinct author_account_id", ", ", "author_account_id") }} as named_authors,
        count(distinct author_account_id) > 1 as is_disputed,
        max(data_origin) as data_origin
    from known
    group by platform, post_id, as_of_date
),

others as (
    select
        shown.platform,
        shown.post_id,
        shown.as_of_date,
        {{ joined("shown.account_id", "|", "shown.account_id") }} as co_authors
    from shown
    inner join decided
        on shown.platform = decided.platform
        and shown.post_id = decided.post_id
        and shown.as_of_date = decided.as_of_date
        and shown.account_id <> decided.account_id
    group by shown.platform, shown.post_id, shown.as_of_date
),

int_snapshot__post_authors as (
    select
        decided.platform,
        decided.post_id,
        decided.account_id as author_account_id,
        others.co_authors,
        described.named_authors,
        described.is_disputed,
        described.data_origin,
        decided.as_of_date as snapshot_date
    from decided
    inner join described
        on decided.platform = described.platform
        and decided.post_id = described.post_id
        and decided.as_of_date = described.as_of_date
    left join others
        on decided.platform = others.platform
        and decided.post_id = others.post_id
        and decided.as_of_date = others.as_of_date
    -- A row that takes an earlier one back must stand as well.
    where others.post_id is not null or described.showings > 1
)

select * from int_snapshot__post_authors
