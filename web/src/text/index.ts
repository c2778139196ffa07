// The words of the page in the language chosen, changed at run time; times in the person's zone.
import { computed, effect, signal } from '@preact/signals';
import { load, save } from '../util/store';
import { wallTime } from '../util/zone';
import { en, type Text } from './en';
import { zh } from './zh';

export type Language = 'en' | 'zh-CN';

const tables: Record<Language, Text> = { en, 'zh-CN': zh };

function preferred(): Language {
  const saved = load<string>('language', '');
  if (saved === 'en' || saved === 'zh-CN') return saved;
  const first = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) ?? 'en';
  return /^zh/i.test(first) ? 'zh-CN' : 'en';
}

export const languages = Object.keys(tables) as Language[];
export const language = signal<Language>(preferred());
export const text = computed<Text>(() => tables[language.value]);

export function chooseLanguage(next: Language): void {
  language.value = next;
  save('language', next);
}

export const languageName = (tag: Language): string => tables[tag].language;

effect(() => {
  document.documentElement.lang = language.value;
});

/** Where the person lives, as their profile says; empty: as the browser does. */
export const zone = signal('');

/** Every time on the page comes from here. */
function shown(ms: number, how: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language.value, { ...how, timeZone: zone.value || undefined }).format(ms);
}

export const clockTime = (ms: number): string => shown(ms, { hour: '2-digit', minute: '2-digit' });
export const dateTime = (ms: number): string => shown(ms, { dateStyle: 'medium', timeStyle: 'short' });

const day = (ms: number): string => wallTime(ms, zone.value).slice(0, 10);

export function dayName(ms: number): string {
  if (day(ms) === day(Date.now())) return text.value.chat.today;
  if (day(ms) === day(Date.now() - 86_400_000)) return text.value.chat.yesterday;
  return shown(ms, { dateStyle: 'medium' });
}

/** As short as it is clear: of today the time alone. */
export const moment = (ms: number): string => (day(ms) === day(Date.now()) ? clockTime(ms) : dateTime(ms));

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function fileSize(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  return new Intl.NumberFormat(language.value, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step);
}
