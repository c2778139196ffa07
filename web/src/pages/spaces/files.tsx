// The files of a space: a folder at a time, uploads by button, drop and paste.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Files } from '../../spaces/files';
import { contentUrl, getFile, getQuota, type Space, type SpaceFile } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { soughtFile } from '../../spaces/search';
import type { Upload } from '../../spaces/uploads';
import { dateTime, fileSize, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Item, Popup, Rule } from '../../ui/menu';
import { toast } from '../../ui/toast';
import { BinDialog } from './bin';
import { MoveDialog } from './move';
import { Preview, save, type Shown } from './preview';
import { ShareDialog } from './share';
import { told } from './told';
import { VersionsDialog } from './versions';

const NAME_MAX = 255; // bytes

/** What lies over the list, and of which file. */
type Over =
  | { what: 'preview' | 'move' | 'versions'; file: SpaceFile }
  | { what: 'share'; files: readonly SpaceFile[] | null }
  | { what: 'bin' };

const over = signal<Over | null>(null);
const closeOver = () => (over.value = null);

export function FilesView({ space, files, nameOf }: { space: Space; files: Files; nameOf(id: string): string }) {
  const t = text.value.files;
  const writes = may(space, 'write');
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    void told(files.load());
    const paste = (event: ClipboardEvent) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (writes && pasted.length > 0) void files.upload(pasted);
    };
    document.addEventListener('paste', paste);
    return () => {
      document.removeEventListener('paste', paste);
      closeOver();
    };
  }, [files, writes]);
  const wanted = soughtFile.value;
  useEffect(() => {
    if (wanted?.space !== space.id) return;
    soughtFile.value = null;
    void told(
      getFile(wanted.file).then((file) => {
        if (file.kind === 'folder') void told(files.open([file]));
        else over.value = { what: 'preview', file };
      }),
    );
  }, [wanted, space.id]);
  const drag = (event: DragEvent) => {
    if (!writes || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    setDragging(true);
  };
  const drop = (event: DragEvent) => {
    setDragging(false);
    if (!writes) return;
    event.preventDefault();
    void files.upload([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <section
      class={dragging ? 'files over' : 'files'}
      aria-label={t.heading}
      data-testid="files"
      onDragOver={drag}
      onDragLeave={() => setDragging(false)}
      onDrop={drop}
    >
      <Toolbar space={space} files={files} writes={writes} />
      <div class="files-scroll scroll">
        {files.uploads.value.map((upload) => (
          <Going key={upload.key} files={files} upload={upload} />
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
            <Row key={file.id} space={space} files={files} file={file} writes={writes} author={nameOf(file.author)} />
          ))}
        </ul>
        <Room space={space} changed={files.items.value} />
      </div>
      {dragging && <p class="files-drop">{t.dropHere}</p>}
      <Overlay space={space} files={files} writes={writes} nameOf={nameOf} />
    </section>
  );
}

const asShown = (file: SpaceFile): Shown => ({ ...file, url: contentUrl(file.id, file.version) });

function Overlay({ space, files, writes, nameOf }: {
  space: Space;
  files: Files;
  writes: boolean;
  nameOf(id: string): string;
}) {
  const now = over.value;
  switch (now?.what) {
    case 'preview':
      return <Preview file={asShown(now.file)} onClose={closeOver} />;
    case 'move':
      return <MoveDialog files={files} file={now.file} onClose={closeOver} />;
    case 'versions':
      return <VersionsDialog files={files} file={now.file} writes={writes} nameOf={nameOf} onClose={closeOver} />;
    case 'share':
      return <ShareDialog space={space} chosen={now.files} onClose={closeOver} />;
    case 'bin':
      return <BinDialog files={files} onClose={closeOver} />;
    default:
      return null;
  }
}

/** What the space keeps, once it is worth a thought. */
function Room({ space, changed }: { space: Space; changed: unknown }) {
  const [quota, setQuota] = useState({ bytes: 0, max: 0 });
  useEffect(() => void getQuota(space.id).then(setQuota, () => undefined), [space.id, changed]);
  if (quota.bytes === 0) return null;
  return <p class="files-room quiet small">{text.value.files.room(fileSize(quota.bytes), fileSize(quota.max))}</p>;
}

function Toolbar({ space, files, writes }: { space: Space; files: Files; writes: boolean }) {
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
      {may(space, 'link') && (
        <IconButton icon="link" label={text.value.shares.title} tip="below-end" data-testid="share-space" onClick={() => (over.value = { what: 'share', files: null })} />
      )}
      {writes && (
        <>
          <IconButton icon="trash" label={t.bin} tip="below-end" data-testid="open-bin" onClick={() => (over.value = { what: 'bin' })} />
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

function Going({ files, upload }: { files: Files; upload: Upload }) {
  const t = text.value.files;
  const state = upload.state.value;
  const failed = state === 'failed';
  const fault = failed && (upload.fault?.status === 413 ? t.tooLarge : t.notUploaded);
  const paused = state === 'paused';
  return (
    <div class="file-row going" data-testid="uploading" data-state={state}>
      <span class="file-icon">
        <Icon name={failed ? 'alert' : state === 'offline' ? 'offline' : 'upload'} size={20} />
      </span>
      <span class="person-words grow">
        <span class="ellipsis">{upload.name}</span>
        {fault ? (
          <small class="field-error" role="alert">
            {fault}
          </small>
        ) : (
          <>
            <progress max={1} value={upload.done.value} aria-label={t.uploading(upload.name)} />
            {(paused || state === 'offline') && <small class="quiet">{paused ? t.paused : t.waiting}</small>}
          </>
        )}
      </span>
      {!failed && (
        <IconButton
          small
          icon={paused ? 'play' : 'pause'}
          tip="none"
          label={paused ? t.goOn : t.pause}
          data-testid="pause-upload"
          onClick={() => (paused ? upload.resume() : upload.pause())}
        />
      )}
      <IconButton
        small
        icon="close"
        tip="none"
        label={failed ? text.value.common.dismiss : text.value.common.cancel}
        data-testid="cancel-upload"
        onClick={() => files.cancel(upload)}
      />
    </div>
  );
}

function Row({ space, files, file, writes, author }: {
  space: Space;
  files: Files;
  file: SpaceFile;
  writes: boolean;
  author: string;
}) {
  const folder = file.kind === 'folder';
  const open = () => {
    if (folder) void told(files.open([...files.trail.peek(), file]));
    else over.value = { what: 'preview', file };
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
      {(writes || !folder) && <More space={space} files={files} file={file} writes={writes} />}
    </li>
  );
}

function More({ space, files, file, writes }: { space: Space; files: Files; file: SpaceFile; writes: boolean }) {
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
              <Item icon="download" onSelect={then(() => save(asShown(file)))}>
                {t.download}
              </Item>
            )}
            {file.kind === 'file' && may(space, 'history') && (
              <Item icon="clock" testid="file-versions" onSelect={then(() => (over.value = { what: 'versions', file }))}>
                {t.versions}
              </Item>
            )}
            {may(space, 'link') && (
              <Item icon="link" testid="share-file" onSelect={then(() => (over.value = { what: 'share', files: [file] }))}>
                {text.value.shares.action}
              </Item>
            )}
            {writes && (
              <>
                <Item icon="edit" testid="rename-file" onSelect={then(() => void rename())}>
                  {t.rename}
                </Item>
                <Item icon="folder" testid="move-file" onSelect={then(() => (over.value = { what: 'move', file }))}>
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
