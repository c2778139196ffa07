// The service worker as pages see it: it is registered, and when a new version waits, pages say so.
import { signal } from '@preact/signals';
import { go } from '../route';

const CHECK_MS = 60 * 60 * 1000;

/** A new version is here and waits for a reload. */
export const waiting = signal<ServiceWorker | null>(null);

let registered: Promise<ServiceWorkerRegistration | undefined> = Promise.resolve(undefined);

/** Undefined: there is none here. */
export const worker = (): Promise<ServiceWorkerRegistration | undefined> => registered.catch(() => undefined);

/** Does nothing where there are none: without HTTPS, but for localhost. */
export async function registerWorker(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const workers = navigator.serviceWorker;
  workers.addEventListener('message', (event: MessageEvent<{ go?: string }>) => {
    if (typeof event.data.go === 'string') go(event.data.go);
  });
  const registering = workers.register('/service-worker.js');
  registered = registering;
  const registration = await registering;
  const look = () => {
    if (registration.waiting && workers.controller) waiting.value = registration.waiting;
  };
  look();
  registration.addEventListener('updatefound', () => {
    const next = registration.installing;
    next?.addEventListener('statechange', look);
  });
  const check = () => void registration.update().catch(() => undefined);
  setInterval(check, CHECK_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) check();
  });
}

/** The new version takes over, and this page with it. */
export function takeUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => window.location.reload(), { once: true });
  waiting.peek()?.postMessage('skip-waiting');
}
