"""The tables of docs/requests.md say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from flowlet_jupyter.http.pagination.detection import _KINDS
from flowlet_jupyter.http.styles import STYLES
from flowlet_jupyter.tables import dialects, shapes

DOCS = (Path(__file__).parents[3] / "docs" / "requests.md").read_text("utf-8")


def test_each_style_is_listed_with_all_its_paginators():
    listed: dict[str, set[str]] = {}
    for style, paginators in re.findall(r"^\| `(\w+)` \| .* \| (`.*`) \|$", DOCS, re.MULTILINE):
        listed.setdefault(style, set()).update(re.findall(r"`(\w+)`", paginators))
    assert listed == {style: {kind.__name__ for kind in kinds} for style, kinds in _KINDS.items()}
    assert set(listed) | {"auto"} == set(STYLES)


def test_each_form_of_a_table_is_listed():
    source = Path(shapes.__file__).read_text("utf-8")
    forms = set(re.findall(r'Table\([^\n]*, "([a-z ]+)"\)', source))
    assert forms >= {"columns and rows", "parallel lists", "objects by key"}
    assert [form for form in forms if f"`{form}`" not in DOCS] == []
    products = re.findall(
        r'"(BigQuery|Google Analytics|InfluxDB|Prometheus|Elasticsearch|JSON-stat|SDMX-JSON|Loki|PxWeb|Databricks|the only table|visualization table|batches of Google Ads)',
        Path(dialects.__file__).read_text("utf-8"),
    )
    assert len(set(products)) == len(dialects.ALL)
    assert [product for product in products if product not in DOCS] == []
