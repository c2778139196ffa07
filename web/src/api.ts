// The few HTTP calls beside the gateway.

export interface Info {
  version: string;
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

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
  });
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
    throw new HttpError(response.status, problem.detail ?? problem.title ?? response.statusText);
  }
  return (await response.json()) as T;
}

export const serverInfo = (): Promise<Info> => ask('/api/v1/info');

export const meetingInfo = (id: string): Promise<MeetingInfo> =>
  ask(`/api/v1/meetings/${encodeURIComponent(id)}`);

export const createMeeting = (options: {
  title?: string;
  lobby?: boolean;
}): Promise<{ id: string; link: string; token: string }> => ask('/api/v1/meetings', options);
