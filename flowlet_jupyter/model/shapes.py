"""The shapes that a field's value has as JSON or TOML writes it, and the conversion of each to what a secret holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from flowlet_jupyter.model.compliance import Compliance, compliance_from
from flowlet_jupyter.model.value import SecretValue

Shape = Literal["text", "url", "flag", "texts", "mapping", "compliance", "value", "values"]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return tuple(map(_text, value))


def _mapping(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_text(name): _text(text) for name, text in value.items()}


def _value(value: Any) -> SecretValue:
    return value if isinstance(value, SecretValue) else SecretValue(_text(value))


def _values(value: Any) -> dict[str, SecretValue]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_text(name): _value(text) for name, text in value.items()}


def _compliance(value: Any) -> Compliance:
    if isinstance(value, Compliance):
        return value
    if not isinstance(value, Mapping):
        raise TypeError
    return compliance_from(value)


# how a message names the shape, and what makes the value; it raises `TypeError`, `ValueError` or `InvalidSecret`
CONVERSIONS: dict[Shape, tuple[str, Callable[[Any], Any]]] = {
    "text": ("a text", _text),
    "url": ("a URL", _text),
    "flag": ("true or false", _flag),
    "texts": ("a list of texts", _texts),
    "mapping": ("an object of names and texts", _mapping),
    "compliance": ("an object of compliance switches", _compliance),
    "value": ("a text", _value),
    "values": ("an object of header names and values", _values),
}
