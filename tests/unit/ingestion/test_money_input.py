"""Money that cannot be read goes to quarantine with its reason, and the rest of the file loads."""

import pytest

from ..conftest import Yard

COST_HEADER = "cost_id,collaboration_id,cost_date,cost_type,amount,currency"
ORDER_HEADER = "order_id,customer_id,ordered_at,gross_amount,currency"


@pytest.mark.parametrize(
    "amount", ["fifty", "--5", "12.3456789", "1,5", "", "NaN", "1e3", "6.06E+04", "99999999999999999"],
    ids=["in words", "twice negative", "seven decimals", "decimal comma", "empty", "no number", "exponent", "of Excel", "too large"],
)  # fmt: skip
def test_an_amount_that_is_none_is_set_aside_with_its_line(yard: Yard, amount: str) -> None:
    cell = f'"{amount}"' if "," in amount else amount
    yard.drop_rows("costs/c.csv", "k1,K,2026-01-05,fee,10.5,usd", f"k2,K,2026-01-05,fee,{cell},USD", header=COST_HEADER)
    yard.land()
    assert [str(amount) for _, amount, _ in yard.rows("costs/c.csv", "cost_id, amount, currency")] == ["10.500000"]
    ((line, column, *_),) = yard.rejects("costs/c.csv")
    assert (line, column) == (3, "amount")


def test_a_credit_note_and_a_refund_may_have_a_minus_and_an_order_may_not(yard: Yard) -> None:
    yard.drop_rows("costs/c.csv", "k1,K,2026-01-05,fee,-10.5,USD", header=COST_HEADER)
    yard.drop_rows("refunds/r.csv", "r1,o1,2026-01-05,-3,USD", header="refund_id,order_id,refunded_at,amount,currency")
    yard.drop_rows("orders/o.csv", "o1,c,2026-01-05,-10,USD", "o2,c,2026-01-05,1,USD", header=ORDER_HEADER)
    yard.land()
    assert [str(row[0]) for row in yard.rows("costs/c.csv", "amount")] == ["-10.500000"]
    assert [str(row[0]) for row in yard.rows("refunds/r.csv", "amount")] == ["-3.000000"]
    assert [(row[0], row[3]) for row in yard.rejects("orders/o.csv")] == [(2, "a negative amount")]


def test_one_order_twice_in_a_file_with_other_amounts_is_a_conflict(yard: Yard) -> None:
    yard.drop_rows(
        "orders/o.csv",
        "o1,c,2026-01-05,10,USD",
        "o1,c,2026-01-05,11,USD",
        "o2,c,2026-01-05,12,USD",
        header=ORDER_HEADER,
    )
    yard.land()
    assert [order for (order,) in yard.rows("orders/o.csv", "order_id")] == ["o2"]
    assert [row[0] for row in yard.rejects("orders/o.csv")] == [2, 3]


@pytest.mark.parametrize(("column", "cells"), [("currency", "k1,K,2026-01-05,fee,10,dollars"),
                                               ("cost_type", "k1,K,2026-01-05,bribe,10,USD"),
                                               ("cost_date", "k1,K,05/01/2026,fee,10,USD")])  # fmt: skip
def test_a_cost_of_no_currency_type_or_day_is_set_aside(yard: Yard, column: str, cells: str) -> None:
    yard.drop_rows("costs/c.csv", cells, "k2,K,2026-01-05,fee,10,USD", header=COST_HEADER)
    yard.land()
    assert [row[1] for row in yard.rejects("costs/c.csv")] == [column]


AGREEMENT_HEADER = "collaboration_id,brand,platform,account_id,partner_type,rule_id,start_date,valid_from"


def test_a_file_holds_a_row_for_each_version_of_an_agreement(yard: Yard) -> None:
    row = "K,acme,youtube,a,paid,{},2026-01-01,{}"
    yard.drop_rows(
        "collaborations/c.csv", row.format("R1", ""), row.format("R2", "2026-01-05"), header=AGREEMENT_HEADER
    )
    yard.land()
    assert yard.rows("collaborations/c.csv", "rule_id, valid_from is null") == [("R1", True), ("R2", False)]


@pytest.mark.parametrize("day", ["", "2026-01-05"])
def test_two_rows_of_one_version_conflict_and_equal_ones_are_one(yard: Yard, day: str) -> None:
    row = "{},acme,youtube,a,paid,{},2026-01-01," + day
    rows = [row.format("K", "R1"), row.format("K", "R2"), row.format("L", "R1"), row.format("L", "R1")]
    yard.drop_rows("collaborations/c.csv", *rows, header=AGREEMENT_HEADER)
    yard.land()
    assert yard.rows("collaborations/c.csv", "collaboration_id") == [("L",)]
    assert [row[0] for row in yard.rejects("collaborations/c.csv")] == [2, 3]
