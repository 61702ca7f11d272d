"""An entry's fields with the values of its parameters, and the way back from a secret to them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowlet_jupyter.errors import InvalidSecret
from flowlet_jupyter.model.hosts import parse_host_rule
from flowlet_jupyter.providers.entry import Provider

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_PARAMETER = re.compile(r"\{([a-z_]+)\}")


def fields_for(provider: Provider, values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a secret at `provider`, its parameters filled in from `values`; `type` only if it is not oauth2.

    Raises `InvalidSecret`, its field naming the parameter that is missing or cannot stand in a host.
    """
    checked = _checked_values(provider, values)
    # a compliance switch has names in braces of its own ("{client_id}")
    fields = {name: _filled(value, checked) for name, value in provider.fields.items()}
    return {**fields, **({"provider": provider.key} if provider.type == "oauth2" else {"type": provider.type})}


def trial_url(provider: Provider, values: Mapping[str, str]) -> str:
    """A URL whose GET changes nothing, to try a secret of `provider` with; empty if its entry names none.

    Raises `InvalidSecret` like `fields_for`.
    """
    template = provider.test or provider.fields.get("identity_url", "")
    if provider.fields.get("identity_method", "GET") != "GET":
        return ""
    return str(_filled(template, _checked_values(provider, values)))


def discovery_address(provider: Provider, values: Mapping[str, str]) -> str:
    """The address at which a user's own provider is discovered; empty where the entry says all.

    Raises `InvalidSecret` like `fields_for`.
    """
    return str(_filled(provider.discover, _checked_values(provider, values))) if provider.discover else ""


def _checked_values(provider: Provider, values: Mapping[str, str]) -> dict[str, str]:
    checked = {}
    for parameter in provider.parameters:
        value = str(values.get(parameter.name, "") or parameter.default).strip()
        if not value:
            raise InvalidSecret(f"{parameter.label} is missing.", field=parameter.name)
        if parameter.kind == "host":
            value = str(parse_host_rule(value.removeprefix("https://").removeprefix("@").rstrip("/")))
        elif not _LABEL.fullmatch(value):
            raise InvalidSecret(f"{parameter.label} has letters, digits and hyphens only.", field=parameter.name)
        checked[parameter.name] = value
    return checked


def _filled(value: Any, checked: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PARAMETER.sub(lambda found: checked.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: _filled(entry, checked) for name, entry in value.items()}
    return tuple(_filled(entry, checked) for entry in value) if isinstance(value, tuple) else value


def known_fields(configuration: Mapping[str, Any], provider: Provider | None) -> dict[str, Any]:
    """The fields of a secret that the entry of its provider fills in, and its `parameters`, if the entry has any.

    The parameters are read back from the secret's own endpoints; empty if they cannot be, or there is no entry.
    """
    if provider is None:
        return {}
    values: dict[str, str] = {}
    for name, template in provider.fields.items():
        own = configuration.get(name)
        if (
            isinstance(template, str)
            and isinstance(own, str)
            and (matched := endpoint_pattern(template).fullmatch(own))
        ):
            values = {**matched.groupdict(), **values}
    try:
        fields = fields_for(provider, values)
    except InvalidSecret:
        return {}
    fields.pop("provider", None)
    return {**fields, "parameters": {parameter.name: values[parameter.name] for parameter in provider.parameters
                                     if parameter.name in values}}  # fmt: skip


def endpoint_pattern(template: str) -> re.Pattern[str]:
    """What the endpoints look like that `template` stands for, each parameter a named group."""
    named: set[str] = set()

    def group(matched: re.Match[str]) -> str:
        name = matched[1]
        if name in named:
            return f"(?P={name})"
        named.add(name)
        return f"(?P<{name}>[^/]+)"

    return re.compile("".join(
        group(matched) if (matched := _PARAMETER.fullmatch(part)) else re.escape(part)
        for part in re.split(r"(\{[a-z_]+\})", template)
    ))  # fmt: skip
