import { describe, expect, it } from 'vitest';
import { atMost, may } from '../src/spaces/rights';

const space = (change = {}) => ({ role: 'editor' as const, kind: 'space' as const, archived: false, ...change });

describe('rights', () => {
  it('rise with the role', () => {
    expect(may(space({ role: 'viewer' }), 'comment')).toBe(true);
    expect(may(space({ role: 'viewer' }), 'write')).toBe(false);
    expect(may(space(), 'invite')).toBe(true);
    expect(may(space(), 'manage')).toBe(false);
    expect(may(space({ role: 'owner' }), 'delete')).toBe(true);
    expect(atMost('editor', 'viewer')).toBe(false);
  });

  it('of an archived space are to read it, and to take it out again', () => {
    expect(may(space({ archived: true }), 'comment')).toBe(false);
    expect(may(space({ role: 'owner', archived: true }), 'archive')).toBe(true);
  });

  it('of a conversation of two bring in nobody else', () => {
    expect(may(space({ role: 'owner', kind: 'direct' }), 'invite')).toBe(false);
    expect(may(space({ role: 'owner', kind: 'direct' }), 'write')).toBe(true);
  });
});
