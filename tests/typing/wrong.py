"""Uses that type checkers must refuse: each line that ends in `# wrong`."""

import flowlet_jupyter as flowlet

flowlet.get("https://a.example", sekret="x")  # wrong
flowlet.get("https://a.example", secret=1)  # wrong
flowlet.get(b"https://a.example")  # wrong
flowlet.post("https://a.example", retry="often")  # wrong
flowlet.aget("https://a.example", sekret="x")  # wrong
flowlet.aget("https://a.example", cache="1h")  # wrong
flowlet.request("GET", "https://a.example", secert="x")  # wrong
flowlet.paginate("https://a.example", style="guess")  # wrong
flowlet.paginate("https://a.example", sekret="x")  # wrong
flowlet.gather(["https://a.example"], errors="ignore")  # wrong
flowlet.gather(["https://a.example"], sekret="x")  # wrong
flowlet.fetch_df("https://a.example", max_page=1)  # wrong
flowlet.download("https://a.example", "file", sekret="x")  # wrong
flowlet.secrets["x"].token().upper()  # wrong
