"""A connection that breaks in the middle of a body: whatever the traceback reaches, the credential is not in it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import types

import httpx
import jsonpickle
import pytest
from leak_search import leaks

import flowlet_jupyter as flowlet
from flowlet_jupyter.http.transport import CredentialTransport
from flowlet_jupyter.model.secret import Record
from flowlet_jupyter.model.tokens import TokenSet
from flowlet_jupyter.model.value import SecretValue
from flowlet_jupyter.vault import default_vault

CANARY = "canary-value-5e1f"
MOST_OBJECTS = 20_000


@pytest.fixture
def breaking():
    """A server that sends half of a body and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(10_000)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        flowlet.secrets.add(flowlet.Password(name="api", password=CANARY, base_url=url))
        yield url
        listener.shutdown(socket.SHUT_RDWR)


def reached_by(error: BaseException) -> str:
    """The texts among the variables of all frames of the error and of those behind it, through the attributes of what is not ours."""
    texts: list[str] = []
    frames, errors, seen = [], [error], set()
    while errors:
        each = errors.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        errors += [each.__cause__, each.__context__]
        traceback = each.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename != __file__:
                frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
    todo = [value for frame in frames for value in frame.f_locals.values()]
    while todo and len(seen) < MOST_OBJECTS:
        value = todo.pop(0)
        if id(value) in seen or isinstance(value, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(value))
        if isinstance(value, str | bytes):
            texts.append(repr(value))
        elif isinstance(value, dict):
            todo += [*value, *value.values()]
        elif isinstance(value, list | tuple | set):
            todo += value
        elif type(value).__module__.partition(".")[0] in {"httpx", "httpcore", "h11", "aiohttp", "yarl", "multidict"}:
            todo += vars(value).values() if hasattr(value, "__dict__") else []
            todo += [getattr(value, name) for name in getattr(type(value), "__slots__", ()) if hasattr(value, name)]
    return "\n".join(texts)


def read_in_pieces() -> None:
    with flowlet.client("api") as client, client.stream("GET", "/") as response:
        for _ in response.iter_bytes():
            pass


def read_in_pieces_async() -> None:
    async def read() -> None:
        async with flowlet.async_client("api") as client, client.stream("GET", "/") as response:
            async for _ in response.aiter_bytes():
                pass

    asyncio.run(read())


@pytest.mark.usefixtures("async_transport")
@pytest.mark.parametrize("read", [read_in_pieces, read_in_pieces_async], ids=["sync", "async"])
def test_a_body_that_breaks_off_reaches_no_credential(breaking, read):
    try:
        read()
    except Exception as error:
        assert type(error).__name__ == "RemoteProtocolError"
        assert CANARY not in reached_by(error)
        assert error.__context__ is None or CANARY not in reached_by(error.__context__)
    else:
        pytest.fail("nothing was raised")


def test_a_token_that_cannot_be_written_is_no_attribute_of_the_error(breaking):
    secret = flowlet.OAuth2(name="odd", client_id="i", token_endpoint=f"{breaking}/t", grant_type="client_credentials",
                            client_secret="another value", base_url=breaking)  # fmt: skip
    token = TokenSet(access_token=SecretValue(f"{CANARY}-\u20ac"), obtained_at=time.time())
    default_vault().put(Record(secret=secret, token_set=token))
    with flowlet.client("odd") as client, pytest.raises(Exception) as caught:
        client.get("/")
    assert CANARY not in repr(caught.value) + repr(vars(caught.value)) + reached_by(caught.value)
    assert isinstance(caught.value, flowlet.RequestFailed)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_attribute_of_a_response_leads_to_the_request_as_it_was_sent(api, method):
    """As a serializer, a debugger or an inspector of variables goes from attribute to attribute."""
    flowlet.secrets.add(flowlet.Headers(name="key", headers={"X-Key": CANARY}, base_url=api.url))
    response = flowlet.request(method, "/quiet", secret="key")
    written = jsonpickle.encode(vars(response)["stream"])
    assert "_ResponseStream" in written
    assert leaks({"written": written.encode()}, [CANARY]) == []


def test_a_body_that_came_with_its_head_is_handed_on_without_a_detour(api):
    """Bytes alone lead nowhere, and a second stream around them costs more than all else that is done to them."""
    flowlet.secrets.add(flowlet.Headers(name="key", headers={"X-Key": CANARY}, base_url=api.url))
    network = httpx.MockTransport(lambda _: httpx.Response(200, content=b"ok"))
    transport = CredentialTransport(network, vault=default_vault(), secret_name="key")
    response = transport.handle_request(httpx.Request("GET", f"{api.url}/"))
    assert type(response.stream) is httpx.ByteStream
    assert leaks({"written": jsonpickle.encode(vars(response)["stream"]).encode()}, [CANARY]) == []
