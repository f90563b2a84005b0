"""Advocates: what a brand's customers with accounts did for it, how they climbed, and who did most."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

TOP = 10

PROGRAMME = """
select * from marts.fct_advocate_programme
order by brand, case relationship when 'customer' then 1 when 'advocate' then 2 when 'ambassador' then 3 else 4 end
"""

# The step before is that of the same ladder, so that a tier's days are not cut by a change of the relationship.
CLIMBS = """
with steps as (
    select
        *, lag(step) over in_order as from_step, lag(days_in_step) over in_order as days_before
    from marts.fct_advocate_ladder
    window in_order as (partition by shop, brand, customer_id, platform, account_id, ladder order by step_number)
)

select
    ladder, from_step, step, count(*) as accounts, median(days_before) as median_days, max(data_origin) as data_origin
from steps where from_step is not null and from_step <> step
group by ladder, from_step, step order by ladder, accounts desc, from_step, step
"""

TOP_ROWS = """
select advocates.*, left(accounts.display_name, 80) as display_name
from marts.fct_advocate as advocates
left join marts.dim_account as accounts
    on advocates.platform = accounts.platform and advocates.account_id = accounts.account_id
where advocates.is_first_claim and (advocates.orders_by_code > 0 or advocates.posts_about_brand > 0)
order by
    advocates.orders_by_code desc nulls last, advocates.posts_about_brand desc nulls last, advocates.brand,
    advocates.platform, advocates.account_id
limit $many
"""


def read(source: Source, _: Common) -> Row | None:
    """Programme totals, steps climbed, and those who did most; null while no customer's account is landed."""
    programme = source.rows(PROGRAMME)
    if not programme:
        return None
    climbs = source.rows(CLIMBS)
    return {
        "programme": programme,
        "currency": programme[0]["base_currency"],
        "as_of": programme[0]["as_of_date"],
        "climbs": [row | {"from": _named(row, row["from_step"]), "to": _named(row, row["step"])} for row in climbs],
        "top": [row | {"label": label(row["tier"])} for row in source.rows(TOP_ROWS, many=TOP)],
    }


def _named(row: Row, step: str) -> str:
    return label(step) if row["ladder"] == "tier" else step.capitalize()


SECTION = Section(
    "advocates",
    "Advocates",
    read,
    ("fct_advocate", "fct_advocate_ladder", "fct_advocate_programme", "dim_account"),
)
