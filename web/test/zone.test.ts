import { describe, expect, it } from 'vitest';
import { isQuiet } from '../src/util/quiet';
import { fromWallTime, knownZone, wallTime } from '../src/util/zone';

const at = (iso: string) => Date.parse(iso);

describe('the clock on the wall', () => {
  it('is that of the zone', () => {
    expect(wallTime(at('2026-11-30T19:05:09Z'), 'Asia/Shanghai')).toBe('2026-12-01T03:05:09');
    expect(wallTime(at('2026-11-30T19:05:09Z'), 'America/St_Johns')).toBe('2026-11-30T15:35:09');
    expect(wallTime(at('2026-12-01T00:00:00Z'), 'UTC')).toBe('2026-12-01T00:00:00');
  });
  it('says when it is what', () => {
    for (const zone of ['UTC', 'Asia/Shanghai', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Chatham'])
      for (const wall of ['2026-01-15T08:00', '2026-07-15T23:59', '2026-03-29T12:00'])
        expect(wallTime(fromWallTime(wall, zone), zone)).toBe(`${wall}:00`);
    expect(fromWallTime('2026-11-30T19:05', 'Asia/Shanghai')).toBe(at('2026-11-30T11:05:00Z'));
    expect(fromWallTime('', 'UTC')).toBeNaN();
  });
  it('around a change of the clocks too', () => {
    for (const [wall, zone] of [['2026-03-29T01:30', 'Europe/Berlin'], ['2026-03-29T03:30', 'Europe/Berlin'], ['2026-03-08T01:30', 'America/New_York'], ['2026-03-08T03:30', 'America/New_York']] as const)
      expect(wallTime(fromWallTime(wall, zone), zone)).toBe(`${wall}:00`);
    // These are never shown: an hour later.
    expect(wallTime(fromWallTime('2026-03-29T02:30', 'Europe/Berlin'), 'Europe/Berlin')).toBe('2026-03-29T03:30:00');
    expect(wallTime(fromWallTime('2026-03-08T02:30', 'America/New_York'), 'America/New_York')).toBe('2026-03-08T03:30:00');
    // This is shown twice: either.
    expect(wallTime(fromWallTime('2026-10-25T02:30', 'Europe/Berlin'), 'Europe/Berlin')).toBe('2026-10-25T02:30:00');
  });
  it('is the browser’s own where a zone is not known', () => {
    expect(knownZone('Europe/Berlin')).toBe('Europe/Berlin');
    expect(knownZone('Mars/Olympus')).toBe('');
    expect(knownZone('')).toBe('');
  });
});

describe('do not disturb', () => {
  it('ends when it was said to', () => {
    expect(isQuiet(1000, 999)).toBe(true);
    expect(isQuiet(1000, 1000)).toBe(false);
    expect(isQuiet(0)).toBe(false);
  });
});
