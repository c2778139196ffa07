// What is asked for besides a password: codes of an authenticator app, passkeys, codes on paper.
import { AccountError, ask, begin, type Session } from './account';
import { fromBase64url, toBase64url } from './util/bytes';

/** What the first step answers when the password is right but not enough. */
export interface Second {
  challenge: string;
  totp: boolean;
  /** Credentials that are taken, in base64url. */
  passkeys: string[];
}

export interface Passkey {
  id: string;
  name: string;
  suspect: boolean;
  created: number;
  used: number;
}

export interface Factors {
  totp: number;
  codes: number;
  passkeys: Passkey[];
}

export interface Seed {
  secret: string;
  uri: string;
}

interface Asked {
  challenge: string;
  rp: string;
  user?: string;
  exclude: string[];
}

export const secondOf = (error: unknown): Second | null =>
  error instanceof AccountError && error.code === 'second_factor' ? (error.problem.second as Second) : null;

/** Whether this browser knows passkeys on this page. */
export const passkeysHere = (): boolean => 'PublicKeyCredential' in window;

// ---- signing in

export async function signInByCode(second: Second, code: string): Promise<void> {
  begin(await ask<Session>('POST', 'session/second', { challenge: second.challenge, code, cookie: true }));
}

/** As the second step, or by itself: then the device asks who is there. */
export async function signInByPasskey(second?: Second): Promise<void> {
  const { challenge } = second ?? (await ask<Asked>('POST', 'session/passkey/challenge'));
  const credential = await made(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: new TextEncoder().encode(challenge),
        allowCredentials: (second?.passkeys ?? []).map(described),
        userVerification: second ? 'discouraged' : 'required',
      },
    }),
  );
  const response = credential.response as AuthenticatorAssertionResponse;
  const user = response.userHandle;
  begin(
    await ask<Session>('POST', 'session/passkey', {
      challenge,
      credential: toBase64url(credential.rawId),
      client: toBase64url(response.clientDataJSON),
      data: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      ...(user && user.byteLength > 0 ? { user: toBase64url(user) } : {}),
      cookie: true,
    }),
  );
}

const described = (id: string): PublicKeyCredentialDescriptor => ({ type: 'public-key', id: fromBase64url(id) });

/** What the browser made of it; that nothing came is a fault with a name. */
async function made(run: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  const credential = await run().catch((error: unknown) => {
    const known = error instanceof DOMException && error.name === 'InvalidStateError';
    throw new AccountError(0, known ? 'exists' : 'cancelled', String(error));
  });
  if (!(credential instanceof PublicKeyCredential)) throw new AccountError(0, 'cancelled', 'no credential');
  return credential;
}

// ---- one's own

export const factors = (): Promise<Factors> => ask('GET', 'me/factors');

export const beginTotp = (password: string): Promise<Seed> => ask('POST', 'me/totp', { password });

/** Answers with the codes on paper, here for the only time. */
export const confirmTotp = async (code: string): Promise<string[]> =>
  (await ask<{ codes: string[] }>('POST', 'me/totp/confirm', { code })).codes;

export const endTotp = (password: string, code: string): Promise<void> =>
  ask('DELETE', 'me/totp', { password, code });

export const renewCodes = async (password: string): Promise<string[]> =>
  (await ask<{ codes: string[] }>('POST', 'me/codes', { password })).codes;

/** Answers with codes on paper when it is the first factor. */
export async function addPasskey(password: string, name: string, account: { email: string; name: string }): Promise<string[]> {
  const asked = await ask<Asked>('POST', 'me/passkeys/challenge', { password });
  const credential = await made(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: new TextEncoder().encode(asked.challenge),
        rp: { id: asked.rp, name: 'Parley' },
        user: { id: new TextEncoder().encode(asked.user), name: account.email, displayName: account.name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: asked.exclude.map(described),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        attestation: 'none',
      },
    }),
  );
  const response = credential.response as AuthenticatorAttestationResponse;
  const { codes } = await ask<{ codes: string[] }>('POST', 'me/passkeys', {
    challenge: asked.challenge,
    name,
    client: toBase64url(response.clientDataJSON),
    data: toBase64url(response.getAuthenticatorData()),
  });
  return codes;
}

export const renamePasskey = (id: string, name: string): Promise<void> =>
  ask('PATCH', `me/passkeys/${encodeURIComponent(id)}`, { name });

export const removePasskey = (id: string, password: string): Promise<void> =>
  ask('DELETE', `me/passkeys/${encodeURIComponent(id)}`, { password });
