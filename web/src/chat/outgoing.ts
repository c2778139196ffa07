// Files on their way into a message: uploaded while it is still being written.
import { signal } from '@preact/signals';
import type { Attachment } from '../gateway/frames';

export interface OutgoingFile {
  key: number;
  name: string;
  size: number;
  /** 0..1 */
  done: number;
  failed: boolean;
  /** Of a picture: where the browser has it. */
  picture: string | null;
  /** Once it is there. */
  attachment: Attachment | null;
}

/** Puts a file into the space. */
export type Upload = (file: File, stop: AbortSignal, progress: (done: number) => void) => Promise<Omit<Attachment, 'kind'>>;

export const OUTGOING_MAX = 10; // as the server's

export class Outgoing {
  readonly files = signal<readonly OutgoingFile[]>([]);
  private key = 0;
  private readonly stops = new Map<number, AbortController>();

  constructor(
    private readonly upload: Upload,
    private readonly refused: (error: unknown) => void,
  ) {}

  /** Those beyond what one message carries are left out; answers with how many. */
  add(chosen: readonly File[]): number {
    const room = OUTGOING_MAX - this.files.peek().length;
    for (const file of chosen.slice(0, room)) void this.take(file);
    return Math.max(0, chosen.length - room);
  }

  remove(key: number): void {
    this.stops.get(key)?.abort();
    this.stops.delete(key);
    const gone = this.files.peek().find((file) => file.key === key);
    if (gone?.picture) URL.revokeObjectURL(gone.picture);
    this.files.value = this.files.peek().filter((file) => file.key !== key);
  }

  /** What is there, to be sent with a message; those that failed are left. Null: some are still on their way. */
  collect(): Attachment[] | null {
    const files = this.files.peek();
    if (files.some(({ attachment, failed }) => !attachment && !failed)) return null;
    const ready = files.flatMap(({ attachment }) => (attachment ? [attachment] : []));
    for (const { key } of files) this.remove(key);
    return ready;
  }

  /** A recording goes by itself. */
  async voice(blob: Blob, name: string, duration: number, wave: string): Promise<Attachment> {
    const stop = new AbortController();
    const there = await this.upload(new File([blob], name, { type: bare(blob.type) }), stop.signal, () => undefined);
    return { ...there, kind: 'voice', duration, wave };
  }

  dispose(): void {
    for (const { key } of this.files.peek()) this.remove(key);
  }

  private async take(file: File): Promise<void> {
    const key = ++this.key;
    const stop = new AbortController();
    this.stops.set(key, stop);
    const picture = /^image\/(png|jpeg|gif|webp|avif)$/.test(file.type) ? URL.createObjectURL(file) : null;
    const entry: OutgoingFile = { key, name: file.name, size: file.size, done: 0, failed: false, picture, attachment: null };
    this.files.value = [...this.files.peek(), entry];
    try {
      const [there, sides] = await Promise.all([
        this.upload(file, stop.signal, (done) => this.update(key, { done })),
        picture ? sidesOf(picture) : Promise.resolve({}),
      ]);
      this.update(key, { done: 1, attachment: { ...there, ...sides, kind: 'file' } });
    } catch (error) {
      if (stop.signal.aborted) return;
      this.update(key, { failed: true });
      this.refused(error);
    }
  }

  private update(key: number, change: Partial<OutgoingFile>): void {
    this.files.value = this.files.peek().map((file) => (file.key === key ? { ...file, ...change } : file));
  }
}

/** A media type without its parameters. */
const bare = (type: string): string => (type.split(';')[0] ?? '').trim();

/** A picture that cannot be read has no sides. */
function sidesOf(url: string): Promise<{ width?: number; height?: number }> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve({ width: Math.min(image.naturalWidth, 65535), height: Math.min(image.naturalHeight, 65535) });
    image.onerror = () => resolve({});
    image.src = url;
  });
}
