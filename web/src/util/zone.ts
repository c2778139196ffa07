// Times of a clock on the wall in somebody's time zone. `zone` is of the tz database; empty: the
// browser's own.

/** What the browser can do with it: a name it does not know is its own zone. */
export function knownZone(zone: string): string {
  try {
    return zone && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone ? zone : '';
  } catch {
    return '';
  }
}

/** "2026-11-30T19:05:09": the clock there. */
export function wallTime(ms: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    hourCycle: 'h23', ...(zone ? { timeZone: zone } : {}),
  }).formatToParts(ms);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}`;
}

/** When the clock there says so ("2026-11-30T19:05"); NaN: it is no time. One that a change of the
 * clocks leaves out is as much later. */
export function fromWallTime(wall: string, zone: string): number {
  const utc = Date.parse(`${wall}Z`);
  if (Number.isNaN(utc)) return NaN;
  const ahead = (ms: number) => Date.parse(`${wallTime(ms, zone)}Z`) - Math.floor(ms / 1000) * 1000;
  const guess = utc - ahead(utc);
  const again = utc - ahead(guess);
  return again === guess || ahead(again) === ahead(guess) ? again : Math.max(again, guess);
}
