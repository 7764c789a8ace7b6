// An identity provider on this machine, driven by lines of JSON: {"do": …} in, {"answer": …} or {"error": …} out.
//
// It logs in whoever it is told to, and can be told to answer a code as a hostile provider would.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair } from "jose";

// The library writes its advice where the answers go.
console.info = console.warn = console.error = () => {};
const { Provider } = await import("oidc-provider");

const [redirectUri] = process.argv.slice(2);
const CLIENT = { client_id: "recado", client_secret: "a secret: of 100% odd signs/+", redirect_uris: [redirectUri] };
let [issuer, key, provider, keys] = ["", undefined, undefined, 0];
let [claims, inIdToken, forgery, asks] = [];

const server = createServer((request, response) => provider.callback()(request, response));

async function renew() {
  key = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(key.privateKey)), kid: `key-${++keys}`, use: "sig", alg: "RS256" };
  provider = new Provider(issuer, {
    clients: [{ ...CLIENT, token_endpoint_auth_method: inIdToken ? "client_secret_post" : "client_secret_basic" }],
    jwks: { keys: [jwk] },
    cookies: { keys: ["a key of the cookies"] },
    claims: { email: ["email", "email_verified"] },
    conformIdTokenClaims: !inIdToken,
    clientAuthMethods: [inIdToken ? "client_secret_post" : "client_secret_basic"],
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims }) }),
    loadExistingGrant: async (context) => {
      const grant = new context.oidc.provider.Grant({
        clientId: context.oidc.client.clientId,
        accountId: context.oidc.session.accountId,
      });
      grant.addOIDCScope("openid email");
      await grant.save();
      return grant;
    },
  });
  provider.use(async (context, next) => {
    if (context.path.startsWith("/interaction/") && asks && context.method === "GET") {
      context.type = "html";
      context.body = `<!doctype html><title>Cuentas</title><form method="post"><button>Soy yo</button></form>`;
      return undefined;
    }
    if (context.path.startsWith("/interaction/"))
      return provider.interactionFinished(context.req, context.res, { login: { accountId: "person" } });
    await next();
    if (context.path === "/token" && forgery && context.body?.id_token) context.body.id_token = await forged(context.body.id_token);
    if (context.path === "/me" && forgery?.sub) context.body = { ...context.body, sub: forgery.sub };
  });
}

/** The ID token with other claims, or signed otherwise. */
async function forged(token) {
  const { alg = "RS256", set = {}, drop = [] } = forgery;
  const payload = { ...decodeJwt(token), ...set };
  for (const name of drop) delete payload[name];
  if (alg === "none") return new UnsecuredJWT(payload).encode();
  if (alg === "HS256") return new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(CLIENT.client_secret.padEnd(32)));
  const other = alg === "stranger" ? (await generateKeyPair("RS256")).privateKey : key.privateKey;
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: `key-${keys}` }).sign(other);
}

const DO = {
  async start() {
    if (!server.listening) await new Promise((done) => server.listen(0, "127.0.0.1", done));
    [claims, inIdToken, forgery, asks] = [{}, true, undefined, false];
    issuer = `http://127.0.0.1:${server.address().port}`;
    await renew();
    return { issuer, client_id: CLIENT.client_id, client_secret: CLIENT.client_secret };
  },
  /** Log in a person with these claims from now on; where it asks, by a button. */
  async person(asked) {
    claims = asked.claims;
    forgery = asked.forgery;
    asks = Boolean(asked.asks);
    if (inIdToken !== asked.inIdToken) {
      inIdToken = asked.inIdToken;
      await renew();
    }
  },
  /** Sign with a new key, and publish no other. */
  rotate: renew,
  async stop() {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...asked } = JSON.parse(line);
  const answer = await DO[name](asked).then((answer) => ({ answer: answer ?? null }), (error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
