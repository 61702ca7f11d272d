"""A real kernel, and what it says."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from queue import Empty
from typing import Any

import nbformat
from jupyter_client import AsyncKernelClient, AsyncKernelManager, BlockingKernelClient, KernelClient, KernelManager
from nbclient import NotebookClient
from support import free_port
from traitlets import Type


class _WithoutHeartbeat:
    """Nobody listens to it here, and on a busy machine its thread never ends if it is stopped before it runs."""

    def start_channels(self, **channels: bool) -> Any:
        return super().start_channels(**{**channels, "hb": False})


class _Client(_WithoutHeartbeat, BlockingKernelClient):
    pass


class _AsyncClient(_WithoutHeartbeat, AsyncKernelClient):
    pass


class _AsyncManager(AsyncKernelManager):
    client_factory = Type(_AsyncClient, klass=KernelClient)


def start_kernel(**options: Any) -> tuple[KernelManager, BlockingKernelClient]:
    """A kernel that is ready, and its client."""
    manager = KernelManager(kernel_name="python3", client_factory=_Client)
    manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=200)
    except RuntimeError:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        raise
    return manager, client


def run_notebook(notebook: nbformat.NotebookNode, folder: str = "") -> None:
    """Run all its cells in a kernel of its own, in this folder."""
    resources = {"metadata": {"path": folder}}
    NotebookClient(
        notebook, timeout=200, kernel_name="python3", kernel_manager_class=_AsyncManager, resources=resources
    ).execute()


class Kernel:
    """A kernel and what it says."""

    def __init__(self, client) -> None:
        self.client = client
        self.said: list[dict] = []

    def start(self, code: str, *, allow_stdin: bool = False) -> str:
        return self.client.execute(code, allow_stdin=allow_stdin, store_history=True)

    def until_idle(self, request: str, *, timeout: float = 120) -> dict:
        """The reply, once the kernel is idle; what it published is in `said`."""
        self.said = []
        end = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(end - time.monotonic(), 0.1))
            if message["parent_header"].get("msg_id") != request:
                continue
            self.said.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        return self.reply_to(request, timeout=timeout)

    def reply_to(self, request: str, *, timeout: float = 120) -> dict:
        """The reply to this request: the shell channel also carries those to completions, interrupts and earlier cells."""
        end = time.monotonic() + timeout
        while True:
            message = self.client.get_shell_msg(timeout=max(end - time.monotonic(), 0.1))
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def run(self, code: str, **options) -> dict:
        return self.until_idle(self.start(code, **options))

    def until_said(self, text: str, *, timeout: float = 60) -> str:
        """The first message that holds `text`."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if text in (content := str(message["content"])):
                return content
        raise AssertionError(f"{text!r} was not said in {timeout} s")

    @property
    def text(self) -> str:
        return str([message["content"] for message in self.said])


@contextlib.contextmanager
def started() -> Iterator[Kernel]:
    """A new kernel, ended with the block; its listener has a port of its own, as others run beside it."""
    manager, client = start_kernel(env={"FLOWLET_LOOPBACK_PORT": str(free_port()), **os.environ})
    made = Kernel(client)
    made.manager = manager
    try:
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
