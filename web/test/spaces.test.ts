import { describe, expect, it } from 'vitest';
import { HttpError } from '../src/api';
import { mentionsIn } from '../src/chat/mentions';
import { passing } from '../src/spaces/patience';
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

describe('mentions', () => {
  const people = [
    { id: 'a', name: 'Ann' },
    { id: 'l', name: 'Ann Lee' },
    { id: 'w', name: '王伟' },
    { id: 'all', name: 'all' },
  ];

  it('are of the longest name that stands there', () => {
    expect(mentionsIn('hi @Ann Lee and @ann, see this', people)).toEqual(['l', 'a']);
    expect(mentionsIn('@Annabel', people)).toEqual([]);
    expect(mentionsIn('你好 @王伟，请看@all', people)).toEqual(['w', 'all']);
    expect(mentionsIn('@all: lunch', people)).toEqual(['all']);
  });

  it('are no addresses', () => {
    expect(mentionsIn('write to me@ann or ann@all', people)).toEqual([]);
  });
});

describe('a message on its way', () => {
  it('waits for the network and for a busy server, not for a refusal', () => {
    expect(passing(new TypeError('fetch failed'))).toBe(true);
    expect(passing(new HttpError(503, ''))).toBe(true);
    expect(passing(new HttpError(403, ''))).toBe(false);
  });
});
