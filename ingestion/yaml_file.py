"""A YAML file as a typed model; an error names file, line, key and what is wrong with it."""

import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from ingestion.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def load_model(model: type[Model], path: Path) -> Model:
    """A YAML file as its model. Raises ContractError that names file, line, key and what is wrong with it."""
    text = path.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        raise ContractError(f"{path.name}:{where} not valid YAML: {getattr(error, 'problem', error)}") from error
    return validated(model, content, path)


def validated(model: type[Model], content: Any, path: Path) -> Model:
    """What a YAML file holds as its model. Raises ContractError that names file, line, key and what is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            words = f"unknown key{_nearest_key(model, first['loc'])}"
        raise ContractError(f"{path.name}: line {line_of(path, first['loc'])}: {where}: {words}") from error


def line_of(path: Path, where: tuple[int | str, ...]) -> int:
    """Line of a key in a YAML file: the deepest part of the path that stands there. Read for an error alone."""
    node: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = node.start_mark.line + 1 if node else 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _nearest_key(model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    """A hint at the key that was meant."""
    keys = list(_fields(_owner(model, where)))
    near = difflib.get_close_matches(str(where[-1]), keys, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(keys)}"


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _owner(model: type[BaseModel], where: tuple[int | str, ...]) -> type[BaseModel]:
    """The model to which the last key of a path belongs."""
    for part in where[:-1]:
        field = _fields(model).get(str(part))
        model = (field and _model_within(field.annotation)) or model
    return model


def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone, optional, or as the items of a list or the values of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
