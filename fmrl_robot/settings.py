"""Settings from files and command lines into dataclasses, with an error that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from annotated_types import Ge, Gt
from pydantic import TypeAdapter, ValidationError

from fmrl_robot.errors import ConfigError

Count = Annotated[int, Gt(0)]
"""At least one."""
Whole = Annotated[int, Ge(0)]
Amount = Annotated[float, Ge(0)]
"""Not negative."""

T = TypeVar("T")


def build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make a dataclass of nested mappings, as YAML has them.

    Args:
        cls: the dataclass; its annotations are what is checked.
        values: fields by name; those left out keep their defaults.
        where: what the values are from, for the error.

    Raises:
        ConfigError: a field is unknown or has a wrong value; it is named.
    """
    _known(cls, values, where, "")
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        told = [
            f"{_lower(e['msg'])} at {'.'.join(map(str, e['loc']))}, got {e['input']!r}"
            for e in error.errors()
        ]
        raise ConfigError(f"in {where}: " + "; ".join(told)) from None


def changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the fields at dotted paths replaced, such as ``task_settings.weights.velocity``.

    Raises:
        ConfigError: a path leads through a value that holds no fields; it is named.
    """
    result = dict(values)
    for path, value in changes.items():
        *outer, last = path.split(".")
        place = result
        for depth, name in enumerate(outer):
            inner = place.get(name, {})
            if not isinstance(inner, Mapping):
                held = ".".join(outer[: depth + 1])
                raise ConfigError(f"expected fields inside of {held} for {path}, got {inner!r}")
            place[name] = place = dict(inner)
        place[last] = value
    return result


def assignments(text: str, example: str) -> dict[str, str]:
    """Read ``name=value,name=value`` as values by name.

    Args:
        text: as it was typed; spaces around its parts do not count.
        example: of such a text, for the error.

    Raises:
        ConfigError: a part is no ``name=value``, or a name stands there twice.
    """
    values: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, separator, value = part.partition("=")
        if not separator or name in values:
            raise ConfigError(
                f"expected something such as {example}, got {part!r} in {text!r}; name each once"
            )
        values[name] = value
    return values


def _lower(message: str) -> str:
    return message.replace("Input should be", "expected").split(", ")[0]


def _known(cls: Any, values: Mapping[str, Any], where: str, path: str) -> None:
    """Refuse names that the dataclass, or one inside of it, does not have."""
    known = {f.name for f in fields(cls)}
    if unknown := sorted(set(values) - known):
        got = ", ".join(path + name for name in unknown)
        raise ConfigError(
            f"in {where}: expected fields of {cls.__name__} ({', '.join(sorted(known))}), got {got}"
        )
    hints = get_type_hints(cls)
    for name, value in values.items():
        if not isinstance(value, Mapping):
            continue
        if is_dataclass(hints[name]):
            _known(hints[name], value, where, f"{path}{name}.")
        inner = get_args(hints[name])[-1:]  # of a dictionary, what its values are
        for key, part in value.items() if inner and is_dataclass(inner[0]) else ():
            if isinstance(part, Mapping):
                _known(inner[0], part, where, f"{path}{name}.{key}.")
