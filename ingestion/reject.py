"""`make reject BATCH=<start of its id>`: take one delivery back."""

import sys

from ingestion import ledger
from ingestion.config import get_settings
from ingestion.errors import ContractError

if __name__ == "__main__":
    try:
        print(ledger.reject(get_settings(), sys.argv[1], sys.argv[2]))
    except ContractError as error:
        sys.exit(str(error))
