"""Names that are known: platforms and countries by all their spellings, as types of a reader.

DuckDB looks a text up in an enum by a hash, in whatever order rows come and without a join, so each table is an enum of
its spellings and a list of what they stand for.
"""

import re
from functools import lru_cache

import duckdb

from ingestion.sql import listed, quote
from ingestion.user_config.load import UserConfig

# Table, and its column of what a spelling stands for.
TABLES = {"platforms": "platform", "countries": "country"}


def teach(reader: duckdb.DuckDBPyConnection, config: UserConfig) -> None:
    """Let a reader know the tables. Letter case, accents and what is neither letter nor digit make no difference."""
    for table, column in TABLES.items():
        # The package's rows come first, so that of two that are compared alike the user's holds.
        known = tuple((item.row.spelling, getattr(item.row, column)) for item in config.tables[table])
        keys, codes = _keys(known)
        reader.execute(f"create type known_{table} as enum ({keys})")
        reader.execute(f"set variable known_{table} = $codes", {"codes": codes})


@lru_cache(maxsize=8)
def _keys(known: tuple[tuple[str, str], ...]) -> tuple[str, list[str]]:
    """The keys of a table, each once, as a list of literals, and the code of each."""
    spelled = [*((code, code) for code in dict.fromkeys(code for _, code in known)), *known]
    with duckdb.connect() as connection:
        # A code as it is written is looked up without a key being made of it.
        rows = connection.execute(
            f"select key, arg_max(code, place)"
            f" from (select unnest([spelling, {key('spelling')}]) as key, code, place from"
            " (select unnest($spellings) as spelling, unnest($codes) as code, unnest(range(len($codes))) as place))"
            " where key <> '' group by 1 order by 1",
            {"spellings": [spelling for spelling, _ in spelled], "codes": [code for _, code in spelled]},
        ).fetchall()
    return listed(row[0] for row in rows), [row[1] for row in rows]


def former_codes(config: UserConfig) -> dict[str, list[str]]:
    """By platform the other codes that stand for it: before they were known as spellings, rows were kept under them."""
    found: dict[str, list[str]] = {}
    for item in config.tables["platforms"]:
        if re.fullmatch(r"[a-z0-9_.-]{1,40}", item.row.spelling) and item.row.spelling != item.row.platform:
            found.setdefault(item.row.platform, []).append(item.row.spelling)
    return found


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
