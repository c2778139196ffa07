// The folder of one's own list that a space is in.
import { useId, useState } from 'preact/hooks';
import { changeMine, type Space } from '../../spaces/rest';
import { put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { clip } from '../../util/bytes';
import { told } from './told';

const FOLDER_MAX = 64; // bytes, as the server's

export function FolderDialog({ space, known, onClose }: { space: Space; known: readonly string[]; onClose(): void }) {
  const t = text.value.spaces;
  const list = useId();
  const [name, setName] = useState(space.folder ?? '');
  const move = async (folder: string) => {
    if (await told(changeMine(space.id, { folder: folder.trim() }).then(put))) onClose();
  };
  return (
    <Dialog
      title={t.intoFolder}
      onClose={onClose}
      testid="folder-dialog"
      foot={
        <>
          {space.folder && (
            <Button variant="ghost" data-testid="no-folder" onClick={() => void move('')}>
              {t.outOfFolder}
            </Button>
          )}
          <Button variant="primary" type="submit" form="folder-form" data-testid="into-folder">
            {text.value.common.save}
          </Button>
        </>
      }
    >
      <p class="quiet">{t.folderText}</p>
      <form
        id="folder-form"
        onSubmit={(event) => {
          event.preventDefault();
          void move(name);
        }}
      >
        <label class="field">
          <span class="label">{t.folderName}</span>
          <input class="input" value={name} list={list} autoFocus autoComplete="off" data-testid="folder-name" onInput={(event) => setName((event.currentTarget.value = clip(event.currentTarget.value, FOLDER_MAX)))} />
          <datalist id={list}>
            {known.map((folder) => (
              <option key={folder} value={folder} />
            ))}
          </datalist>
        </label>
      </form>
    </Dialog>
  );
}
