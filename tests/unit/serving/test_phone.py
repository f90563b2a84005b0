"""Tables on a telephone: each wide one has its columns named in the style, whatever people landed."""

from serving.report import formatting
from serving.report.phone import fit_tables

STYLE = "<style>x</style>"


def table(*names: str, more: str = "") -> str:
    heads = "".join(f'<th scope="col" class="n">{name}</th>' for name in names)
    return f"<table{more}><thead><tr>{heads}</tr></thead><tbody><tr><td>1</td></tr></tbody></table>"


def test_columns_are_named_from_the_last_one_on() -> None:
    page = fit_tables(STYLE + table("Account", "Change<br>per day", "Collabo-<br>rations", "ROI", more=' class="heat"'))
    assert '<table class="heat" data-phone="0">' in page
    assert ':nth-last-child(1)::before { content: "ROI"; }' in page
    assert ':nth-last-child(2)::before { content: "Collaborations"; }' in page
    assert ':nth-last-child(3)::before { content: "Change per day"; }' in page
    assert page.index("max-width: 760px") < page.index("</style>")


def test_tables_with_the_same_heads_share_their_rules() -> None:
    page = fit_tables(STYLE + table("A", "B", "C", "D") * 2 + table("A", "B", "C", "E"))
    assert [page.count(f'<table data-phone="{number}">') for number in (0, 1, 2)] == [2, 1, 0]
    assert page.count("::before") == 8


def test_a_table_that_fits_or_has_no_head_is_left() -> None:
    small = STYLE + table("A", "B", "C") + "<table><tbody><tr><td>none</td></tr></tbody></table>"
    assert fit_tables(small) == small


def test_names_cannot_leave_their_string() -> None:
    page = fit_tables(STYLE + table("A", "B", "C", "&quot;}&lt;/style&gt;\\é"))
    assert page.count("</style>") == 1
    assert r'content: "\22 \7d \3c \2f style\3e \5c \e9 "' in page


def test_paper_lays_out_only_the_rows_that_it_would_cut_off() -> None:
    twelve, thirteen = (table(*(f"C{n}" for n in range(columns))) for columns in (12, 13))
    assert [fit_tables(STYLE + text).count(" data-wide>") for text in (twelve, thirteen)] == [0, 1]
    paper = formatting.style()[formatting.style().index("@media print") :]
    assert "[data-phone]:not([data-wide]) > tbody > tr > *::before { content: none !important; }" in paper


def test_paper_is_light_and_has_no_telephone_on_it() -> None:
    style = formatting.style("front")
    assert style.count("prefers-color-scheme: dark") == style.count("screen and (prefers-color-scheme: dark") > 0
    assert style.count("(max-width:") == style.count("screen and (max-width:") > 0
    assert "print-color-adjust: exact" in style[style.index("@media print") :]
