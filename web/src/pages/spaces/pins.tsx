// What is pinned in the space.
import { useEffect } from 'preact/hooks';
import { go, messagePath } from '../../route';
import type { OpenSpace } from '../../spaces/open';
import type { Space } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { dateTime, text } from '../../text';
import { IconButton } from '../../ui/button';
import { Face } from '../../ui/face';
import { Icon } from '../../ui/icons';
import { loadMarkdown, Words } from '../chat/words';
import { told } from './told';

export function PinsPanel({ space, open }: { space: Space; open: OpenSpace }) {
  const t = text.value.chat;
  useEffect(() => {
    loadMarkdown();
    void open.loadPins().catch(() => undefined);
  }, [open]);
  const pins = open.pins.value;
  return (
    <ul class="pins scroll" aria-label={t.pins} data-testid="pins">
      {pins?.map((message) => (
        <li key={message.id}>
          <header>
            <Face name={message.author_name} id={message.author} class="rail-avatar" />
            <span class="chat-author ellipsis grow">{message.author_name}</span>
            {may(space, 'write') && (
              <IconButton small icon="unpin" iconSize={16} tip="none" label={t.unpin} onClick={() => void told(open.pin(message, false))} />
            )}
          </header>
          <Words source={message.text || message.attachments?.map(({ name }) => name).join(', ') || t.meeting} />
          <button type="button" class="thread-button" onClick={() => go(messagePath(space.id, message.id))}>
            {dateTime(message.created)}
          </button>
        </li>
      ))}
      {pins?.length === 0 && (
        <li class="panel-blank">
          <Icon name="pin" size={32} />
          <p>{t.noPins}</p>
        </li>
      )}
    </ul>
  );
}
