import { describe, expect, it } from 'vitest';
import { fitGrid, follow, promote } from '../src/call/arrange';
import { activeLayers, cameraLayers, withStartBitrate } from '../src/call/encodings';
import { wishes } from '../src/call/view';
import { excerpt } from '../src/util/excerpt';

describe('camera layers', () => {
  it('are quarter, half and full of 720 lines', () => {
    expect(cameraLayers(720).map((l) => [l.rid, l.active, l.scaleResolutionDownBy])).toEqual([
      ['q', true, 4],
      ['h', true, 2],
      ['f', true, 1],
    ]);
  });
  it('are two at 360 lines and one at 180', () => {
    expect(activeLayers(360, null)).toEqual([true, true, false]);
    expect(cameraLayers(360).map((l) => l.scaleResolutionDownBy)).toEqual([2, 1, 1]);
    expect(activeLayers(180, null)).toEqual([true, false, false]);
  });
  it('run only when watched', () => {
    expect(activeLayers(720, new Set(['q', 'f']))).toEqual([true, false, true]);
    expect(activeLayers(360, new Set(['h', 'f']))).toEqual([false, true, false]);
  });
});

describe('the start bitrate', () => {
  it('goes into the lines on which we send video, and nowhere else', () => {
    const sdp = [
      'v=0',
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=rtpmap:111 opus/48000/2',
      'a=recvonly',
      'm=video 9 UDP/TLS/RTP/SAVPF 96 97 98',
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=96',
      'a=rtpmap:98 VP9/90000',
      'a=fmtp:98 profile-id=0',
      'a=recvonly',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'a=rtpmap:96 VP8/90000',
      'a=sendonly',
      '',
    ].join('\r\n');
    const out = withStartBitrate(sdp).split('\r\n');
    expect(out.filter((line) => line.includes('x-google'))).toEqual([
      'a=fmtp:96 x-google-start-bitrate=1000',
      'a=fmtp:98 profile-id=0;x-google-start-bitrate=1000',
    ]);
    expect(out.every((line) => !/[\r\n]/.test(line))).toBe(true);
    expect(out).toHaveLength(sdp.split('\r\n').length + 1);
  });
});

describe('the places', () => {
  it('are kept as people come and go', () => {
    expect(follow(['a', 'b', 'c'], ['c', 'd', 'a'])).toEqual(['a', 'c', 'd']);
  });
  it('change hands only for somebody more worth seeing', () => {
    const rank = (id: string) => ({ s: 2, v: 1 })[id] ?? 0;
    expect(promote(['a', 'b', 'c', 's'], 3, rank)).toEqual(['a', 'b', 's', 'c']);
    expect(promote(['a', 'b', 'c', 'd'], 3, rank)).toEqual(['a', 'b', 'c', 'd']);
    expect(promote(['v', 's', 'c', 'd'], 2, rank)).toEqual(['v', 's', 'c', 'd']);
    expect(promote(['a'], 9, rank)).toEqual(['a']);
  });
});

describe('the grid', () => {
  it('makes the tiles as large as they can be', () => {
    expect(fitGrid(1, 1600, 900, 8)).toMatchObject({ columns: 1, width: 1600 });
    expect(fitGrid(4, 1600, 900, 0)).toMatchObject({ columns: 2, rows: 2, width: 800 });
    expect(fitGrid(9, 1600, 900, 0)).toMatchObject({ columns: 3, rows: 3 });
    expect(fitGrid(3, 360, 700, 8)).toMatchObject({ columns: 1, rows: 3 });
  });
});

describe('the wish list', () => {
  const tile = (id: string, height: number, priority = 0, visible = true) => ({
    source: { id, kind: 'camera' as const },
    height,
    priority,
    visible,
  });
  it('leaves out what is not on screen and merges two tiles of one source', () => {
    expect(wishes([tile('a', 100), tile('b', 0), tile('c', 10, 0, false), tile('a', 300, 1)])).toEqual([
      { source: { id: 'a', kind: 'camera' }, height: 300, priority: 1 },
    ]);
  });
  it('has at most nine cameras and one screen, most wanted first', () => {
    const many = Array.from({ length: 12 }, (_, i) => tile(`p${i}`, 100 + i, i === 3 ? 5 : 0));
    const list = wishes([
      ...many,
      { source: { id: 'x', kind: 'screen' as const }, height: 9, priority: 9, visible: true },
      { source: { id: 'y', kind: 'screen' as const }, height: 9, priority: 1, visible: true },
    ]);
    expect(list).toHaveLength(10);
    expect(list[0]?.source.id).toBe('x');
    expect(list[1]?.source.id).toBe('p3');
    expect(list.some((wish) => wish.source.id === 'y')).toBe(false);
  });
});

describe('an excerpt', () => {
  it('is what the Markdown says, in one line', () => {
    expect(excerpt('Look at the **second step**,\n\n- [here](https://example.org)\n- `a_b`\n')).toBe('Look at the second step, here a_b');
    expect(excerpt('```c\nint x;\n```')).toBe('int x;');
    expect(excerpt('2 * 3 * 4 > 5')).toBe('2 * 3 * 4 > 5');
  });
});
