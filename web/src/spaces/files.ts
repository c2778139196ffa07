// The files of a space: one folder at a time, what is in the bin, and what is on its way up.
import { batch, signal } from '@preact/signals';
import * as rest from './rest';
import type { SpaceFile } from './rest';
import { Upload } from './uploads';

export class Files {
  /** From the top (not in it) to the folder that is open. */
  readonly trail = signal<readonly SpaceFile[]>([]);
  /** Folders first, by name; undefined: not asked yet. */
  readonly items = signal<readonly SpaceFile[] | undefined>(undefined);
  readonly uploads = signal<readonly Upload[]>([]);

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

  /** Into the bin; from the bin for good. */
  async remove(file: SpaceFile): Promise<void> {
    await rest.deleteFile(file.id);
    await this.load();
  }

  /** One after another, so that each goes as fast as it can. `version`: of this file, its next. Answers
   * with the ids of the files that came to be. */
  async upload(chosen: readonly File[], version?: SpaceFile): Promise<string[]> {
    const target = { space: this.space, folder: this.folder, ...(version ? { file: version.id } : {}) };
    const waiting = chosen.map((content) => new Upload(target, content));
    const made: string[] = [];
    this.uploads.value = [...this.uploads.peek(), ...waiting];
    for (const upload of waiting) {
      try {
        made.push(await upload.run());
        this.forget(upload);
      } catch {
        // It stays in sight with its fault, or was cancelled and is gone.
      }
      await this.load().catch(() => undefined);
    }
    return made;
  }

  cancel(upload: Upload): void {
    upload.cancel();
    this.forget(upload);
  }

  forget(upload: Upload): void {
    this.uploads.value = this.uploads.peek().filter((other) => other !== upload);
  }
}

export function inOrder<F extends { kind: string; name: string }>(files: readonly F[]): F[] {
  const rank = ({ kind }: F) => (kind === 'folder' ? 0 : 1);
  return [...files].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
}
