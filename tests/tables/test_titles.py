"""CSV as offices publish it: titles above the table, notes below it. What cannot be told apart is an error, never a cut table."""

from __future__ import annotations

import pytest

from flowlet_jupyter.errors import RequestFailed
from flowlet_jupyter.http.response import Response

TABLE = "Year,Jan,Feb\n2020,1.5,2\n2021,1.6,3\n2022,1.7,4\n"


def answer(text: str, kind: str = "text/csv") -> Response:
    return Response(200, content=text.encode(), headers={"Content-Type": kind})


@pytest.mark.parametrize(
    "text",
    [
        f"Global means\n{TABLE}",
        f"Category: All\n\n{TABLE}",
        f'"Source","",\n\n"Updated","2024-06-28",\n\n{TABLE}',
        f"-BEGIN HEADER-\nParameters: a, b, c, d\n-END HEADER-\n{TABLE}",
        f"/* Citation: X, Y, Z and W\nSize: 3 */\n{TABLE}",
        f"{TABLE}\nSource: an office\n",
        f"{TABLE}\r\n\r\n* provisional\r\nSource: an office\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"Global means\n\n{TABLE}\nSource: an office\n",
        f"Temperatures,,\n{TABLE}",
        f"{TABLE}\nNotes:\n* provisional\n",
        f"Global means;;\n;;\n{TABLE.replace(',', ';')}",
    ],
)  # fmt: skip
def test_titles_and_notes_are_no_rows(text):
    response = answer(text)
    frame = response.to_df()
    assert list(frame.columns) == ["Year", "Jan", "Feb"]
    assert (frame["Year"].tolist(), frame["Jan"].tolist(), frame["Feb"].tolist()) == (
        [2020, 2021, 2022], [1.5, 1.6, 1.7], [2, 3, 4],
    )  # fmt: skip
    assert "left out" in frame.attrs["remarks"]
    assert response.to_polars().rows() == list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b,c\n1,,\n2,,\n3,x,y\n", 3),  # most rows are short: the first one is the header all the same
        ("name\nAnn\nBob\n", 2),
        ("a,b\n1,2\n\n3,4\n", 2),  # an empty line between rows
        ('a,b\n1,"x\n\ny"\n2,z\n', 2),  # and one in a text
        ("a,b,c\n1,2,3\n\n4,5,6\n", 2),
        ("a,b\n1,2\n3,4\n\n5,\n", 3),  # a row whose last field is empty
        ("x,y\n1,2\n", 1),
        ("id,\n1,a\n2,d\n3,g\n", 3),  # a header that names the first column only
        ("id,,,\nx,a,b,c\ny,d,e,f\nz,g,h,i\n", 3),
        ("a,b\n1,2\n3,4\n5,6\n\n7\n", 4),  # a last row that is short
        ("a,b,c,d\n1,2,3,4\n5,6,7,8\n9,1,2,3\n\nlast,\n", 4),
    ],
)
def test_a_table_is_not_taken_for_titles(text, rows):
    frame = answer(text).to_df()
    assert (len(frame), "remarks" in frame.attrs) == (rows, False)
    assert len(answer(text).to_polars()) == rows


def test_fields_beyond_the_header_are_not_left_out_without_a_word():
    with pytest.raises(RequestFailed, match="more fields than its header, which has 2: are there titles"):
        answer("1,2\n1,2,3\n4,5,6\n").to_df()
    assert answer("a,b\n1,2,\n3,4,\n").to_df().to_dict("list") == {"a": [1, 3], "b": [2, 4]}  # they are empty
