// What the server says before the form is drawn, as small as the tests of the form need it.

const field = (name, shape = "text", more = {}) => ({
  name, shape, default: null, label: name, help: "", choices: {}, set_by: "anyone", may_be_empty: false,
  is_value: shape === "value" || shape === "values", ...more,
});
const shared = [field("name"), field("allowed_hosts", "texts", { default: [] }), field("base_url", "url"), field("openapi")];
const oauth2 = [
  ...shared, ...["authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "introspection_endpoint", "issuer"].map((name) => field(name, "url")),
  ...["client_id", "scope", "provider", "private_key_id", "subject", "username", "subject_token_file", "subject_secret", "client_certificate_file", "client_key_file"].map((name) => field(name)),
  field("grant_type", "text", { default: "authorization_code", choices: { authorization_code: "Code: in the browser" } }),
  field("token_endpoint_auth_method", "text", { choices: { none: "none" } }),
  ...["client_secret", "private_key", "password", "refresh_token"].map((name) => field(name, "value")),
  field("resource", "texts"), field("dpop", "flag", { default: false }), field("compliance", "compliance", { default: {} }),
  field("client_of", "text", { set_by: "flowlet" }),
];
export const schema = {
  oauth2: { label: "OAuth2", fields: oauth2 },
  api_key: { label: "API key", fields: [...shared, field("key", "value"), field("location", "text", { default: "header", choices: { header: "h", query: "q" } }), field("prefix"), field("api_headers", "mapping", { default: {} })] },
  headers: { label: "Headers", fields: [...shared, field("headers", "values")] },
  external: { label: "External", fields: [...shared, field("source"), field("scheme", "text", { default: "Bearer", may_be_empty: true })] },
};
const shop = { key: "shop", title: "Shop", type: "oauth2", grant_type: "authorization_code", client_id: "", parameters: [{ name: "shop", label: "Shop", default: "" }] };
const bird = {
  key: "bird", title: "Bird", grant_type: "authorization_code", client_id: "", parameters: [],
  registration_page: "https://bird.example/apps", needs_client_secret: true,
};
export const known = { schema, names: [], providers: [shop, bird], redirectUri: "http://localhost:8888/flowlet/callback" };
