"""Bounds of the checks of landed files, each with what was observed, when, and why it stands where it does."""

from expectations.suites import Threshold

SAMPLE = "2022-07-15 .. 2022-08-01"
NO_SERIES = "no real series of nights is at hand"

ARRIVAL = Threshold(
    minimum=1,
    observed="2,279 to 3,060 rows on 14 dates, none on 2022-07-27, 28, 29 and 31",
    date=SAMPLE,
    reason="No API gives history: a missed day can be fetched only while it lasts.",
)
FRESHNESS_HOURS = Threshold(
    maximum=36,
    observed="0.3 to 5 hours on a day with a capture, 29 on the first day without, 53 on the second",
    date=SAMPLE,
    reason="One missed night may be chance, two are a fault.",
)
VOLUME_OF_ACCOUNTS = Threshold(
    minimum=0.7,
    observed="0.965 to 1.295 times the trailing median on 11 dates; lowest on 2022-07-30, when 98 channels had left",
    date="2022-07-18 .. 2022-08-01",
    reason="Three accounts in ten do not leave overnight: such a delivery is cut, or one platform is missing.",
)
VOLUME_OF_POSTS = Threshold(
    minimum=0.2,
    observed=NO_SERIES + " of posts; the simulated ones came four times as many on the day before last",
    date="2026-11-28",
    reason="How many posts are captured follows what creators publish; a fifth of the usual is a crawler that stopped.",
)
CHANGE_OF_ACCOUNTS = Threshold(
    minimum=0.85,
    maximum=1.15,
    observed="the median nightly change was under 1 %; 2022-07-17 came with 7 % more (2,292, 2,443, 2,363 rows)"
    " and 2022-08-01 with 34 % more (2,279, 3,060), an honest growth of the roster",
    date=SAMPLE,
    reason="Twice the passing bulge of 7 %; the honest 34 % is worth a look and must not block.",
)
CHANGE_OF_POSTS = Threshold(
    minimum=0.5,
    maximum=2.0,
    observed=NO_SERIES + " of posts; accounts moved by under 1 % in the median, 34 % at most",
    date=SAMPLE,
    reason="Half or twice the usual posts are a crawler whose list or depth has changed. Revisit with 28 real nights.",
)
VOLUME_OF_WEEKDAY = Threshold(
    minimum=0.33,
    maximum=3.0,
    observed=NO_SERIES + " of orders, clicks or costs",
    date="2026-11-28",
    reason="A quiet holiday and a sale are honest, so it only warns; a third or thrice that weekday is worth a look.",
)
FACTOR = Threshold(
    maximum=1.15,
    observed="1.0000 to 1.0061 (over four days) on 40 platform days of the sample; 1.0000 on each of 209 days of 500 to"
    " 700 curves, where one account in twenty moved by 1.018 and more",
    date="2022-07-15 .. 2023-10-31",
    reason="The middle account does not move by a seventh within a week: another unit, column, or account's row.",
)
KNOWN_ACCOUNTS = Threshold(
    minimum=0.5,
    observed="0.99 to 1 on 40 platform days, also when the roster grew by a third on 2022-08-01; 0.74 after 654 days",
    date="2022-07-15 .. 2024-05-17",
    reason="Old accounts go and new ones come, not half of them overnight: other ids, or another platform's rows.",
)
CHANGED_COUNTS = Threshold(
    minimum=0.1,
    observed="0.95 to 1.08 of the usual share in the sample, 0.70 and more in the curves. Followers alone changed for"
    " 17 to 41 % of YouTube accounts a day, as it rounds them to three digits, any count for 56 to 99 %",
    date="2022-07-15 .. 2023-10-31",
    reason="Where seven counts in ten change a day, and today seven in a hundred, most rows are those of a day before.",
)
CHANGED_POSTS = Threshold(
    minimum=0.05,
    observed="0.22 of the usual share in the simulated posts, on a day that also held old ones; 0.92 and more else",
    date="2026-11-28",
    reason="Old posts rest, and how many of them are captured varies; one in twenty of the usual is a copied file.",
)
KNOWN_FOLLOWERS = Threshold(
    minimum=0.4,
    observed="0.49 of the day before in the outage of 2024-05-17, whose other counts were right; 0.99 and more else",
    date="2022-07-15 .. 2024-05-17",
    reason="Where six counts in ten are gone, tiers and changes of most accounts stand still without a word.",
)
KNOWN_COUNTS = Threshold(
    minimum=0.7,
    observed="0.99 of the usual share and more of accounts, 0.84 of the views of simulated Instagram posts",
    date="2022-07-15 .. 2024-05-17",
    reason="A count that a source no longer gives is worth a look; one dead metric must not cost the others.",
)
NULL_FOLLOWERS = Threshold(
    maximum=0.20,
    observed="1 to 2 % in 15 files of 2022, 5 % on 2024-05-16, 54 % on 2024-05-17, an outage",
    date="2022-07-15 .. 2024-05-17",
    reason="Unknown counts are stored as null and harm nobody, but the scraper needs mending.",
)
ZERO_FOLLOWERS = Threshold(
    maximum=0.20,
    observed="0 in 17 files, whose mapping reads 0 as not captured; as written they hold 1 to 2 %, 54 % on 2024-05-17",
    date="2022-07-15 .. 2024-05-17",
    reason="Zeros for everyone are a scraper that failed, never a purge, and would pass for a fall to nothing.",
)
HEADER_DRIFT = Threshold(
    maximum=0,
    observed="the same 23 names in all 17 files",
    date="2022-07-15 .. 2024-05-17",
    reason="A name that came or went is a publisher's change that the mapping may not know. The order is free, but for"
    " a mapping that reads columns by their position.",
)
FILES_QUARANTINED = Threshold(
    maximum=0,
    observed="0 of 17 files",
    date="2022-07-15 .. 2024-05-17",
    reason="A file quarantined whole is a delivery that nobody can see in the marts.",
)
ROWS_QUARANTINED = Threshold(
    maximum=0.01,
    observed="0 of 37,510 rows",
    date="2022-07-15 .. 2024-05-17",
    reason="Single bad rows happen; one in a hundred is a pattern.",
)
CELLS_INVALID = Threshold(
    maximum=0.01,
    observed="0 of 37,510 rows in any column",
    date="2022-07-15 .. 2024-05-17",
    reason="Their rows load without the cell; one in a hundred of a column is a layout that its mapping does not know.",
)
MONEY_QUARANTINED = Threshold(
    maximum=0,
    observed="two of three refunds and two of three costs refused in situations of public bug reports, unseen",
    date="2026-11-28",
    reason="A row of money that is refused is missing from net revenue or spend: each is named with its amount.",
)
MONEY_AT_STAKE = Threshold(
    maximum=0.05,
    observed="0 of the sample's 3,204 orders, refunds and costs",
    date="2026-11-28",
    reason="From three rows on, a twentieth of a usual day, in rows or in amount, moves what a campaign returned.",
)
AMOUNTS = Threshold(
    minimum=0.1,
    maximum=10,
    observed="0.94 to 1.16 between deliveries of the sample, by currency; orders in cents, in a trial: 100",
    date="2026-11-28",
    reason="Baskets of a sale halve or double; ten times is another unit, or another currency under the same name.",
)
OTHER_IDS = Threshold(
    maximum=0.5,
    observed="0 in the sample; all orders again under new ids, in a trial: 1",
    date="2026-11-29",
    reason="Orders that arrive late are a few of their day; half a day again, amount by amount, is the same day.",
)
INVERSE = Threshold(
    maximum=0,
    observed="one delivery in the sample; euros the other way round, in a trial: 1",
    date="2026-11-29",
    reason="A rate that jumps to about one by itself was written the other way round.",
)
RATES = Threshold(
    minimum=0.5,
    maximum=2,
    observed="one delivery in the sample; euros were between 0.83 and 1.60 dollars since 1999; cents, in a trial: 100",
    date="2026-11-28",
    reason="No currency of the base halves or doubles between two deliveries but by decree, which a person can say.",
)
