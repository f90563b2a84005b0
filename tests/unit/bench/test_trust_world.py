"""The worlds on which trust is measured: who chooses never evaluates, and a purchase is what it says."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from bench.trust import world
from bench.trust.__main__ import targets
from bench.trust.measure import Measures, measure, poisson, wilson
from bench.trust.world import CHOOSING, EVALUATING, Curve

DAYS = 100


def curve(followers: float = 10_000, views: float = 100) -> Curve:
    """Still followers, so many views a day."""
    return Curve("c", np.full(DAYS, float(followers)), np.arange(DAYS) * float(views), np.full(DAYS, 50.0))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_accounts_and_days_that_choose_do_not_evaluate():
    choosing, evaluating = ({c.account_id for c in world.real_curves(sample)} for sample in (CHOOSING, EVALUATING))
    assert choosing
    assert evaluating
    assert not choosing & evaluating
    shown = set(pd.read_csv(world.SHOWN).account_id)
    assert len(shown) == 200
    assert not shown & (choosing | evaluating)
    assert CHOOSING.days[1] < EVALUATING.evaluated_from == date(2023, 7, 16)


def test_the_same_seed_gives_the_same_worlds():
    first, second = (world.simulated_curves(rng(), 30, accounts=3) for _ in range(2))
    assert [c.followers.tolist() for c in first] == [c.followers.tolist() for c in second]


@pytest.mark.parametrize(
    ("count", "shown"), [(999, 999), (1_234, 1_230), (999_999, 999_000), (1_234_567, 1_230_000), (0, 0)]
)
def test_rounding_is_that_of_youtube(count, shown):
    assert world.rounded(np.array([float(count)]))[0] == shown


def test_a_failed_capture_stays_unknown_when_rounded():
    assert np.isnan(world.rounded(np.array([np.nan]))[0])


def test_a_burst_adds_its_share_within_three_days_and_no_view():
    bought = world.burst(0.2)(curve(), 50, rng())
    assert bought.followers[49] == 10_000
    assert bought.followers[52] == bought.followers[-1] == 12_000
    assert (bought.views == curve().views).all()


def test_a_purchase_says_how_many_followers_it_brought():
    """The most that stood of what is lost again; nothing where counts only grow faster."""
    assert world.burst(0.2)(curve(), 50, rng()).gain == 2_000
    assert world.burst_and_loss(0.2, 0.6)(curve(), 50, rng()).gain == 2_000
    assert world.repeats(0.08, 4, 14)(curve(), 30, rng()).gain == 3_200
    assert world.drip(0.01, 30)(curve(), 50, rng()).gain == pytest.approx(3_000, rel=0.05)
    assert world.with_views(world.burst(0.3), 8)(curve(), 50, rng()).gain == 3_000
    # Cut off by the last day of the curve.
    assert world.burst(0.3, 10)(curve(), 95, rng()).gain == 1_500
    assert np.isnan(curve().gain)
    assert np.isnan(world.steady_growth(0.01)(curve(), 50, rng()).gain)


def measured(*bursts: tuple[str, float, float]) -> Measures:
    """What became of bursts: size, followers bought, days until it was found (NaN where it was not)."""
    frame = pd.DataFrame(bursts, columns=["size", "gain", "found_after"])
    frame = frame.assign(world="real, rounded", scenario="burst", before=False, is_hidden=False)
    frame["is_found"] = frame.found_after.notna()
    still = {"world": ["real, rounded"], "scenario": ["untouched"], "account_months": [10.0]}
    none = pd.DataFrame({**still, "alarms": [0], "standing": [0]})
    empty = pd.DataFrame()
    return Measures(empty, empty, empty, empty, empty, none, empty, frame)


def test_bursts_of_ten_percent_count_from_a_gain_of_500():
    copies = [("10 %", 499.0, np.nan), ("10 %", 500.0, 6.0), ("10 %", 9_000.0, np.nan), ("20 %", 100.0, np.nan)]
    found = {target.name: target.observed for target in targets(measured(*copies))}
    assert found["recall of burst 10 % from a gain of 500"] == 0.5
    assert found["recall of burst 20 %"] == 0


def test_verdicts_are_measured_before_any_is_withheld():
    """Where everybody is hit the mart says nothing. What is found there counts, and so do false alarms."""
    still = np.full(DAYS, 10_000.0)
    hit = Curve("hit", still, still, still, "burst", "30 %", start=60, end=61, gain=3_000.0)
    crowd = world.World("real, rounded", "tiktok", CHOOSING.days[0], [hit, curve()])
    with duckdb.connect() as connection:
        connection.execute(
            "create schema intermediate; create table intermediate.int_trust__accounts_evaluated as"
            " select 'tiktok' as platform, name as account_id, $first_day::date + day::integer as snapshot_date,"
            " case when day >= 66 then 'suspicious' else 'trusted' end as verdict,"
            " case when day >= 66 then 30 else 100 end as audience_score"
            " from (values ('hit'), ('c')) as accounts (name), range(100) as days (day)",
            {"first_day": CHOOSING.days[0]},
        )
        measures = measure(connection, [crowd], CHOOSING, {"burst"})
    assert measures.attacks[["found", "recall", "days_median"]].to_numpy().tolist() == [[1, 1.0, 6.0]]
    assert measures.alarms.alarms.tolist() == [1]


@pytest.mark.parametrize(("days", "is_reached"), [((5.0, 6.0, 7.0), True), ((6.0, 7.0, 8.0), False)])
def test_the_median_day_on_which_bursts_are_found(days, is_reached):
    reached = {target.name: target for target in targets(measured(*(("30 %", 1_000.0, day) for day in days)))}
    found = reached["days until a burst is found, median"]
    assert (found.observed, found.is_reached) == (days[1], is_reached)


def test_a_loss_ends_within_14_days():
    bought = world.burst_and_loss(0.2, 0.6)(curve(), 50, rng())
    # 2,000 bought, 60 % of them gone.
    assert bought.followers.max() == 12_000
    assert bought.followers[50 + 14] == bought.followers[-1] == 10_800


def test_a_drip_delivers_its_rate_each_day():
    bought = world.drip(0.01)(curve(), 30, rng())
    daily = np.diff(bought.followers[29:61])
    # 1 % of 10,000, within a tenth.
    assert daily.min() >= 89
    assert daily.max() <= 111
    assert 30 <= bought.end - bought.start + 1 <= 60


def test_a_burst_takes_the_days_that_are_named():
    bought = world.burst(0.3, 10)(curve(), 50, rng())
    # 3,000 in 10 days, 300 a day.
    assert bought.followers[[50, 54, 59, 99]].tolist() == [10_300, 11_500, 13_000, 13_000]
    assert bought.end == 59


def test_repeats_come_at_their_distance():
    bought = world.repeats(0.08, 4, 14)(curve(), 30, rng())
    assert bought.followers[[29, 30, 43, 44, 72, 99]].tolist() == [10_000, 10_800, 10_800, 11_600, 13_200, 13_200]


def test_bought_views_come_with_their_followers():
    bought = world.with_views(world.burst(0.3, 1), 8)(curve(), 50, rng())
    assert bought.views[-1] - curve().views[-1] == 24_000


def test_a_drip_of_weekdays_stands_still_on_two_of_seven():
    daily = np.diff(world.drip(0.01, 28, weekdays=True)(curve(), 30, rng()).followers[29:58])
    assert (daily == 0).sum() == 8


def test_attention_at_its_own_rate_brings_views_at_that_rate():
    growing = Curve("g", 10_000 + np.arange(DAYS) * 10.0, np.arange(DAYS) * 1_000.0, np.full(DAYS, 0.0))
    median = float(np.quantile(world.ratios_of_weeks(), 0.5))
    viral = world.own_attention(0.2, 7, (0.5, 0.5))(growing, 50, rng())
    # 280 and a step of 100 in 28 days of 1,000 views.
    per_view = (280 + 100) / 28_000 * median
    extra = viral.views[-1] - growing.views[-1]
    assert (viral.followers[-1] - growing.followers[-1]) / extra == pytest.approx(per_view, rel=0.01)


def test_real_weeks_vary_about_their_own_rate():
    ratios = world.ratios_of_weeks()
    assert len(ratios) > 500
    assert 0.8 < np.quantile(ratios, 0.5) < 1.3


def test_seen_weekly_is_a_day_in_seven():
    assert (~np.isnan(world.seen_every(curve(), 7, 3).followers)).nonzero()[0].tolist() == list(range(3, DAYS, 7))


@pytest.mark.parametrize(("found", "of", "low", "high"), [(0, 60, 0.0, 0.06), (60, 60, 0.94, 1.0), (7, 60, 0.06, 0.22)])
def test_intervals_are_wilsons(found, of, low, high):
    assert wilson(found, of) == pytest.approx((low, high), abs=0.005)


@pytest.mark.parametrize("of", range(1, 60))
def test_no_share_is_below_nothing(of):
    assert 0 <= wilson(0, of)[0] < 1e-9


def test_intervals_of_alarms_are_those_of_a_count():
    # 40 alarms in 6,924 months: 4.1 to 7.9 per 1,000.
    assert poisson(40, 6924) == pytest.approx((4.1, 7.9), abs=0.15)


def test_a_sawtooth_ends_where_it_began_and_follows_many():
    bought = world.sawtooth(0.1)(curve(), 30, rng())
    assert bought.followers.max() > 10_500
    assert bought.followers[-1] == 10_000
    assert bought.following.max() > 1_000


def test_attention_brings_views_with_its_followers():
    viral = world.attention(0.2, (0.1, 0.1), 7)(curve(), 50, rng())
    # 2,000 followers at one for ten views: 20,000 views more, nearly all within a week.
    assert viral.followers[-1] - 10_000 == pytest.approx(2_000, abs=2)
    assert viral.views[-1] - curve().views[-1] == pytest.approx(20_000, abs=2)


def test_bought_likes_leave_views_and_comments_alone():
    (made, _) = world.post_worlds(CHOOSING)
    assert made.posts is not None
    attacked = {c.account_id for c in made.curves if c.size == "6 times the likes"}
    late = made.posts[(made.posts["at"] >= 75) & (made.posts.published >= 65)]
    rate = late.assign(rate=late.likes / late.views).groupby("account_id").rate.median()
    is_attacked = rate.index.isin(attacked)
    assert rate[is_attacked].median() > 4 * rate[~is_attacked].median()
