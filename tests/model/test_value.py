"""No way of writing an object down writes down a value."""

from __future__ import annotations

import copyreg
import dataclasses
import json
import pickle

import attrs
import cloudpickle
import jsonpickle
import pydantic
import pytest

import flowlet_jupyter as flowlet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"


@dataclasses.dataclass
class Data:
    value: SecretValue


@attrs.define
class Attrs:
    value: SecretValue


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    value: SecretValue


WAYS = {
    "pickle": pickle.dumps,
    "pickle 0": lambda value: pickle.dumps(value, protocol=0),
    "cloudpickle": cloudpickle.dumps,
    "jsonpickle": jsonpickle.encode,
    "jsonpickle, not to be read back": lambda value: jsonpickle.encode(value, unpicklable=False),
    "json": json.dumps,
    "getstate": lambda value: value.__getstate__(),
    "getstate of object": lambda value: repr(object.__getstate__(value)),
    "reduce": lambda value: value.__reduce__(),
    "copyreg": lambda value: copyreg.__reduce_ex__(value, 1),
    "dataclasses": lambda value: repr(dataclasses.asdict(Data(value))),
    "attrs": lambda value: repr(attrs.asdict(Attrs(value))),
    "pydantic": lambda value: repr(Model(value=value).model_dump()) + Model(value=value).model_dump_json(),
    "a secret": lambda value: pickle.dumps(flowlet.Password(name="a", password=value, allowed_hosts=("a.example",))),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_serializer_takes_a_value_out(way):
    try:
        written = WAYS[way](SecretValue(CANARY))
    except Exception as error:
        written = repr(error)
    assert CANARY not in str(written)


def test_the_refusal_to_pickle_says_what_to_do_instead():
    for write in (
        pickle.dumps,
        cloudpickle.dumps,
        lambda value: value.__reduce__(),
        lambda value: value.__getstate__(),
    ):
        with pytest.raises(TypeError, match=r"^A SecretValue is not pickled .*use \.reveal\(\) if you must"):
            write(SecretValue(CANARY))
    with pytest.raises(TypeError, match=r"^A SecretValue is not made from a pickle\.$"):
        SecretValue(CANARY).__setstate__({"text": CANARY})


def test_a_value_shows_itself_in_no_text():
    value = SecretValue(CANARY)
    assert {repr(value), str(value), f"{value}", f"{value:>40}", f"{value!s:.22}"} == {"SecretValue(hidden)"}


def test_values_are_equal_by_their_text_and_to_nothing_else():
    assert SecretValue(CANARY) == SecretValue(CANARY)
    assert SecretValue(CANARY) != SecretValue(CANARY + "x")
    assert SecretValue("ü") == SecretValue("ü")
    assert SecretValue(CANARY) != CANARY
    with pytest.raises(TypeError, match="unhashable"):
        hash(SecretValue(CANARY))


def test_the_master_key_is_not_pickled():
    key = default_vault().master_key()
    for write in (pickle.dumps, cloudpickle.dumps):
        with pytest.raises(TypeError, match="master key"):
            write(key)


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\t", "\x1b", "\x7f", "\x85"])
@pytest.mark.parametrize("kind", ["password", "basic", "headers", "client_secret"])
def test_control_characters_are_refused_without_the_value(kind, character):
    value = f"{CANARY}{character}"
    endpoints = {"authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t"}
    make = {
        "password": lambda: flowlet.Password(name="a", password=value, allowed_hosts=("a.example",)),
        "basic": lambda: flowlet.Basic(name="a", username="ann", password=value, allowed_hosts=("a.example",)),
        "headers": lambda: flowlet.Headers(name="a", headers={"X-Key": value}, allowed_hosts=("a.example",)),
        "client_secret": lambda: flowlet.OAuth2(name="a", client_id="c", client_secret=value, **endpoints),
    }[kind]
    with pytest.raises(flowlet.InvalidSecret, match="control character") as caught:
        make()
    assert CANARY not in str(caught.value)
