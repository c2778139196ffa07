// Where a file goes: walking through the folders of its space.
import { useEffect, useState } from 'preact/hooks';
import type { Files } from '../../spaces/files';
import { listFiles, type SpaceFile } from '../../spaces/rest';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { told } from './told';

export function MoveDialog({ files, file, onClose }: { files: Files; file: SpaceFile; onClose(): void }) {
  const t = text.value.files;
  const [trail, setTrail] = useState<readonly SpaceFile[]>([]);
  const [folders, setFolders] = useState<readonly SpaceFile[]>([]);
  const here = trail.at(-1)?.id ?? null;
  useEffect(() => {
    let gone = false;
    setFolders([]);
    void told(
      listFiles(files.space, here).then((items) => {
        if (!gone) setFolders(items.filter(({ kind, id }) => kind === 'folder' && id !== file.id));
      }),
    );
    return () => {
      gone = true;
    };
  }, [here]);
  const move = async () => {
    if (await told(files.change(file, { folder: here ?? '' }))) onClose();
  };
  return (
    <Dialog
      title={t.moveTitle(file.name)}
      onClose={onClose}
      testid="move-dialog"
      foot={
        <>
          <Button onClick={onClose}>{text.value.common.cancel}</Button>
          <Button variant="primary" disabled={here === (file.folder ?? null)} onClick={() => void move()} data-testid="move-here">
            {t.moveHere}
          </Button>
        </>
      }
    >
      <ul class="move-list">
        {trail.length > 0 && (
          <li>
            <button type="button" class="menu-item" onClick={() => setTrail(trail.slice(0, -1))}>
              <Icon name="left" size={18} />
              <span class="ellipsis">{text.value.common.back}</span>
            </button>
          </li>
        )}
        {folders.map((folder) => (
          <li key={folder.id}>
            <button type="button" class="menu-item" data-testid={`into-${folder.name}`} onClick={() => setTrail([...trail, folder])}>
              <Icon name="folder" size={18} />
              <span class="ellipsis">{folder.name}</span>
            </button>
          </li>
        ))}
        {folders.length === 0 && <li class="quiet small">{t.noFolders}</li>}
      </ul>
    </Dialog>
  );
}
