// What this browser keeps of meetings: which were visited, and what proves who one is in them.
import { signal } from '@preact/signals';
import type { Meeting } from '../gateway/frames';
import { load, loadText, save, saveText } from '../util/store';

export interface Recent {
  id: string;
  title: string;
  at: number;
}

const RECENT_MAX = 8;

export const recent = signal<readonly Recent[]>(load<Recent[]>('recent', []));

export function rememberMeeting(meeting: Meeting): void {
  const entry = { id: meeting.id, title: meeting.title ?? '', at: Date.now() };
  recent.value = [entry, ...recent.peek().filter((r) => r.id !== meeting.id)].slice(0, RECENT_MAX);
  save('recent', recent.value);
}

export function forgetMeeting(id: string): void {
  recent.value = recent.peek().filter((r) => r.id !== id);
  save('recent', recent.value);
}

export function saveHostToken(id: string, token: string): void {
  save(`host.${id}`, token);
}

/** What proves who I am in this meeting: kept per tab, as two tabs are two people. */
export function tokenOf(id: string): string | null {
  return loadText(`token.${id}`, 'session') ?? load<string | null>(`host.${id}`, null);
}

export function keepToken(id: string, token: string): void {
  saveText(`token.${id}`, token, 'session');
}
