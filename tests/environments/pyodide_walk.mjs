// Pyodide in Node.js: runs pyodide_walk.py with this environment's pure packages, beside an API that needs no credentials.
// node pyodide_walk.mjs FOLDER_OF_THE_PACKAGE SITE_PACKAGES

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { loadPyodide } from "pyodide";

const api = createServer((request, response) => {
  const isLast = request.url.includes("page=2");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ path: request.url, items: [{ id: isLast ? 2 : 1, name: "wren" }, { id: 3, name: "owl" }] }));
});
await new Promise((resolve) => { api.listen(0, "127.0.0.1", resolve); });

const pyodide = await loadPyodide();
for (const [place, root] of [["/project", process.argv[2]], ["/packages", process.argv[3]]]) {
  pyodide.FS.mkdirTree(place);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root }, place);
}
pyodide.globals.set("api", `http://127.0.0.1:${api.address().port}`);
try {
  console.log(await pyodide.runPythonAsync(readFileSync(new URL("pyodide_walk.py", import.meta.url), "utf8")));
} catch (error) { // without the line of Pyodide's that node would show
  console.error(String(error));
  process.exitCode = 1;
} finally {
  api.close();
}
