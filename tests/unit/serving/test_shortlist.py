"""The planner against every possible list of a few accounts, and what it says when there is none."""

import csv
import io
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest

from ingestion.config import Settings
from serving.report.source import open_source
from serving.shortlist import solve as solver
from serving.shortlist.ask import ShortlistError, read_ask
from serving.shortlist.optimise import Shortlist, make_shortlist
from serving.shortlist.write import OVERLAP, notes_of, write_files

from .hand_made import STANDARD, Row, publish

DAY = "2026-03-01"
# account: followers, engagements per follower, price, person. Two accounts are one person's.
PEOPLE: dict[str, tuple[int, float, str, str | None]] = {
    "n1": (2_000, 0.050, "30", None), "n2": (3_500, 0.040, "45.50", None), "n3": (5_000, 0.030, "70", None),
    "n4": (8_000, 0.020, "90", None), "m1": (12_000, 0.030, "210", "eve"), "m2": (26_000, 0.010, "205", "eve"),
    "m3": (41_000, 0.020, "480", None), "m4": (90_000, 0.015, "900", None), "b1": (180_000, 0.012, "2100", None),
    "b2": (260_000, 0.010, "2500", None), "b3": (1_200_000, 0.004, "15000", None),
}  # fmt: skip


def marts(people: dict[str, tuple[int, float, str, str | None]] = PEOPLE, **more: list[Row]) -> dict[str, list[Row]]:
    key = [{"platform": "instagram", "account_id": name} for name in people]
    rows: dict[str, list[Row]] = {
        "dim_tier_scheme": STANDARD,
        "dim_account": [
            {**k, "display_name": k["account_id"].upper(), "creator_id": person, "niche": "beauty", "country": "TW",
             "first_seen_date": DAY, "last_seen_date": DAY}
            for k, (*_, person) in zip(key, people.values(), strict=True)
        ],
        "dim_account_price": [
            {**k, "followers": followers, "price_base": price, "price_basis": "rate card", "base_currency": "USD",
             "as_of_date": DAY}
            for k, (followers, _, price, _) in zip(key, people.values(), strict=True)
        ],
        "fct_account_engagement_daily": [
            {**k, "snapshot_date": DAY, "er_followers_median_30": rate, "reach_rate_median_30": 0.5}
            for k, (_, rate, *_) in zip(key, people.values(), strict=True)
        ],
        "fct_follower_trust_daily": [
            {**k, "snapshot_date": DAY, "verdict": "trusted", "engagement_verdict": "trusted", "trust_score": 90} for k in key
        ],
    }  # fmt: skip
    for name, added in more.items():
        rows.setdefault(name, []).extend(added)
    return rows


@pytest.fixture
def world(settings: Settings) -> Settings:
    publish(settings, **marts())
    return settings


def ask(settings: Settings, **given: Any) -> Shortlist:
    with open_source(settings, run_id="") as source:
        return make_shortlist(source, read_ask({name: str(value) for name, value in given.items()}))


def refused(settings: Settings, **given: Any) -> str:
    with pytest.raises(ShortlistError) as error:
        ask(settings, **given)
    return str(error.value)


def names(found: Shortlist) -> set[str]:
    return set(found.world.accounts["account_id"].iloc[found.solved.chosen])


def engagements(name: str) -> int:
    # Whole ones, as an audience is counted: 3,500 x 0.04 is 140.
    return int(round(PEOPLE[name][0] * PEOPLE[name][1], 6))


def every_list() -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(PEOPLE, size) for size in range(1, len(PEOPLE) + 1)))


def followers(names: tuple[str, ...]) -> int:
    return sum(PEOPLE[name][0] for name in names)


def price(names: tuple[str, ...]) -> Decimal:
    return sum((Decimal(PEOPLE[name][2]) for name in names), Decimal(0))


def creators(names: tuple[str, ...]) -> int:
    return len({PEOPLE[name][3] or name for name in names})


def has_one_big_name(names: tuple[str, ...], share: Decimal) -> bool:
    big = [name for name in names if PEOPLE[name][0] >= 100_000]
    return len(big) == 1 and price(tuple(big)) <= share * price(names)


@pytest.mark.parametrize("target", [1, 10_000, 38_000, 39_500, 100_001, 300_000, 700_000, 1_600_000])
@pytest.mark.parametrize("most", [None, 2, 3, 5])
def test_the_cheapest_list_is_that_of_an_enumeration(world: Settings, target: int, most: int | None) -> None:
    possible = [
        names for names in every_list() if followers(names) >= target and (most is None or creators(names) <= most)
    ]
    limit = {} if most is None else {"max_creators": most}
    if not possible:
        assert "No list" in refused(world, followers=target, **limit)
        return
    found = ask(world, followers=target, **limit)
    assert Decimal(found.money) / 100 == min(price(names) for names in possible)
    assert found.solved.gap == 0
    assert tuple(sorted(names(found))) in {tuple(sorted(list_)) for list_ in possible}
    assert found.total("followers") == followers(tuple(names(found)))


@pytest.mark.parametrize("budget", ["30", "100", "345.50", "999.99", "3000", "20000"])
@pytest.mark.parametrize("most", [None, 1, 3])
def test_the_most_engagements_are_those_of_an_enumeration(world: Settings, budget: str, most: int | None) -> None:
    possible = [
        names for names in every_list() if price(names) <= Decimal(budget) and (most is None or creators(names) <= most)
    ]
    found = ask(world, budget=budget, **({} if most is None else {"max_creators": most}))
    assert found.solved.value == max(sum(map(engagements, names)) for names in possible)
    assert found.solved.gap == 0
    assert Decimal(found.money) / 100 <= Decimal(budget)


@pytest.mark.parametrize(("target", "share"), [(200_000, "0.9"), (400_000, "0.6"), (250_000, "1"), (300_000, "0.7")])
def test_an_iceberg_is_that_of_an_enumeration(world: Settings, target: int, share: str) -> None:
    possible = [
        names for names in every_list() if followers(names) >= target and has_one_big_name(names, Decimal(share))
    ]
    if not possible:
        # 0.6 of the price for b1 leaves 1,400 or more for the small ones, who cost 2,030.50 and bring 187,500 at most.
        assert "ICEBERG: without it a list costs" in refused(world, followers=target, iceberg=share)
        return
    found = ask(world, followers=target, iceberg=share)
    assert Decimal(found.money) / 100 == min(price(names) for names in possible)
    assert has_one_big_name(tuple(names(found)), Decimal(share))


def test_most_engagements_with_a_target_keep_both(world: Settings) -> None:
    possible = [names for names in every_list() if followers(names) >= 150_000 and price(names) <= 2_000]
    found = ask(world, followers=150_000, budget=2_000, aim="engagements")
    assert found.solved.value == max(sum(map(engagements, names)) for names in possible)
    assert (found.total("followers") or 0) >= 150_000


def test_of_many_candidates_the_cheapest_list_is_that_of_dynamic_programming(settings: Settings) -> None:
    draw = random.Random(3)
    many = {f"a{n:03d}": (draw.randint(1, 400) * 1_000, 0.01, str(draw.randint(30, 9_000)), None) for n in range(700)}
    publish(settings, **marts(many))
    target = 6_000
    # cheapest[t]: the least price of t thousand followers or more, account by account.
    cheapest = np.full(target + 1, np.inf)
    cheapest[0] = 0
    for thousands, price_of in ((people[0] // 1_000, float(people[2])) for people in many.values()):
        without = np.concatenate([np.full(thousands, cheapest[0]), cheapest])[: target + 1]
        cheapest = np.minimum(cheapest, without + price_of)
    assert len(many) > solver.CORE
    found = ask(settings, followers=target * 1_000)
    assert found.money / 100 == cheapest[target]
    assert found.solved.gap == 0


@pytest.mark.parametrize("core", [1, 4])
def test_a_small_first_program_changes_no_list(world: Settings, monkeypatch: pytest.MonkeyPatch, core: int) -> None:
    asks: list[dict[str, Any]] = [
        {"followers": 300_000}, {"followers": 1_600_000, "max_creators": 5}, {"budget": 999}, {"followers": 250_000, "iceberg": 1},
    ]  # fmt: skip
    whole = [ask(world, **given).solved.value for given in asks]
    monkeypatch.setattr(solver, "CORE", core)
    assert [ask(world, **given).solved.value for given in asks] == whole


def test_accounts_of_one_person_are_one_creator(world: Settings) -> None:
    # eve's two accounts have 38,000 followers and cost 415; nobody alone but m3 (480) has as many.
    found = ask(world, followers=38_000, max_creators=1)
    assert names(found) == {"m1", "m2"}
    assert found.creators == 1


# The first figure of each is worked out from PEOPLE: followers, price.
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"followers": 200_000, "budget": 1_900, "max_creators": 3},
            # m4, m3 and eve (90 + 41 + 38 thousand) cost 1,795. b1 + m2 (206,000) cost 2,305; b1 + n4 + m1 2,400.
            ["the best ones (for at most 1,900.00 USD, at most 3 creators) reach 169,000 followers, not 200,000",
             "BUDGET: 2,305.00 instead of 1,900.00 USD"],
        ),
        (
            {"followers": 1_500_000, "max_creators": 2},
            # b3 + b2 are 1,460,000; with b1 1,640,000.
            ["at most 2 creators) reach 1,460,000 followers, not 1,500,000", "MAX_CREATORS: 3 would do instead of 2"],
        ),
        (
            {"followers": 150_000, "platform": "instagram", "niche": "food"},
            ["reach 5,000 followers, not 150,000", "NICHE: without it a list costs"],
        ),
    ],
)  # fmt: skip
def test_an_impossible_ask_names_the_limit_that_binds(
    settings: Settings, given: dict[str, Any], said: list[str]
) -> None:
    rows = marts()
    rows["dim_account"][2]["niche"] = "food"
    publish(settings, **rows)
    text = refused(settings, **given)
    for words in said:
        assert words in text, text


@pytest.mark.parametrize("name", ["platform", "country", "city", "language"])
def test_each_limit_on_who_they_are_is_named(settings: Settings, name: str) -> None:
    rows = marts()
    key = {"platform": "tiktok", "account_id": "else"}
    rows["dim_account"].append(
        {**key, "country": "JP", "city": "Osaka", "language": "ja", "first_seen_date": DAY, "last_seen_date": DAY}
    )
    rows["dim_account_price"].append(
        {
            **key,
            "followers": 1_000,
            "price_base": "10",
            "price_basis": "observed",
            "base_currency": "USD",
            "as_of_date": DAY,
        }
    )
    publish(settings, **rows)
    value = {"platform": "TikTok ", "country": "jp", "city": "osaka", "language": "ja"}[name]
    text = refused(settings, followers=2_000, **{name: value})
    assert "reach 1,000 followers, not 2,000" in text
    assert f"{name.upper()}: without it a list costs 30.00 USD" in text


def test_trust_binds_and_unknown_trust_is_left_out_and_counted(settings: Settings) -> None:
    rows = marts()
    rows["fct_follower_trust_daily"][0]["trust_score"] = None
    for row in rows["fct_follower_trust_daily"][5:]:
        row["trust_score"] = 50
    publish(settings, **rows)
    found = ask(settings, followers=10_000, min_trust=80)
    assert names(found) <= {"n2", "n3", "n4", "m1"}
    assert "1 of unknown trust" in " ".join(notes_of(found))
    assert "MIN_TRUST: without it a list costs" in refused(settings, followers=60_000, min_trust=80)


def test_two_limits_that_bind_together_are_told_with_what_each_gives(world: Settings) -> None:
    # 800 buys at most m2 and m3 (67,000 for 685) to one or two creators; nobody of 1,300,000 costs under 15,000.
    text = refused(world, followers=1_300_000, max_creators=1, budget=800)
    assert "No single limit stands in the way" in text
    assert "BUDGET: without it 1,200,000 followers are reached" in text


def test_a_target_larger_than_the_world_says_how_large_the_world_is(world: Settings) -> None:
    everybody = sum(person[0] for person in PEOPLE.values())
    assert f"All 11 accounts with a known price have {everybody:,} followers together" in refused(
        world, followers=10**9
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"followers": "0"}, "FOLLOWERS=0 is not a whole number from 1 on"),
        ({"reach": "-5"}, "REACH=-5 is not a whole number"),
        ({"engagements": "many"}, "ENGAGEMENTS=many is not a whole number"),
        ({"budget": "0"}, "BUDGET=0 buys nothing"),
        ({"budget": "nan"}, "BUDGET=nan buys nothing"),
        ({"budget": "much"}, "BUDGET=much is not an amount"),
        ({"followers": "5", "reach": "5"}, "name one target, not 2: FOLLOWERS, REACH"),
        ({}, "say what to reach"),
        ({"aim": "price", "budget": "5"}, "the lowest price of no target is nothing"),
        ({"aim": "engagements", "followers": "5"}, "name a BUDGET="),
        ({"aim": "fame", "budget": "5"}, "there are: price, engagements"),
        ({"followers": "5", "max_creators": "0"}, "MAX_CREATORS=0 is not a whole number from 1 on"),
        ({"followers": "5", "min_trust": "101"}, "MIN_TRUST=101 is not a whole number from 0 to 100"),
        ({"followers": "5", "iceberg": "1.5"}, "ICEBERG=1.5 is not a share"),
        ({"followers": "5", "iceberg": "half"}, "write it as 0.5"),
    ],
)
def test_what_cannot_be_asked_says_the_remedy(given: dict[str, str | None], said: str) -> None:
    with pytest.raises(ShortlistError) as error:
        read_ask(given)
    assert said in str(error.value)


def test_unknown_places_and_no_release_end_with_words(
    world: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    groundswell: Callable[..., int],
) -> None:
    monkeypatch.setattr("ingestion.config.get_settings", lambda: world)
    assert groundswell("shortlist", "--followers", "5", "--platform", "myspace") == 1
    assert "no account has platform myspace; there are: instagram" in capsys.readouterr().err
    assert groundswell("shortlist", "--followers", "5", "--city", "Taipei") == 1
    assert "no account's city is known" in capsys.readouterr().err
    assert groundswell("shortlist", "--followers", "0") == 2
    monkeypatch.setattr("ingestion.config.get_settings", lambda: world.model_copy(update={"data": world.data / "none"}))
    assert groundswell("shortlist", "--followers", "5") == 1
    assert "run `make nightly` first" in capsys.readouterr().err


def test_suspicious_and_unknown_accounts_are_left_out_and_counted(settings: Settings) -> None:
    rows = marts()
    for row in rows["fct_follower_trust_daily"][:2]:
        row["is_suspicious"] = True
    rows["dim_account_price"][2] |= {"price_base": None, "price_basis": None}
    publish(settings, **rows)
    # n1, n2 and n3 would be the cheapest 10,000; without them n4 and m1 are 20,000 for 300, m2 alone 26,000 for 205.
    found = ask(settings, followers=10_000)
    assert names(found) == {"m2"}
    assert "left out: 2 with suspicious counts, 1 of unknown price" in " ".join(notes_of(found))


@pytest.mark.parametrize("column", ["verdict", "engagement_verdict"])
def test_a_watched_account_is_never_recommended(settings: Settings, column: str) -> None:
    rows = marts()
    rows["fct_follower_trust_daily"][0][column] = "watch"
    publish(settings, **rows)
    found = ask(settings, followers=5_000)
    assert "n1" not in names(found)
    assert "left out: 1 whose counts are worth a look" in " ".join(notes_of(found))


def test_what_the_same_money_buys_from_one_mega_is_told(world: Settings) -> None:
    assert "buys no mega: the cheapest within the limits costs 15,000.00 USD" in ask(world, followers=100_000).top
    # Everybody together costs 21,630.50.
    found = ask(world, followers=sum(person[0] for person in PEOPLE.values()))
    assert "one mega with 1,200,000 followers in one post, for 15,000.00 USD: instagram b3" in found.top


# IAB UK from 1970 on, and a scheme of Instagram's own that ends at 20,000.
IAB = [("nano", 1_000), ("micro", 10_000), ("mid", 50_000), ("macro", 500_000), ("top", 1_000_000), ("vip", 5_000_000)]
SMALL = [("tiny", 0), ("grown", 20_000)]


@pytest.mark.parametrize(
    ("scheme", "big", "top", "said"),
    [
        ("standard", {"b1", "b2", "b3"}, {"b3"}, "buys no mega:"),
        ("iab_uk", {"m4", "b1", "b2", "b3"}, set(), "No vip is within the limits."),
        ("small", {"m2", "m3", "m4", "b1", "b2", "b3"}, {"m2", "m3", "m4", "b1", "b2", "b3"}, "buys one grown with"),
        ("unheard", set(), set(), "No account of the highest tier is within the limits."),
    ],
)
def test_big_names_are_those_of_the_default_scheme(
    settings: Settings, scheme: str, big: set[str], top: set[str], said: str
) -> None:
    more = [
        {"scheme": name, "platform": platform, "tier": tier, "tier_rank": rank, "min_followers": least,
         "valid_from": "1970-01-01", "valid_to": None}
        for name, platform, tiers in (("iab_uk", "*", IAB), ("small", "*", IAB), ("small", "instagram", SMALL))
        for rank, (tier, least) in enumerate(tiers, 1)
    ]  # fmt: skip
    ended = {**more[-1], "tier": "gone", "tier_rank": 3, "min_followers": 1, "valid_to": DAY}
    publish(settings, **(marts() | {"dim_tier_scheme": [*STANDARD, *more, ended]}))
    found = ask(settings.model_copy(update={"default_scheme": scheme}), followers=100_000)
    accounts = found.world.accounts
    assert set(accounts["account_id"][accounts["is_big"]]) == big
    assert set(accounts["account_id"][accounts["is_top"]]) == top
    assert said in found.top


def test_files_are_equal_for_equal_asks_and_hold_no_formula_and_no_markup(settings: Settings) -> None:
    rows = marts()
    for row, name in zip(rows["dim_account"], ("=1+1", "+1", "-1", "@x", "<script>alert(1)</script>"), strict=False):
        row["display_name"] = name
    publish(settings, **rows)
    first = [path.read_bytes() for path in write_files(settings, ask(settings, followers=20_000, max_creators=9))]
    again = [path.read_bytes() for path in write_files(settings, ask(settings, followers="20,000", max_creators=9))]
    assert first == again
    cells = list(csv.DictReader(io.StringIO(first[0].decode("utf-8-sig"))))
    assert cells
    assert not [cell for row in cells for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    page = first[1].decode()
    assert "<script>" not in page
    assert OVERLAP.split(":")[0] in page
    assert "Proven: no cheaper list exists (gap 0)." in page


def test_the_command_prints_the_list_and_what_is_not_known(
    world: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    groundswell: Callable[..., int],
) -> None:
    monkeypatch.setattr("ingestion.config.get_settings", lambda: world)
    assert groundswell("shortlist", "--followers", "30000", "--budget", "500") == 0
    printed = capfd.readouterr().out
    for words in ("Audience overlap is unknown", "gap 0", "instagram m2", "written", "creators ", "price        "):
        assert words in printed
    assert "Highs" not in printed
