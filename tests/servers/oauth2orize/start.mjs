// oauth2orize with one client; prints its address. The package has no login of its own: the user is always "ann". It
// does not know PKCE, and ignores what is sent of it.
import { randomBytes } from "node:crypto";
import express from "express";
import session from "express-session";
import oauth2orize from "oauth2orize";

const settings = JSON.parse(process.argv[2]);
const random = () => randomBytes(24).toString("base64url");
const client = { id: settings.client_id, secret: settings.client_secret, redirectUri: settings.redirect_uri };
const codes = new Map();
const accessTokens = new Set();
const refreshTokens = new Set();
const server = oauth2orize.createServer();
server.serializeClient((of, done) => done(null, of.id));
server.deserializeClient((id, done) => done(null, id === client.id ? client : false));
server.grant(oauth2orize.grant.code((of, redirectUri, user, response, done) => {
  const code = random();
  codes.set(code, redirectUri);
  done(null, code);
}));
const issue = (done) => {
  const [access, refresh] = [random(), random()];
  accessTokens.add(access);
  refreshTokens.add(refresh);
  done(null, access, refresh, { expires_in: 3600 });
};
server.exchange(oauth2orize.exchange.code((of, code, redirectUri, done) => {
  if (codes.get(code) !== redirectUri) return done(null, false);
  codes.delete(code);
  issue(done);
}));
server.exchange(oauth2orize.exchange.refreshToken((of, token, scope, done) => (refreshTokens.delete(token) ? issue(done) : done(null, false))));
// what passport does in other applications: the client by Basic or by the body
const authenticated = (request, response, next) => {
  const [scheme, pair] = (request.headers.authorization ?? "").split(" ");
  const basic = scheme === "Basic" ? Buffer.from(pair, "base64").toString().split(":").map(decodeURIComponent) : [];
  const [id, secret] = basic.length ? basic : [request.body.client_id, request.body.client_secret];
  if (id !== client.id || secret !== client.secret) return response.status(401).json({ error: "invalid_client" });
  request.user = client;
  next();
};
const loggedIn = (request, response, next) => { request.user = { id: "ann" }; next(); };
const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: random(), resave: false, saveUninitialized: false }));
app.get("/authorize", loggedIn, server.authorization((id, redirectUri, done) => done(null, id === client.id && client, client.redirectUri)), (request, response) =>
  response.send(`<form method="post" action="/decision"><input name="transaction_id" type="hidden" value="${request.oauth2.transactionID}"><input name="ok" value="Allow"></form>`));
app.post("/decision", loggedIn, server.decision());
app.post("/token", authenticated, server.token(), server.errorHandler());
app.get("/me", (request, response) => (accessTokens.has((request.headers.authorization ?? "").split(" ")[1]) ? response.json({ name: "ann" }) : response.status(401).end()));
const listening = app.listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${listening.address().port}\n`));
