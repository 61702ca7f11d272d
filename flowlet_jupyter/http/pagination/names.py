"""The names by which APIs page, compared without case and punctuation: `page[number]`, `pageNumber` and `page_number` are one."""

from __future__ import annotations

import functools
import re

PAGES = frozenset(
    {
        "page",
        "pagenumber",
        "pageno",
        "pagenum",
        "pageindex",
        "currentpage",
        "curpage",
        "paged",
        "p",
        "pg",
        "startpage",
        "ipage",
    }
)
OFFSETS = frozenset(
    {"offset", "skip", "start", "startat", "startindex", "startposition", "startrow", "from", "retstart", "resultoffset",
     "sysparmoffset", "pageoffset", "first", "firstresult", "begin", "startrecord", "firstrecord", "ofs", "debut"}
)  # fmt: skip
SIZES = frozenset(
    {"limit", "perpage", "pagesize", "size", "pagelimit", "rows", "top", "take", "count", "maxresults", "retmax", "itemsperpage",
     "resultrecordcount", "sysparmlimit", "pagelen", "ps", "hitsperpage", "length", "pagelength", "maxrecords", "numberofitems", "numofrows", "resultsperpage", "nombre"}
)  # fmt: skip
TOTALS = frozenset(
    {"total", "totalcount", "totalresults", "totalitems", "totalelements", "totalrecords", "totalentries", "totalhits",
     "totalsize", "totalrows", "totalnumber", "totalobjects", "totaldocs", "totalresultcount", "totalmatches", "numfound", "hitcount",
     "nbhits", "nhits", "fullresultsize", "numhits", "nbresults", "odatacount", "recordstotal", "recordsfiltered", "resultstotal", "itemstotal", "rowcount", "recordcount", "hits", "found",
     "totalresultsfound", "totalnumberofrecords", "numrows", "numberofrecords", "matched", "numbermatched", "totalamount", "grandtotal",
     "estimatedtotalhits", "xtotal", "xtotalcount", "totalestimatedmatches", "estimatedtotal", "completelistsize"}
)  # fmt: skip
# these count the records of this page at some APIs, and all of them at others
AMBIGUOUS_TOTALS = frozenset(
    {"count", "resultcount", "itemcount", "resultscount", "numresults", "items", "results", "numberofresults"}
)
PAGE_COUNTS = frozenset(
    {"totalpages", "pages", "lastpage", "pagecount", "numpages", "pagestotal", "totalpage", "npages", "nbpages", "pagetotal",
     "totalpagecount", "numberofpages"}
)  # fmt: skip
_TOTAL = re.compile(
    r"total(?:number|num|set|filtered|matching|matched|available|found|estimated|approximate|unfiltered|api)?(?:of)?"
    r"(?:result|record|item|entry|entrie|element|row|hit|object|doc|document|match|resource|entity|entitie|list|data|product|order)?"
    r"s?(?:count|size|length|number|found|matched|available)?"
)
_TOTAL_ENDS = re.compile(
    r"(?:result|record|item|entry|row|hit|object|doc|document|total|overall|full|all|matching|matched)s?(?:total|totalcount)"
)
_MORE = re.compile(
    r"(?:has|have|are|is|mighthave|mayhave|there(?:is|are))?(?:any)?(?:more|next)"
    r"(?:page|pages|items|results|records|data|rows|entries|itemsincollection|available|exists?|tocome|resultsavailable)*"
)
_MORE_OTHERWISE = frozenset(
    {"istruncated", "truncated", "exceededtransferlimit", "moredataavailable", "partialresults"}
)
_LAST = frozenset(
    {
        "last",
        "islast",
        "islastpage",
        "lastpage",
        "endofrecords",
        "endofstream",
        "done",
        "isdone",
        "end",
        "isend",
        "eof",
        "finished",
    }
)


@functools.lru_cache(maxsize=4096)  # the same names stand on every page
def normalised(name: str) -> str:
    """`name` in lower case, letters and digits only."""
    return "".join(character for character in name.lower() if character.isalnum())


def is_one_of(name: str, names: frozenset[str]) -> bool:
    """Whether a parameter is one of `names`, also as the last part of one in brackets: `searchCriteria[currentPage]`."""
    if normalised(name) in names:
        return True
    return name.endswith("]") and normalised(name[name.rfind("[") :]) in names


@functools.lru_cache(maxsize=4096)
def is_total(name: str) -> bool:
    """Whether a normalised name is that of the number of all records."""
    return name in TOTALS or bool(_TOTAL.fullmatch(name) or _TOTAL_ENDS.fullmatch(name))


def says_more(name: str) -> bool:
    """Whether a normalised name is that of a flag such as `has_more`."""
    return bool(_MORE.fullmatch(name)) or name in _MORE_OTHERWISE


def says_last(name: str) -> bool:
    """Whether a normalised name is that of a flag such as `isLast`."""
    return name in _LAST
