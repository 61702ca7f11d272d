// oidc-provider as the tests' authorization server: rotation with reuse detection, no grace, short-lived tokens.
// Configuration comes as JSON in argv; prints its issuer on the first line, then one JSON line per issued token.
import http from "node:http";
import Provider, { errors } from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const server = http.createServer();
server.listen(settings.port ?? 0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: settings.clients.map((client) => ({
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      ...client,
    })),
    cookies: { keys: ["test"] },
    // what stands at the public addresses of client metadata documents, which this machine has not
    fetch: (url, options) => {
      const document = settings.documents?.[String(url)];
      return document ? new Response(JSON.stringify(document), { headers: { "content-type": "application/json" } }) : globalThis.fetch(url, options);
    },
    acrValues: ["urn:example:mfa"],
    ttl: {
      AccessToken: settings.access_token_lifetime ?? 3600,
      RefreshToken: 86400,
      AuthorizationCode: 60,
      Grant: 86400,
      Session: 86400,
      Interaction: 3600,
      IdToken: 3600,
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    features: {
      devInteractions: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: settings.dpop_nonce ? Buffer.alloc(32, 1) : undefined, requireNonce: () => Boolean(settings.dpop_nonce) },
      registration: { enabled: true },
      clientIdMetadataDocument: { enabled: Boolean(settings.documents), ack: "draft-02" },
      ...(settings.authorization_details && {
        richAuthorizationRequests: {
          enabled: true,
          types: { [settings.authorization_details]: { validate: () => {} } },
          authorizationDetailsForGrantSource: (context) => context.oidc.requestParamAuthorizationDetails ?? JSON.parse(context.oidc.params.authorization_details ?? "[]"),
          authorizationDetailsForAccessToken: (context, token, source) => source?.rar,
          authorizationDetailsForIntrospection: (context, token) => token.rar,
        },
      }),
      userinfo: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, resource) => {
          if (resource === settings.unknown_resource) throw new errors.InvalidTarget();
          return { scope: "read write", accessTokenFormat: "opaque" };
        },
      },
    },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
    scopes: ["openid", "offline_access", "profile", "read", "write"],
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
    claims: { openid: ["sub", "preferred_username"] },
    conformIdTokenClaims: false,
  });
  const log = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
  // every value that is issued, for the search for leaks
  provider.on("access_token.saved", (token) => log({ event: "issued", kind: "access_token", value: token.jti }));
  provider.on("refresh_token.saved", (token) => log({ event: "issued", kind: "refresh_token", value: token.jti }));
  provider.on("authorization_code.saved", (token) => log({ event: "issued", kind: "code", value: token.jti }));
  provider.on("grant.success", (context) => log({ event: "grant", grant_type: context.oidc.params.grant_type }));
  provider.on("grant.error", (context, error) => log({ event: "refused", error: error.error, description: error.error_description }));
  provider.on("client_credentials.saved", (token) => log({ event: "issued", kind: "client_credentials", value: token.jti }));
  provider.on("device_code.saved", (token) => log({ event: "issued", kind: "device_code", value: token.jti }));
  provider.on("pushed_authorization_request.success", () => log({ event: "pushed" }));
  provider.on("grant.revoked", () => log({ event: "revoked" }));
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
