"""What is done between two requests of one credential flow, for our transports and for `flowlet.auth`."""

from __future__ import annotations

import asyncio
from typing import Any

from flowlet_jupyter.credentials.flow import Connect, Peek, Refreshing
from flowlet_jupyter.http.peeking import peek, peek_async
from flowlet_jupyter.oauth.refresh import wait_for, wait_for_async
from flowlet_jupyter.session.prompt import AuthorizationPrompt
from flowlet_jupyter.vault import Vault


def perform(step: Refreshing | Peek | Connect, vault: Vault, prompt: AuthorizationPrompt) -> Any:
    """Wait for a refresh, look into a response, or let the user authorize. Raises what that raises."""
    if isinstance(step, Refreshing):
        return wait_for(step.future, seconds=step.seconds)
    if isinstance(step, Peek):
        return peek(step.response)
    return prompt.authorize(vault, step.error)


async def perform_async(step: Refreshing | Peek | Connect, vault: Vault, prompt: AuthorizationPrompt) -> Any:
    """The async twin."""
    if isinstance(step, Refreshing):
        return await wait_for_async(step.future, seconds=step.seconds)
    if isinstance(step, Peek):
        return await peek_async(step.response)
    return await asyncio.to_thread(prompt.authorize, vault, step.error)
