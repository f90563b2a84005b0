"""`make shortlist`: the creators that meet a target at the lowest price, or bring the most within a budget.

An integer program, solved exactly (HiGHS, through scipy) on the published marts alone.
"""
