"""Names that are known: platforms and countries by all their spellings, as types of a reader.

DuckDB looks a text up in an enum by a hash, in whatever order rows come and without a join, so each table is an enum of
its spellings and a list of what they stand for.
"""

import csv
from functools import lru_cache
from pathlib import Path

import duckdb

from ingestion.sql import listed, quote

DEFAULTS = Path(__file__).parent / "user_config" / "defaults"
# Table, and its column of what a spelling stands for.
TABLES = {"platforms": "platform", "countries": "country"}


@lru_cache(maxsize=1)
def package_spellings() -> dict[str, dict[str, str]]:
    """By table what each spelling stands for."""
    found = {}
    for table, column in TABLES.items():
        with (DEFAULTS / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
            found[table] = {row["spelling"]: row[column] for row in csv.DictReader(lines)}
    return found


def teach(reader: duckdb.DuckDBPyConnection, spellings: dict[str, dict[str, str]]) -> None:
    """Let a reader know the tables. Letter case, accents and what is neither letter nor digit make no difference."""
    for table, known in spellings.items():
        keys, codes = _keys(tuple(known.items()))
        reader.execute(f"create type known_{table} as enum ({keys})")
        reader.execute(f"set variable known_{table} = [{codes}]")


@lru_cache(maxsize=8)
def _keys(known: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The keys of a table, each once, and the code of each, as lists of literals."""
    codes = dict.fromkeys(code for _, code in known)
    # A code as it is written is looked up without a key being made of it.
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select key, any_value(code) from (select unnest([spelling, {key('spelling')}]) as key, code from"
            " (select unnest($spellings) as spelling, unnest($codes) as code)) where key <> '' group by 1 order by 1",
            {
                "spellings": [*(spelling for spelling, _ in known), *codes],
                "codes": [*(code for _, code in known), *codes],
            },
        ).fetchall()
    return listed(row[0] for row in rows), listed(row[1] for row in rows)


def key(text: str) -> str:
    """What spellings are compared by."""
    return f"trim(regexp_replace(strip_accents(lower({text})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"


def code(table: str, text: str) -> str:
    """What a text stands for, null where nobody knows it."""
    found = f"coalesce(try_cast({text} as known_{table}), try_cast({key(text)} as known_{table}))"
    return f"getvariable('known_{table}')[1 + enum_code({found})]"


def unknown(table: str, text: str) -> str:
    """Why a text is none of them, with the nearest that is."""
    noun = TABLES[table]
    near = (
        f"list_sort(list_transform(enum_range(cast(null as known_{table})),"
        f" k -> {{d: damerau_levenshtein(cast(k as varchar), {key(text)}), k: cast(k as varchar)}}))[1]"
    )
    hint = f"list_transform([{near}], n -> if(n.d <= 2 and n.d < length(n.k), '; did you mean ' || n.k || '?', ''))[1]"
    remedy = quote(f"; a {noun} of your own is a row of config/{table}.csv")
    return f"'no known {noun}' || {hint} || {remedy}"
