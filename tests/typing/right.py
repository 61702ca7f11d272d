"""Uses that type checkers must accept."""

import asyncio

import flowlet_jupyter as flowlet

response: flowlet.Response = flowlet.get(
    "https://a.example", secret="x", params={"a": 1}, retry=2, cache="1h", timeout=3
)
flowlet.post("https://a.example", json={"a": 1}, headers={"X-A": "b"}, retry=1, retry_any=True, insecure=False)
flowlet.request("GET", "/me", secret="x", session=flowlet.Session("folder"))
flowlet.requests_auth("x", session=flowlet.Session("folder"))
value: flowlet.SecretValue = flowlet.secrets.of(flowlet.Session("folder"))["x"].token()
pages: flowlet.Pages = flowlet.paginate("/users", secret="x", style="cursor", max_pages=3, cache=True)
gathered: flowlet.Gathered = flowlet.gather(
    ["https://a.example"], secret=None, concurrency=2, progress=False, headers={"A": "b"}
)
flowlet.fetch_df("/users", secret="x", max_items=5, dates=True)
flowlet.download("https://a.example", "file", secret="x", retry=2)


async def main() -> flowlet.Response:
    return await flowlet.aget("https://a.example", secret="x", retry=1)


asyncio.run(main())
