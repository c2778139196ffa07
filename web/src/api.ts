// The few HTTP calls beside the gateway.

export interface Info {
  version: string;
  setup: 'done' | 'here' | 'link';
  signed_in: boolean;
  sign_up: boolean;
  meetings: { adhoc: boolean };
  voices: number;
  tiles: number;
}

export interface MeetingInfo {
  id: string;
  title: string;
  locked: boolean;
  lobby: boolean;
  participants: number;
}

export class HttpError extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
    this.name = 'HttpError';
  }
}

const PATIENCE_MS = 8000; // with the first answer: a network may be there and lead nowhere

async function ask<T>(path: string, body?: unknown, token?: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
    signal: signal ?? null,
  });
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
    throw new HttpError(response.status, problem.detail ?? problem.title ?? response.statusText);
  }
  return (await response.json()) as T;
}

export const serverInfo = (): Promise<Info> =>
  ask('/api/v1/info', undefined, undefined, AbortSignal.timeout(PATIENCE_MS));

export const meetingInfo = (id: string): Promise<MeetingInfo> =>
  ask(`/api/v1/meetings/${encodeURIComponent(id)}`);

export const createMeeting = (options: {
  title?: string;
  lobby?: boolean;
}): Promise<{ id: string; link: string; token: string }> => ask('/api/v1/meetings', options);

/** What a host sees of one person: our measurements and their own (docs/protocol.md, Statistics). */
export interface PersonStatistics {
  id: string;
  name: string;
  kind: 'browser' | 'whip' | 'phone' | 'whep';
  server: {
    connected: boolean;
    tcp: boolean;
    rtt: number;
    estimate: number;
    sent: number;
    received: number;
    tracks?: { source: string; layer: number; height: number; bitrate: number; loss: number; active: boolean }[];
    slots?: { kind: string; layer: number; target: number; height: number; bitrate: number; loss: number; state: string }[];
    switches?: { reason: string; ago: number; from: number; to: number }[];
  };
  client: {
    /** ms; -1: never reported. */
    ago: number;
    report: { rtt: number; loss_in: number; loss_out: number; freezes: number; concealed: number };
  };
}

export const meetingStatistics = (
  id: string,
  token: string,
): Promise<{ participants: PersonStatistics[]; more: boolean }> =>
  ask(`/api/v1/meetings/${encodeURIComponent(id)}/stats`, undefined, token);
