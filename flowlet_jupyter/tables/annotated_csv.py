"""InfluxDB's annotated CSV: tables one behind the other, each with its types, defaults and names in rows of its own. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

_ANNOTATIONS = ("#datatype", "#group", "#default")


def as_plain_csv(text: str) -> str | None:
    """All tables of the annotated CSV `text` as one plain CSV; None if it has no annotations.

    A column that one of the tables lacks is empty there. Defaults are put in; the column of annotations is left out.
    """
    if not text.lstrip("\ufeff\r\n").startswith(_ANNOTATIONS):
        return None
    records: list[dict[str, str]] = []
    names: list[str] = []
    defaults: Sequence[str] = ()
    is_header_next = False
    for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")):
        if not any(row):
            is_header_next = True  # an empty line ends a table, and the next begins with its names
        elif row[0] in _ANNOTATIONS:
            is_header_next = True
            defaults = row[1:] if row[0] == "#default" else defaults
        elif is_header_next:
            names, is_header_next = row[1:], False
        else:
            filled = [cell or default for cell, default in zip(row[1:], [*defaults, *[""] * len(row)], strict=False)]
            records.append(dict(zip(names, filled, strict=False)))
    columns = list(dict.fromkeys(name for record in records for name in record)) or names
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()
