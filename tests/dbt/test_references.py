"""References are compared as people mean them, and each that leads nowhere is said, with the nearest known one."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.dbt.commerce import Compiled, World

AS_OF = date(2026, 3, 31)
AGREED = {
    "collaboration_id": "K",
    "brand": "acme",
    "platform": "youtube",
    "account_id": "a",
    "partner_type": "affiliate",
    "promo_code": "KIM10",
    "link_id": "L1",
    "rule_id": "R20",
    "start_date": "2026-03-01",
}
RULE = {"rule_id": "R20", "valid_from": "2026-01-01", "kind": "percent", "rate": "20", "applies_to": "first_order"}
Build = Callable[..., World]


@pytest.fixture
def build(world: World) -> Build:
    """Build the world of the agreement, its rule, and the rows given."""

    def make(**feeds: list[dict[str, Any]]) -> World:
        return world.build({"collaborations": [AGREED], "commission_rules": [RULE], **feeds}, AS_OF)

    return make


def order(name: str, code: str | None, gross: str = "100", day: int = 4) -> dict[str, Any]:
    return {
        "order_id": name,
        "customer_id": f"c{name}",
        "ordered_at": f"2026-03-{day:02d} 10:00:00",
        "gross_amount": gross,
        "currency": "USD",
        "promo_code": code,
    }


def owners(world: World, model: str = "promo_code") -> dict[str, str]:
    return dict(
        world.query(
            f"select order_id, collaboration_id from groundswell.marts.fct_attribution where attribution_model = '{model}'"
        )
    )


def issues(world: World) -> set[tuple[str, str, str, str | None]]:
    return set(world.query("select feed, record_id, issue, nearest_known from groundswell.marts.fct_commerce_issue"))


@pytest.fixture
def normal(compiled: Compiled) -> Callable[[list[str]], dict[str, str | None]]:
    """What a cell of `promo_code` becomes in staging."""
    (sql,) = (sql for node, sql in compiled.models if node["name"] == "stg_landing__touches")
    found = re.search(r"\n( *)settled.link_id,\n(.*?) as promo_code,\n", sql, re.DOTALL)
    assert found

    def make(cells: list[str]) -> dict[str, str | None]:
        with duckdb.connect() as connection:
            connection.execute("create table cells (promo_code varchar)")
            connection.executemany("insert into cells values (?)", [[cell] for cell in cells])
            return dict(connection.execute(f"select promo_code, {found[2]} from cells as settled").fetchall())

    return make


# How codes are compared


@pytest.mark.parametrize(
    "code",
    [
        "kim10", "  KIM10 ", "KIM 10", "ＫＩＭ１０", "K\u200bIM10", "\ufeffKIM10", "KIM\u00ad10", "KIM\u00a010", "𝐊𝐈𝐌𝟏𝟎",
        "KIM⑩", "KIM\u2060\ufe0f10", "\tkim10\n",
    ],
)  # fmt: skip
def test_a_code_is_compared_without_case_blanks_and_what_is_invisible(build: Build, code: str) -> None:
    world = build(orders=[order("o", code)])
    assert owners(world) == {"o": "K"}
    assert issues(world) == set()


def test_letters_with_marks_are_the_same_however_they_are_written(build: Build) -> None:
    composed, apart = "CAFÉ10", "cafe\u030110"
    assert composed != apart
    agreed = [AGREED | {"promo_code": composed}]
    assert owners(build(collaborations=agreed, orders=[order("o", apart), order("p", "CAFE10")])) == {
        "o": "K",
        "p": "(unattributed)",
    }


def test_the_compatibility_form_is_pythons(normal: Callable[[list[str]], dict[str, str | None]]) -> None:
    """Every tenth character that has one, and some that have none; blanks, marks between codes and case aside."""
    known = [
        chr(point)
        for point in range(0x80, 0x30000)
        if not 0xD800 <= point <= 0xDFFF
        and unicodedata.normalize("NFKC", chr(point)) != unicodedata.normalize("NFC", chr(point))
    ]
    tried = [letter for letter in (*known[::10], *"éßçЖ語가") if unicodedata.category(letter)[0] == "L"]
    assert len(tried) > 200
    for cell, code in normal([f"x{letter}y" for letter in tried]).items():
        meant = unicodedata.normalize("NFKC", cell)
        if len(meant.upper()) == len(meant) and not re.search(r"\s", meant):
            assert code == meant.upper(), cell


def test_several_codes_of_a_cell_are_split(normal: Callable[[list[str]], dict[str, str | None]]) -> None:
    cells = {
        "KIM06,FREESHIP": "KIM06|FREESHIP", "kim06 ; lea06": "KIM06|LEA06", "a|b": "A|B", "A，B": "A|B", "a\nb": "A|B",
        " , ": None, "A,,B,": "A|B",
    }  # fmt: skip
    assert normal(list(cells)) == cells


# Several codes, and codes of nobody


def test_one_owned_code_earns_and_by_codes_of_two_owners_the_last_click_decides(build: Build) -> None:
    other = AGREED | {"collaboration_id": "M", "promo_code": "LEA10, LEA15", "link_id": "L2"}
    click = {
        "touch_id": "t",
        "customer_id": "ctwo",
        "touched_at": "2026-03-03 10:00:00",
        "touch_type": "click",
        "link_id": "L2",
    }
    world = build(
        collaborations=[AGREED, other],
        orders=[order("one", "KIM10,FREESHIP"), order("two", "KIM10, LEA10"), order("both", "LEA10;LEA15")],
        touches=[click],
    )
    assert owners(world) == {"one": "K", "two": "(unattributed)", "both": "M"}
    assert owners(world, "code_or_last_click") == {"one": "K", "two": "M", "both": "M"}
    assert world.query(
        "select order_id, collaboration_id, earned_by, amount from groundswell.marts.fct_commission_ledger order by 1"
    ) == [("both", "M", "code", 20), ("one", "K", "code", 20), ("two", "M", "click", 20)]
    assert issues(world) == {
        ("orders", "two", "code of several owners", None),
        ("orders", "FREESHIP on 2026-03-04", "code unknown", None),
    }


def test_codes_of_nobody_are_said_per_code_and_day_with_orders_and_amount(build: Build) -> None:
    world = build(orders=[order("o", "KIM1O"), order("p", "kim1o", "50.5"), order("q", "KIM1O", day=5)])
    assert world.query(
        "select record_id, issue, nearest_known, orders, amount, currency from groundswell.marts.fct_commerce_issue"
        " order by 1"
    ) == [
        ("KIM1O on 2026-03-04", "code unknown", "KIM10", 2, Decimal("150.5"), "USD"),
        ("KIM1O on 2026-03-05", "code unknown", "KIM10", 1, 100, "USD"),
    ]


def test_a_code_outside_its_agreement_is_of_nobody_that_day(build: Build) -> None:
    world = build(collaborations=[AGREED | {"end_date": "2026-03-03"}], orders=[order("o", "KIM10")])
    assert issues(world) == {("orders", "KIM10 on 2026-03-04", "code unknown", "KIM10")}


def test_a_code_of_the_house_is_no_issue(build: Build, world: World) -> None:
    world.connection.execute("insert into build.meta.config_house_codes values (' free ship', null)")
    try:
        assert issues(build(orders=[order("o", "FreeShip"), order("p", "FREESHIP2")])) == {
            ("orders", "FREESHIP2 on 2026-03-04", "code unknown", None)
        }
    finally:
        world.connection.execute("delete from build.meta.config_house_codes")


# References that lead nowhere


TOUCH = {"touch_id": "t", "customer_id": "c", "touched_at": "2026-03-03 10:00:00", "touch_type": "click"}
POST = {"collaboration_id": "k", "platform": "youtube", "post_id": "p"}
COST = {"cost_id": "x", "cost_date": "2026-03-03", "cost_type": "fee", "amount": "5", "currency": "USD"}
REFUND = {"refund_id": "r", "refunded_at": "2026-03-05", "amount": "1", "currency": "USD"}
CARD = {
    "platform": "youtube", "account_id": "A", "content_type": "video", "price": "5", "currency": "USD",
    "valid_from": "2026-03-01",
}  # fmt: skip
CAMPAIGN = {"campaign_id": "C1", "brand": "acme", "start_date": "2026-03-01", "end_date": "2026-03-31"}


@pytest.mark.parametrize(
    ("feeds", "issue"),
    [
        ({"touches": [TOUCH | {"link_id": "l1"}]}, ("touches", "l1 on 2026-03-03", "link unknown", "L1")),
        ({"touches": [TOUCH | {"promo_code": "KIM11"}]}, ("touches", "KIM11 on 2026-03-03", "code unknown", "KIM10")),
        ({"touches": [TOUCH | {"collaboration_id": "k"}]}, ("touches", "k on 2026-03-03", "collaboration unknown", "K")),
        ({"touches": [TOUCH | {"campaign_id": "X"}]}, ("touches", "X on 2026-03-03", "campaign unknown", None)),
        ({"touches": [TOUCH | {"live_session_id": "S"}]}, ("touches", "S on 2026-03-03", "live session unknown", None)),
        ({"link_clicks": [{"click_id": "x", "clicked_at": "2026-03-03", "link_id": "L12"}]},
         ("link_clicks", "L12 on 2026-03-03", "link unknown", "L1")),
        ({"collaborations": [AGREED | {"rule_id": "R2O"}]}, ("collaborations", "K", "rule unknown", "R20")),
        ({"collaborations": [AGREED | {"campaign_id": "c1"}], "campaigns": [CAMPAIGN]},
         ("collaborations", "K", "campaign unknown", "C1")),
        ({"collaborations": [AGREED | {"account_id": "A"}],
          "accounts": [{"platform": "youtube", "account_id": "a", "updated_at": "2026-03-01"}]},
         ("collaborations", "K", "account unknown", "youtube a")),
        ({"rate_cards": [CARD], "accounts": [{"platform": "youtube", "account_id": "a", "updated_at": "2026-03-01"}]},
         ("rate_cards", "youtube A video 2026-03-01", "account unknown", "youtube a")),
        ({"collaboration_posts": [POST]}, ("collaboration_posts", "k youtube p", "collaboration unknown", "K")),
        ({"costs": [COST | {"collaboration_id": "k"}]}, ("costs", "x", "collaboration unknown", "K")),
        ({"costs": [COST | {"campaign_id": "c1"}], "campaigns": [CAMPAIGN]}, ("costs", "x", "campaign unknown", "C1")),
        ({"refunds": [REFUND | {"order_id": "A1"}], "orders": [order("a1", None)]},
         ("refunds", "r", "order unknown", "a1")),
        ({"orders": [order("o", None) | {"live_session_id": "s1"}],
          "live_sessions": [{"live_session_id": "S1", "platform": "youtube", "host_id": "h", "started_at": "2026-03-04"}]},
         ("orders", "o", "live session unknown", "S1")),
    ],
)  # fmt: skip
def test_every_reference_that_leads_nowhere_is_said(
    build: Build, feeds: dict[str, Any], issue: tuple[Any, ...]
) -> None:
    found = issues(build(**feeds))
    assert issue in found
    assert {row[2] for row in found} <= {issue[2], "never ended"}


def test_the_explanation_names_the_nearest_one(build: Build) -> None:
    world = build(collaborations=[AGREED | {"rule_id": "R2O"}])
    assert world.query("select explanation from groundswell.marts.fct_commerce_issue") == [
        ("rule R2O leads nowhere: no commission accrues by it; the nearest known one is R20",)
    ]


def test_keys_that_differ_only_in_case_are_two_and_are_said(build: Build) -> None:
    world = build(
        collaborations=[AGREED, AGREED | {"collaboration_id": "k", "promo_code": "LEA10", "link_id": None}],
        commission_rules=[RULE, RULE | {"rule_id": "r20", "rate": "5"}],
        orders=[order("o", "KIM10")],
    )
    assert owners(world) == {"o": "K"}
    assert issues(world) == {
        ("collaborations", "k", "key_differs_only_in_case", None),
        ("commission_rules", "r20", "key_differs_only_in_case", None),
    }


# Channels


@pytest.mark.parametrize(
    "channel",
    [
        "direct",
        "(direct)",
        "(direct) / (none)",
        "direct / none",
        "(none)",
        "Direct Traffic",
        "Direct",
        " (Direct)  /  (None) ",
    ],
)
def test_what_is_direct_leaves_the_credit_to_the_touch_before(build: Build, channel: str) -> None:
    before = TOUCH | {"collaboration_id": "K"}
    last = TOUCH | {"touch_id": "u", "touched_at": "2026-03-04 09:00:00", "touch_type": "view", "channel": channel}
    world = build(orders=[order("o", None) | {"customer_id": "c"}], touches=[before, last])
    assert owners(world, "last_non_direct") == {"o": "K"}
    assert owners(world, "last_touch") == {"o": "(unattributed)"}


@pytest.mark.parametrize("channel", ["email", "(not set)", "directory"])
def test_what_is_not_direct_has_its_share(build: Build, channel: str) -> None:
    before = TOUCH | {"collaboration_id": "K"}
    last = TOUCH | {"touch_id": "u", "touched_at": "2026-03-04 09:00:00", "touch_type": "view", "channel": channel}
    world = build(orders=[order("o", None) | {"customer_id": "c"}], touches=[before, last])
    assert owners(world, "last_non_direct") == {"o": "(unattributed)"}
