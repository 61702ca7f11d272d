"""List responses of many APIs, written down small: two pages each, with the request that leads to the second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ORIGIN = "https://api.example"
A, B, C = {"id": "a"}, {"id": "b"}, {"id": "c"}


@dataclass(frozen=True)
class Shape:
    """`pages` are bodies, or (body, headers). `next` is what the second request has: params (of the whole query), json,
    url, method, headers; None where nothing leads on. `extra` more requests are allowed to find the end."""

    name: str
    url: str
    pages: list[Any]
    next: dict[str, Any] | None
    records: list[Any] = field(default_factory=lambda: [A, B])
    method: str = "GET"
    json: Any = None
    complete: bool | None = True
    extra: int = 0
    empty: Any = None  # the page behind the last, where one more is asked for


def shape(name: str, url: str, pages: list[Any], following: dict[str, Any] | None, **more: Any) -> Shape:
    return Shape(name, f"{ORIGIN}{url}", pages, following, **more)


def link(target: str, rel: str = "next") -> dict[str, str]:
    return {"Link": f'<{ORIGIN}{target}>; rel="{rel}"'}


def hit(name: str, *sort: Any) -> dict[str, Any]:
    return {"_index": "i", "_id": name, "_source": {"n": name}} | ({"sort": list(sort)} if sort else {})


XML = {"Content-Type": "application/xml; charset=utf-8"}
ATOM = {"Content-Type": "application/atom+xml"}
CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}
FEED = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">{}</feed>'
QUERY = "query($after: String) { viewer { repositories(first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } } }"


def repositories(node: dict[str, Any], more: bool, cursor: str | None) -> dict[str, Any]:
    return {
        "data": {"viewer": {"repositories": {"nodes": [node], "pageInfo": {"endCursor": cursor, "hasNextPage": more}}}}
    }


LINKS = [
    shape(
        "github",
        "/r/issues?per_page=1",
        [([A], link("/r/issues?per_page=1&page=2")), ([B], link("/r/issues?per_page=1", "first"))],
        {"url": "/r/issues?per_page=1&page=2"},
    ),
    shape(
        "sentry",
        "/issues/",
        [
            ([A], {"Link": f'<{ORIGIN}/issues/?cursor=0:1:0>; rel="next"; results="true"; cursor="0:1:0"'}),
            ([B], {"Link": f'<{ORIGIN}/issues/?cursor=0:2:0>; rel="next"; results="false"; cursor="0:2:0"'}),
        ],
        {"url": "/issues/?cursor=0:1:0"},
    ),
    shape(
        "mastodon",
        "/timeline",
        [([A], link("/timeline?max_id=a")), ([B], link("/timeline?min_id=b", "prev"))],
        {"url": "/timeline?max_id=a"},
    ),
    shape(
        "graph",
        "/users",
        [
            {"@odata.context": "x", "@odata.nextLink": f"{ORIGIN}/users?$skiptoken=t", "value": [A]},
            {"@odata.context": "x", "value": [B]},
        ],
        {"url": "/users?$skiptoken=t"},
    ),
    shape(
        "odata 2",
        "/Set",
        [{"d": {"results": [A], "__next": f"{ORIGIN}/Set?$skiptoken='a'"}}, {"d": {"results": [B]}}],
        {"url": "/Set?$skiptoken='a'"},
    ),
    shape(
        "salesforce",
        "/q?q=x",
        [
            {"totalSize": 2, "done": False, "nextRecordsUrl": "/q/01g-1", "records": [A]},
            {"totalSize": 2, "done": True, "records": [B]},
        ],
        {"url": "/q/01g-1"},
    ),
    shape(
        "spotify search",
        "/search?q=x",
        [
            {"artists": {"items": [A], "next": f"{ORIGIN}/search?q=x&offset=1", "total": 2, "offset": 0, "limit": 1}},
            {"artists": {"items": [B], "next": None, "total": 2, "offset": 1, "limit": 1}},
        ],
        {"url": "/search?q=x&offset=1"},
    ),
    shape(
        "confluence",
        "/wiki/rest/c",
        [
            {"results": [A], "_links": {"base": f"{ORIGIN}/wiki", "context": "/wiki", "next": "/rest/c?cursor=x"}},
            {"results": [B], "_links": {"base": f"{ORIGIN}/wiki"}},
        ],
        {"url": "/wiki/rest/c?cursor=x"},
        complete=True,
    ),
    shape(
        "bitbucket cloud",
        "/2.0/r",
        [{"values": [A], "pagelen": 1, "next": f"{ORIGIN}/2.0/r?page=2"}, {"values": [B], "pagelen": 1}],
        {"url": "/2.0/r?page=2"},
    ),
    shape(
        "shopify",
        "/orders.json?limit=1",
        [
            ({"orders": [A]}, link("/orders.json?limit=1&page_info=x")),
            ({"orders": [B]}, link("/o?page_info=y", "previous")),
        ],
        {"url": "/orders.json?limit=1&page_info=x"},
    ),
    shape(
        "hubspot",
        "/crm/v3/o",
        [{"results": [A], "paging": {"next": {"after": "1", "link": f"{ORIGIN}/crm/v3/o?after=1"}}}, {"results": [B]}],
        {"url": "/crm/v3/o?after=1"},
    ),
    shape(
        "zendesk",
        "/t.json",
        [
            {"tickets": [A], "next_page": f"{ORIGIN}/t.json?page=2", "previous_page": None, "count": 2},
            {"tickets": [B], "next_page": None, "previous_page": f"{ORIGIN}/t.json", "count": 2},
        ],
        {"url": "/t.json?page=2"},
    ),
    shape(
        "zendesk cursor",
        "/t?page[size]=1",
        [
            {
                "tickets": [A],
                "meta": {"has_more": True, "after_cursor": "x"},
                "links": {"next": f"{ORIGIN}/t?page[after]=x", "prev": None},
            },
            {
                "tickets": [B],
                "meta": {"has_more": False, "after_cursor": "y"},
                "links": {"next": f"{ORIGIN}/t?page[after]=y", "prev": None},
            },
        ],
        {"url": "/t?page[after]=x"},
    ),
    shape(
        "zendesk incremental",
        "/inc?start_time=1",
        [
            {"users": [A], "after_url": f"{ORIGIN}/inc?cursor=x", "after_cursor": "x", "end_of_stream": False},
            {"users": [B], "after_url": f"{ORIGIN}/inc?cursor=y", "after_cursor": "y", "end_of_stream": True},
        ],
        {"url": "/inc?cursor=x"},
    ),
    shape(
        "laravel",
        "/x",
        [
            {
                "data": [A],
                "links": {
                    "first": f"{ORIGIN}/x?page=1",
                    "last": f"{ORIGIN}/x?page=2",
                    "prev": None,
                    "next": f"{ORIGIN}/x?page=2",
                },
                "meta": {"current_page": 1, "last_page": 2, "per_page": 1, "total": 2, "path": f"{ORIGIN}/x"},
            },
            {
                "data": [B],
                "links": {
                    "first": f"{ORIGIN}/x?page=1",
                    "last": f"{ORIGIN}/x?page=2",
                    "prev": f"{ORIGIN}/x",
                    "next": None,
                },
                "meta": {"current_page": 2, "last_page": 2, "per_page": 1, "total": 2, "path": f"{ORIGIN}/x"},
            },
        ],
        {"url": "/x?page=2"},
    ),
    shape(
        "drf",
        "/d/",
        [
            {"count": 2, "next": f"{ORIGIN}/d/?limit=1&offset=1", "previous": None, "results": [A]},
            {"count": 2, "next": None, "previous": f"{ORIGIN}/d/?limit=1", "results": [B]},
        ],
        {"url": "/d/?limit=1&offset=1"},
    ),
    shape(
        "json:api",
        "/articles",
        [
            {
                "data": [A],
                "links": {"self": "x", "next": {"href": f"{ORIGIN}/articles?page[number]=2"}},
                "included": [C],
            },
            {"data": [B], "links": {"self": "x"}, "included": [C]},
        ],
        {"url": "/articles?page[number]=2"},
    ),
    shape(
        "hal",
        "/o",
        [
            {"_embedded": {"orders": [A]}, "_links": {"self": {"href": "/o"}, "next": {"href": "/o?page=2"}}},
            {"_embedded": {"orders": [B]}, "_links": {"self": {"href": "/o?page=2"}}},
        ],
        {"url": "/o?page=2"},
    ),
    shape(
        "fhir",
        "/Patient",
        [
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": 2,
                "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": f"{ORIGIN}/Patient?p=2"}],
                "entry": [A],
            },
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": 2,
                "link": [{"relation": "self", "url": "x"}],
                "entry": [B],
            },
        ],
        {"url": "/Patient?p=2"},
    ),
    shape(
        "stac",
        "/search",
        [
            {
                "type": "FeatureCollection",
                "features": [A],
                "links": [
                    {"rel": "next", "href": f"{ORIGIN}/search", "method": "POST", "body": {"token": "t"}, "merge": True}
                ],
            },
            {"type": "FeatureCollection", "features": [B], "links": [{"rel": "self", "href": f"{ORIGIN}/search"}]},
        ],
        {"url": "/search", "method": "POST", "json": {"limit": 1, "token": "t"}},
        method="POST",
        json={"limit": 1},
    ),
    shape(
        "paypal",
        "/inv",
        [
            {"items": [A], "links": [{"rel": "next", "href": f"{ORIGIN}/inv?page=2", "method": "GET"}]},
            {"items": [B], "links": [{"rel": "prev", "href": f"{ORIGIN}/inv?page=1", "method": "GET"}]},
        ],
        {"url": "/inv?page=2", "method": "GET"},
    ),
    shape(
        "twilio",
        "/M.json",
        [
            {
                "messages": [A],
                "next_page_uri": "/M.json?Page=1&PageToken=x",
                "page": 0,
                "page_size": 1,
                "uri": "/M.json",
            },
            {"messages": [B], "next_page_uri": None, "page": 1, "page_size": 1, "uri": "/M.json?Page=1"},
        ],
        {"url": "/M.json?Page=1&PageToken=x"},
    ),
    shape(
        "asana",
        "/tasks",
        [
            {
                "data": [A],
                "next_page": {"offset": "ey", "path": "/tasks?offset=ey", "uri": f"{ORIGIN}/tasks?offset=ey"},
            },
            {"data": [B], "next_page": None},
        ],
        {"url": "/tasks?offset=ey"},
    ),
    shape(
        "coinbase",
        "/acc",
        [
            {"pagination": {"next_uri": "/acc?starting_after=a", "limit": 1}, "data": [A]},
            {"pagination": {"next_uri": None, "limit": 1}, "data": [B]},
        ],
        {"url": "/acc?starting_after=a"},
    ),
    shape(
        "digitalocean",
        "/dr",
        [
            {
                "droplets": [A],
                "links": {"pages": {"next": f"{ORIGIN}/dr?page=2", "last": f"{ORIGIN}/dr?page=2"}},
                "meta": {"total": 2},
            },
            {
                "droplets": [B],
                "links": {"pages": {"first": f"{ORIGIN}/dr", "prev": f"{ORIGIN}/dr"}},
                "meta": {"total": 2},
            },
        ],
        {"url": "/dr?page=2"},
    ),
    shape(
        "facebook",
        "/me/posts",
        [
            {"data": [A], "paging": {"cursors": {"before": "x", "after": "y"}, "next": f"{ORIGIN}/me/posts?after=y"}},
            {"data": [B], "paging": {"cursors": {"before": "y", "after": "z"}}},
        ],
        {"url": "/me/posts?after=y"},
    ),
    shape(
        "discourse",
        "/latest.json",
        [
            {"topic_list": {"more_topics_url": "/latest.json?page=1", "per_page": 1, "topics": [A]}},
            {"topic_list": {"per_page": 1, "topics": [B]}},
        ],
        {"url": "/latest.json?page=1"},
    ),
    shape(
        "walmart",
        "/items",
        [
            {"ItemResponse": [A], "totalItems": 2, "nextCursor": "?nextCursor=x%3D&limit=1"},
            {"ItemResponse": [B], "totalItems": 2},
        ],
        {"url": "/items?nextCursor=x%3D&limit=1"},
    ),
    shape(
        "netsuite",
        "/r/customer",
        [
            {
                "links": [{"rel": "next", "href": f"{ORIGIN}/r/customer?offset=1"}],
                "count": 1,
                "hasMore": True,
                "items": [A],
                "offset": 0,
                "totalResults": 2,
            },
            {
                "links": [{"rel": "previous", "href": f"{ORIGIN}/r/customer"}],
                "count": 1,
                "hasMore": False,
                "items": [B],
                "offset": 1,
                "totalResults": 2,
            },
        ],
        {"url": "/r/customer?offset=1"},
    ),
]

CURSORS = [
    shape(
        "stripe",
        "/v1/c",
        [
            {"object": "list", "url": "/v1/c", "has_more": True, "data": [A]},
            {"object": "list", "url": "/v1/c", "has_more": False, "data": [B]},
        ],
        {"params": {"starting_after": "a"}},
    ),
    shape(
        "slack",
        "/c.list",
        [
            {"ok": True, "channels": [A], "response_metadata": {"next_cursor": "x="}},
            {"ok": True, "channels": [B], "response_metadata": {"next_cursor": ""}},
        ],
        {"params": {"cursor": "x="}},
    ),
    shape(
        "notion",
        "/q",
        [
            {"object": "list", "results": [A], "next_cursor": "n", "has_more": True},
            {"object": "list", "results": [B], "next_cursor": None, "has_more": False},
        ],
        {"json": {"page_size": 1, "start_cursor": "n"}},
        method="POST",
        json={"page_size": 1},
    ),
    shape(
        "drive",
        "/files?pageSize=1",
        [{"kind": "k", "nextPageToken": "t", "files": [A]}, {"kind": "k", "files": [B]}],
        {"params": {"pageSize": "1", "pageToken": "t"}},
    ),
    shape(
        "youtube",
        "/v",
        [
            {"nextPageToken": "t", "pageInfo": {"totalResults": 2, "resultsPerPage": 1}, "items": [A]},
            {"prevPageToken": "s", "pageInfo": {"totalResults": 2, "resultsPerPage": 1}, "items": [B]},
        ],
        {"params": {"pageToken": "t"}},
    ),
    shape(
        "twitter",
        "/tw",
        [{"data": [A], "meta": {"result_count": 1, "next_token": "t"}}, {"data": [B], "meta": {"result_count": 1}}],
        {"params": {"pagination_token": "t"}},
    ),
    shape(
        "jira 3",
        "/search/jql",
        [{"issues": [A], "nextPageToken": "t", "isLast": False}, {"issues": [B], "isLast": True}],
        {"params": {"nextPageToken": "t"}},
    ),
    shape(
        "bitbucket server",
        "/repos",
        [
            {"size": 1, "limit": 1, "isLastPage": False, "values": [A], "start": 0, "nextPageStart": 1},
            {"size": 1, "limit": 1, "isLastPage": True, "values": [B], "start": 1, "nextPageStart": None},
        ],
        {"params": {"start": "1"}},
    ),
    shape(
        "airtable", "/t", [{"records": [A], "offset": "itr/rec"}, {"records": [B]}], {"params": {"offset": "itr/rec"}}
    ),
    shape(
        "hubspot search",
        "/s",
        [{"total": 2, "results": [A], "paging": {"next": {"after": "1"}}}, {"total": 2, "results": [B]}],
        {"json": {"limit": 1, "after": "1"}},
        method="POST",
        json={"limit": 1},
    ),
    shape(
        "intercom",
        "/contacts",
        [
            {
                "type": "list",
                "data": [A],
                "total_count": 2,
                "pages": {
                    "type": "pages",
                    "page": 1,
                    "per_page": 1,
                    "total_pages": 2,
                    "next": {"page": 2, "starting_after": "s"},
                },
            },
            {
                "type": "list",
                "data": [B],
                "total_count": 2,
                "pages": {"type": "pages", "page": 2, "per_page": 1, "total_pages": 2},
            },
        ],
        {"params": {"starting_after": "s"}},
    ),
    shape(
        "reddit",
        "/r/x.json",
        [
            {"kind": "Listing", "data": {"after": "t3_x", "dist": 1, "children": [A], "before": None}},
            {"kind": "Listing", "data": {"after": None, "dist": 1, "children": [B], "before": None}},
        ],
        {"params": {"after": "t3_x"}},
    ),
    shape(
        "dynamodb",
        "/",
        [
            {"Items": [A], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": {"id": {"S": "a"}}},
            {"Items": [B], "Count": 1, "ScannedCount": 1},
        ],
        {"json": {"TableName": "T", "ExclusiveStartKey": {"id": {"S": "a"}}}},
        method="POST",
        json={"TableName": "T"},
    ),
    shape(
        "aws json",
        "/",
        [{"clusters": [A], "nextToken": "t"}, {"clusters": [B]}],
        {"json": {"maxResults": 1, "nextToken": "t"}},
        method="POST",
        json={"maxResults": 1},
    ),
    shape(
        "devops",
        "/p",
        [({"count": 1, "value": [A]}, {"x-ms-continuationtoken": "t"}), {"count": 1, "value": [B]}],
        {"params": {"continuationToken": "t"}},
    ),
    shape(
        "cosmos",
        "/docs",
        [
            ({"_rid": "r", "Documents": [A], "_count": 1}, {"x-ms-continuation": '{"t":1}'}),
            {"_rid": "r", "Documents": [B], "_count": 1},
        ],
        {"headers": {"x-ms-continuation": '{"t":1}'}},
    ),
    shape(
        "heroku",
        "/apps",
        [([A], {"Next-Range": "]a..; max=1", "Content-Range": "id a..a"}), ([B], {"Content-Range": "id b..b"})],
        {"headers": {"Range": "]a..; max=1"}},
    ),
    shape(
        "solr cursor",
        "/select?cursorMark=*&sort=id+asc",
        [
            {"response": {"numFound": 2, "start": 0, "docs": [A]}, "nextCursorMark": "x"},
            {"response": {"numFound": 2, "start": 0, "docs": [B]}, "nextCursorMark": "y"},
        ],
        {"params": {"cursorMark": "x", "sort": "id asc"}},
        extra=1,
        empty={"response": {"numFound": 2, "start": 0, "docs": []}, "nextCursorMark": "y"},
    ),
    shape(
        "crossref",
        "/works?cursor=*",
        [
            {"status": "ok", "message": {"total-results": 2, "items": [A], "next-cursor": "x", "items-per-page": 1}},
            {"status": "ok", "message": {"total-results": 2, "items": [B], "next-cursor": "y", "items-per-page": 1}},
        ],
        {"params": {"cursor": "x"}},
        extra=1,
        empty={"status": "ok", "message": {"total-results": 2, "items": [], "next-cursor": "y"}},
    ),
    shape(
        "openalex",
        "/works?cursor=*",
        [
            {"meta": {"count": 2, "per_page": 1, "next_cursor": "x"}, "results": [A], "group_by": []},
            {"meta": {"count": 2, "per_page": 1, "next_cursor": "y"}, "results": [B], "group_by": []},
        ],
        {"params": {"cursor": "x"}},
        extra=1,
        empty={"meta": {"count": 2, "per_page": 1, "next_cursor": None}, "results": [], "group_by": []},
    ),
    shape(
        "square",
        "/v2/search",
        [{"customers": [A], "cursor": "x"}, {"customers": [B]}],
        {"json": {"limit": 1, "cursor": "x"}},
        method="POST",
        json={"limit": 1},
    ),
    shape(
        "dropbox",
        "/2/files/list_folder",
        [{"entries": [A], "cursor": "x", "has_more": True}, {"entries": [B], "cursor": "y", "has_more": False}],
        {"url": "/2/files/list_folder/continue", "json": {"cursor": "x"}},
        method="POST",
        json={"path": ""},
    ),
    shape(
        "dropbox search",
        "/2/files/search_v2",
        [{"matches": [A], "cursor": "x", "has_more": True}, {"matches": [B], "has_more": False}],
        {"url": "/2/files/search/continue_v2", "json": {"cursor": "x"}},
        method="POST",
        json={"query": "q"},
    ),
    shape(
        "kubernetes",
        "/pods?limit=1",
        [
            {
                "kind": "PodList",
                "metadata": {"resourceVersion": "9", "continue": "t", "remainingItemCount": 1},
                "items": [A],
            },
            {"kind": "PodList", "metadata": {"resourceVersion": "9"}, "items": [B]},
        ],
        {"params": {"limit": "1", "continue": "t"}},
    ),
    shape(
        "firestore",
        "/documents",
        [{"documents": [A], "nextPageToken": "t"}, {"documents": [B]}],
        {"params": {"pageToken": "t"}},
    ),
    shape(
        "twitch",
        "/streams?first=1",
        [{"data": [A], "pagination": {"cursor": "x"}}, {"data": [B], "pagination": {}}],
        {"params": {"first": "1", "after": "x"}},
    ),
    shape(
        "bluesky",
        "/xrpc/f?limit=1",
        [{"feed": [A], "cursor": "x"}, {"feed": [B]}],
        {"params": {"limit": "1", "cursor": "x"}},
    ),
    shape(
        "tiktok",
        "/v2/video/list/",
        [
            {"data": {"videos": [A], "cursor": 1643, "has_more": True}, "error": {"code": "ok", "message": ""}},
            {"data": {"videos": [B], "cursor": 1642, "has_more": False}, "error": {"code": "ok", "message": ""}},
        ],
        {"json": {"max_count": 1, "cursor": 1643}},
        method="POST",
        json={"max_count": 1},
    ),
    shape(
        "pinterest",
        "/pins",
        [{"items": [A], "bookmark": "b"}, {"items": [B], "bookmark": None}],
        {"params": {"bookmark": "b"}},
    ),
    shape(
        "gocardless",
        "/p",
        [
            {"payments": [A], "meta": {"cursors": {"before": None, "after": "a"}, "limit": 1}},
            {"payments": [B], "meta": {"cursors": {"before": "a", "after": None}, "limit": 1}},
        ],
        {"params": {"after": "a"}},
    ),
    shape(
        "nexus",
        "/components",
        [{"items": [A], "continuationToken": "t"}, {"items": [B], "continuationToken": None}],
        {"params": {"continuationToken": "t"}},
    ),
    shape(
        "eventbrite",
        "/e",
        [
            {
                "pagination": {
                    "object_count": 2,
                    "continuation": "c",
                    "page_count": 2,
                    "page_size": 1,
                    "has_more_items": True,
                    "page_number": 1,
                },
                "events": [A],
            },
            {
                "pagination": {
                    "object_count": 2,
                    "page_count": 2,
                    "page_size": 1,
                    "has_more_items": False,
                    "page_number": 2,
                },
                "events": [B],
            },
        ],
        {"params": {"continuation": "c"}},
    ),
    shape(
        "box marker",
        "/f?usemarker=true",
        [{"entries": [A], "limit": 1, "next_marker": "m"}, {"entries": [B], "limit": 1, "next_marker": ""}],
        {"params": {"usemarker": "true", "marker": "m"}},
    ),
    shape(
        "pipedrive",
        "/deals",
        [
            {
                "success": True,
                "data": [A],
                "additional_data": {
                    "pagination": {"start": 0, "limit": 1, "more_items_in_collection": True, "next_start": 1}
                },
            },
            {
                "success": True,
                "data": [B],
                "additional_data": {"pagination": {"start": 1, "limit": 1, "more_items_in_collection": False}},
            },
        ],
        {"params": {"start": "1"}},
    ),
    shape(
        "mediawiki",
        "/api.php?action=query&list=allpages",
        [
            {"batchcomplete": "", "continue": {"apcontinue": "B", "continue": "-||"}, "query": {"allpages": [A]}},
            {"batchcomplete": "", "query": {"allpages": [B]}},
        ],
        {"params": {"action": "query", "list": "allpages", "apcontinue": "B", "continue": "-||"}},
    ),
    shape(
        "harvest",
        "/te?per_page=1",
        [
            {
                "time_entries": [A],
                "per_page": 1,
                "total_pages": 2,
                "total_entries": 2,
                "next_page": 2,
                "previous_page": None,
                "page": 1,
            },
            {
                "time_entries": [B],
                "per_page": 1,
                "total_pages": 2,
                "total_entries": 2,
                "next_page": None,
                "previous_page": 1,
                "page": 2,
            },
        ],
        {"params": {"per_page": "1", "page": "2"}},
    ),
    shape(
        "bigquery",
        "/queries/j",
        [
            {
                "jobComplete": True,
                "schema": {"fields": [{"name": "id", "type": "STRING"}]},
                "rows": [{"f": [{"v": "a"}]}],
                "totalRows": "2",
                "pageToken": "t",
            },
            {
                "jobComplete": True,
                "schema": {"fields": [{"name": "id", "type": "STRING"}]},
                "rows": [{"f": [{"v": "b"}]}],
                "totalRows": "2",
            },
        ],
        {"params": {"pageToken": "t"}},
        records=[{"f": [{"v": "a"}]}, {"f": [{"v": "b"}]}],
    ),
    shape(
        "search after",
        "/i/_search",
        [
            {
                "took": 1,
                "timed_out": False,
                "pit_id": "p2",
                "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("a", 1, 7)]},
            },
            {
                "took": 1,
                "timed_out": False,
                "pit_id": "p3",
                "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("b", 2, 8)]},
            },
        ],
        {"json": {"size": 1, "sort": [{"t": "asc"}], "pit": {"id": "p2", "keep_alive": "1m"}, "search_after": [1, 7]}},
        method="POST",
        json={"size": 1, "sort": [{"t": "asc"}], "pit": {"id": "p1", "keep_alive": "1m"}},
        records=[hit("a", 1, 7), hit("b", 2, 8)],
        extra=1,
        empty={"took": 1, "hits": {"total": {"value": 2, "relation": "eq"}, "hits": []}},
    ),
    shape(
        "scroll",
        "/i/_search?scroll=5m",
        [
            {"_scroll_id": "s1", "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("a")]}},
            {"_scroll_id": "s2", "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("b")]}},
        ],
        {"url": "/_search/scroll", "method": "POST", "json": {"scroll": "5m", "scroll_id": "s1"}},
        method="POST",
        json={"size": 1},
        records=[hit("a"), hit("b")],
        extra=1,
        empty={"_scroll_id": "s2", "hits": {"total": {"value": 2, "relation": "eq"}, "hits": []}},
    ),
    shape(
        "graphql",
        "/graphql",
        [repositories(A, True, "x"), repositories(B, False, "y")],
        {"json": {"query": QUERY, "variables": {"after": "x"}}},
        method="POST",
        json={"query": QUERY},
    ),
    shape(
        "datadog",
        "/e",
        [{"data": [A], "meta": {"page": {"after": "x"}}}, {"data": [B], "meta": {"page": {}}}],
        {"params": {"page[cursor]": "x"}},
    ),
    shape(
        "segment",
        "/s",
        [
            {"data": {"sources": [A], "pagination": {"current": "w", "next": "x", "totalEntries": 2}}},
            {"data": {"sources": [B], "pagination": {"current": "x", "totalEntries": 2}}},
        ],
        {"params": {"cursor": "x"}},
    ),
]

NUMBERS = [
    shape(
        "gitlab",
        "/p?per_page=1",
        [
            ([A], {"X-Next-Page": "2", "X-Page": "1", "X-Per-Page": "1", "X-Total": "2", "X-Total-Pages": "2"}),
            ([B], {"X-Next-Page": "", "X-Page": "2", "X-Per-Page": "1", "X-Total": "2", "X-Total-Pages": "2"}),
        ],
        {"params": {"per_page": "1", "page": "2"}},
    ),
    shape(
        "wordpress",
        "/wp?per_page=1",
        [([A], {"X-WP-Total": "2", "X-WP-TotalPages": "2"}), ([B], {"X-WP-Total": "2", "X-WP-TotalPages": "2"})],
        {"params": {"per_page": "1", "page": "2"}},
    ),
    shape(
        "odata 4",
        "/E?$top=1&$count=true",
        [{"@odata.count": 2, "value": [A]}, {"@odata.count": 2, "value": [B]}],
        {"params": {"$top": "1", "$count": "true", "$skip": "1"}},
    ),
    shape(
        "jira",
        "/search",
        [
            {"startAt": 0, "maxResults": 1, "total": 2, "issues": [A]},
            {"startAt": 1, "maxResults": 1, "total": 2, "issues": [B]},
        ],
        {"params": {"startAt": "1"}},
    ),
    shape(
        "mailchimp",
        "/lists?count=1",
        [
            {"lists": [A], "total_items": 2, "_links": [{"rel": "self", "href": "x"}]},
            {"lists": [B], "total_items": 2, "_links": [{"rel": "self", "href": "x"}]},
        ],
        {"params": {"count": "1", "offset": "1"}},
    ),
    shape(
        "spring",
        "/s",
        [
            {
                "content": [A],
                "pageable": {"pageNumber": 0, "pageSize": 1, "offset": 0},
                "last": False,
                "totalPages": 2,
                "totalElements": 2,
                "size": 1,
                "number": 0,
                "first": True,
            },
            {
                "content": [B],
                "pageable": {"pageNumber": 1, "pageSize": 1, "offset": 1},
                "last": True,
                "totalPages": 2,
                "totalElements": 2,
                "size": 1,
                "number": 1,
                "first": False,
            },
        ],
        {"params": {"page": "1"}},
    ),
    shape(
        "scim",
        "/Users?count=1",
        [
            {"totalResults": 2, "itemsPerPage": 1, "startIndex": 1, "Resources": [A], "schemas": ["x"]},
            {"totalResults": 2, "itemsPerPage": 1, "startIndex": 2, "Resources": [B], "schemas": ["x"]},
        ],
        {"params": {"count": "1", "startIndex": "2"}},
    ),
    shape(
        "plaid",
        "/transactions/get",
        [
            {"accounts": [C], "transactions": [A], "total_transactions": 2, "request_id": "r"},
            {"accounts": [C], "transactions": [B], "total_transactions": 2, "request_id": "s"},
        ],
        {"json": {"start_date": "2024-01-01", "options": {"count": 1, "offset": 1}}},
        method="POST",
        json={"start_date": "2024-01-01", "options": {"count": 1, "offset": 0}},
    ),
    shape(
        "elasticsearch",
        "/i/_search",
        [
            {"timed_out": False, "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("a")]}},
            {"timed_out": False, "hits": {"total": {"value": 2, "relation": "eq"}, "hits": [hit("b")]}},
        ],
        {"json": {"size": 1, "from": 1}},
        method="POST",
        json={"size": 1},
        records=[hit("a"), hit("b")],
    ),
    shape(
        "ga4",
        "/r:runReport",
        [
            {
                "dimensionHeaders": [{"name": "c"}],
                "metricHeaders": [{"name": "n", "type": "TYPE_INTEGER"}],
                "rows": [{"dimensionValues": [{"value": "a"}], "metricValues": [{"value": "1"}]}],
                "rowCount": 2,
            },
            {
                "dimensionHeaders": [{"name": "c"}],
                "metricHeaders": [{"name": "n", "type": "TYPE_INTEGER"}],
                "rows": [{"dimensionValues": [{"value": "b"}], "metricValues": [{"value": "2"}]}],
                "rowCount": 2,
            },
        ],
        {"json": {"limit": 1, "offset": 1}},
        method="POST",
        json={"limit": 1},
        records=[
            {"dimensionValues": [{"value": "a"}], "metricValues": [{"value": "1"}]},
            {"dimensionValues": [{"value": "b"}], "metricValues": [{"value": "2"}]},
        ],
    ),
    shape(
        "solr",
        "/select?rows=1",
        [
            {"responseHeader": {"status": 0}, "response": {"numFound": 2, "start": 0, "docs": [A]}},
            {"responseHeader": {"status": 0}, "response": {"numFound": 2, "start": 1, "docs": [B]}},
        ],
        {"params": {"rows": "1", "start": "1"}},
    ),
    shape(
        "pubmed",
        "/esearch.fcgi?retmode=json&retmax=1",
        [
            {
                "header": {"type": "esearch"},
                "esearchresult": {"count": "2", "retmax": "1", "retstart": "0", "idlist": ["a"], "translationset": []},
            },
            {
                "header": {"type": "esearch"},
                "esearchresult": {"count": "2", "retmax": "1", "retstart": "1", "idlist": ["b"], "translationset": []},
            },
        ],
        {"params": {"retmode": "json", "retmax": "1", "retstart": "1"}},
        records=["a", "b"],
    ),
    shape(
        "gbif",
        "/occ?limit=1",
        [
            {"offset": 0, "limit": 1, "endOfRecords": False, "results": [A], "facets": []},
            {"offset": 1, "limit": 1, "endOfRecords": True, "results": [B], "facets": []},
        ],
        {"params": {"limit": "1", "offset": "1"}},
    ),
    shape(
        "world bank",
        "/c?format=json&per_page=1",
        [
            [{"page": 1, "pages": 2, "per_page": "1", "total": 2}, [A]],
            [{"page": 2, "pages": 2, "per_page": "1", "total": 2}, [B]],
        ],
        {"params": {"format": "json", "per_page": "1", "page": "2"}},
    ),
    shape(
        "stackexchange",
        "/q?page=1&pagesize=1",
        [
            {"items": [A], "has_more": True, "quota_max": 300, "quota_remaining": 299},
            {"items": [B], "has_more": False, "quota_max": 300, "quota_remaining": 298},
        ],
        {"params": {"page": "2", "pagesize": "1"}},
    ),
    shape(
        "cloudflare",
        "/zones",
        [
            {
                "success": True,
                "errors": [],
                "messages": [],
                "result": [A],
                "result_info": {"page": 1, "per_page": 1, "total_pages": 2, "count": 1, "total_count": 2},
            },
            {
                "success": True,
                "errors": [],
                "messages": [],
                "result": [B],
                "result_info": {"page": 2, "per_page": 1, "total_pages": 2, "count": 1, "total_count": 2},
            },
        ],
        {"params": {"page": "2"}},
    ),
    shape(
        "pagerduty",
        "/inc?limit=1",
        [
            {"incidents": [A], "limit": 1, "offset": 0, "total": None, "more": True},
            {"incidents": [B], "limit": 1, "offset": 1, "total": None, "more": False},
        ],
        {"params": {"limit": "1", "offset": "1"}},
    ),
    shape(
        "contentful",
        "/entries",
        [
            {"sys": {"type": "Array"}, "total": 2, "skip": 0, "limit": 1, "items": [A], "includes": {"Asset": [C]}},
            {"sys": {"type": "Array"}, "total": 2, "skip": 1, "limit": 1, "items": [B], "includes": {"Asset": [C]}},
        ],
        {"params": {"skip": "1"}},
    ),
    shape(
        "algolia",
        "/query",
        [
            {"hits": [A], "nbHits": 2, "page": 0, "nbPages": 2, "hitsPerPage": 1},
            {"hits": [B], "nbHits": 2, "page": 1, "nbPages": 2, "hitsPerPage": 1},
        ],
        {"json": {"query": "", "hitsPerPage": 1, "page": 1}},
        method="POST",
        json={"query": "", "hitsPerPage": 1},
    ),
    shape(
        "meilisearch",
        "/search",
        [
            {"hits": [A], "query": "", "limit": 1, "offset": 0, "estimatedTotalHits": 2},
            {"hits": [B], "query": "", "limit": 1, "offset": 1, "estimatedTotalHits": 2},
        ],
        {"json": {"q": "", "limit": 1, "offset": 1}},
        method="POST",
        json={"q": "", "limit": 1},
        extra=1,
        empty={"hits": [], "query": "", "limit": 1, "offset": 2, "estimatedTotalHits": 2},
    ),
    shape(
        "typesense",
        "/documents/search?q=*",
        [
            {"found": 2, "out_of": 2, "page": 1, "hits": [A], "request_params": {"per_page": 1}},
            {"found": 2, "out_of": 2, "page": 2, "hits": [B], "request_params": {"per_page": 1}},
        ],
        {"params": {"q": "*", "page": "2"}},
    ),
    shape(
        "arcgis",
        "/query?where=1%3D1",
        [
            {
                "objectIdFieldName": "OBJECTID",
                "fields": [{"name": "id"}],
                "exceededTransferLimit": True,
                "features": [A],
            },
            {"objectIdFieldName": "OBJECTID", "fields": [{"name": "id"}], "features": [B]},
        ],
        {"params": {"where": "1=1", "resultOffset": "1"}},
        complete=True,
        extra=1,
        empty={"objectIdFieldName": "OBJECTID", "fields": [], "features": []},
    ),
    shape(
        "tmdb",
        "/movie/popular",
        [
            {"page": 1, "results": [A], "total_pages": 2, "total_results": 2},
            {"page": 2, "results": [B], "total_pages": 2, "total_results": 2},
        ],
        {"params": {"page": "2"}},
    ),
    shape(
        "linkedin",
        "/orgs",
        [
            {"elements": [A], "paging": {"start": 0, "count": 1, "total": 2, "links": []}},
            {"elements": [B], "paging": {"start": 1, "count": 1, "total": 2, "links": []}},
        ],
        {"params": {"start": "1"}},
    ),
    shape(
        "etsy",
        "/shops?limit=1",
        [{"count": 2, "results": [A]}, {"count": 2, "results": [B]}],
        {"params": {"limit": "1", "offset": "1"}},
    ),
    shape(
        "woocommerce",
        "/products?page=1&per_page=1",
        [([A], {"X-WP-Total": "2", "X-WP-TotalPages": "2"}), ([B], {"X-WP-Total": "2", "X-WP-TotalPages": "2"})],
        {"params": {"page": "2", "per_page": "1"}},
    ),
    shape(
        "magento",
        "/products?searchCriteria[pageSize]=1",
        [
            {"items": [A], "search_criteria": {"page_size": 1}, "total_count": 2},
            {"items": [B], "search_criteria": {"page_size": 1}, "total_count": 2},
        ],
        {"params": {"searchCriteria[pageSize]": "1", "searchCriteria[currentPage]": "2"}},
    ),
    shape(
        "quickbooks",
        "/query?query=x",
        [
            {"QueryResponse": {"Customer": [A], "startPosition": 1, "maxResults": 1, "totalCount": 2}, "time": "t"},
            {"QueryResponse": {"Customer": [B], "startPosition": 2, "maxResults": 1, "totalCount": 2}, "time": "t"},
        ],
        {"params": {"query": "x", "startPosition": "2"}},
    ),
    shape(
        "inaturalist",
        "/obs?per_page=1",
        [
            {"total_results": 2, "page": 1, "per_page": 1, "results": [A]},
            {"total_results": 2, "page": 2, "per_page": 1, "results": [B]},
        ],
        {"params": {"per_page": "1", "page": "2"}},
    ),
    shape(
        "nyt",
        "/articlesearch.json?q=x&page=0",
        [
            {"status": "OK", "copyright": "c", "response": {"docs": [A], "meta": {"hits": 2, "offset": 0, "time": 5}}},
            {"status": "OK", "copyright": "c", "response": {"docs": [B], "meta": {"hits": 2, "offset": 1, "time": 5}}},
        ],
        {"params": {"q": "x", "page": "1"}},
    ),
    shape(
        "omdb",
        "/?s=x&page=1",
        [
            {"Search": [A], "totalResults": "2", "Response": "True"},
            {"Search": [B], "totalResults": "2", "Response": "True"},
        ],
        {"params": {"s": "x", "page": "2"}},
    ),
    shape(
        "zoho",
        "/Leads?page=1",
        [
            {"data": [A], "info": {"per_page": 1, "count": 1, "page": 1, "more_records": True}},
            {"data": [B], "info": {"per_page": 1, "count": 1, "page": 2, "more_records": False}},
        ],
        {"params": {"page": "2"}},
    ),
    shape(
        "clickup",
        "/task?page=0",
        [{"tasks": [A], "last_page": False}, {"tasks": [B], "last_page": True}],
        {"params": {"page": "1"}},
    ),
    shape(
        "xero",
        "/Invoices?page=1",
        [
            {
                "Id": "x",
                "Status": "OK",
                "pagination": {"page": 1, "pageSize": 1, "pageCount": 2, "itemCount": 2},
                "Invoices": [A],
            },
            {
                "Id": "y",
                "Status": "OK",
                "pagination": {"page": 2, "pageSize": 1, "pageCount": 2, "itemCount": 2},
                "Invoices": [B],
            },
        ],
        {"params": {"page": "2"}},
    ),
]

OTHER_FORMATS = [
    shape(
        "atom link",
        "/feed",
        [
            (
                FEED.format(
                    '<title>t</title><link rel="self" href="x"/><link rel="next" href="/feed?page=2"/><entry><id>a</id></entry>'
                ),
                ATOM,
            ),
            (FEED.format('<title>t</title><link rel="self" href="x"/><entry><id>b</id></entry>'), ATOM),
        ],
        {"url": "/feed?page=2"},
    ),
    shape(
        "atom of one link",
        "/feed",
        [
            (FEED.format('<link rel="next" href="/feed?page=2"/><entry><id>a</id></entry>'), ATOM),
            (FEED.format("<entry><id>b</id></entry>"), ATOM),
        ],
        {"url": "/feed?page=2"},
    ),
    shape(
        "arxiv",
        "/query?search_query=x&start=0&max_results=1",
        [
            (
                FEED.format(
                    "<opensearch:totalResults>2</opensearch:totalResults><opensearch:startIndex>0</opensearch:startIndex><opensearch:itemsPerPage>1</opensearch:itemsPerPage><entry><id>a</id></entry>"
                ),
                ATOM,
            ),
            (
                FEED.format(
                    "<opensearch:totalResults>2</opensearch:totalResults><opensearch:startIndex>1</opensearch:startIndex><opensearch:itemsPerPage>1</opensearch:itemsPerPage><entry><id>b</id></entry>"
                ),
                ATOM,
            ),
        ],
        {"params": {"search_query": "x", "start": "1", "max_results": "1"}},
    ),
    shape(
        "rss",
        "/rss",
        [
            (
                '<rss xmlns:atom="http://www.w3.org/2005/Atom"><channel><atom:link rel="next" href="/rss?p=2"/><item><id>a</id></item></channel></rss>',
                XML,
            ),
            ("<rss><channel><item><id>b</id></item></channel></rss>", XML),
        ],
        {"url": "/rss?p=2"},
    ),
    shape(
        "oai-pmh",
        "/oai?verb=ListRecords&metadataPrefix=oai_dc",
        [
            (
                '<OAI-PMH><responseDate>d</responseDate><ListRecords><record><id>a</id></record><record><id>b</id></record><resumptionToken completeListSize="3" cursor="0">t</resumptionToken></ListRecords></OAI-PMH>',
                XML,
            ),
            (
                '<OAI-PMH><responseDate>d</responseDate><ListRecords><record><id>c</id></record><resumptionToken completeListSize="3" cursor="2"/></ListRecords></OAI-PMH>',
                XML,
            ),
        ],
        {"url": "/oai?verb=ListRecords&resumptionToken=t"},
        records=[A, B, C],
    ),
    shape(
        "s3",
        "/bucket?list-type=2",
        [
            (
                "<ListBucketResult><Name>n</Name><IsTruncated>true</IsTruncated><Contents><id>a</id></Contents><Contents><id>b</id></Contents><NextContinuationToken>t=</NextContinuationToken></ListBucketResult>",
                XML,
            ),
            (
                "<ListBucketResult><Name>n</Name><IsTruncated>false</IsTruncated><Contents><id>c</id></Contents></ListBucketResult>",
                XML,
            ),
        ],
        {"params": {"list-type": "2", "continuation-token": "t="}},
        records=[A, B, C],
    ),
    shape(
        "azure blobs",
        "/c?comp=list",
        [
            (
                '<EnumerationResults ServiceEndpoint="x"><Blobs><Blob><id>a</id></Blob><Blob><id>b</id></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>',
                XML,
            ),
            (
                '<EnumerationResults ServiceEndpoint="x"><Blobs><Blob><id>c</id></Blob></Blobs><NextMarker/></EnumerationResults>',
                XML,
            ),
        ],
        {"params": {"comp": "list", "marker": "m"}},
        records=[A, B, C],
    ),
    shape(
        "wfs",
        "/wfs?count=2",
        [
            (
                '<FeatureCollection numberMatched="3" numberReturned="2" next="https://api.example/wfs?startIndex=2"><member><id>a</id></member><member><id>b</id></member></FeatureCollection>',
                XML,
            ),
            (
                '<FeatureCollection numberMatched="3" numberReturned="1"><member><id>c</id></member></FeatureCollection>',
                XML,
            ),
        ],
        {"url": "/wfs?startIndex=2"},
        records=[A, B, C],
    ),
    shape(
        "sru",
        "/sru?query=x",
        [
            (
                "<searchRetrieveResponse><numberOfRecords>3</numberOfRecords><records><record><id>a</id></record><record><id>b</id></record></records><nextRecordPosition>3</nextRecordPosition></searchRetrieveResponse>",
                XML,
            ),
            (
                "<searchRetrieveResponse><numberOfRecords>3</numberOfRecords><records><record><id>c</id></record></records></searchRetrieveResponse>",
                XML,
            ),
        ],
        {"params": {"query": "x", "startRecord": "3"}},
        records=[A, B, C],
    ),
    shape(
        "csv with links",
        "/export.csv",
        [("id\na\n", {**CSV, **link("/export.csv?page=2")}), ("id\nb\n", {**CSV, **link("/export.csv", "first")})],
        {"url": "/export.csv?page=2"},
    ),
    shape(
        "csv by offset",
        "/export.csv?limit=1&offset=0",
        [("id,n\na,1\n", CSV), ("id,n\nb,2\n", CSV)],
        {"params": {"limit": "1", "offset": "1"}},
        records=[{"id": "a", "n": "1"}, {"id": "b", "n": "2"}],
        extra=1,
        empty=("id,n\n", CSV),
    ),
    shape(
        "ndjson with links",
        "/events",
        [('{"id": "a"}\n', {**LINES, **link("/events?after=a")}), ('{"id": "b"}\n', LINES)],
        {"url": "/events?after=a"},
    ),
    shape(
        "ndjson by header",
        "/events",
        [('{"id": "a"}\n', {**LINES, "X-Next-Cursor": "x"}), ('{"id": "b"}\n', LINES)],
        {"params": {"cursor": "x"}},
    ),
]

ONE_PAGE = [
    shape("strava", "/activities", [[A, B]], None, complete=None),
    shape("sparql", "/sparql", [{"head": {"vars": ["id"]}, "results": {"bindings": [A, B]}}], None, complete=None),
    shape("has_more false", "/x", [{"data": [A, B], "has_more": False}], None),
    shape("total reached", "/x", [{"data": [A, B], "total": 2}], None),
    shape(
        "query still running",
        "/queries",
        [{"jobComplete": False, "rows": [], "schema": {}}],
        None,
        records=[],
        complete=False,
    ),
    shape(
        "shards failed",
        "/i/_search",
        [{"_shards": {"total": 5, "failed": 1}, "hits": {"total": {"value": 1, "relation": "eq"}, "hits": [hit("a")]}}],
        None,
        records=[hit("a")],
        complete=False,
    ),
    shape(
        "search given up",
        "/search/code",
        [{"total_count": 2, "incomplete_results": True, "items": [A, B]}],
        None,
        complete=False,
    ),
    shape(
        "graphql without a variable",
        "/graphql",
        [repositories(A, True, "x")],
        None,
        method="POST",
        json={"query": "{ viewer { repositories(first: 1) { nodes { id } pageInfo { endCursor hasNextPage } } } }"},
        records=[A],
        complete=False,
    ),
    shape(
        "graphql cut inside",
        "/graphql",
        [
            repositories(
                {"id": "a", "labels": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "l"}}}, False, "y"
            )
        ],
        None,
        method="POST",
        json={"query": QUERY},
        records=[{"id": "a", "labels": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "l"}}}],
        complete=False,
    ),
    shape(
        "monday",
        "/v2",
        [{"data": {"boards": [{"items_page": {"cursor": "x", "items": [A]}}]}}],
        None,
        method="POST",
        json={"query": "{ boards(ids: 1) { items_page { cursor items { id } } } }"},
        records=[{"items_page": {"cursor": "x", "items": [A]}}],
        complete=False,
    ),
    shape(
        "graphql beside errors",
        "/graphql",
        [{"data": {"users": [A, B]}, "errors": [{"message": "no right to email"}]}],
        None,
        method="POST",
        json={"query": "{ users { id } }"},
        complete=False,
    ),
]


def members(*records: Any, **more: Any) -> dict[str, Any]:
    return {"hydra:member": list(records), "hydra:totalItems": 2, **more}


UNSEEN = [
    shape("hydra", "/books", [members(A, **{"@id": "/books", "hydra:view": {"hydra:next": "/books?page=2"}}), members(B)], {"url": "/books?page=2"}),
    shape("sensorthings", "/Things", [{"@iot.count": 2, "@iot.nextLink": f"{ORIGIN}/Things?$skip=1", "value": [A]}, {"@iot.count": 2, "value": [B]}],
          {"url": "/Things?$skip=1"}),
    shape("activitypub", "/outbox?page=1", [{"id": f"{ORIGIN}/outbox?page=1", "next": f"{ORIGIN}/outbox?max_id=a", "orderedItems": [A]},
                                            {"id": f"{ORIGIN}/outbox?max_id=a", "orderedItems": [B]}], {"url": "/outbox?max_id=a"}),
    shape("offset from one", "/datasets?limit=1", [{"metadata": {"resultset": {"offset": 1, "count": 2, "limit": 1}}, "results": [A]},
                                                   {"metadata": {"resultset": {"offset": 2, "count": 2, "limit": 1}}, "results": [B]}],
          {"params": {"limit": "1", "offset": "2"}}),
    shape("google books", "/volumes?maxResults=1", [{"totalItems": 2, "items": [A]}, {"totalItems": 2, "items": [B]}],
          {"params": {"maxResults": "1", "startIndex": "1"}}),
    shape("eia", "/data?length=1", [{"response": {"total": "2", "data": [A]}}, {"response": {"total": "2", "data": [B]}}],
          {"params": {"length": "1", "offset": "1"}}),
    shape("strapi", "/articles?pagination[pageSize]=1", [{"data": [A], "meta": {"pagination": {"page": 1, "pageSize": 1, "pageCount": 2, "total": 2}}},
                                                         {"data": [B], "meta": {"pagination": {"page": 2, "pageSize": 1, "pageCount": 2, "total": 2}}}],
          {"params": {"pagination[pageSize]": "1", "pagination[page]": "2"}}),
    shape("sonarqube", "/issues?ps=1", [{"total": 2, "p": 1, "ps": 1, "paging": {"pageIndex": 1, "pageSize": 1, "total": 2}, "issues": [A]},
                                        {"total": 2, "p": 2, "ps": 1, "paging": {"pageIndex": 2, "pageSize": 1, "total": 2}, "issues": [B]}],
          {"params": {"ps": "1", "p": "2"}}),
    shape("couchdb", "/_all_docs?limit=1", [{"total_rows": 2, "offset": 0, "rows": [A]}, {"total_rows": 2, "offset": 1, "rows": [B]}],
          {"params": {"limit": "1", "skip": "1"}}),
    shape("next is the offset", "/search?limit=1", [{"total": 2, "offset": 0, "next": 1, "data": [A]}, {"total": 2, "offset": 1, "data": [B]}],
          {"params": {"limit": "1", "offset": "1"}}),
    shape("token", "/bulk", [{"total": 2, "token": "t", "data": [A]}, {"total": 2, "token": None, "data": [B]}], {"params": {"token": "t"}}),
    shape("next_token", "/sleep", [{"data": [A], "next_token": "t"}, {"data": [B], "next_token": None}], {"params": {"next_token": "t"}}),
    shape("auth0", "/organizations?take=1", [{"organizations": [A], "next": "t"}, {"organizations": [B]}], {"params": {"take": "1", "from": "t"}}),
    shape("azure devops", "/refs", [({"value": [A], "count": 1}, {"x-ms-continuationtoken": "t"}), {"value": [B], "count": 1}],
          {"params": {"continuationToken": "t"}}),
    shape("one scroll id", "/scholarly", [{"total": 3, "data": [A], "scroll_id": "s"}, {"total": 3, "data": [B], "scroll_id": "s"},
                                          {"total": 3, "data": [C], "scroll_id": "s"}, {"total": 3, "data": [], "scroll_id": "s"}],
          {"json": {"query": {}, "size": 1, "scroll_id": "s"}}, method="POST", json={"query": {}, "size": 1}, records=[A, B, C]),
    shape("results at an address of their own", "/statements", [{"id": "q", "nextUri": f"{ORIGIN}/statements/q/1", "data": [A]}, {"id": "q", "data": [B]}],
          {"url": "/statements/q/1", "method": "GET"}, method="POST", json={"statement": "select 1"}),
    shape("last page of mailgun", "/events", [{"items": [A], "paging": {"next": f"{ORIGIN}/events/1"}}, {"items": [], "paging": {"next": f"{ORIGIN}/events/1"}}],
          {"url": "/events/1"}, records=[A]),
    shape("next_starting_after", "/jobs?limit=1", [{"items": [A], "next_starting_after": "a"}, {"items": [B]}], {"params": {"limit": "1", "starting_after": "a"}}),
    shape("intercom scroll", "/companies/scroll", [{"type": "list", "data": [A], "scroll_param": "s"}, {"type": "list", "data": [B], "scroll_param": "s"},
                                                   {"type": "list", "data": [], "scroll_param": "s"}], {"params": {"scroll_param": "s"}}),
    shape("delta", "/delta", [{"value": [A], "@odata.deltaLink": f"{ORIGIN}/delta?token=d"}], None, records=[A]),
    shape("sync token", "/events", [{"kind": "events", "items": [A], "nextSyncToken": "s"}], None, records=[A]),
    shape("might have more", "/payloads", [{"payloads": [A], "cursor": 4, "mightHaveMore": False}], None, records=[A]),
    shape("closed, counted otherwise", "/query", [{"totalCount": 15, "nextPageKey": None, "result": [A]}], None, records=[A], complete=False),
    shape("a span of time", "/metrics?from=1700000000", [{"metrics": [A], "from": "1700000000"}], None, records=[A], complete=None),
    shape("a span of years", "/series?start=2010&end=2020", [{"series": [A]}], None, records=[A], complete=None),
    shape("totals by another name", "/hosts?start=0&count=9", [{"hosts": [A], "total_returned": 1, "total_matching": 1}], None, records=[A]),
    shape("the count of something else", "/usage", [{"data": {"email": [A], "email_total": {"count": 9}}}], None, records=[A], complete=None),
    shape("errors beside", "/labels", [{"labels": [A], "errors": [{"message": "one was refused"}]}], None, records=[A], complete=False),
    shape("a page in a record", "/shows/s1", [{"id": "s1", "name": "n", "episodes": {"items": [A], "next": f"{ORIGIN}/shows/s1/e"}}], None,
          records=[{"id": "s1", "name": "n", "episodes": {"items": [A], "next": f"{ORIGIN}/shows/s1/e"}}], complete=False),
    shape("a task that is not done", "/tasks/t1", [{"_id": "t1", "title": "t", "isDone": False, "comments": []}], None,
          records=[{"_id": "t1", "title": "t", "isDone": False, "comments": []}]),
    shape("words as names", "/emojis", [{"bookmark": f"{ORIGIN}/b.png", "after": f"{ORIGIN}/a.png"}], None,
          records=[{"bookmark": f"{ORIGIN}/b.png", "after": f"{ORIGIN}/a.png"}]),
]  # fmt: skip


def of_two(name: str, url: str, first: dict[str, Any], following: dict[str, Any], **more: Any) -> Shape:
    """Two pages of the records A and B under `data`; only the first says `first`."""
    return shape(name, url, [{"data": [A], **first}, {"data": [B], **more.pop("last", {})}], following, **more)


NEXT = {"params": {"limit": "1", "cursor": "t"}}
ODD = [
    # links
    of_two("the id of a node", "/c?page=1", {"next": {"@id": f"{ORIGIN}/c?page=2", "@type": "Page"}}, {"url": "/c?page=2"}),
    of_two("a node that is a page itself", "/d/1", {"id": f"{ORIGIN}/d/1", "type": "OrderedCollectionPage", "next": {"id": f"{ORIGIN}/d/2"}}, {"url": "/d/2"}),
    of_two("a template", "/events", {"_links": {"next": {"href": "/events?page=1{&sort}", "templated": True}}}, {"url": "/events?page=1"}),
    of_two("below the base", "/rest/orgs/o/projects?limit=1", {"links": {"next": "/orgs/o/projects?after=a"}}, {"url": "/rest/orgs/o/projects?after=a"}),
    of_two("a page of its own name", "/x", {"navigation": {"nextPage": {"uri": f"{ORIGIN}/x?page=2"}}}, {"url": "/x?page=2"}),
    shape("links of a list", "/servers", [{"servers": [A], "servers_links": [{"rel": "next", "href": f"{ORIGIN}/servers?marker=a"}]}, {"servers": [B]}], {"url": "/servers?marker=a"}),
    shape("attributes of links", "/s", [{"r": {"link": [{"@ref": "self", "@href": "/s"}, {"@ref": "next", "@href": "/s?start=1"}], "entry": [A]}},
                                        {"r": {"link": [{"@ref": "self", "@href": "/s"}], "entry": [B]}}], {"url": "/s?start=1"}),
    shape("rows that are not cut", "/t.json", [{"rows": [A], "truncated": False, "next_url": f"{ORIGIN}/t.json?_next=a"}, {"rows": [B], "truncated": False, "next_url": None}],
          {"url": "/t.json?_next=a"}),
    of_two("itself at the end", "/ckan?limit=1", {"total": 2, "_links": {"next": "/ckan?limit=1&offset=1"}}, {"url": "/ckan?limit=1&offset=1"},
           last={"total": 2, "_links": {"next": "/ckan?limit=1&offset=1"}}),
    # cursors
    of_two("alone", "/entities?selector=x&pageSize=1", {"nextPageKey": "k=", "pageSize": 1}, {"params": {"nextPageKey": "k="}}, last={"pageSize": 1}),
    of_two("under its own name", "/leads?limit=1", {"nextPageToken": "t", "moreResult": True}, {"params": {"limit": "1", "nextPageToken": "t"}}, last={"moreResult": False}),
    of_two("a text in the place of a number", "/repository", {"next_page": "gAAAA"}, {"params": {"next_page": "gAAAA"}}),
    of_two("in the spelling of the others", "/pipeline?org-slug=o", {"next_page_token": "t"}, {"params": {"org-slug": "o", "page-token": "t"}}),
    of_two("a list object inside", "/tickets?limit=1", {"object": "list", "meta": {"next_cursor": "t"}}, NEXT, last={"object": "list", "meta": {"next_cursor": None}}),
    of_two("a moment", "/deployments?limit=1", {"pagination": {"count": 1, "next": 1555072968396}}, {"params": {"limit": "1", "until": "1555072968396"}}, last={"pagination": {"count": 1, "next": None}}),
    of_two("the last row beside a flag", "/devices?page_size=1", {"has_more": True, "last_row_key": "k"}, {"params": {"page_size": "1", "last_row_key": "k"}}, last={"has_more": False, "last_row_key": "l"}),
    of_two("into the page of the body", "/query", {"meta": {"page": {"cursor": "t", "more": True}}}, {"json": {"page": {"size": 1, "after": "t"}}}, last={"meta": {"page": {"cursor": "u", "more": False}}},
           method="POST", json={"page": {"size": 1}}),
    of_two("the same cursor at the end", "/docs?rows=1", {"total": 2, "cursor": "t"}, {"params": {"rows": "1", "cursor": "t"}}, last={"total": 2, "cursor": "t"}),
    shape("a token in a header", "/jobs?per_page=1", [([A], {"X-Nomad-Nexttoken": "t"}), [B]], {"params": {"per_page": "1", "next_token": "t"}}),
    shape("a header to be sent back", "/granules.json", [({"feed": {"id": "f", "title": "t", "updated": "u", "entry": [A]}}, {"CMR-Search-After": '["a",1]', "CMR-Hits": "2"}),
                                                         {"feed": {"id": "f", "title": "t", "updated": "u", "entry": [B]}}], {"headers": {"CMR-Search-After": '["a",1]'}}),
    shape("partitions", "/api/v2/statements", [{"resultSetMetaData": {"numRows": 2, "rowType": [{"name": "N"}], "partitionInfo": [{"rowCount": 1}, {"rowCount": 1}]}, "statementHandle": "h", "data": [["a"]]},
                                               {"data": [["b"]]}], {"url": "/api/v2/statements/h?partition=1", "method": "GET"}, method="POST", json={"statement": "s"}, records=[{"N": "a"}, {"N": "b"}]),
    of_two("a key of its own name", "/nfts?pageSize=1", {"totalCount": 2, "pageKey": "k"}, {"params": {"pageSize": "1", "pageKey": "k"}}, last={"totalCount": 2, "pageKey": None}),
    of_two("an offset with a name", "/contacts?count=1", {"has-more": True, "vid-offset": 204727}, {"params": {"count": "1", "vidOffset": "204727"}}, last={"has-more": False, "vid-offset": 0}),
    of_two("in a list of requests", "/customsearch?q=x", {"queries": {"nextPage": [{"count": 1, "startIndex": 2}]}}, {"params": {"q": "x", "start": "2"}}),
    of_two("of another host too", "/search?q=x", {"pagination": {"next": "https://www.example/search?start=1"}, "own_pagination": {"next": f"{ORIGIN}/search?q=x&start=1"}}, {"url": "/search?q=x&start=1"}),
    shape("new cursors behind the end", "/posts", [{"items": [A], "pageInfo": {"next": "c", "totalCount": 2}}, {"items": [B], "pageInfo": {"next": "d", "totalCount": 2}},
                                                   {"items": [], "pageInfo": {"next": "e", "totalCount": 2}}], {"params": {"cursor": "c"}}),
    of_two("several indexes", "/schedules?per_page=1", {"pagination": {"count": 2, "last_indexes": {"last_index": "230", "last_date": "2014-07-04"}}},
           {"params": {"per_page": "1", "last_index": "230", "last_date": "2014-07-04"}}, last={"pagination": {"count": 2, "last_indexes": None}}),
    # numbers
    of_two("a number beside the last row", "/awards", {"page_metadata": {"page": 1, "hasNext": True, "last_record_unique_id": 9}}, {"json": {"limit": 1, "page": 2}},
           last={"page_metadata": {"page": 2, "hasNext": False, "last_record_unique_id": None}}, method="POST", json={"limit": 1, "page": 1}),
    shape("the first page behind the last", "/search?page=1&per_page=1", [[A], [B], [A]], {"params": {"page": "2", "per_page": "1"}}, complete=None),
    of_two("start from one", "/listings?start=1&limit=1", {"total": 2}, {"params": {"start": "2", "limit": "1"}}, last={"total": 2}),
    of_two("s and p", "/search?s=1&p=1", {"result": [{"total": "2", "start": "1", "pageLength": "1"}]}, {"params": {"s": "2", "p": "1"}}, last={"result": [{"total": "2", "start": "2", "pageLength": "1"}]}),
    of_two("index and size", "/numbers?index=1&size=1", {"count": 2}, {"params": {"index": "2", "size": "1"}}, last={"count": 2}),
    of_two("underlined", "/lead?_limit=1", {"has_more": True, "total_results": 2}, {"params": {"_limit": "1", "_skip": "1"}}, last={"has_more": False, "total_results": 2}),
    of_two("said in both ways", "/employees?limit=1", {"metadata": {"total_elements": 2, "current_page": 0, "total_pages": 2}, "offset": 0, "limit": 1}, {"params": {"limit": "1", "offset": "1"}},
           last={"metadata": {"total_elements": 2, "current_page": 1, "total_pages": 2}, "offset": 1, "limit": 1}),
    of_two("more than a number", "/locations?limit=1", {"meta": {"page": 1, "limit": 1, "found": ">1"}}, {"params": {"limit": "1", "page": "2"}}, last={"meta": {"page": 2, "limit": 1, "found": 2}}),
    # other forms
    shape("jsonp", "/rest?page=1", ['cb({"photos": {"page": 1, "pages": 2, "photo": [{"id": "a"}]}})', '/**/ typeof cb === "function" && cb({"photos": {"page": 2, "pages": 2, "photo": [{"id": "b"}]}});'],
          {"params": {"page": "2"}}),
    shape("a list for each", "/history", [[[A], [B]]], None, complete=None),
    shape("nothing but a wrapper", "/query", [{"success": True, "result": [{"success": True, "meta": {}, "results": [A, B]}]}], None, complete=None),
    shape("deep in a query", "/graphql", [{"data": {"a": {"b": {"c": {"d": {"nodes": [A], "nextCursor": "t"}}}}}}, {"data": {"a": {"b": {"c": {"d": {"nodes": [B], "nextCursor": None}}}}}}],
          {"json": {"query": "query($c: String) { a { b { c { d(cursor: $c) { nodes { id } nextCursor } } } } }", "variables": {"c": "t"}}}, method="POST",
          json={"query": "query($c: String) { a { b { c { d(cursor: $c) { nodes { id } nextCursor } } } } }"}),
    shape("no entries of a bundle", "/Patient", [{"resourceType": "Bundle", "type": "searchset", "total": 0, "link": [{"relation": "self", "url": "u"}]}], None, records=[]),
]  # fmt: skip

ALL = [*LINKS, *CURSORS, *NUMBERS, *OTHER_FORMATS, *ONE_PAGE, *UNSEEN, *ODD]
