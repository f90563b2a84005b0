"""A YAML file as a typed model; an error names file, line, key and what is wrong with it."""

import difflib
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from ingestion.errors import ContractError

Model = TypeVar("Model", bound=BaseModel)
# Of a field: its scalars are texts as they are written, so that `constant: 0` needs no quotes.
AS_WRITTEN = "as written"
TOO_DEEP = "too many levels within each other"


class Strict(BaseModel):
    """A model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# The parser in C is ten times as fast, and a text of too many levels ends the whole process there: for our own files.
_InC: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PACKAGE = Path(__file__).parent


def load_model(model: type[Model], path: Path) -> Model:
    """A YAML file as its model. Raises ContractError that names file, line, key and what is wrong with it."""
    text = path.read_text(encoding="utf-8")
    try:
        content = parsed(model, text, is_ours=path.is_relative_to(PACKAGE))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        raise ContractError(f"{path.name}:{where} not valid YAML: {getattr(error, 'problem', error)}") from error
    return validated(model, content, path)


def parsed(model: type[BaseModel], text: str, is_ours: bool = False) -> Any:
    """What a YAML text holds for a model. A field marked `AS_WRITTEN` gets its scalars as they are, quoted or not.

    Args:
        is_ours: whether the text is of the package, and so read by the faster parser.
    """
    loader = (_InC if is_ours else yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        content = loader.construct_document(node)
        return _as_written(model, content, node)
    except RecursionError as error:
        raise yaml.YAMLError(TOO_DEEP) from error
    finally:
        loader.dispose()


def load(text: str, loader: Any = yaml.SafeLoader) -> Any:
    """What a YAML text holds. Raises YAMLError, also for more levels within each other than the parser can go down."""
    try:
        return yaml.load(text, loader)
    except RecursionError as error:
        raise yaml.YAMLError(TOO_DEEP) from error


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


def _as_written(annotation: Any, content: Any, node: yaml.Node) -> Any:
    """What YAML makes of a text, but for the fields that take a scalar as it is written."""
    model = _model_within(annotation)
    if isinstance(content, list) and isinstance(node, yaml.SequenceNode):
        return [_as_written(annotation, item, written) for item, written in zip(content, node.value, strict=True)]
    if not isinstance(content, dict) or not isinstance(node, yaml.MappingNode) or model is None:
        return content
    by_key = {_texts(key): value for key, value in node.value}
    if len(content) != len(by_key):
        # Keys that YAML takes for one and the same: there is no telling which text is whose.
        return content
    pairs = zip(content.items(), by_key.values(), strict=True)
    if _is_by_name(annotation):
        return {key: _as_written(model, value, written) for (key, value), written in pairs}
    fields, made = _fields(model), {}
    for (key, value), written in pairs:
        field = fields.get(str(key))
        if field is None or value is None:
            made[key] = value
        else:
            made[key] = (
                _texts(written) if AS_WRITTEN in field.metadata else _as_written(field.annotation, value, written)
            )
    return made


def _texts(node: yaml.Node) -> Any:
    """What stands there, each scalar as its text: `0`, `No`, `2026-01-05`."""
    if isinstance(node, yaml.MappingNode):
        return {_texts(key): _texts(value) for key, value in node.value}
    return [_texts(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def _is_by_name(annotation: Any) -> bool:
    """Whether a field holds models by names of one's own."""
    options = (annotation, *get_args(annotation))
    return any(get_origin(option) is dict for option in options)


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


@lru_cache(maxsize=256)
def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _owner(model: type[BaseModel], where: tuple[int | str, ...]) -> type[BaseModel]:
    """The model to which the last key of a path belongs."""
    for part in where[:-1]:
        field = _fields(model).get(str(part))
        annotation: Any = field.annotation if field else None
        model = _model_within(annotation) or model
    return model


@lru_cache(maxsize=1024)
def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone, optional, or as the items of a list or the values of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)
