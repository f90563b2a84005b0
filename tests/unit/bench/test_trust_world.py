"""The worlds on which trust is measured: who chooses never evaluates, and a purchase is what it says."""

from datetime import date

import numpy as np
import pytest

from bench.trust import world
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
