// The address bar as a signal: `/` and `/m/{meeting}`.
import { signal } from '@preact/signals';

export const path = signal(window.location.pathname);

window.addEventListener('popstate', () => {
  path.value = window.location.pathname;
});

export function go(to: string): void {
  window.history.pushState(null, '', to);
  path.value = new URL(to, window.location.href).pathname;
  window.scrollTo(0, 0);
}

export const meetingPath = (id: string): string => `/m/${encodeURIComponent(id)}`;

export function meetingOf(pathname: string): string | null {
  const match = /^\/m\/([^/]+)\/?$/.exec(pathname);
  try {
    return match?.[1] ? decodeURIComponent(match[1]) : null;
  } catch {
    return null;
  }
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
