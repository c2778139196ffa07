// What a push message becomes: a notification in the language of the subscription; a press on it
// opens the place it is about.

/** As modules/push/notices.c writes it. */
interface Pushed {
  kind: 'mention' | 'reply' | 'direct' | 'test';
  language: string;
  /** Where it leads. */
  url: string;
  /** Of the space, and of who wrote. */
  space: string;
  author: string;
  /** Only when the person has allowed it. */
  text?: string;
}

const words = {
  en: {
    mention: ({ author, space }: Pushed) => `${author} mentioned you in ${space}`,
    direct: ({ author }: Pushed) => `${author} wrote to you`,
    reply: ({ author, space }: Pushed) => `${author} answered you in ${space}`,
    test: () => 'Notifications reach this device',
  },
  zh: {
    mention: ({ author, space }: Pushed) => `${author} 在“${space}”中提到了你`,
    direct: ({ author }: Pushed) => `${author} 给你发来消息`,
    reply: ({ author, space }: Pushed) => `${author} 在“${space}”中回复了你`,
    test: () => '此设备可以收到通知',
  },
};

export async function pushed(self: ServiceWorkerGlobalScope, event: PushEvent): Promise<void> {
  const message = event.data?.json() as Pushed;
  const table = message.language.startsWith('zh') ? words.zh : words.en;
  await self.registration.showNotification(table[message.kind](message), {
    body: message.text ?? '',
    tag: `${message.kind} ${message.url}`,
    icon: '/icons/any-192.png',
    badge: '/icons/badge-96.png',
    data: message.url,
  });
}

/** A page of ours that is open goes there; else a new one opens. */
export async function clicked(self: ServiceWorkerGlobalScope, event: NotificationEvent): Promise<void> {
  event.notification.close();
  const url = new URL(String(event.notification.data), self.location.origin).href;
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = pages.find((page) => page.url === url) ?? pages.find((page) => !new URL(page.url).pathname.startsWith('/m/'));
  if (!open) {
    await self.clients.openWindow(url);
    return;
  }
  const { pathname, search } = new URL(url);
  open.postMessage({ go: pathname + search });
  await open.focus();
}

/** The browser has taken another subscription: the server is told, or it would go on telling the one
 * that is gone. */
export async function renewed(self: ServiceWorkerGlobalScope, event: PushSubscriptionChangeEvent): Promise<void> {
  const options = event.oldSubscription?.options ?? event.newSubscription?.options;
  const next = event.newSubscription ?? (options && (await self.registration.pushManager.subscribe(options)));
  const [session, state] = await Promise.all(['session', 'me/push'].map((path) => fetch(`/api/v1/${path}`, { cache: 'no-store' })));
  if (!next || !session?.ok || !state?.ok) return;
  const { csrf } = (await session.json()) as { csrf: string };
  const { on, texts } = (await state.json()) as { on: boolean; texts: boolean };
  if (!on) return;
  const { endpoint, keys } = next.toJSON();
  await fetch('/api/v1/me/push', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
    body: JSON.stringify({ endpoint, ...keys, texts }),
  });
}
