// The service worker: the client starts without a network, and notifications are shown while no
// page is open. It keeps the files of one version and no answer of the API; what was read is kept
// by the pages (src/pwa/kept.ts).
import { clicked, pushed, renewed } from './notify';

declare const self: ServiceWorkerGlobalScope;

// Put in by the build: every file with a hash in its name, and a digest of them and of the page.
const FILES = JSON.parse('__FILES__') as string[];
const CACHE = 'parley-__VERSION__';

const PAGE = '/';
const PATIENCE_MS = 4000; // with a network that does not answer
const VERSIONS_KEPT = 2; // pages of the version before may be open still

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll([new Request(PAGE, { cache: 'reload' }), ...FILES])),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

/** The next version waits until somebody presses "Reload". */
self.addEventListener('message', (event) => {
  if (event.data === 'skip-waiting') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/assets/')) event.respondWith(file(request));
  else if (request.mode === 'navigate' && isPage(url.pathname)) event.respondWith(page(request));
});

self.addEventListener('push', (event) => event.waitUntil(pushed(self, event)));
self.addEventListener('notificationclick', (event) => event.waitUntil(clicked(self, event)));
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renewed(self, event)));

/** keys() are in the order in which they were made. */
async function tidy(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith('parley-'));
  await Promise.all(names.slice(0, -VERSIONS_KEPT).map((name) => caches.delete(name)));
}

/** Never changes: its name carries a hash of it. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** The server's page when it answers, or the one that is kept. */
async function page(request: Request): Promise<Response> {
  try {
    return await Promise.race([fetch(request), late()]);
  } catch {
    return (await caches.match(PAGE)) ?? Response.error();
  }
}

function late(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS));
}

/** Paths that the server answers with the page: no API, no file. */
function isPage(path: string): boolean {
  const first = path.split('/')[1] ?? '';
  return !['api', 'gateway', 'whip', 'metrics', 'healthz', 'readyz', 'icons'].includes(first) && !/\.\w+$/.test(path);
}
