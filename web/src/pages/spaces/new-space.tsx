import { useState } from 'preact/hooks';
import { go, spacePath } from '../../route';
import { createSpace } from '../../spaces/rest';
import { put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Caption } from '../../ui/parts';
import { clip } from '../../util/bytes';
import { faultOf } from './told';

export const NAME_MAX = 128; // bytes

export function NewSpace({ onClose }: { onClose(): void }) {
  const t = text.value.spaces;
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!name.trim() || busy) return;
    setBusy(true);
    try {
      const space = await createSpace({ name: name.trim() });
      put(space);
      onClose();
      go(spacePath(space.id));
    } catch (error) {
      setFault(faultOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t.makeTitle}
      onClose={onClose}
      testid="new-space-dialog"
      foot={
        <>
          <Button onClick={onClose}>{text.value.common.cancel}</Button>
          <Button
            variant="primary"
            type="submit"
            form="new-space-form"
            busy={busy}
            disabled={busy || name.trim() === ''}
            data-testid="create-space"
          >
            {t.makeAction}
          </Button>
        </>
      }
    >
      <p class="quiet">{t.makeText}</p>
      <form id="new-space-form" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span class="label">{t.name}</span>
          <input
            class="input large"
            value={name}
            placeholder={t.namePlaceholder}
            autoFocus
            autoComplete="off"
            data-testid="space-name"
            onInput={(event) => setName((event.currentTarget.value = clip(event.currentTarget.value, NAME_MAX)))}
          />
        </label>
      </form>
      {fault && <Caption tone="danger">{fault}</Caption>}
    </Dialog>
  );
}
