// A content on its way up: in pieces that the server keeps one by one, so that it can be paused, and
// goes on by itself after the network was away (tus 1.0: docs/protocol.md, uploads).
import { signal } from '@preact/signals';
import { renew, session } from '../account';
import { HttpError } from '../api';
import { passing, whenBack } from './patience';

const PIECE = 8 << 20; // bytes of one request
const BASE = '/api/v1/';

export interface Target {
  space: string;
  /** Null: the top. */
  folder: string | null;
  /** The file it is the next version of. */
  file?: string;
}

export type UploadState = 'waiting' | 'sending' | 'paused' | 'offline' | 'failed';

let keys = 0;

export class Upload {
  readonly key = ++keys;
  readonly state = signal<UploadState>('waiting');
  /** 0..1 */
  readonly done = signal(0);
  fault: HttpError | null = null;
  private readonly ended = new AbortController();
  private piece: AbortController | null = null;
  private wake: (() => void) | null = null;
  private at = ''; // path of the upload
  private offset = 0;

  constructor(
    readonly target: Target,
    readonly content: File,
  ) {}

  get name(): string {
    return this.content.name;
  }

  get cancelled(): boolean {
    return this.ended.signal.aborted;
  }

  pause(): void {
    if (this.state.peek() === 'failed') return;
    this.state.value = 'paused';
    this.piece?.abort();
  }

  resume(): void {
    if (this.state.peek() !== 'paused') return;
    this.state.value = 'waiting';
    this.wake?.();
  }

  cancel(): void {
    this.ended.abort();
    this.piece?.abort();
    this.wake?.();
    if (this.at) void call('DELETE', this.at).catch(() => undefined);
  }

  /** Until it is a file: its id. Rejects when it was cancelled or refused. */
  async run(): Promise<string> {
    try {
      return await this.send();
    } catch (error) {
      if (!this.cancelled) {
        this.fault = error instanceof HttpError ? error : new HttpError(0, '');
        this.state.value = 'failed';
      }
      throw error;
    }
  }

  private async send(): Promise<string> {
    for (let attempt = 0; ; ) {
      await this.unpaused();
      try {
        const before = this.offset;
        const file = await this.advance();
        if (file) return file;
        if (this.offset > before) attempt = 0;
      } catch (error) {
        if (this.cancelled) throw error;
        if (this.state.peek() === 'paused') continue;
        if (!worthAgain(error)) throw error;
        this.state.value = 'offline';
        await whenBack(attempt++, this.ended.signal);
        if ((this.state.peek() as UploadState) === 'offline') this.state.value = 'waiting';
        if (this.at) this.offset = -1;
      }
    }
  }

  /** One step: begins it, asks how far it is, or sends a piece. The file's id once it is whole. */
  private async advance(): Promise<string | null> {
    this.state.value = 'sending';
    if (!this.at) {
      this.at = await this.begin();
      return null;
    }
    if (this.offset < 0) {
      const reply = await call('HEAD', this.at);
      this.offset = Number(reply.headers.get('Upload-Offset'));
      return reply.headers.get('Upload-File');
    }
    const piece = this.content.slice(this.offset, this.offset + PIECE);
    const headers = {
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': String(this.offset),
      ...(await checksum(piece)),
    };
    this.piece = new AbortController();
    const answer = await put(this.at, piece, headers, this.piece.signal, (sent) => this.show(this.offset + sent));
    this.offset += piece.size;
    this.show(this.offset);
    return answer.file;
  }

  private async begin(): Promise<string> {
    const { space, folder, file } = this.target;
    const said = {
      ...(file ? { file } : { filename: this.name, ...(folder ? { folder } : {}) }),
      filetype: mediaType(this.content),
    };
    const metadata = Object.entries(said).map(([key, value]) => `${key} ${base64(new TextEncoder().encode(value))}`);
    const reply = await call('POST', `spaces/${encodeURIComponent(space)}/uploads`, {
      'Upload-Length': String(this.content.size),
      'Upload-Metadata': metadata.join(','),
    });
    return (reply.headers.get('Location') ?? '').slice(BASE.length);
  }

  private show(bytes: number): void {
    this.done.value = this.content.size > 0 ? Math.min(1, bytes / this.content.size) : 1;
  }

  private async unpaused(): Promise<void> {
    while (this.state.peek() === 'paused' && !this.cancelled) {
      await new Promise<void>((resolve) => (this.wake = resolve));
      if (this.at) this.offset = -1; // some of the piece may have arrived
    }
    this.wake = null;
    if (this.cancelled) throw new DOMException('cancelled', 'AbortError');
  }
}

/** Browsers name few types; those that people look at here are told by the name. */
function mediaType(content: File): string {
  if (/\.(md|markdown)$/i.test(content.name)) return 'text/markdown';
  return content.type.split(';')[0]?.trim() || 'application/octet-stream';
}

/** 409, 423, 460: it is somewhere else, still held by the request before, or a piece was damaged. */
function worthAgain(error: unknown): boolean {
  return passing(error) || (error instanceof HttpError && [408, 409, 423, 460].includes(error.status));
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Pages that came by plain HTTP from elsewhere have no subtle; TCP has its own checksum. */
async function checksum(piece: Blob): Promise<Record<string, string>> {
  if (!window.crypto.subtle) return {};
  const digest = await window.crypto.subtle.digest('SHA-256', await piece.arrayBuffer());
  return { 'Upload-Checksum': `sha256 ${base64(new Uint8Array(digest))}` };
}

const common = (): Record<string, string> => ({
  'Tus-Resumable': '1.0.0',
  'X-CSRF-Token': session.peek()?.csrf ?? '',
});

async function refused(reply: { status: number; text: string }): Promise<never> {
  let detail = '';
  try {
    detail = (JSON.parse(reply.text) as { detail?: string }).detail ?? '';
  } catch {
    // Some proxies answer with a page.
  }
  throw new HttpError(reply.status, detail);
}

async function call(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  if (session.peek()?.csrf === '') await renew();
  const reply = await fetch(BASE + path, { method, headers: { ...common(), ...headers }, credentials: 'same-origin', cache: 'no-store' });
  if (!reply.ok) await refused({ status: reply.status, text: method === 'HEAD' ? '' : await reply.text() });
  return reply;
}

/** fetch tells no progress of what goes up. */
async function put(
  path: string,
  piece: Blob,
  headers: Record<string, string>,
  stop: AbortSignal,
  progress: (sent: number) => void,
): Promise<{ file: string | null }> {
  const request = new XMLHttpRequest();
  await new Promise<void>((resolve, reject) => {
    request.open('PATCH', BASE + path);
    for (const [name, value] of Object.entries({ ...common(), ...headers })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => resolve();
    request.onerror = () => reject(new TypeError('no answer'));
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'));
    stop.addEventListener('abort', () => request.abort());
    request.send(piece);
  });
  if (request.status >= 300) await refused({ status: request.status, text: request.responseText });
  return { file: request.getResponseHeader('Upload-File') };
}
