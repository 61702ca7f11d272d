"""Four clicks in JupyterLab, from Add secret to a table of tweets; where pictures are made, they become the README's animation."""

from __future__ import annotations

import io
import os

import httpx
import pytest
from support import name_birdsong

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("FLOWLET_PICTURES")
SIZE = {"width": 960, "height": 640}
MOST_BYTES = 1_500_000


class Film:
    """What a person sees, in frames with their time; the pointer is drawn where it clicks."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, float, tuple[float, float] | None]] = []
        self.clicks = self.inputs = 0

    def shoot(self, page, seconds: float, at=None) -> None:
        if not PICTURES:
            return
        box = at.bounding_box() if at is not None else None
        point = (box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2) if box else None
        self.frames.append((page.screenshot(), seconds, point))

    def click(self, page, locator) -> None:
        self.clicks += 1
        locator.wait_for()
        self.shoot(page, 0.9, locator)
        locator.click()

    def fill(self, page, locator, text: str) -> None:
        self.inputs += 1
        for end in range(2, len(text) + 2, max(len(text) // 4, 2)):
            locator.fill(text[:end])
            self.shoot(page, 0.12)
        locator.fill(text)
        self.shoot(page, 0.5)

    def save(self, path: str) -> int:
        """Write it, and return its size in bytes."""
        from PIL import Image, ImageDraw

        pictures, milliseconds = [], []
        for content, seconds, point in self.frames:
            picture = Image.open(io.BytesIO(content)).convert("RGB")
            if point:
                x, y = point
                arrow = [
                    (x, y),
                    (x, y + 20),
                    (x + 5, y + 15),
                    (x + 9, y + 22),
                    (x + 12, y + 21),
                    (x + 9, y + 14),
                    (x + 15, y + 14),
                ]
                ImageDraw.Draw(picture).polygon(arrow, fill="black", outline="white", width=1)
            pictures.append(picture.quantize(128, dither=Image.Dither.NONE))
            milliseconds.append(round(seconds * 1000))
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0, optimize=True)
        return os.path.getsize(path)

    @property
    def seconds(self) -> float:
        return sum(seconds for _, seconds, _ in self.frames)


def test_four_clicks_and_three_inputs_in_jupyterlab_lead_to_the_first_200(
    jupyter_lab, open_lab, birdsong, tmp_path, monkeypatch
):
    name_birdsong(birdsong, tmp_path / "more", monkeypatch)
    server = jupyter_lab()
    redirect_uri = httpx.get(server.flowlet("api/redirect-uri"), headers=server.headers).json()["redirect_uri"]
    client_id, client_secret = birdsong.server.provider.register("test", redirect_uri)
    cells = ["%load_ext flowlet_jupyter\n%flowlet_secrets",
             "tweets = %flowlet_request /2/users/2244994945/tweets max_results==20 --secret birdsong\ntweets"]  # fmt: skip
    lab = open_lab(server, cells, name="birds.ipynb")
    page = lab.page
    page.set_viewport_size(SIZE)
    page.keyboard.press("Control+b")  # no file browser
    film = Film()
    lab.run(0)
    cell = lab.cell(0)
    cell.get_by_role("button", name="Add secret").wait_for()
    film.shoot(page, 1)
    film.click(page, cell.get_by_role("button", name="Add secret"))
    film.fill(page, cell.get_by_role("combobox"), "birds")
    page.keyboard.press("Enter")
    cell.get_by_label("Client ID").wait_for()
    film.shoot(page, 1)
    film.fill(page, cell.get_by_label("Client ID"), client_id)
    film.fill(page, cell.get_by_label("Client secret", exact=True), client_secret)
    cell.get_by_role("button", name="Save and request access token").scroll_into_view_if_needed()
    with page.context.expect_page() as opened:
        film.click(page, cell.get_by_role("button", name="Save and request access token"))
    provider = opened.value
    provider.set_viewport_size(SIZE)
    film.click(provider, provider.get_by_role("button", name="Log in and allow"))
    provider.get_by_text("You can close this tab").wait_for()
    film.shoot(provider, 1.6)
    provider.close()
    cell.get_by_text("Connected as ada").wait_for()
    cell.get_by_text("Connected as ada").scroll_into_view_if_needed()
    film.shoot(page, 1.8)
    film.clicks += 1  # into the cell, which Shift+Enter runs
    lab.cell(1).locator(".cm-content").scroll_into_view_if_needed()
    film.shoot(page, 1, lab.cell(1).locator(".cm-content"))
    lab.run(1)
    lab.output(1, "200 OK")
    lab.cell(1).get_by_role("grid").wait_for()
    to_the_end = "element => element.scrollIntoView({ block: 'end' })"
    lab.cell(1).locator(".fr-scroll").evaluate(to_the_end)
    page.wait_for_timeout(500)
    film.shoot(page, 2.5)
    chart = lab.cell(1).get_by_role("tab", name="Chart")
    film.shoot(page, 1, chart)
    chart.click()
    lab.cell(1).get_by_role("img").wait_for()
    lab.cell(1).locator(".flowlet-response").evaluate(to_the_end)
    page.wait_for_timeout(500)
    film.shoot(page, 4)
    assert film.clicks <= 4
    assert film.inputs <= 3
    if PICTURES:
        pytest.importorskip("PIL", reason="pip install pillow")
        assert film.save(f"{PICTURES}/first-request.gif") <= MOST_BYTES
        assert 12 <= film.seconds <= 25
        print(f"{film.seconds:.1f} s in {len(film.frames)} frames")
