// The address bar as a signal: `/`, `/m/{meeting}`, `/s/{space}[/files][?message=]`, `/i/{invitation}`, `/l/{link}` and
// pages with a name.
import { batch, signal } from '@preact/signals';

export const path = signal(window.location.pathname);
/** The message that `?message=` names: somebody comes for it. */
export const soughtMessage = signal(messageIn(window.location.search));

/** A new one each time somebody comes, so that they can come for the same one again. */
export interface SoughtMessage {
  readonly id: string;
}

function messageIn(search: string): SoughtMessage | null {
  const id = new URLSearchParams(search).get('message');
  return id && /^[1-9]\d{0,18}$/.test(id) ? { id } : null;
}

function arrive(): void {
  batch(() => {
    path.value = window.location.pathname;
    soughtMessage.value = messageIn(window.location.search);
  });
}

window.addEventListener('popstate', arrive);

export function go(to: string): void {
  window.history.pushState(null, '', to);
  arrive();
  window.scrollTo(0, 0);
}

export const meetingPath = (id: string): string => `/m/${encodeURIComponent(id)}`;

export const spacePath = (id: string): string => `/s/${encodeURIComponent(id)}`;
export const messagePath = (space: string, id: string): string => `${spacePath(space)}?message=${encodeURIComponent(id)}`;
export const filesPath = (id: string): string => `${spacePath(id)}/files`;
export const invitationPath = (token: string): string => `/i/${encodeURIComponent(token)}`;
export const sharePath = (token: string): string => `/l/${encodeURIComponent(token)}`;

/** What stands behind `/{letter}/`; `below` may follow it. */
function named(letter: string, pathname: string, below = ''): string | null {
  const [, first, second, rest] = pathname.split('/');
  if (first !== letter || !second || (rest && rest !== below)) return null;
  try {
    return decodeURIComponent(second);
  } catch {
    return null;
  }
}

export const meetingOf = (pathname: string): string | null => named('m', pathname);
export const spaceOf = (pathname: string): string | null => named('s', pathname, 'files');
/** Whether it shows the space's files rather than its chat. */
export const showsFiles = (pathname: string): boolean => /^\/s\/[^/]+\/files\/?$/.test(pathname);
export const invitationOf = (pathname: string): string | null => named('i', pathname);
/** A link that shows contents. */
export const shareOf = (pathname: string): string | null => named('l', pathname);

/** For links that stay on this page: a plain click does not load it anew. */
export function follow(event: MouseEvent): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go((event.currentTarget as HTMLAnchorElement).pathname);
}

/** The meeting meant by what a person pasted: a link of this place, or a code. Null: neither. */
export function meetingFrom(typed: string): string | null {
  const trimmed = typed.trim();
  const link = /\/m\/([^/?#\s]+)/.exec(trimmed);
  const code = link?.[1] ?? trimmed;
  try {
    const id = decodeURIComponent(code);
    return /^[\p{L}\p{N}._~-]{3,128}$/u.test(id) ? id : null;
  } catch {
    return null;
  }
}
