"""Live views: what turns the static view of a response into tabs, while its kernel runs.

The notebook saves the static view and no script. One widget a kernel, which is never displayed itself, brings the script
to the page; it looks for the views that this kernel has made and asks for what is to be seen, piece by piece. Its state
holds no part of a response.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from flowlet_jupyter.http.gather import Gathered
from flowlet_jupyter.http.page_reader import PageReader
from flowlet_jupyter.http.response import Response, redacted
from flowlet_jupyter.notebook.display.inspection import Inspection, SeriesInspection
from flowlet_jupyter.notebook.display.series import series_of

if TYPE_CHECKING:
    from flowlet_jupyter.session import Session

Viewed = Response | PageReader | Gathered
_MAX_VIEWS = 100
_MAX_INSPECTIONS = 3  # each may hold a redacted copy and columns


def name_of(response: Viewed | None, default: str = "r") -> str:
    """The expression that a user has for `response` in this kernel: a variable, else `Out[5]`; `default` if there is none."""
    shell = get_ipython()
    names = {} if shell is None else shell.user_ns
    for name, value in names.items():
        if value is response and not name.startswith("_"):
            return str(name)
    outputs = names.get("Out", {})
    number = next((number for number, value in reversed(outputs.items()) if value is response), None)
    return default if response is None or number is None else f"Out[{number}]"


def _inspection_of(viewed: Viewed, reference: weakref.ref[Viewed]) -> Inspection:
    if isinstance(viewed, Response):
        return Inspection(redacted(viewed), lambda: name_of(reference()))
    series = series_of(viewed)
    return SeriesInspection(series, lambda: name_of(reference(), series.default_name))


class LiveViews:
    """The views of this process that a page may ask about.

    A view does not keep its response alive, but for the last `_MAX_INSPECTIONS` that were looked at.
    """

    def __init__(self, _session: Session) -> None:
        self._views: OrderedDict[str, weakref.ref[Viewed]] = OrderedDict()
        self._inspections: OrderedDict[str, Inspection] = OrderedDict()
        self._widget: Any = None

    def add(self, identity: str, response: Viewed) -> None:
        """Let pages turn the view `identity` of `response` live."""
        self._views[identity] = weakref.ref(response)
        while len(self._views) > _MAX_VIEWS:
            self._inspections.pop(self._views.popitem(last=False)[0], None)
        if self._widget is None:
            from flowlet_jupyter.notebook.widgets import ResponseViews

            self._widget = ResponseViews(self.receive)
        self._widget.send({"kind": "views", "views": [identity]})

    def receive(self, message: Any) -> None:
        """Reply to a page: which views are this kernel's, or what it asks of one of them."""
        if not isinstance(message, dict):
            return
        if message.get("kind") == "hello":  # a page that was opened or reloaded later
            self._widget.send({"kind": "views", "views": list(self._views)})
        elif message.get("kind") == "ask" and isinstance(message.get("question"), dict):
            content, buffers = self._reply(str(message.get("view")), message["question"])
            self._widget.send({"kind": "reply", "number": message.get("number"), "reply": content}, buffers)

    def _reply(self, identity: str, question: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        inspection = self._inspection(identity)
        if inspection is None:
            return {"error": "The kernel holds this response no more. Run the cell again."}, []
        return inspection.reply(question)

    def _inspection(self, identity: str) -> Inspection | None:
        reference = self._views.get(identity)
        response = None if reference is None else reference()
        if reference is None or response is None:
            self._inspections.pop(identity, None)
            return None
        if identity not in self._inspections:
            self._inspections[identity] = _inspection_of(response, reference)
            while len(self._inspections) > _MAX_INSPECTIONS:
                self._inspections.popitem(last=False)
        self._inspections.move_to_end(identity)
        return self._inspections[identity]

    def close(self) -> None:
        """Forget all views."""
        self._views.clear()
        self._inspections.clear()
        if self._widget is not None:
            self._widget.close()
            self._widget = None
