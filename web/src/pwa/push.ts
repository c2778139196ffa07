// Web Push to this device: whether it can be, is, or is kept from being told of what concerns one
// while no page is open. The browser is asked for permission when somebody presses for it, not
// before.
import { ask } from '../account';
import { worker } from './worker';

export type PushState =
  /** This browser has none, or not here: an iPhone only once the page is on the home screen. */
  | { kind: 'missing'; home: boolean }
  /** The person, or whoever manages the browser, has forbidden it. */
  | { kind: 'blocked' }
  | { kind: 'off' }
  /** `texts`: notices show what was written. */
  | { kind: 'on'; texts: boolean };

interface ServerState {
  /** The server's own, base64url. */
  key: string;
  on: boolean;
  texts: boolean;
}

const can = (): boolean => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
const onApple = (): boolean => /iPhone|iPad/.test(navigator.userAgent);

const registration = async (): Promise<ServiceWorkerRegistration | undefined> => (can() ? worker() : undefined);

export async function pushState(): Promise<PushState> {
  const here = await registration();
  if (!here) return { kind: 'missing', home: onApple() };
  if (Notification.permission === 'denied') return { kind: 'blocked' };
  const [server, own] = await Promise.all([ask<ServerState>('GET', 'me/push'), here.pushManager.getSubscription()]);
  return server.on && own && Notification.permission === 'granted' ? { kind: 'on', texts: server.texts } : { kind: 'off' };
}

/** From a press: asks for permission when it has to. Rejects when there is no push service to be had. */
export async function turnOn(texts: boolean): Promise<PushState> {
  const here = await registration();
  if (!here || (await Notification.requestPermission()) !== 'granted') return pushState();
  const { key } = await ask<ServerState>('GET', 'me/push');
  const { endpoint, p256dh, auth } = wishOf(await subscribed(here.pushManager, key));
  await ask('PUT', 'me/push', { endpoint, p256dh, auth, texts });
  return pushState();
}

export async function turnOff(): Promise<PushState> {
  await ask('DELETE', 'me/push');
  await (await (await registration())?.pushManager.getSubscription())?.unsubscribe();
  return pushState();
}

/** A notice that only says that it came. */
export const tryPush = (): Promise<void> => ask('POST', 'me/push/test');

/** Runs when the browser's permission is changed elsewhere; answers with what ends that. */
export function onPermission(run: () => void): () => void {
  let status: PermissionStatus | null = null;
  let over = false;
  void navigator.permissions?.query({ name: 'notifications' }).then((found) => {
    if (!over) (status = found).addEventListener('change', run);
  }, () => undefined);
  return () => {
    over = true;
    status?.removeEventListener('change', run);
  };
}

/** One for another key than the server's, from before it was made anew, is of no use. */
async function subscribed(manager: PushManager, key: string): Promise<PushSubscription> {
  const own = await manager.getSubscription();
  if (own && encoded(own.options.applicationServerKey) === key) return own;
  await own?.unsubscribe();
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

function wishOf(subscription: PushSubscription): { endpoint: string; p256dh: string; auth: string } {
  return { endpoint: subscription.endpoint, p256dh: encoded(subscription.getKey('p256dh')), auth: encoded(subscription.getKey('auth')) };
}

/** Base64url, as the server writes keys. */
function encoded(bytes: ArrayBuffer | null): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0)))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
