"""Bounds of checks that a user sets: `thresholds.yml`, a list of check, feed, value and reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ingestion.yaml_file import line_of, load

FILE = "thresholds.yml"
Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Own(BaseModel):
    """A bound that takes the place of the package's: one number, or the lower and the upper one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: Text
    feed: Text
    platform: None = None
    value: Number | tuple[Number, Number]
    reason: Text

    @model_validator(mode="after")
    def _in_order(self) -> "Own":
        if isinstance(self.value, tuple) and self.value[0] > self.value[1]:
            raise ValueError(f"value: {self.value[0]:g} lies above {self.value[1]:g}; write the lower bound first")
        return self


@dataclass(frozen=True)
class PlacedThreshold:
    """A bound with the file and line at which it stands."""

    own: Own
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def read(folder: Path, problems: list[str]) -> Iterator[PlacedThreshold]:
    """Bounds of the folder's file, in its order; what is wrong is added to `problems` with file, line and remedy."""
    path = folder / FILE
    if not path.exists():
        return
    try:
        content = load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read ({error}); save it as UTF-8, with rights to read it")
        return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.append(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {getattr(error, 'problem', error)}")
        return
    if content is None:
        return
    if not isinstance(content, list):
        problems.append(f"{path}:1: no list; begin each bound with `- check:`")
        return
    seen: dict[tuple[str, str], int] = {}
    for number, item in enumerate(content):
        line = line_of(path, (number,))
        if not isinstance(item, dict):
            problems.append(f"{path}:{line}: no bound; write check, feed, value and reason")
            continue
        try:
            own = Own.model_validate(item)
        except ValidationError as error:
            problems += [f"{path}:{line_of(path, (number, *where))}: {words}" for where, words in _words(error)]
            continue
        key = own.check, own.feed
        if key in seen:
            problems.append(f"{path}:{line}: {own.check} of {own.feed} is there already on line {seen[key]}; keep one")
            continue
        seen[key] = line
        yield PlacedThreshold(own, str(path), line)


def _words(error: ValidationError) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Each key that is wrong, once, with what to write."""
    said = set()
    for found in error.errors():
        key = found["loc"][0] if found["loc"] else ""
        if key in said:
            continue
        said.add(key)
        if not key:
            yield (), found["msg"].removeprefix("Value error, ")
        elif found["type"] == "extra_forbidden":
            yield (key,), f"unknown key {key!r}; known are {', '.join(Own.model_fields)}"
        elif found["type"] == "missing":
            yield (), f"without {key}; a bound has check, feed, value and reason"
        elif key == "platform":
            yield (key,), "platform: no check is made by platform yet; leave it out"
        elif key == "value":
            yield (key,), "value: write a number, or [lower, upper] for a check of two bounds"
        else:
            yield (key,), f"{key}: write a text"
