"""The rows of the table, and the groups that measure them: each group runs in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A row: its short name (`--only`), what is measured, what it should be at most, its unit ("" for a ratio)."""

    key: str
    what: str
    limit: float
    unit: str = ""


@dataclass(frozen=True)
class Group:
    """What is measured together, by the function `name` of the module, and how many seconds that may take."""

    module: str
    name: str
    goals: tuple[Goal, ...]
    seconds: float = 150

    @property
    def is_for_a_browser(self) -> bool:
        return self.module in {"in_browser", "stranger"}


GROUPS = (
    Group("request_overhead", "request", (Goal("request", "GET with an OAuth2 secret ÷ httpx with a static header", 1.03),)),
    Group("concurrency", "many", (
        Goal("aget", "`await aget` ÷ httpx.AsyncClient", 0.40),
        Goal("gather", "`gather`, 1,000 small GETs, 16 at once ÷ httpx in threads", 0.45),
        Goal("gather-aiohttp", "the same ÷ aiohttp", 2.5),
    )),
    Group("concurrency", "slow", (Goal("gather-slow", "`gather`, a 50 ms API, 64 at once ÷ ideal", 1.15),)),
    Group("pages", "cursor", (Goal("pages-cursor", "300 cursor pages → frame ÷ httpx, json_normalize", 0.45),)),
    Group("pages", "numbered", (Goal("pages-numbered", "200 numbered pages, 20 ms ÷ one by one", 0.11),)),
    Group("frames", "nested", (
        Goal("nested", "30,000 nested records ÷ json_normalize", 0.33),
        Goal("nested-gaps", "the same, a field missing in every third", 0.33),
    )),
    Group("frames", "ndjson", (Goal("ndjson", "NDJSON, 1,000,000 rows → polars ÷ polars' own reader", 1.3),), 240),
    Group("frames", "sparse", (Goal("sparse", "sparse 20,000 × 2,000 ÷ json_normalize", 0.9),), 180),
    Group("frames", "display", (Goal("display", "10 MB of JSON on the screen ÷ json.loads", 0.2),)),
    Group("memory", "large", (
        Goal("large-time", "100 MB JSON → frame ÷ json, json_normalize: time", 0.45),
        Goal("large-memory", "the same: peak memory", 0.6),
    ), 180),
    Group("startup", "kernel", (
        Goal("load-ext", "`%load_ext` in a kernel", 15, "ms"),
        Goal("first-request", "first request in a fresh kernel ÷ `import httpx; httpx.get`", 1.2),
    )),
    Group("startup", "commands", (Goal("cli-list", "`jupyter flowlet list`", 0.4, "s"),)),
    Group("storm", "storm", (
        Goal("storm-refreshes", "storm, 256 workers: refreshes", 1),
        Goal("storm-failed", "the same: failed requests", 0),
        Goal("storm-p99", "the same: 99 of 100 requests, beyond the endpoint's 1 s", 1, "s"),
    ), 180),
    Group("startup", "server", (Goal("server-share", "server extension's share of `jupyter server` start", 50, "ms"),)),
    Group("startup", "vault", (
        Goal("vault-list", "vault of 500 secrets: list, read from disk", 100, "ms"),
        Goal("vault-list-warm", "the same again, from memory", 100, "ms"),
        Goal("vault-lookup", "one warm look-up", 20, "us"),
    )),
    Group("memory", "save", (Goal("save-memory", "memory of `--save`: 1 GB ÷ 100 MB", 1.1),)),
    Group("memory", "gathered", (
        Goal("gather-memory", "10,000 responses of `gather` kept as a frame ÷ the data (bodies and frame)", 1.2),
    ), 180),
    Group("in_browser", "form", (
        Goal("form-shown", "form shown", 300, "ms"),
        Goal("status-shown", "status after the callback", 200, "ms"),
    ), 300),
    Group("stranger", "path", (
        Goal("stranger", "a stranger: `git clone` to the first authenticated response, pip's cache warm", 180, "s"),
        Goal("stranger-moves", "the same: what is pressed or filled in for it", 20),
    ), 1200),
)  # fmt: skip


def chosen(names: list[str]) -> list[Group]:
    """The groups that measure these rows (or modules); all but the browser's where none are named."""
    if not names:
        return [group for group in GROUPS if not group.is_for_a_browser]
    known = {name for group in GROUPS for name in (group.module, *(goal.key for goal in group.goals))}
    if unknown := set(names) - known:
        raise SystemExit(f"No such row: {', '.join(sorted(unknown))}. There are: {', '.join(sorted(known))}")
    return [group for group in GROUPS if {group.module, *(goal.key for goal in group.goals)} & set(names)]
