// better-auth with its OAuth provider, one client and the user ann; prints its issuer. The pages are the application's.
import http from "node:http";
import { randomBytes } from "node:crypto";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { oauthProvider } from "@better-auth/oauth-provider";

const settings = JSON.parse(process.argv[2]);
const server = http.createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const tables = ["user", "session", "account", "verification", "jwks", "oauthClient", "oauthRefreshToken", "oauthAccessToken", "oauthConsent", "oauthResource", "oauthClientResource", "oauthClientAssertion", "rateLimit"];
const auth = betterAuth({
  baseURL: address,
  secret: randomBytes(32).toString("hex"),
  database: memoryAdapter(Object.fromEntries(tables.map((table) => [table, []]))),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  rateLimit: { enabled: false },
  plugins: [jwt(), oauthProvider({ loginPage: "/login", consentPage: "/consent", allowDynamicClientRegistration: true, allowUnauthenticatedClientRegistration: true })],
});
const signedUp = await auth.api.signUpEmail({ body: { name: "ann", email: "ann@example.org", password: "password-of-ann" }, asResponse: true });
const cookiesOf = (response) => response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
const { client_id: clientId, client_secret: clientSecret } = await auth.api.createOAuthClient({
  headers: new Headers({ cookie: cookiesOf(signedUp) }),
  body: { client_name: "flowlet", application_type: "native", redirect_uris: [settings.redirect_uri], grant_types: ["authorization_code", "refresh_token"], scope: "openid profile email offline_access", token_endpoint_auth_method: "client_secret_basic" },
});
const handler = toNodeHandler(auth);
const form = (query, fields) => `<form method="post" action="?${query.replaceAll("&", "&amp;")}">${fields}<button>Go on</button></form>`;
const asForm = async (request) => {
  let body = "";
  for await (const part of request) body += part;
  return new URLSearchParams(body);
};
server.on("request", async (request, response) => {
  const url = new URL(request.url, address);
  const query = url.search.slice(1);
  const page = (text) => { response.setHeader("content-type", "text/html"); response.end(text); };
  const goOn = (to, cookies = []) => { if (cookies.length) response.setHeader("set-cookie", cookies); response.writeHead(302, { location: to }); response.end(); };
  if (url.pathname === "/login" && request.method === "GET") return page(form(query, '<input name="login">'));
  if (url.pathname === "/login") {
    await asForm(request);
    const signedIn = await auth.api.signInEmail({ body: { email: "ann@example.org", password: "password-of-ann" }, asResponse: true });
    return goOn(`/api/auth/oauth2/authorize?${query}`, signedIn.headers.getSetCookie());
  }
  if (url.pathname === "/consent" && request.method === "GET") return page(form(query, '<input name="accept" value="yes">'));
  if (url.pathname === "/consent") {
    await asForm(request);
    const given = await fetch(`${address}/api/auth/oauth2/consent`, { method: "POST", headers: { "content-type": "application/json", cookie: request.headers.cookie ?? "", origin: address }, body: JSON.stringify({ accept: true, oauth_query: query }) });
    const members = await given.json();
    return members.url ? goOn(members.url) : page(JSON.stringify(members));
  }
  const wellKnown = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/api\/auth)?$/.exec(url.pathname);
  if (wellKnown) request.url = `/api/auth/.well-known/${wellKnown[1]}`;
  return handler(request, response);
});
process.stdout.write(`${JSON.stringify({ address: `${address}/api/auth`, client_id: clientId, client_secret: clientSecret })}\n`);
