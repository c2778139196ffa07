// The files of a space: one folder at a time, and what is on its way up.
import { batch, signal } from '@preact/signals';
import { session } from '../account';
import { HttpError } from '../api';
import * as rest from './rest';
import type { SpaceFile } from './rest';

export interface Upload {
  key: number;
  name: string;
  /** 0..1 */
  done: number;
  fault: HttpError | null;
  cancel(): void;
}

export class Files {
  /** From the top (not in it) to the folder that is open. */
  readonly trail = signal<readonly SpaceFile[]>([]);
  /** Folders first, by name; undefined: not asked yet. */
  readonly items = signal<readonly SpaceFile[] | undefined>(undefined);
  readonly uploads = signal<readonly Upload[]>([]);
  private key = 0;

  constructor(readonly space: string) {}

  get folder(): string | null {
    return this.trail.peek().at(-1)?.id ?? null;
  }

  async load(): Promise<void> {
    const { folder } = this;
    const items = await rest.listFiles(this.space, folder);
    if (folder === this.folder) this.items.value = inOrder(items);
  }

  async open(trail: readonly SpaceFile[]): Promise<void> {
    batch(() => {
      this.trail.value = trail;
      this.items.value = undefined;
    });
    await this.load();
  }

  async makeFolder(name: string): Promise<void> {
    await rest.makeFolder(this.space, name, this.folder);
    await this.load();
  }

  async change(file: SpaceFile, change: Parameters<typeof rest.changeFile>[1]): Promise<void> {
    await rest.changeFile(file.id, change);
    await this.load();
  }

  async remove(file: SpaceFile): Promise<void> {
    await rest.deleteFile(file.id);
    await this.load();
  }

  /** One after another, so that each goes as fast as it can. */
  async upload(chosen: readonly File[]): Promise<void> {
    const { folder } = this;
    const waiting = chosen.map((content) => ({ content, ...this.announce(content.name) }));
    for (const { content, key, stop } of waiting) {
      if (stop.signal.aborted) continue;
      try {
        await send(rest.uploadUrl(this.space, content.name, folder), content, stop.signal, (done) => this.update(key, { done }));
        this.forget(key);
      } catch (error) {
        if (stop.signal.aborted) continue;
        this.update(key, { fault: error instanceof HttpError ? error : new HttpError(0, '') });
      }
      await this.load().catch(() => undefined);
    }
  }

  forget(key: number): void {
    this.uploads.value = this.uploads.peek().filter((upload) => upload.key !== key);
  }

  private announce(name: string): { key: number; stop: AbortController } {
    const key = ++this.key;
    const stop = new AbortController();
    const cancel = () => {
      stop.abort();
      this.forget(key);
    };
    this.uploads.value = [...this.uploads.peek(), { key, name, done: 0, fault: null, cancel }];
    return { key, stop };
  }

  private update(key: number, change: Partial<Upload>): void {
    this.uploads.value = this.uploads.peek().map((upload) => (upload.key === key ? { ...upload, ...change } : upload));
  }
}

function inOrder(files: readonly SpaceFile[]): SpaceFile[] {
  const rank = ({ kind }: SpaceFile) => (kind === 'folder' ? 0 : 1);
  return [...files].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** fetch tells no progress of what goes up. */
function send(url: string, content: File, stop: AbortSignal, progress: (done: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('Content-Type', content.type || 'application/octet-stream');
    request.setRequestHeader('X-CSRF-Token', session.peek()?.csrf ?? '');
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => (request.status < 300 ? resolve() : reject(new HttpError(request.status, '')));
    request.onerror = request.onabort = () => reject(new HttpError(0, ''));
    stop.addEventListener('abort', () => request.abort());
    request.send(content);
  });
}
