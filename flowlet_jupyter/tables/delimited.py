"""CSV as offices and portals send it: which separator, which decimal mark, and which columns are no numbers. Pure."""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import dataclass

from flowlet_jupyter.errors import RequestFailed

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_LINES = 200
_MOST_TITLES = 30
_FEWEST_ROWS = 3  # of a table below titles, its header among them
_LONGEST_NOTES = 10_000  # characters
_PROSE = re.compile(r"[^\W\d_][,.;:)]? +\S|[^\W\d_]: *$|^[*#(\[]|^- ")  # words, a heading, a mark of a footnote
_GAP = re.compile(r"\n(?:[ \t]*\r?\n)+")  # an empty line, or several
_BLOCKS = (("/*", "*/"), ("-BEGIN HEADER-", "-END HEADER-"))  # PANGAEA, NASA POWER
_COMMA_DECIMAL = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+")
_POINT_DECIMAL = re.compile(r"[+-]?\d+\.\d+")
_NUMBER = re.compile(r"[+-]?[\d.,]+")
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
# digits that a number would not keep: leading zeros (an id, a postal code), and more than 64 bits hold
_NOT_A_NUMBER = re.compile(r"(?P<zeros>[+-]?0\d+)|[+-]?\d{19,}")
_MAY_HAVE_SUCH = re.compile(r'(?:^|[,;\t|"\s])[+-]?(?:0\d|\d{19})', re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written. `texts` are the columns whose digits are no numbers."""

    sep: str
    decimal: str
    texts: tuple[str, ...]


def without_remarks(text: str) -> tuple[str, str | None, int]:
    """`text` without what stands above its table, the separator that Excel's first line names, and how many lines were left out.

    Lines that begin with `#` are remarks, but for one with as many fields as the table: that is its header. Below the
    header, USGS says how wide each column is. Titles above a table are of fewer fields than it, and so are notes below it,
    behind an empty line.
    """
    body, sep, above = text.lstrip("\ufeff"), None, 0
    for begins, ends in _BLOCKS:
        if body.startswith(begins) and ends in body:
            block, _, body = body.partition(ends)
            above, body = block.count("\n") + 1, body.partition("\n")[2]
    lines = body.splitlines(keepends=True)
    if lines and (named := re.fullmatch(r"sep=(.)\s*", lines[0], re.IGNORECASE)):
        sep, lines = named[1], lines[1:]
    count = sum(1 for _ in itertools.takewhile(lambda line: line.startswith("#"), lines))
    if 0 < count < len(lines):
        last, first = lines[count - 1], lines[count]
        is_header = any(last.count(mark) == first.count(mark) > 0 for mark in _SEPARATORS)
        count -= is_header
        lines = lines[count:]
        if len(lines) > 1 and all(re.fullmatch(r"\d+[sdn]", field) for field in lines[1].split()):
            del lines[1]
            count += 1
    else:
        count = 0
    rest, titles = _without_titles("".join(lines) if sep or count or above else body, sep)
    count += above + titles
    return (rest if sep or count else text), sep, count


def _without_titles(text: str, sep: str | None) -> tuple[str, int]:
    """`text` without titles above its table and notes below it, and how many lines they were."""
    sample = list(itertools.islice(io.StringIO(text, newline=""), _SAMPLE_LINES))
    sep = sep or _separator(sample)
    rows = _rows_with_lines(sample, sep)
    widths = [width for _, width, _ in rows if width]
    usual = max(set(widths), key=widths.count, default=0)
    if usual < 2:
        return text, 0
    few = max(1, usual // 2)
    header = next((index for index, (_, width, _) in enumerate(rows) if width >= usual), 0)
    count = rows[header - 1][0] if 0 < header <= _MOST_TITLES and _is_below_titles(rows, header, usual, few) else 0
    end, below = _notes(text, sep, few) if len(widths) >= _FEWEST_ROWS else (len(text), 0)
    if not count and not below:
        return text, 0
    start = sum(map(len, sample[:count]))
    return text[start:end], count + below


def _notes(text: str, sep: str, few: int) -> tuple[int, int]:
    """Where the table ends, and how many lines of notes stand below it.

    That no table is cut: notes are behind an empty line, in fewer fields, no part of a quoted text, and written as words; a
    last row may be short as well.
    """
    tail = text[-_LONGEST_NOTES:].rstrip()
    gaps = list(_GAP.finditer(tail))
    lines = tail[gaps[-1].end() :].splitlines() if gaps else []
    if not lines or any('"' in line or len(line.split(sep)) > few or not _PROSE.search(line) for line in lines):
        return len(text), 0
    return max(len(text) - _LONGEST_NOTES, 0) + gaps[-1].start() + 1, len(lines)


def _is_below_titles(rows: list[tuple[int, int, list[str]]], header: int, usual: int, few: int) -> bool:
    """Whether what stands above the row `header` are titles: the first in few fields, and the rows below it a table."""
    table = [width for _, width, _ in rows[header:] if width]
    first, title = next(((width, fields) for _, width, fields in rows if width), (0, []))
    names = rows[header][2][:usual]
    is_table = len(table) >= _FEWEST_ROWS and table.count(usual) * 5 >= len(table) * 4
    # `id,,` may be a header that names few of its columns: then no numbers stand below the names of the row under it
    is_title = len(title) < usual or any(map(_PROSE.search, title)) or _names_numbers(rows, header, usual)
    return is_table and first <= few and is_title and any(map(_is_word, names))


def _names_numbers(rows: list[tuple[int, int, list[str]]], header: int, usual: int) -> bool:
    """Whether some column has a word in the row `header`, and numbers in all rows below."""
    below = [fields for _, width, fields in rows[header + 1 :] if width == usual]
    return any(
        _is_word(name) and all(_NUMBER.fullmatch(fields[column].strip()) for fields in below)
        for column, name in enumerate(rows[header][2][:usual])
    )


def _is_word(name: str) -> bool:
    return bool(name.strip()) and not _NUMBER.fullmatch(name.strip())


def _rows_with_lines(sample: list[str], sep: str) -> list[tuple[int, int, list[str]]]:
    """The line that each row ends in, how many of its fields are filled (but for empty ones between them), and the fields."""
    reader = csv.reader(sample, delimiter=sep)
    try:
        return [(reader.line_num, _width(fields), fields) for fields in reader]
    except csv.Error:
        return []


def _width(fields: list[str]) -> int:
    return max((number for number, field in enumerate(fields, 1) if field.strip()), default=0)


def dialect_of(text: str, sep: str | None = None, decimal: str | None = None) -> Dialect:
    """The dialect of the CSV `text`; what is given is not looked for. Raises `RequestFailed` if it is an HTML page."""
    if text[:200].lstrip("\ufeff \r\n\t").lower().startswith(("<!doctype html", "<html")):
        raise RequestFailed("The body is an HTML page, not the CSV that its name promises: a login page? See r.text")
    sample = list(itertools.islice(io.StringIO(text, newline=""), _SAMPLE_LINES))
    sep = sep or _separator(sample)
    if decimal is None:
        decimal = "," if sep != "," and _has_decimal_comma(sample, sep) else "."
    return Dialect(sep, decimal, _columns_of_texts(text, sep))


def _separator(sample: list[str]) -> str:
    """The one that cuts all lines into the same number of fields, the most of them; a comma where none does."""
    best, most = ",", 1.0
    for sep in _SEPARATORS:
        counts = [len(row) for row in _rows("".join(sample), sep) if row]
        usual = max(set(counts), key=counts.count, default=0)
        score = usual * (counts.count(usual) / len(counts)) ** 2 if counts else 0
        if usual > 1 and score > most:
            best, most = sep, score
    return best


def _rows(text: str, sep: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=sep))
    except csv.Error:
        return []


def _has_decimal_comma(sample: list[str], sep: str) -> bool:
    fields = [field.strip() for row in _rows("".join(sample), sep)[1:] for field in row]
    with_comma = [field for field in fields if _COMMA_DECIMAL.fullmatch(field)]
    # 1,234 alone may be a thousand: such a column stays text
    is_sure = any(not _MAYBE_THOUSANDS.fullmatch(field) for field in with_comma)
    return is_sure and not any(_POINT_DECIMAL.fullmatch(field) for field in fields)


def _is_no_number(field: str) -> bool:
    match = _NOT_A_NUMBER.fullmatch(field)
    return match is not None and (match["zeros"] is not None or not -(2**63) <= int(field[:40]) < 2**63)


def _columns_of_texts(text: str, sep: str) -> tuple[str, ...]:
    if not _MAY_HAVE_SUCH.search(text):
        return ()
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sep)
    columns: set[int] = set()
    try:
        names = next(rows, [])
        for row in rows:
            for index, field in enumerate(row):
                if index not in columns and _is_no_number(field.strip()):
                    columns.add(index)
    except csv.Error:
        return ()
    return tuple(names[index].lstrip("\ufeff") for index in sorted(columns) if index < len(names))
