// The provider, configured: all that tests need, and as little as possible beside it.

import { createRequire } from 'node:module';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Each endpoint's path is its name, which calls are counted under. */
const routes = {
  token: '/token',
  revocation: '/revocation',
  introspection: '/introspection',
  registration: '/registration',
};

/** The policy that registration access tokens may carry; see `Settings::new_secret_on_update`. */
export const NEW_SECRET = 'new-secret-on-update';

/** The scope of what `issue_refresh_token` issues. Without `openid`: there is no ID token. */
export const SCOPE = 'api:read offline_access';

/** A secret of 43 characters, as the provider makes them. */
const newSecret = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');

/** The provider of that issuer. `modules` is the folder in which it is installed. */
export async function makeProvider(modules, issuer, settings, store) {
  const installed = createRequire(join(modules, 'package.json')).resolve('oidc-provider');
  const { Provider } = await import(pathToFileURL(installed));

  const provider = new Provider(issuer, {
    adapter: store.Adapter,
    routes,
    scopes: ['openid', 'offline_access', 'api:read', 'api:write'],
    ttl: {
      AccessToken: settings.access_token_ttl,
      ClientCredentials: settings.access_token_ttl,
      RefreshToken: settings.refresh_token_ttl,
      Grant: settings.refresh_token_ttl,
      InitialAccessToken: 3600,
      RegistrationAccessToken: 86400,
    },
    clockTolerance: settings.clock_tolerance,
    rotateRefreshToken: settings.rotate_refresh_tokens,
    clientAuthMethods: [
      'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt',
      ...(settings.tls ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    issueRefreshToken: () => true,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      registration: {
        enabled: true,
        initialAccessToken: true,
        policies: {
          [NEW_SECRET]: (ctx, properties) => {
            if (ctx.method === 'PUT') properties.client_secret = newSecret();
          },
        },
      },
      registrationManagement: {
        enabled: true,
        rotateRegistrationAccessToken: settings.rotate_registration_access_tokens,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'api:read api:write', audience: resource, accessTokenFormat: 'opaque',
        }),
      },
      mTLS: {
        enabled: Boolean(settings.tls),
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => certificate(ctx),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          subjectMatches(certificate(ctx), property, expected),
      },
    },
  });
  provider.on('server_error', (_, error) => console.error(error.stack));
  return provider;
}

function certificate(ctx) {
  const peer = ctx.socket.getPeerCertificate?.();
  return peer?.raw ? new X509Certificate(peer.raw) : undefined;
}

function subjectMatches(certificate, property, expected) {
  switch (property) {
    case 'tls_client_auth_subject_dn':
      // RFC 4514 names the most specific part first.
      return certificate.subject.split('\n').reverse().join(',') === expected;
    case 'tls_client_auth_san_dns':
      return certificate.checkHost(expected, { subject: 'never' }) !== undefined;
    default:
      throw new Error(`${property} is not supported here`);
  }
}
