"""Read the folder `config/` and join it with the package's tables: environment beats config beats package.

A folder with any error is refused whole, before anything is built: all errors are named at once, each with file, line
and remedy.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingestion.config import Settings
from ingestion.errors import ConfigError, nearest
from ingestion.user_config import thresholds
from ingestion.user_config.tables import TABLES, Placed, Table
from ingestion.user_config.thresholds import PlacedThreshold

DEFAULTS = Path(__file__).resolve().parent / "defaults"
# Of the folder that a command is called in, and not always there.
USUAL, MAPPINGS = "config", "mappings"
# Read by sources alone: what is wrong in the list of accounts stops no run.
OF_SOURCES = ("sources.yml", "watchlist.csv", "notify.yml")
# How many errors are named at once.
NAMED = 20

Cell = str | None


@dataclass(frozen=True)
class UserConfig:
    """The joined tables; each row knows the file and line that it is from.

    Args:
        folder: the user's folder, null where there is none.
        default_scheme: the scheme that models take where they take only one.
        thresholds: bounds of checks that take the place of the package's.
    """

    folder: Path | None
    default_scheme: str
    tables: dict[str, list[Placed]]
    thresholds: tuple[PlacedThreshold, ...] = ()

    def rows(self, name: str) -> list[tuple[Cell, ...]]:
        """Rows of `meta.config_<name>` as text that DuckDB casts to the table's types, in the order of their text."""
        if name == "default_scheme":
            held = [item for item in self.tables["tier_schemes"] if item.row.scheme == self.default_scheme]
        else:
            held = self.tables[name]
        return sorted(
            (tuple(_text(value) for value in item.row.model_dump().values()) for item in held),
            key=lambda cells: [cell or "" for cell in cells],
        )

    @property
    def names(self) -> list[str]:
        """Names of the tables that models read as `meta.config_<name>`."""
        return [*self.tables, "default_scheme"]

    def digest(self, name: str) -> str:
        """Digest of what models read as `meta.config_<name>`: the same rows however their file writes them."""
        return hashlib.sha256(json.dumps(self.rows(name)).encode()).hexdigest()

    @property
    def digests(self) -> dict[str, str]:
        """Of each table, and of the bounds of checks."""
        bounds = json.dumps(sorted(placed.own.model_dump_json() for placed in self.thresholds))
        return {
            **{name: self.digest(name) for name in self.names},
            "thresholds": hashlib.sha256(bounds.encode()).hexdigest(),
        }


def kinds_of(name: str) -> dict[str, str]:
    """Column types of `meta.config_<name>`."""
    return dict(TABLES["tier_schemes" if name == "default_scheme" else name].kinds)


def load(settings: Settings) -> UserConfig:
    """The configuration that a run goes by. Raises ConfigError that names all that is wrong with the folder."""
    folder = folder_of(settings)
    problems: list[str] = []
    tables = {name: _join(table, folder, problems) for name, table in TABLES.items()}
    bounds = tuple(thresholds.read(folder, problems)) if folder else ()
    if folder:
        problems += _unknown_files(folder)
    if not problems:
        problems += _unknown_scheme(settings.default_scheme, tables["tier_schemes"])
    if problems:
        more = [f"and {len(problems) - NAMED} more"] if len(problems) > NAMED else []
        where = f"the configuration in {folder}" if folder else "the configuration"
        raise ConfigError("\n".join([f"{where} is refused, nothing is built:", *problems[:NAMED], *more]))
    return UserConfig(folder, settings.default_scheme, tables, bounds)


def folder_of(settings: Settings) -> Path | None:
    """The user's folder; null where none is named and the usual one is not there. Raises ConfigError otherwise."""
    folder = settings.config or Path.cwd() / USUAL
    try:
        if folder.is_dir():
            next(folder.iterdir(), None)
            return folder
        is_there = folder.exists()
    except OSError as error:
        raise ConfigError(
            f"the folder {folder} cannot be read ({error.strerror}); mend its rights,"
            " or let GROUNDSWELL_CONFIG name another"
        ) from error
    if is_there:
        raise ConfigError(
            f"{folder} is a file; let GROUNDSWELL_CONFIG name the folder that holds tier_schemes.csv and such"
        )
    if settings.config:
        raise ConfigError(f"GROUNDSWELL_CONFIG={folder} is not there; make the folder, or unset GROUNDSWELL_CONFIG")
    return None


def mappings_of(settings: Settings) -> Path | None:
    """Folder of the user's mappings; null where there is none. Raises ConfigError as `folder_of` does."""
    folder = folder_of(settings)
    return folder / MAPPINGS if folder and (folder / MAPPINGS).is_dir() else None


def _unknown_files(folder: Path) -> Iterator[str]:
    """Files that nobody reads: a misspelt name would be silently without effect."""
    known = [*(f"{name}.csv" for name in TABLES), thresholds.FILE, *OF_SOURCES]
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".yml", ".yaml") and path.name not in known:
            yield f"{path}: nobody reads a file of this name{nearest(path.name, known)}"
    for path in sorted((folder / MAPPINGS).glob("*.yaml")):
        yield f"{path}: nobody reads a file of this name; name it {path.stem}.yml"


def _unknown_scheme(scheme: str, placed: list[Placed]) -> Iterator[str]:
    schemes = sorted({item.row.scheme for item in placed})
    if scheme not in schemes:
        yield f"GROUNDSWELL_DEFAULT_SCHEME={scheme}: no such scheme{nearest(scheme, schemes)}"


def _join(table: Table, folder: Path | None, problems: list[str]) -> list[Placed]:
    """The user's rows, and those of the package whose place none of them takes."""
    package = list(_package(table.name))
    file = folder / f"{table.name}.csv" if folder else None
    if file is None or not file.exists():
        return package
    before = len(problems)
    users = list(read_rows(table, file, True, problems))
    if len(problems) > before:
        return package
    if table.known_keys:
        known = [str(table.key_of(item.row)[0]) for item in package]
        unknown = [item for item in users if str(table.key_of(item.row)[0]) not in known]
        problems += [
            f"{item.place}: no model makes {table.key[0]} {table.key_of(item.row)[0]}"
            f"{nearest(str(table.key_of(item.row)[0]), known)}"
            for item in unknown
        ]
    taken = {table.place_of(item.row) for item in users}
    kept = [item for item in package if table.place_of(item.row) not in taken]
    if table.name == "rate_cards" and any(item.row.is_default for item in users):
        kept = _no_default(kept, {item.row.card for item in users if item.row.is_default})
    joined = [*kept, *users]
    problems += [f"{item.place}: {words}" for item, words in table.check(joined)]
    return joined


@lru_cache(maxsize=len(TABLES))
def _package(name: str) -> tuple[Placed, ...]:
    """The package's own rows, which do not change while a program runs."""
    problems: list[str] = []
    rows = tuple(read_rows(TABLES[name], DEFAULTS / f"{name}.csv", False, problems))
    if problems:
        raise ConfigError("\n".join(problems))
    return rows


def _no_default(kept: list[Placed], cards: set[str]) -> list[Placed]:
    """The package's rows when a card of the user's is the default: no other card is."""
    return [
        Placed(item.row.model_copy(update={"is_default": item.row.card in cards}), item.file, item.line, False)
        for item in kept
    ]


def read_rows(table: Table, path: Path, is_users: bool, problems: list[str]) -> Iterator[Placed]:
    """Rows of a file in their order; what is wrong is added to `problems`, line by line.

    Lines that begin with `#` are comments; an empty cell takes the usual value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8")
        return
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror}); mend its rights")
        return
    lines = list(_records(text, path, problems))
    if not lines:
        return
    (first, header), *records = lines
    names = [name.strip() for name in header]
    wrong = list(_header_problems(table, names))
    if wrong:
        problems += [f"{path}:{first}: {words}" for words in wrong]
        return
    seen: dict[tuple[Any, ...], int] = {}
    for line, cells in records:
        if len(cells) != len(names):
            problems.append(
                f"{path}:{line}: {len(cells)} cells under {len(names)} columns;"
                " a comma within a text needs double quotes"
            )
            continue
        given = {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
        try:
            row = table.model.model_validate(given)
        except ValidationError as error:
            problems += [f"{path}:{line}: {words}" for words in _cell_problems(error, given)]
            continue
        key = table.key_of(row)
        if key in seen:
            named = ", ".join(f"{name} {_text(value)}" for name, value in zip(table.key, key, strict=True))
            problems.append(f"{path}:{line}: {named} is there already on line {seen[key]}; keep one of the two")
            continue
        seen[key] = line
        yield Placed(row, str(path), line, is_users)


def _records(text: str, path: Path, problems: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each record that is no comment."""
    reader = csv.reader(_without_comments(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(f"{path}:{line}: not valid CSV ({error}); a text with quotes doubles them and is quoted whole")


def _without_comments(text: str) -> Iterator[str]:
    """Lines, of which a comment is left empty; within quotes a line is never one."""
    is_quoted = False
    for line in text.splitlines(keepends=True):
        if not is_quoted and line.lstrip().startswith("#"):
            yield "\n"
            continue
        is_quoted ^= line.count('"') % 2 == 1
        yield line


def _header_problems(table: Table, names: list[str]) -> Iterator[str]:
    if len(names) == 1 and ";" in names[0]:
        yield "columns are separated by `;`; separate them by commas"
        return
    unknown = [name for name in names if name not in table.columns]
    for name in unknown:
        yield f"unknown column {name!r}{nearest(name, table.columns)}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"column {name} is there twice"
    needed = [name for name, field in table.model.model_fields.items() if field.is_required()]
    missing = [name for name in needed if name not in names]
    if missing and not unknown:
        yield f"without column {', '.join(missing)}; the columns are {', '.join(table.columns)}"


REMEDIES = {
    "int_parsing": "write a whole number without marks, such as 10000",
    "float_parsing": "write a number with a point, such as 0.25",
    "finite_number": "write a number with a point, such as 0.25",
    "decimal_parsing": "write a number with a point, such as 0.25",
    "bool_parsing": "write true or false",
    "date_from_datetime_parsing": "write a day as 2026-01-31",
    "date_parsing": "write a day as 2026-01-31",
}


def _cell_problems(error: ValidationError, given: dict[str, str]) -> Iterator[str]:
    for found in error.errors():
        if not found["loc"]:
            yield found["msg"].removeprefix("Value error, ")
            continue
        column = str(found["loc"][0])
        if found["type"] == "missing":
            floor = ": the lowest tier needs its floor too, 0 where it begins at nothing"
            yield f"{column} is empty{floor if column == 'min_followers' else '; it is needed'}"
        elif found["type"] == "string_pattern_mismatch" and given[column] != given[column].lower():
            yield f"{column} is {given[column]!r}; write it in small letters, as feeds do"
        else:
            yield f"{column} is {given[column]!r}: {REMEDIES.get(found['type'], found['msg'])}"


def _text(value: Any) -> Cell:
    """A value as DuckDB reads it; equal values are equal texts."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return repr(value)
