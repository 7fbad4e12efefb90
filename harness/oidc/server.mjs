// An OAuth server for tests on 127.0.0.1: oidc-provider, a resource that takes its tokens, and a second
// port for the tests themselves. harness::oidc starts it:
//
//   node server.mjs MODULES SETTINGS
//
// MODULES is the folder in which package.json is installed, SETTINGS the JSON of harness::oidc::Settings
// with a `port` beside it. It logs "control port N" when it listens.

import http from 'node:http';
import https from 'node:https';

import { memoryStore } from './adapter.mjs';
import { startControl } from './control.mjs';
import { Traffic } from './faults.mjs';
import { makeProvider } from './provider.mjs';

const [modules, text] = process.argv.slice(2);
const settings = JSON.parse(text);
const { tls, port } = settings;

const store = memoryStore();
const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
const provider = await makeProvider(modules, issuer, settings, store);
const traffic = new Traffic();

// What is known only once the provider has read the request.
provider.use(async (ctx, next) => {
  await next();
  const { params, entities } = ctx.oidc ?? {};
  Object.assign(traffic.records.get(ctx.req), {
    client: entities?.Client?.clientId ?? null,
    grant_type: params?.grant_type ?? null,
    status: ctx.status,
    error: ctx.body?.error ?? null,
  });
});
const authorize = provider.callback();

/** What an application asks with its token: 200 if it lives, 401 if not (RFC 6750, section 3). */
async function resource(request, response) {
  const token = /^Bearer ([^ ]+)$/.exec(request.headers.authorization ?? '')?.[1];
  const models = [provider.AccessToken, provider.ClientCredentials];
  const found = (await Promise.all(models.map((model) => model.find(token)))).find(Boolean);
  const live = found?.isValid === true;
  const error = live ? null : 'invalid_token';
  const status = live ? 200 : 401;
  Object.assign(traffic.records.get(request), { client: found?.clientId ?? null, status, error });
  const headers = { 'content-type': 'application/json' };
  if (!live) headers['www-authenticate'] = `Bearer error="${error}"`;
  const body = live ? { client_id: found.clientId, scope: found.scope ?? null } : { error };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

const serve = (request, response) =>
  (request.url.split('?')[0] === '/resource' ? resource : authorize)(request, response);
const receive = (request, response) => traffic.receive(request, response, serve);

const server = tls
  ? https.createServer(
    { cert: tls.certificate, key: tls.key, ca: tls.client_ca, requestCert: true, rejectUnauthorized: false },
    receive,
  )
  : http.createServer(receive);

// Clients are kept where registered ones are, so that they can be managed as these are.
for (const metadata of settings.clients) {
  const client = new provider.Client({
    redirect_uris: [], response_types: [], grant_types: ['client_credentials'], ...metadata,
  });
  await new store.Adapter('Client').upsert(client.clientId, client.metadata());
}
const controlPort = await startControl({ provider, store, traffic, server, settings });
server.listen(port, '127.0.0.1', () => console.log(`control port ${controlPort}`));
