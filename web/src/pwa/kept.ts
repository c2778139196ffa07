// What was read last, for a start without a network: who is signed in, the spaces, the newest
// messages of those looked at last. In IndexedDB, of one account at a time; gone when it signs out
// or is signed out, and a space's part when it is out of reach. Where storage is refused nothing is
// kept.

const NAME = 'parley';
const STORE = 'kept';
const CHATS_MAX = 30;
const CHAT = 'chat.';

interface Kept {
  key: string;
  value: unknown;
  at: number;
}

/** Whose it is; null: nobody's, and nothing is written. */
let owner: string | null = null;
let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('refused'));
  });
  return opened;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('refused'));
  });
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await open()).transaction(STORE, mode).objectStore(STORE);
}

/** From now on it is this account's; what was another's goes. */
export async function own(account: string): Promise<void> {
  try {
    const before = await done<Kept | undefined>((await store('readonly')).get('owner'));
    if (before && before.value !== account) await wipe();
    owner = account;
    await keep('owner', account);
  } catch {
    owner = null;
  }
}

export async function keep(key: string, value: unknown): Promise<void> {
  if (owner === null) return;
  try {
    const kept = await store('readwrite');
    await done(kept.put({ key, value, at: Date.now() }));
    if (key.startsWith(CHAT)) await prune(kept);
  } catch {
    // Nothing is kept.
  }
}

export async function recall<T>(key: string): Promise<T | undefined> {
  try {
    return (await done<Kept | undefined>((await store('readonly')).get(key)))?.value as T | undefined;
  } catch {
    return undefined;
  }
}

/** Nothing is left of anybody. */
export async function wipe(): Promise<void> {
  owner = null;
  try {
    await done((await store('readwrite')).clear());
  } catch {
    // Nothing was kept.
  }
}

const chats = () => IDBKeyRange.bound(CHAT, `${CHAT}\uffff`);

export const keepChat = (space: string, value: unknown): Promise<void> => keep(CHAT + space, value);
export const recallChat = <T>(space: string): Promise<T | undefined> => recall<T>(CHAT + space);

/** Chats of other spaces than these go. */
export async function keepOnly(spaces: readonly string[]): Promise<void> {
  try {
    const kept = await store('readwrite');
    for (const key of await done(kept.getAllKeys(chats())))
      if (!spaces.includes(String(key).slice(CHAT.length))) kept.delete(key);
  } catch {
    // Nothing was kept.
  }
}

/** The chats written longest ago make room. */
async function prune(kept: IDBObjectStore): Promise<void> {
  const all = await done<Kept[]>(kept.getAll(chats()));
  for (const { key } of all.sort((a, b) => b.at - a.at).slice(CHATS_MAX)) kept.delete(key);
}
