// What a message said before it was edited.
import { useEffect, useState } from 'preact/hooks';
import type { ChatMessage } from '../../gateway/frames';
import { listEdits } from '../../spaces/rest';
import { dateTime, text } from '../../text';
import { Dialog } from '../../ui/dialog';
import { Words } from './words';

export function HistoryDialog({ space, message, onClose }: { space: string; message: ChatMessage; onClose(): void }) {
  const t = text.value.chat;
  const [edits, setEdits] = useState<{ text: string; replaced: number }[] | null | undefined>(undefined);
  useEffect(() => {
    listEdits(space, message.id).then(setEdits, () => setEdits(null));
  }, [message.id]);
  return (
    <Dialog title={t.history} onClose={onClose} testid="history-dialog">
      {edits === undefined && <p class="quiet">{text.value.common.loading}</p>}
      {edits === null && <p class="quiet">{text.value.spaces.failed}</p>}
      <ol class="edits">
        <li>
          <small class="quiet">{t.now}</small>
          <Words source={message.text} />
        </li>
        {[...(edits ?? [])].reverse().map((edit) => (
          <li key={edit.replaced}>
            <small class="quiet">{t.until(dateTime(edit.replaced))}</small>
            <Words source={edit.text} />
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
