// What a camera and a screen are encoded into. The three rids are fixed by the one offer;
// what each carries follows the height the camera really delivers.

export const CAMERA_RIDS = ['q', 'h', 'f'] as const;

export interface Encoding {
  rid?: string;
  active: boolean;
  scaleResolutionDownBy: number;
  maxBitrate: number;
  maxFramerate: number;
  scalabilityMode?: string;
}

/** bit/s for a picture of so many lines (16:9) of a talking person. */
function bitrateFor(lines: number): number {
  if (lines >= 1000) return 3_000_000;
  if (lines >= 700) return 1_700_000;
  if (lines >= 500) return 1_000_000;
  if (lines >= 340) return 550_000;
  if (lines >= 240) return 300_000;
  return 160_000;
}

/**
 * Chromium's encoder takes no more layers than the picture is large enough for (two at
 * 360 lines, one at 180) and counts from the lowest, so the upper rids go unused there.
 */
export function cameraLayers(height: number): Encoding[] {
  const scales = height >= 500 ? [4, 2, 1] : height >= 300 ? [2, 1, 0] : [1, 0, 0];
  return CAMERA_RIDS.map((rid, i) => {
    const scale = scales[i] ?? 0;
    return {
      rid,
      active: scale > 0,
      scaleResolutionDownBy: Math.max(1, scale),
      maxBitrate: bitrateFor(scale > 0 ? height / scale : height),
      maxFramerate: 30,
      scalabilityMode: 'L1T2',
    };
  });
}

/** Which of the layers run: those that exist at this height and whose rid somebody watches. */
export function activeLayers(height: number, watched: ReadonlySet<string> | null): boolean[] {
  return cameraLayers(height).map(
    (layer) => layer.active && (watched === null || watched.has(layer.rid ?? '')),
  );
}

export function screenEncoding(): Encoding {
  return {
    active: true,
    scaleResolutionDownBy: 1,
    maxBitrate: 3_500_000,
    maxFramerate: 30,
  };
}

const START_KBPS = 1000;

/**
 * Chromium begins at 300 kbit/s and takes seconds to dare the top layer; this tells it where
 * to begin. Its own parameter, ignored by others; congestion control takes over at once.
 */
export function withStartBitrate(sdp: string): string {
  const eol = sdp.includes('\r\n') ? '\r\n' : '\n';
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      if (!section.startsWith('m=video') || !/^a=(recvonly|sendrecv)\r?$/m.test(section)) return section;
      const types = [...section.matchAll(/^a=rtpmap:(\d+) (VP8|VP9|H264|AV1)\//gm)].map((m) => m[1]);
      return types.reduce<string>((text, type) => {
        const fmtp = new RegExp(`^a=fmtp:${type} (.*?)(\\r?)$`, 'm');
        const start = `x-google-start-bitrate=${START_KBPS}`;
        if (fmtp.test(text)) return text.replace(fmtp, `a=fmtp:${type} $1;${start}$2`);
        return text.replace(
          new RegExp(`^(a=rtpmap:${type} .*?)\\r?$`, 'm'),
          `$1${eol}a=fmtp:${type} ${start}${eol === '\r\n' ? '\r' : ''}`,
        );
      }, section);
    })
    .join('');
}
