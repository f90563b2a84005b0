"""Published engagement rates and redefined metrics as their sources print them."""

from decimal import Decimal

from .test_seeds import read_default, read_seed

# modash.io/engagement-rate-calculator, percent: (band, fewest followers, low is under, average between, high is over).
MODASH_INSTAGRAM = [
    ("1-5K", "1000", "1.72", ("3.38", "4.42"), "7.97"),
    ("5-10K", "5000", "0.62", ("1.25", "1.62"), "3.54"),
    ("10-50K", "10000", "0.39", ("0.84", "1.11"), "2.61"),
    ("50-100K", "50000", "0.32", ("0.75", "1.01"), "2.47"),
    ("100-500K", "100000", "0.41", ("0.87", "1.14"), "2.63"),
    ("500K-1M", "500000", "0.46", ("0.88", "1.13"), "2.46"),
    ("over 1M", "1000000", "0.57", ("1.02", "1.27"), "2.6"),
]


def fraction(percent: str) -> Decimal:
    return Decimal(percent) / 100


def bounds(row: dict[str, str]) -> tuple[Decimal | None, ...]:
    return tuple(Decimal(row[side]) if row[side] else None for side in ("low", "high"))


def test_the_bands_of_modash_on_instagram():
    expected = {}
    for band, fewest, low, (average_low, average_high), high in MODASH_INSTAGRAM:
        expected[band, fewest, "low"] = (None, fraction(low))
        expected[band, fewest, "average"] = (fraction(average_low), fraction(average_high))
        expected[band, fewest, "high"] = (fraction(high), None)
    seeded = {
        (row["band"], row["min_followers"], row["level"]): bounds(row)
        for row in read_default("benchmarks")
        if (row["source"], row["platform"]) == ("modash", "instagram")
    }
    assert seeded == expected


def test_a_rate_is_compared_with_the_same_formula_alone():
    compared = {
        (row["source"], row["platform"], row["denominator"], row["statistic"], row["compare_with"])
        for row in read_default("benchmarks")
    }
    assert compared == {
        ("modash", "instagram", "followers", "median_30", "er_followers_median_30"),
        ("hypeauditor", "instagram", "followers", "mean_12", "er_followers_mean_12"),
        ("hypeauditor_uk", "instagram", "followers", "mean_12", "er_followers_mean_12"),
        # Six to eight times as high in 2025 as in 2023 under one stated formula.
        ("modash", "tiktok", "unclear", "median_30", ""),
        ("playersells", "x", "unclear", "median", ""),
    }


def test_every_published_rate_has_a_date_and_a_source():
    assert all(row["as_of"] and row["source_note"] for row in read_default("benchmarks"))


def test_redefined_metrics_are_those_of_the_platforms():
    # Design, section 7: Instagram's impressions ended 2025-04-21; YouTube's Shorts views changed 2025-03-31, those of
    # all formats 2026-08-24. Both sum up in an account's views. A Short goes by two names.
    rows = {
        (row["platform"], row["metric"], row["content_type"], row["valid_from"])
        for row in read_seed("metric_definitions")
    }
    assert rows == {
        ("instagram", "impressions", "*", "2025-04-21"),
        ("youtube", "views", "short", "2025-03-31"),
        ("youtube", "views", "shorts", "2025-03-31"),
        ("youtube", "views", "*", "2026-08-24"),
        ("youtube", "views_total", "*", "2025-03-31"),
        ("youtube", "views_total", "*", "2026-08-24"),
    }
