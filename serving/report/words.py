"""Plain names for what the warehouse calls by a code, and the terms that the report explains in its glossary."""

# What credits an order: the warehouse's code, the name people read, and who has the order.
MODELS = {
    "linear": ("Equal shares", "everyone who was in touch with the buyer has the same share"),
    "first_touch": ("First contact", "whoever reached the buyer first has the whole order"),
    "last_touch": ("Last contact", "whoever reached the buyer last has the whole order"),
    "last_non_direct": ("Last contact but the shop itself", "visits without a source are passed over"),
    "position_40_20_40": ("First and last most", "40 % to the first, 40 % to the last, the rest between them"),
    "time_decay": ("Recent contacts more", "a contact a week older has half the weight"),
    "promo_code": ("Owner of the code", "the order goes to whoever owns the code on it"),
    "code_or_last_click": ("Code, else last click", "who earns the commission"),
    "any_touch": ("Everyone in full", "each has the whole order, so the sum is more than was sold"),
}
# Under each of these all credits are one whole order together; `any_touch` counts it once for everyone.
WHOLE_MODELS = tuple(model for model in MODELS if model != "any_touch")

VERDICTS = {
    "trusted": "Nothing speaks against it",
    "watch": "Worth a look",
    "suspicious": "Looks bought",
    "insufficient_data": "Too little data",
}
PARTNERS = {"paid": "Paid", "gifted": "Gifted", "affiliate": "Affiliate", "advocate": "Advocate"}
TABLES_OF_CHECKS = {
    "account_snapshots": "counts of accounts",
    "post_snapshots": "counts of posts",
    "fx_rates": "exchange rates",
    "link_clicks": "clicks",
    "touches": "contacts with buyers",
    "fct_account_daily": "followers by day",
    "fct_follower_trust_daily": "verdicts on counts",
    "suspicious_accounts": "accounts that look bought",
}

_TERMS = """
Account: One profile on one platform. A creator, the person or team behind it, may have several.
Back, money in: What buyers paid, less discount, tax, shipping and refunds, as far as it is credited to creators.
Collaboration: One agreement with one creator. A campaign is several of them with one aim.
Credited: An order may follow contacts with several creators. A way of crediting says who has how much of it.
EMV, earned media value: What ads for the same attention would cost by a published price list. In no ROI.
ER, engagement rate: Likes and comments of a post for each follower (or view): the median of the latest posts.
ER among peers: Of 100 accounts of the same tier on the same platform, how many have a rate as high or lower.
Least spend: Lists of best and worst leave out whoever spent less: a sale or two decides there.
Looks bought: Several signs in public counts fit purchased followers or likes. Said of numbers, not of a person.
Out, money out: Fees, goods given away, shipping, production, ads, agency, tools, and commission.
Profit ROI: ROI after the cost of the goods sold is taken off as well.
Reach: How many different people saw a post. Mostly known to its owner alone.
ROI: (money in − money out) / money out. 0 % is money just back, +100 % money doubled, −100 % all lost.
Simulated: Made up to show how the report works, not observed.
Tier: Size class of an account by its followers, such as nano, micro, macro or mega.
Unknown, –: Nobody could read it, or a part of it is missing. It is never 0.
Worth a look: One sign, or weak ones. Ask the creator for the platform's own figures before you pay.
"""
GLOSSARY = tuple((term, meaning) for term, _, meaning in (line.partition(": ") for line in _TERMS.strip().split("\n")))


def model_name(code: str) -> str:
    """The name people read of a way of crediting orders."""
    return MODELS[code][0] if code in MODELS else code


def suite_name(suite: str) -> str:
    """What a group of checks is about, as people read it."""
    stage, _, table = suite.partition(".")
    if not table:
        return "Rules of the tables" if stage == "dbt" else stage
    plain = TABLES_OF_CHECKS.get(table, table.removeprefix("fct_").replace("_", " "))
    return f"{'Files' if stage == 'landing' else 'Results'}: {plain}"


def check_name(name: str) -> str:
    """A check's name without its underscores."""
    return name.replace("__", ": ").replace("_", " ").strip()
