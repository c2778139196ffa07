// Who is signed in in this browser. The token is in a cookie that no script can read.
import { signal } from '@preact/signals';
import { HttpError, serverInfo } from './api';
import { keep, own, recall, wipe } from './pwa/kept';
import * as settings from './settings';
import { passing } from './spaces/patience';
import { forgetAll, load as stored, save } from './util/store';

export interface User {
  id: string;
  email: string;
  name: string;
  role: 'admin' | 'member';
  language: string;
  /** Of the tz database; empty: as the browser says. */
  zone: string;
  /** Do not disturb until then, ms since 1970. */
  quiet_until: number;
  /** Version of the picture; 0: none. */
  picture: number;
}

export interface Session {
  id: string;
  /** Empty after a start without a network, until the server has been asked. */
  csrf: string;
  user: User;
  /** Of a guest: the one space they are in, by a link and a name. */
  guest?: string;
}

/** A guest's session as the server gives it. */
interface GuestIn {
  id: string;
  space: string;
  name: string;
  csrf: string;
  expires: number;
}

export interface Device {
  id: string;
  device: string;
  address: string;
  current: boolean;
  created: number;
  seen: number;
}

/** undefined: not asked yet; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);
/** Of the first account: there is one, it may be made here, or by the link on the console. */
export const setup = signal<'done' | 'here' | 'link'>('done');

/** Whoever has an address of an open domain may make an account. */
export const signUpOpen = signal(false);

/** What went wrong, by its stable name. */
export class AccountError extends HttpError {
  constructor(
    status: number,
    readonly code: string,
    text: string,
    /** All that the server said. */
    readonly problem: Record<string, unknown> = {},
  ) {
    super(status, text);
  }
}

export async function ask<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  if (method !== 'GET' && session.peek()?.csrf === '') await renew();
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: {
      ...headers,
      ...(body === undefined ? {} : { 'Content-Type': body instanceof Blob ? body.type : 'application/json' }),
      ...(session.peek() ? { 'X-CSRF-Token': session.peek()!.csrf } : {}),
    },
    body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
  });
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
    if (response.status === 401 && problem.code === 'unauthorized') end();
    throw new AccountError(response.status, problem.code ?? '', problem.detail ?? response.statusText, problem);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Somebody is signed in now. */
export function begin(next: Session): void {
  session.value = next;
  settings.name.value = next.user.name;
  void own(next.user.id).then(() => keep('session', { ...next, csrf: '' }));
}

function end(): void {
  session.value = null;
  save(GUEST_KEY, null);
  void wipe();
}

/** Asks the server who this is; signed out, that is no error. While it does not answer it is who
 * it was. */
export async function load(): Promise<void> {
  try {
    const info = await serverInfo();
    setup.value = info.setup;
    signUpOpen.value = info.sign_up;
    const guest = stored<GuestIn | null>(GUEST_KEY, null);
    if (info.signed_in) await renew();
    else if (guest && guest.expires > Date.now()) beginGuest(guest);
    else end();
  } catch (error) {
    const kept = passing(error) ? await recall<Session>('session') : undefined;
    if (!kept) throw error;
    session.value = kept;
    void own(kept.user.id);
  }
}

const GUEST_KEY = 'guest';

function beginGuest(guest: GuestIn): void {
  const user: User = { id: guest.id, email: '', name: guest.name, role: 'member', language: '', zone: '', quiet_until: 0, picture: 0 };
  session.value = { id: guest.id, csrf: guest.csrf, user, guest: guest.space };
}

/** Into the space of a link that lets guests in; answers with its id. */
export async function enterAsGuest(link: string, name: string): Promise<string> {
  const guest: GuestIn = await ask('POST', `links/${encodeURIComponent(link)}/guests`, { name, cookie: true });
  save(GUEST_KEY, guest);
  beginGuest(guest);
  return guest.space;
}

/** The guest goes; nothing of their session is left. */
export async function leaveAsGuest(): Promise<void> {
  const space = session.peek()?.guest;
  if (space) await ask('DELETE', `spaces/${encodeURIComponent(space)}/guests/me`);
  end();
}

/** The session as the server has it. */
export async function renew(): Promise<void> {
  begin(await ask<Session>('GET', 'session'));
}

/** Somebody with an account is signed in, not a guest of a space. */
export const hasAccount = (): boolean => !!session.peek() && !session.peek()?.guest;

export async function signIn(email: string, password: string): Promise<void> {
  begin(await ask('POST', 'session', { email, password, cookie: true }));
}

export async function makeFirst(wish: { email: string; name: string; password: string; link?: string }): Promise<void> {
  begin(await ask('POST', 'setup', { ...wish, cookie: true }));
  setup.value = 'done';
}

export async function signOut(): Promise<void> {
  await ask('DELETE', 'session').catch((error: unknown) => {
    if (!(error instanceof AccountError && error.status === 401)) throw error;
  });
  const account = session.peek()?.user.id;
  if (account) forgetAll([`written.${account}.`, `outbox.${account}.`]);
  end();
}

/** One's account as it is after a change. */
export function took(user: User): void {
  const now = session.peek();
  if (now) begin({ ...now, user });
}

export const changePassword = (old: string, password: string): Promise<void> =>
  ask('POST', 'me/password', { old, password });

export const devices = async (): Promise<Device[]> => (await ask<{ items: Device[] }>('GET', 'me/sessions')).items;

export const revoke = (id: string): Promise<void> => ask('DELETE', `me/sessions/${encodeURIComponent(id)}`);

/** For the gateway; undefined when nobody is signed in. */
export async function ticket(): Promise<string | undefined> {
  if (!session.peek()) return undefined;
  return ask<{ ticket: string }>('POST', 'session/ticket').then(
    (answer) => answer.ticket,
    () => undefined,
  );
}

// ---- letters and their links ----

export interface Waiting {
  id: string;
  kind: 'invite' | 'signup' | 'email' | 'password';
  email: string;
  /** Path to hand over, of a new one; absent when a letter takes it. */
  link?: string;
  mailed: boolean;
  expires: number;
}

export interface Letter {
  kind: Waiting['kind'];
  email: string;
  language: string;
}

interface Sent {
  /** False: no mail is configured, an admin hands the link over. */
  mailed: boolean;
}

export const signUp = (email: string, language: string): Promise<Sent> => ask('POST', 'signup', { email, language });
export const forgotten = (email: string, language: string): Promise<Sent> => ask('POST', 'password', { email, language });
export const changeEmail = (email: string, password: string): Promise<Sent> => ask('POST', 'me/email', { email, password });

export const readLetter = (token: string): Promise<Letter> => ask('POST', 'confirmations', { token });
export const confirmEmail = (token: string): Promise<void> => ask('POST', 'confirmations/email', { token });
export const confirmPassword = (token: string, password: string): Promise<void> =>
  ask('POST', 'confirmations/password', { token, password });

/** Makes the account of an invitation or sign-up, and signs in. */
export async function confirmAccount(wish: { token: string; name: string; password: string; language: string }): Promise<void> {
  const { email } = await ask<{ email: string }>('POST', 'confirmations/account', wish);
  await signIn(email, wish.password);
}

export const invite = (email: string, language: string): Promise<Waiting> => ask('POST', 'invitations', { email, language });
export const waiting = (): Promise<{ items: Waiting[]; mailed: boolean }> => ask('GET', 'invitations');
export const handOver = (id: string): Promise<{ link: string }> => ask('POST', `invitations/${encodeURIComponent(id)}/link`);
export const dropWaiting = (id: string): Promise<void> => ask('DELETE', `invitations/${encodeURIComponent(id)}`);
