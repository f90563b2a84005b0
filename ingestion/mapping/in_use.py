"""The mappings that a data folder goes by, and which of them claims a file.

A mapping of the library claims nothing until `use:` in `config/mappings/*.yml` switches it on, or its source stands in
`config/sources.yml`. Two kinds of file are its own without that: those of the bundled sample, and those that it has
loaded already.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ingestion import sample
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, FileRefused, nearest
from ingestion.mapping.grammar import MAPPINGS_DIR, Mapping, canonical_mapping, check_mapping, load_mapping
from ingestion.sources.catalog import SOURCES
from ingestion.sources.settings import load_sources
from ingestion.user_config.load import mappings_of
from ingestion.yaml_file import line_of, parsed, validated

USE = "use"
CANONICAL = "canonical"


@dataclass(frozen=True)
class Mappings:
    """What is in use, by name, and the library: all of its mappings, switched on or not."""

    in_use: dict[str, Mapping] = field(default_factory=dict)
    library: dict[str, Mapping] = field(default_factory=dict)
    _canonical: dict[str, Mapping] = field(default_factory=dict, repr=False, compare=False)

    def choose(self, path: str, loaded_under: str | None = None) -> Mapping | None:
        """The mapping of a landed file: one in use by file name, else the feed's own layout by its top folder.

        Args:
            path: of the file under landing.
            loaded_under: name of the mapping under which the file is accepted already; null where it is not.

        Returns null where that mapping is gone: the file stays as it is loaded. Raises FileRefused when neither a
        mapping nor a feed folder claims the file, or two mappings do.
        """
        claims = self.claims(path)
        if len(claims) > 1:
            names = " and ".join(mapping.mapping for mapping in claims)
            remedy = "narrow one pattern, or name the sheet, or the header of the table, that each reads"
            raise FileRefused(f"mappings {names} both claim this name; {remedy}")
        if claims:
            return claims[0]
        if loaded_under and self.is_off(loaded_under):
            return self.library.get(loaded_under)
        folder, _, _ = path.partition("/")
        if folder in load_feeds():
            # A year of files is mostly of a few feeds.
            if folder not in self._canonical:
                self._canonical[folder] = canonical_mapping(load_feeds()[folder])
            return self._canonical[folder]
        known = ", ".join(load_feeds())
        where = f"no feed is named {folder[:80]!r}" if "/" in path else "it lies in no feed's folder"
        raise FileRefused(f"{where}; {self.hint(path) or f'move it under landing/<feed>/ with one of: {known}'}")

    def claims(self, path: str) -> list[Mapping]:
        """The mappings that claim a file by its name."""
        claims = _claims(self.in_use.values(), path)
        return claims or (_claims(self.library.values(), path) if sample.is_of_sample(path) else [])

    def is_off(self, name: str | None) -> bool:
        """Whether a mapping under which a file was loaded is none that is in use: switched off, or gone."""
        return name is not None and name != CANONICAL and name not in self.in_use

    def hint(self, path: str) -> str | None:
        """How to switch on the library's mapping that fits a file name, null where none does."""
        fitting = [mapping.mapping for mapping in _claims(self.library.values(), path)]
        return f"if it is an export of {fitting[0]}, {how_to_use(fitting[0])}" if fitting else None


def how_to_use(name: str) -> str:
    """How a user switches a mapping of the library on."""
    for source in SOURCES.values():
        if name in source.mappings:
            return f"write `{source.name}:` into config/sources.yml, or `use: {name}` into config/mappings/{name}.yml"
    return f"write `use: {name}` into config/mappings/{name}.yml"


def load_mappings(settings: Settings) -> Mappings:
    """The user's mappings with those that `use:` switches on, and the library, all checked against their feeds.

    Raises ContractError that names the file, line and key, ConfigError where the folder cannot be read.
    """
    library = library_mappings()
    folder = mappings_of(settings)
    placed: dict[str, tuple[Mapping, Path]] = {}
    for path in sorted(folder.glob("*.yml")) if folder else []:
        mapping = load_own(path)
        for other, other_path in placed.values():
            for key in ("mapping", "pattern"):
                if getattr(mapping, key) == getattr(other, key):
                    raise ContractError(
                        f"{path}:{_line_of(path, key)}: {key} {getattr(mapping, key)} is that of {other_path.name} too;"
                        " give each its own"
                    )
        placed[mapping.mapping] = mapping, path
    own = {name: mapping for name, (mapping, _) in placed.items()}
    of_sources = [library[name] for source in load_sources(settings) for name in SOURCES[source].mappings]
    taken = {mapping.pattern for mapping in own.values()}
    return Mappings({mapping.mapping: mapping for mapping in of_sources if mapping.pattern not in taken} | own, library)


@lru_cache(maxsize=1)
def library_mappings() -> dict[str, Mapping]:
    """Every ready mapping by its name, in the order of names. They are of the package: read once."""
    return {path.stem: load_mapping(path) for path in sorted(MAPPINGS_DIR.glob("*.yml"))}


def load_own(path: Path) -> Mapping:
    """A mapping of the user's own, or one of the library with the keys that stand beside `use:` in place of its own."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return load_mapping(path)
    return _load_text(path, text)


@lru_cache(maxsize=256)
def _load_text(path: Path, text: str) -> Mapping:
    """What a file of the user's says, read once while its text stays as it is."""
    library = library_mappings()
    try:
        content: Any = parsed(Mapping, text)
    except yaml.YAMLError:
        content = None
    if not isinstance(content, dict) or USE not in content:
        return load_mapping(path)
    name = content[USE]
    if not isinstance(name, str) or name not in library:
        hint = nearest(str(name), library)
        raise ContractError(f"{path}:{line_of(path, (USE,))}: use: the library has no mapping {name!r}{hint}")
    ready = parsed(Mapping, (MAPPINGS_DIR / f"{name}.yml").read_text(encoding="utf-8"))
    given = {key: value for key, value in content.items() if key != USE}
    return check_mapping(validated(Mapping, {**ready, **given}, path), path)


def _line_of(path: Path, key: str) -> int:
    """Line of a key, or of the `use:` that brings it."""
    return line_of(path, (key,)) if line_of(path, (key,)) != line_of(path, ()) else line_of(path, (USE,))


def _claims(mappings: Any, path: str) -> list[Mapping]:
    """Mappings that claim a file by its name, of which the feed of its folder, where it is one, is filled."""
    folder, _, _ = path.partition("/")
    return [
        mapping
        for mapping in mappings
        if mapping.claims(path) and (folder not in load_feeds() or folder in {part.feed for part in mapping.parts})
    ]
