// What tests ask and do behind the provider's back: POST /NAME with a JSON object, answered with JSON.

import http from 'node:http';

import { NEW_SECRET, SCOPE } from './provider.mjs';

const TOKENS = ['AccessToken', 'ClientCredentials', 'RefreshToken'];

/** Starts to listen on a port that the system chooses. */
export async function startControl({ provider, store, traffic, server, settings }) {
  const policies = () => (settings.new_secret_on_update ? [NEW_SECRET] : undefined);
  const find = (token) => Promise.all(TOKENS.map((model) => provider[model].find(token)));

  const commands = {
    async issue_refresh_token({ client: id, account }) {
      const client = await provider.Client.find(id);
      if (!client) throw new Error(`no client ${id}`);
      const grant = new provider.Grant({ accountId: account, clientId: id });
      grant.addOIDCScope(SCOPE);
      const grantId = await grant.save();
      const token = new provider.RefreshToken({
        client, accountId: account, grantId, gty: 'authorization_code', scope: SCOPE,
      });
      return token.save();
    },

    async is_live({ token }) {
      return (await find(token)).some((found) => found?.isValid);
    },

    async live_tokens({ client }) {
      const live = [];
      for (const kind of TOKENS) {
        for (const [token, row] of store.rows(kind)) {
          if (row.clientId === client && (await provider[kind].find(token))?.isValid) live.push({ kind, token });
        }
      }
      return live;
    },

    // As an administrator's console does it: the tokens that hang on the grant go with it.
    async revoke_grant({ token }) {
      const grantId = (await find(token)).find(Boolean)?.grantId;
      if (!grantId) throw new Error('no such token, or it hangs on no grant');
      for (const kind of TOKENS) await new store.Adapter(kind).revokeByGrantId(grantId);
      await new store.Adapter('Grant').destroy(grantId);
      return null;
    },

    async initial_access_token() {
      return new provider.InitialAccessToken({ policies: policies() }).save();
    },

    async registration_access_token({ client }) {
      return new provider.RegistrationAccessToken({ clientId: client, policies: policies() }).save();
    },

    async client({ client }) {
      return (await new store.Adapter('Client').find(client)) ?? null;
    },

    async set_down({ down }) {
      traffic.down = down;
      if (down) server.closeAllConnections();
      return null;
    },

    async fault_at({ endpoint, call, fault }) {
      traffic.faults.set(`${endpoint} ${call}`, fault);
      return null;
    },

    async calls() {
      return traffic.calls;
    },

    async reset() {
      traffic.reset();
      return null;
    },
  };

  const control = http.createServer(async (request, response) => {
    try {
      const chunks = await Array.fromAsync(request);
      const command = commands[request.url.slice(1)];
      const answer = await command(JSON.parse(Buffer.concat(chunks)));
      response.end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(500).end(error.stack);
    }
  });
  await new Promise((resolve) => control.listen(0, '127.0.0.1', resolve));
  return control.address().port;
}
