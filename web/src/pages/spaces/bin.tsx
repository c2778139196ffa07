// What was deleted, of all folders: brought back, or gone for good.
import { useEffect, useState } from 'preact/hooks';
import { inOrder, type Files } from '../../spaces/files';
import { listBin, type SpaceFile } from '../../spaces/rest';
import { dateTime, fileSize, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { confirm, Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { told } from './told';

export function BinDialog({ files, onClose }: { files: Files; onClose(): void }) {
  const t = text.value.files;
  const [items, setItems] = useState<readonly SpaceFile[] | null>(null);
  const load = () => told(listBin(files.space).then((found) => setItems(inOrder(found))));
  useEffect(() => void load(), []);
  const back = async (file: SpaceFile) => {
    if (await told(files.change(file, { deleted: false }))) void load();
  };
  const purge = async (file: SpaceFile) => {
    const sure = await confirm({ title: t.purgeTitle(file.name), body: t.purgeText, action: t.purge, danger: true });
    if (sure !== null && (await told(files.remove(file)))) void load();
  };
  return (
    <Dialog title={t.bin} onClose={onClose} testid="bin-dialog">
      {items?.length === 0 && <p class="quiet">{t.binEmpty}</p>}
      <ul class="versions">
        {items?.map((file) => (
          <li key={file.id} data-testid={`bin-${file.name}`}>
            <Icon name={file.kind === 'folder' ? 'folder' : 'file'} size={18} />
            <span class="person-words grow">
              <span class="ellipsis">{file.name}</span>
              <small class="quiet ellipsis">
                {[file.kind === 'folder' ? '' : fileSize(file.size), dateTime(file.deleted)].filter(Boolean).join(' · ')}
              </small>
            </span>
            <Button data-testid="bring-back" onClick={() => void back(file)}>
              {t.restore}
            </Button>
            <IconButton small icon="trash" tip="none" label={t.purge} data-testid="purge" onClick={() => void purge(file)} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
