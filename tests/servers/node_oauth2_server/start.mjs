// @node-oauth/oauth2-server with one client and one user; prints its address. The package has no login of its own: the
// application that embeds it logs users in, so here the user is always "ann".
import http from "node:http";
import OAuth2Server from "@node-oauth/oauth2-server";

const settings = JSON.parse(process.argv[2]);
const client = { id: settings.client_id, redirectUris: [settings.redirect_uri], grants: ["authorization_code", "refresh_token"] };
const user = { name: "ann" };
const codes = new Map();
const accessTokens = new Map();
const refreshTokens = new Map();
const oauth = new OAuth2Server({
  model: {
    // the secret is null where the package looks a client up only
    getClient: (id, secret) => id === client.id && (secret === null || secret === settings.client_secret) && client,
    saveAuthorizationCode: (code, _client, owner) => {
      codes.set(code.authorizationCode, { ...code, client, user: owner });
      return codes.get(code.authorizationCode);
    },
    getAuthorizationCode: (code) => codes.get(code),
    revokeAuthorizationCode: (code) => codes.delete(code.authorizationCode),
    saveToken: (token, _client, owner) => {
      const saved = { ...token, client, user: owner };
      accessTokens.set(token.accessToken, saved);
      refreshTokens.set(token.refreshToken, saved);
      return saved;
    },
    getAccessToken: (token) => accessTokens.get(token),
    getRefreshToken: (token) => refreshTokens.get(token),
    revokeToken: (token) => refreshTokens.delete(token.refreshToken),
  },
});
const routes = {
  "/authorize": (request, response) => oauth.authorize(request, response, { authenticateHandler: { handle: () => user } }),
  "/token": (request, response) => oauth.token(request, response),
  "/me": async (request, response) => {
    response.body = { name: (await oauth.authenticate(request, response)).user.name };
  },
};
const server = http.createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, "http://127.0.0.1");
  let text = "";
  for await (const chunk of incoming) text += chunk;
  const body = Object.fromEntries(new URLSearchParams(text));
  const request = new OAuth2Server.Request({
    headers: incoming.headers, method: incoming.method, query: Object.fromEntries(url.searchParams), body,
  });
  const response = new OAuth2Server.Response();
  if (!routes[url.pathname]) return outgoing.writeHead(404).end();
  try {
    await routes[url.pathname](request, response);
  } catch (error) {
    response.status ??= 500;
    if (response.status === 200) response.status = error.code ?? 500;
    response.body = { error: error.name, error_description: error.message };
  }
  outgoing.writeHead(response.status, { "Content-Type": "application/json", ...response.headers });
  outgoing.end(JSON.stringify(response.body));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
