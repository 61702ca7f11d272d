// An MCP server (the TypeScript SDK's router) that is its own authorization server; prints its address. The SDK leaves
// the login to who embeds it: here every authorization request is ann's, and allowed.
import { randomUUID } from "node:crypto";
import express from "express";
import { InvalidGrantError, InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from "@modelcontextprotocol/sdk/server/auth/router.js";

const settings = JSON.parse(process.argv[2]);
const app = express();
const listening = app.listen(0, "127.0.0.1", () => {
  const base = new URL(`http://127.0.0.1:${listening.address().port}`);
  const api = new URL("/mcp", base);
  const [clients, codes, accessTokens, refreshTokens] = [new Map(), new Map(), new Map(), new Map()];
  clients.set(settings.client_id, { client_id: settings.client_id, client_secret: settings.client_secret, redirect_uris: [settings.redirect_uri], token_endpoint_auth_method: "client_secret_post" });
  const issue = (client, { scopes, resource }) => {
    const [access, refresh] = [randomUUID(), randomUUID()];
    accessTokens.set(access, { token: access, clientId: client.client_id, scopes, expiresAt: Math.floor(Date.now() / 1000) + 3600, resource });
    refreshTokens.set(refresh, { scopes, resource });
    return { access_token: access, refresh_token: refresh, token_type: "bearer", expires_in: 3600, scope: scopes.join(" ") };
  };
  const taken = (kept, key) => {
    const found = kept.get(key);
    if (!found) throw new InvalidGrantError("unknown");
    kept.delete(key);
    return found;
  };
  const provider = {
    clientsStore: { getClient: async (id) => clients.get(id), registerClient: async (client) => (clients.set(client.client_id, client), client) },
    async authorize(client, { redirectUri, state, codeChallenge, scopes = [], resource }, response) {
      const code = randomUUID();
      codes.set(code, { codeChallenge, scopes, resource });
      const to = new URL(redirectUri);
      to.searchParams.set("code", code);
      to.searchParams.set("state", state);
      response.redirect(to.href);
    },
    challengeForAuthorizationCode: async (client, code) => codes.get(code)?.codeChallenge,
    exchangeAuthorizationCode: async (client, code) => issue(client, taken(codes, code)),
    exchangeRefreshToken: async (client, token) => issue(client, taken(refreshTokens, token)),
    async verifyAccessToken(token) {
      const found = accessTokens.get(token);
      if (!found || found.resource?.href !== api.href) throw new InvalidTokenError("unknown, or for another resource");
      return found;
    },
    async revokeToken(client, { token }) { accessTokens.delete(token); refreshTokens.delete(token); },
  };
  app.use(mcpAuthRouter({ provider, issuerUrl: base, resourceServerUrl: api, scopesSupported: ["read"] }));
  app.get("/mcp", requireBearerAuth({ verifier: provider, requiredScopes: ["read"], resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(api) }), (request, response) => response.json({ name: "ann" }));
  process.stdout.write(`${base.origin}\n`);
});
