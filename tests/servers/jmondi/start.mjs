// @jmondi/oauth2-server with one client and one user; prints its address. The package has no login of its own: the
// application that embeds it logs users in, so here the user is always "ann".
import http from "node:http";
import { randomBytes } from "node:crypto";
import { AuthorizationServer, DateInterval } from "@jmondi/oauth2-server";
import { handleVanillaError, requestFromVanilla, responseToVanilla } from "@jmondi/oauth2-server/vanilla";

const settings = JSON.parse(process.argv[2]);
const user = { id: "ann" };
const client = {
  id: settings.client_id,
  name: "flowlet",
  secret: settings.client_secret,
  redirectUris: [settings.redirect_uri],
  allowedGrants: ["authorization_code", "refresh_token"],
  scopes: [],
};
const random = () => randomBytes(24).toString("base64url");
const inAnHour = () => new DateInterval("1h").getEndDate();
const codes = new Map();
const tokens = [];
const isRevoked = (token) => tokens.includes(token) === false;
const tokenRepository = {
  issueToken: (owner, scopes, of) => ({ accessToken: random(), accessTokenExpiresAt: inAnHour(), client: owner, scopes, user: of }),
  issueRefreshToken: async (token) => Object.assign(token, { refreshToken: random(), refreshTokenExpiresAt: inAnHour() }),
  persist: async (token) => void tokens.push(token),
  revoke: async (token) => void (tokens.includes(token) && tokens.splice(tokens.indexOf(token), 1)),
  isRefreshTokenRevoked: async (token) => isRevoked(token),
  getByRefreshToken: async (value) => tokens.find((token) => token.refreshToken === value),
  getByAccessToken: async (value) => tokens.find((token) => token.accessToken === value),
};
const oauth = new AuthorizationServer(
  {
    getByIdentifier: async () => client,
    isClientValid: async (_grant, _client, secret) => secret === settings.client_secret,
  },
  tokenRepository,
  { getAllByIdentifiers: async () => [], finalize: async () => [] },
  "signing-key-of-the-tests-0123456789",
);
oauth.enableGrantTypes(
  {
    grant: "authorization_code",
    authCodeRepository: {
      getByIdentifier: async (code) => codes.get(code),
      issueAuthCode: (owner, of, scopes) => ({ code: random(), client: owner, user: of, scopes, expiresAt: inAnHour() }),
      persist: async (code) => void codes.set(code.code, code),
      isRevoked: async (code) => !codes.has(code),
      revoke: async (code) => void codes.delete(code),
    },
    userRepository: { getUserByCredentials: async () => user },
  },
  "refresh_token",
);
const routes = {
  "/authorize": async (request) => {
    const authorization = await oauth.validateAuthorizationRequest(request);
    authorization.user = user;
    authorization.isAuthorizationApproved = true;
    return oauth.completeAuthorizationRequest(authorization);
  },
  "/token": (request) => oauth.respondToAccessTokenRequest(request),
  "/revoke": (request) => oauth.revoke(request),
};
const server = http.createServer(async (incoming, outgoing) => {
  const url = new URL(incoming.url, "http://127.0.0.1");
  let body = "";
  for await (const chunk of incoming) body += chunk;
  let response;
  if (url.pathname === "/me") {
    const value = (incoming.headers.authorization ?? "").replace("Bearer ", "");
    // its access tokens are JWTs; `jti` is the token that the repository has
    const id = JSON.parse(Buffer.from(value.split(".")[1] ?? "", "base64url").toString() || "{}").jti;
    const isKnown = tokens.some((token) => token.accessToken === id);
    response = new Response(JSON.stringify(isKnown ? { name: user.id } : {}), { status: isKnown ? 200 : 401 });
  } else if (!routes[url.pathname]) {
    response = new Response("", { status: 404 });
  } else {
    const asked = new Request(url, { method: incoming.method, headers: incoming.headers, body: body || undefined });
    try {
      response = responseToVanilla(await routes[url.pathname](await requestFromVanilla(asked)));
    } catch (error) {
      response = handleVanillaError(error);
      response = response instanceof Response ? response : responseToVanilla(response);
    }
  }
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.text());
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
