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

from flowlet_jupyter.notebook.display.inspection import Inspection

if TYPE_CHECKING:
    from flowlet_jupyter.http.response import Response
    from flowlet_jupyter.session import Session

_MAX_VIEWS = 100
_MAX_INSPECTIONS = 3  # each may hold a redacted copy and columns


def name_of(response: Response | None) -> str:
    """The expression that a person has for `response` in this kernel: a variable, else `Out[5]`; "r" if there is none."""
    shell = get_ipython()
    names = {} if shell is None else shell.user_ns
    for name, value in names.items():
        if value is response and not name.startswith("_"):
            return str(name)
    outputs = names.get("Out", {})
    number = next((number for number, value in reversed(outputs.items()) if value is response), None)
    return "r" if response is None or number is None else f"Out[{number}]"


def _name(reference: weakref.ref[Response] | None) -> str:
    return name_of(None if reference is None else reference())


class LiveViews:
    """The views of this process that a page may ask about.

    A view does not keep its response alive, but for the last `_MAX_INSPECTIONS` that were looked at.
    """

    def __init__(self, _session: Session) -> None:
        self._views: OrderedDict[str, weakref.ref[Response]] = OrderedDict()
        self._inspections: OrderedDict[str, Inspection] = OrderedDict()
        self._widget: Any = None

    def add(self, identity: str, response: Response) -> None:
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
        from flowlet_jupyter.http.response import redacted

        reference = self._views.get(identity)
        response = None if reference is None else reference()
        if response is None:
            self._inspections.pop(identity, None)
            return None
        if identity not in self._inspections:
            self._inspections[identity] = Inspection(redacted(response), lambda: _name(reference))
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
