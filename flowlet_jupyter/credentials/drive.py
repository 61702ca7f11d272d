"""Driving the credential flow from one request to the next: written once, for our transports and other libraries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any

import httpx

from flowlet_jupyter.credentials.flow import Connect, Peek, Refreshing, SentCredentials, Step

Flow = Generator[Step, Any, Any]
Chore = httpx.Response | Refreshing | Connect | Peek  # a step that sends nothing


def drive(flow: Flow, response: httpx.Response | None, perform: Callable[[Chore], Any]) -> SentCredentials | None:
    """The credentials that the next request is to be sent with; None if `response` is the one to give back.

    `response` is that of the request before, None at first. `perform` does what is to be done in between and returns
    its outcome; the flow decides what to make of what it raises.
    """
    try:
        step = flow.send(response)
        while not isinstance(step, SentCredentials):
            try:
                outcome = perform(step)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the flow's to handle
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration:
        return None
    return step


async def adrive(
    flow: Flow, response: httpx.Response | None, perform: Callable[[Chore], Awaitable[Any]]
) -> SentCredentials | None:
    """The async twin."""
    try:
        step = flow.send(response)
        while not isinstance(step, SentCredentials):
            try:
                outcome = await perform(step)
            except Exception as error:  # noqa: BLE001 - as above
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration:
        return None
    return step
