// The files of a space: a folder at a time, uploads by button, drop and paste.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Files, Upload } from '../../spaces/files';
import { contentUrl, type Space, type SpaceFile } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { dateTime, fileSize, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { toast } from '../../ui/toast';
import { MoveDialog } from './move';
import { Preview } from './preview';
import { told } from './told';

const NAME_MAX = 255; // bytes

const shown = signal<SpaceFile | null>(null);
const moving = signal<SpaceFile | null>(null);

export function FilesView({ space, files, nameOf }: { space: Space; files: Files; nameOf(id: string): string }) {
  const t = text.value.files;
  const writes = may(space, 'write');
  const [over, setOver] = useState(false);
  useEffect(() => {
    void told(files.load());
    const paste = (event: ClipboardEvent) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (writes && pasted.length > 0) void files.upload(pasted);
    };
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('paste', paste);
      shown.value = moving.value = null;
    };
  }, [files, writes]);
  const drag = (event: DragEvent) => {
    if (!writes || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setOver(true);
  };
  const drop = (event: DragEvent) => {
    setOver(false);
    if (!writes) return;
    event.preventDefault();
    void files.upload([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <section
      class={over ? 'files over' : 'files'}
      aria-label={t.heading}
      data-testid="files"
      onDragOver={drag}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Toolbar files={files} writes={writes} />
      <div class="files-scroll scroll">
        {files.uploads.value.map((upload) => (
          <Going key={upload.key} upload={upload} forget={() => files.forget(upload.key)} />
        ))}
        {files.items.value?.length === 0 && files.uploads.value.length === 0 && (
          <div class="panel-blank">
            <Icon name="folder" size={32} />
            <span class="chat-author">{t.empty}</span>
            {writes && <p>{t.emptyText}</p>}
          </div>
        )}
        <ul data-testid="file-list">
          {files.items.value?.map((file) => (
            <Row key={file.id} files={files} file={file} writes={writes} author={nameOf(file.author)} />
          ))}
        </ul>
      </div>
      {over && <p class="files-drop">{t.dropHere}</p>}
      {shown.value && <Preview file={shown.value} onClose={() => (shown.value = null)} />}
      {moving.value && <MoveDialog files={files} file={moving.value} onClose={() => (moving.value = null)} />}
    </section>
  );
}

function Toolbar({ files, writes }: { files: Files; writes: boolean }) {
  const t = text.value.files;
  const picker = useRef<HTMLInputElement>(null);
  const trail = files.trail.value;
  const makeFolder = async () => {
    const name = await confirm({ title: t.newFolder, action: t.create, input: { label: t.name, value: '', max: NAME_MAX } });
    if (name) void told(files.makeFolder(name));
  };
  return (
    <div class="files-bar">
      <nav class="files-trail" aria-label={t.where}>
        <button type="button" disabled={trail.length === 0} onClick={() => void told(files.open([]))}>
          {t.heading}
        </button>
        {trail.map((folder, i) => (
          <button
            key={folder.id}
            type="button"
            class="ellipsis"
            disabled={i === trail.length - 1}
            onClick={() => void told(files.open(trail.slice(0, i + 1)))}
          >
            {folder.name}
          </button>
        ))}
      </nav>
      {writes && (
        <>
          <IconButton icon="folder" label={t.newFolder} tip="below-end" data-testid="new-folder" onClick={() => void makeFolder()} />
          <Button icon="upload" variant="primary" data-testid="upload" onClick={() => picker.current?.click()}>
            {t.upload}
          </Button>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            data-testid="upload-input"
            onChange={(event) => {
              void files.upload([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
        </>
      )}
    </div>
  );
}

function Going({ upload, forget }: { upload: Upload; forget(): void }) {
  const t = text.value.files;
  const fault = upload.fault && (upload.fault.status === 413 ? t.tooLarge : t.notUploaded);
  return (
    <div class="file-row going" data-testid="uploading">
      <span class="file-icon">
        <Icon name={fault ? 'alert' : 'upload'} size={20} />
      </span>
      <span class="person-words grow">
        <span class="ellipsis">{upload.name}</span>
        {fault ? (
          <small class="field-error" role="alert">
            {fault}
          </small>
        ) : (
          <progress max={1} value={upload.done} aria-label={t.uploading(upload.name)} />
        )}
      </span>
      <IconButton
        small
        icon="close"
        tip="none"
        label={fault ? text.value.common.dismiss : text.value.common.cancel}
        onClick={fault ? forget : upload.cancel}
      />
    </div>
  );
}

function Row({ files, file, writes, author }: { files: Files; file: SpaceFile; writes: boolean; author: string }) {
  const folder = file.kind === 'folder';
  const open = () => {
    if (folder) void told(files.open([...files.trail.peek(), file]));
    else shown.value = file;
  };
  return (
    <li class="file-row" data-testid={`file-${file.name}`}>
      <button type="button" class="file-open" onClick={open}>
        <span class={folder ? 'file-icon folder' : 'file-icon'}>
          <Icon name={folder ? 'folder' : 'file'} size={20} />
        </span>
        <span class="person-words grow">
          <span class="ellipsis">{file.name}</span>
          <small class="quiet ellipsis">
            {[folder ? '' : fileSize(file.size), author, dateTime(file.changed)].filter(Boolean).join(' · ')}
          </small>
        </span>
      </button>
      {(writes || !folder) && <More files={files} file={file} writes={writes} />}
    </li>
  );
}

export function download(file: SpaceFile): void {
  const link = document.createElement('a');
  link.href = contentUrl(file.id, file.version);
  link.download = file.name;
  link.click();
}

function More({ files, file, writes }: { files: Files; file: SpaceFile; writes: boolean }) {
  const t = text.value.files;
  const rename = async () => {
    const name = await confirm({ title: t.rename, action: text.peek().common.save, input: { label: t.name, value: file.name, max: NAME_MAX } });
    if (name && name !== file.name) void told(files.change(file, { name }));
  };
  const remove = async () => {
    if (!(await told(files.remove(file)))) return;
    toast({
      id: 'file-deleted',
      words: t.deleted(file.name),
      icon: 'trash',
      actions: [{ label: t.undo, testid: 'undo', run: () => void told(files.change(file, { deleted: false })) }],
    });
  };
  return (
    <Popup
      label={t.actions(file.name)}
      trigger={(props) => <IconButton {...props} small icon="more" tip="none" label={t.actions(file.name)} data-testid={`file-more-${file.name}`} />}
    >
      {(close) => {
        const then = (run: () => void) => () => {
          close();
          run();
        };
        return (
          <>
            {file.kind === 'file' && (
              <Item icon="download" onSelect={then(() => download(file))}>
                {t.download}
              </Item>
            )}
            {writes && (
              <>
                <Item icon="edit" testid="rename-file" onSelect={then(() => void rename())}>
                  {t.rename}
                </Item>
                <Item icon="folder" testid="move-file" onSelect={then(() => (moving.value = file))}>
                  {t.move}
                </Item>
                <Rule />
                <Item icon="trash" danger testid="delete-file" onSelect={then(() => void remove())}>
                  {t.delete}
                </Item>
              </>
            )}
          </>
        );
      }}
    </Popup>
  );
}
