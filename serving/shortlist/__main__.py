"""`make shortlist`: print the list, and write it as CSV and as a page."""

import argparse
import sys

from ingestion.config import get_settings
from serving.report.source import open_source
from serving.shortlist.ask import AIMS, ATTRIBUTES, MEASURES, ShortlistError, read_ask
from serving.shortlist.optimise import make_shortlist
from serving.shortlist.write import show, write_files


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when a list was made, 1 when there is none, 2 when the call cannot be understood."""
    parser = argparse.ArgumentParser(prog="make shortlist", description=__doc__)
    for measure in MEASURES:
        parser.add_argument(f"--{measure}", help=f"least sum of {measure}")
    parser.add_argument("--budget", help="most that all posts may cost, in base currency")
    parser.add_argument("--aim", help=f"what is to be best: {' or '.join(AIMS)}")
    for attribute in ATTRIBUTES:
        parser.add_argument(f"--{attribute}", help=f"only accounts of this {attribute}")
    parser.add_argument("--min-trust", help="least trust score, 0 to 100")
    parser.add_argument("--max-creators", help="most creators; accounts of one person are one")
    parser.add_argument("--iceberg", help="one big name for at most this share of the price")
    try:
        ask = read_ask(vars(parser.parse_args(arguments)))
    except ShortlistError as error:
        print(error, file=sys.stderr)
        return 2
    settings = get_settings()
    try:
        with open_source(settings, run_id="") as source:
            found = make_shortlist(source, ask)
    except ShortlistError as error:
        print(error, file=sys.stderr)
        return 1
    files = write_files(settings, found)
    show(found)
    for path in files:
        print(f"written      {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
