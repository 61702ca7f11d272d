"""How APIs page, as pure functions: the request of a page and its response give the request of the next page, or None."""

from flowlet_jupyter.http.pagination.completeness import PagingProgress as PagingProgress
from flowlet_jupyter.http.pagination.completeness import Verdict as Verdict
from flowlet_jupyter.http.pagination.completeness import problem_of as problem_of
from flowlet_jupyter.http.pagination.completeness import verdict as verdict
from flowlet_jupyter.http.pagination.completeness import verdict_without as verdict_without
from flowlet_jupyter.http.pagination.cursors import Cursor as Cursor
from flowlet_jupyter.http.pagination.detection import GUESSED as GUESSED
from flowlet_jupyter.http.pagination.detection import detect as detect
from flowlet_jupyter.http.pagination.detection import of_style as of_style
from flowlet_jupyter.http.pagination.link_members import links_of_header as links_of_header
from flowlet_jupyter.http.pagination.links import LinkHeader as LinkHeader
from flowlet_jupyter.http.pagination.links import NextURL as NextURL
from flowlet_jupyter.http.pagination.numbers import NumberedPaginator as NumberedPaginator
from flowlet_jupyter.http.pagination.numbers import Offset as Offset
from flowlet_jupyter.http.pagination.numbers import PageNumber as PageNumber
from flowlet_jupyter.http.pagination.page import PageRequest as PageRequest
from flowlet_jupyter.http.pagination.page import PageResponse as PageResponse
from flowlet_jupyter.http.pagination.page import Paginator as Paginator
from flowlet_jupyter.http.pagination.signals import Signals as Signals
from flowlet_jupyter.http.pagination.signals import flags_of as flags_of
from flowlet_jupyter.http.pagination.signals import signals_of as signals_of
from flowlet_jupyter.http.styles import STYLES as STYLES
from flowlet_jupyter.http.styles import Style as Style
