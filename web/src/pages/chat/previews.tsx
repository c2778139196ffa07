// Cards of what a message links to: the page's own words, and whose they are.
import type { Chat } from '../../chat/chat';
import type { ChatMessage, Preview } from '../../gateway/frames';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import type { ChatSeat } from './panel';

export function Previews({ chat, seat, message }: { chat: Chat; seat: ChatSeat; message: ChatMessage }) {
  const all = message.previews ?? [];
  if (all.length === 0 || message.deleted) return null;
  const removable = seat.writes && (message.author === seat.self || seat.moderates);
  return (
    <div class="chat-previews">
      {all.map((preview) => (
        <Card key={preview.id} preview={preview} remove={removable ? () => void chat.dropPreview(message.id, preview.id) : undefined} />
      ))}
    </div>
  );
}

/** The address is told beside the name that the page gives itself: anybody can call theirs a bank. */
function Card({ preview, remove }: { preview: Preview; remove: (() => void) | undefined }) {
  const { url, title, about, site } = preview;
  const host = hostOf(url);
  return (
    <article class="chat-preview" data-testid="link-preview">
      <a href={url} target="_blank" rel="noopener noreferrer nofollow">
        <small class="ellipsis">{site && site !== host ? `${site} · ${host}` : host}</small>
        <strong>{title}</strong>
        {about && <span class="quiet">{about}</span>}
      </a>
      {remove && <IconButton small icon="close" iconSize={16} tip="none" label={text.value.chat.removePreview(title)} data-testid="remove-preview" onClick={remove} />}
    </article>
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
