"""`make erase PLATFORM= ACCOUNT=`: one account leaves everything that is kept, and stays out.

Runbook: docs/runbooks/erase.md. Safe to run again: after a crash, or when a gate was closed, that is what to do.
"""

import argparse
import sys

from ingestion.config import get_settings
from ingestion.errors import ContractError, LeaseLost
from warehouse.pipeline import erase


def main() -> int:
    """Exit code 0 when nothing of the account is left, 1 when it is not finished, 2 without an account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform")
    parser.add_argument("account")
    given = parser.parse_args()
    if not given.platform or not given.account:
        print("name both: make erase PLATFORM=youtube ACCOUNT=<account_id>")
        return 2
    try:
        found = erase(get_settings(), given.platform, given.account, lambda _: None)
    except (ContractError, LeaseLost) as error:
        print(f"{error}\nNOT FINISHED: readers still see the release before; mend this and run `make erase` again")
        return 1
    print(
        f"erased: {found.raw_rows} rows of raw, {found.quarantined_rows} quarantined rows, {found.files} files;"
        " all marts were built again without the account, and every older release is gone"
    )
    if found.waiting:
        print("still in landing, not yet taken in, and kept out when they are: " + ", ".join(found.waiting))
    return 0


if __name__ == "__main__":
    sys.exit(main())
