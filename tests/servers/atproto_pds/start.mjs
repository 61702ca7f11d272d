// The reference PDS of atproto with one account, and a directory of DIDs beside it; prints its address and what a client
// must know to look up the account (JSON). The directory keeps operations and checks nothing.
import http from "node:http";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);

// a directory of DIDs: it keeps the last operation of each, and makes the document of it
const operations = new Map();
const directory = http.createServer((request, response) => {
  const did = decodeURIComponent(request.url.split("/")[1] ?? "");
  const answer = (status, body, type = "application/json") => { response.writeHead(status, { "content-type": type }); response.end(JSON.stringify(body)); };
  if (request.method === "POST") {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => { operations.set(did, JSON.parse(body)); answer(200, {}); });
    return;
  }
  const operation = operations.get(did);
  if (!operation) return answer(404, { message: "not registered" });
  if (request.url.endsWith("/data")) return answer(200, { did, ...operation });
  answer(200, {
    "@context": ["https://www.w3.org/ns/did/v1"],
    id: did,
    alsoKnownAs: operation.alsoKnownAs,
    verificationMethod: Object.entries(operation.verificationMethods).map(([id, key]) => ({ id: `${did}#${id}`, type: "Multikey", controller: did, publicKeyMultibase: key.slice(8) })),
    service: Object.entries(operation.services).map(([id, { type, endpoint }]) => ({ id: `#${id}`, type, serviceEndpoint: endpoint })),
  });
});
await new Promise((resolve) => directory.listen(0, "127.0.0.1", resolve));
const plc = `http://127.0.0.1:${directory.address().port}`;

const probe = http.createServer();
await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
const port = probe.address().port;
await new Promise((resolve) => probe.close(resolve));
const folder = mkdtempSync(join(tmpdir(), "pds-"));
const hex = () => randomBytes(32).toString("hex");
const { PDS, envToCfg, envToSecrets } = require("@atproto/pds");
const env = {
  port, hostname: "localhost", dataDirectory: folder, blobstoreDiskLocation: join(folder, "blobs"), didPlcUrl: plc,
  serviceHandleDomains: [".test"], devMode: true, inviteRequired: false, disableSsrfProtection: true,
  jwtSecret: hex(), adminPassword: hex(), dpopSecret: hex(), plcRotationKeyK256PrivateKeyHex: hex(), crawlers: [],
  bskyAppViewUrl: "http://127.0.0.1:1", bskyAppViewDid: "did:example:none",
};
const pds = await PDS.create(envToCfg(env), envToSecrets(env));
await pds.start();
const address = `http://localhost:${port}`;
const made = await fetch(`${address}/xrpc/com.atproto.server.createAccount`, {
  method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ handle: "ann.test", email: "ann@example.org", password: "any" }),
});
if (!made.ok) throw new Error(await made.text());
process.stdout.write(`${JSON.stringify({ address, environment: { FLOWLET_PLC_DIRECTORY: plc, FLOWLET_HANDLE_RESOLVER: address } })}\n`);
