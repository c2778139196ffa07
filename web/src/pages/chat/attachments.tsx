// Files of a message: pictures where they stand, with their place kept free; recordings; the rest as
// cards. And those on their way into one.
import type { Outgoing } from '../../chat/outgoing';
import type { Attachment, ChatMessage } from '../../gateway/frames';
import { contentUrl } from '../../spaces/rest';
import { fileSize, text } from '../../text';
import { IconButton } from '../../ui/button';
import { Icon } from '../../ui/icons';
import type { ChatSeat } from './panel';
import { VoicePlayer } from './player';

const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const WIDE_MAX = 360; // px
const HIGH_MAX = 280;

export function Attachments({ message, seat }: { message: ChatMessage; seat: ChatSeat }) {
  const all = message.attachments ?? [];
  if (all.length === 0 || message.deleted) return null;
  return (
    <div class="chat-files">
      {all.map((attachment) => (
        <One key={attachment.file} attachment={attachment} seat={seat} />
      ))}
    </div>
  );
}

/** How large a picture is drawn: never larger than it is. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, WIDE_MAX / width, HIGH_MAX / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function One({ attachment, seat }: { attachment: Attachment; seat: ChatSeat }) {
  const t = text.value.chat;
  const { name, type, size } = attachment;
  if (attachment.gone)
    return (
      <div class="chat-file gone">
        <Icon name="file" size={20} />
        <span class="quiet">{attachment.kind === 'voice' ? t.voiceGone : t.fileGone}</span>
      </div>
    );
  if (attachment.kind === 'voice' && seat.open) return <VoicePlayer attachment={attachment} />;
  const open = seat.open && (() => seat.open?.(attachment));
  if (PICTURES.has(type) && attachment.width && attachment.height && open) {
    const sides = fitted(attachment.width, attachment.height);
    return (
      <button type="button" class="chat-picture" aria-label={t.openFile(name)} data-testid={`picture-${name}`} onClick={open} style={{ aspectRatio: `${sides.width} / ${sides.height}`, width: `${sides.width}px` }}>
        <img src={contentUrl(attachment.file, attachment.version)} alt={name} width={sides.width} height={sides.height} loading="lazy" />
      </button>
    );
  }
  return (
    <button type="button" class="chat-file" disabled={!open} aria-label={t.openFile(name)} data-testid={`card-${name}`} onClick={open}>
      <Icon name="file" size={20} />
      <span class="person-words">
        <span class="ellipsis">{name}</span>
        <small class="quiet">{fileSize(size)}</small>
      </span>
    </button>
  );
}

/** Above the composer: what goes with the next message. */
export function OutgoingFiles({ outgoing }: { outgoing: Outgoing }) {
  const t = text.value.chat;
  const files = outgoing.files.value;
  if (files.length === 0) return null;
  return (
    <ul class="outgoing" aria-label={t.attached} data-testid="outgoing">
      {files.map((file) => (
        <li key={file.key} class={file.failed ? 'failed' : ''}>
          {file.picture ? <img src={file.picture} alt="" /> : <Icon name={file.failed ? 'alert' : 'file'} size={20} />}
          <span class="person-words grow">
            <span class="ellipsis">{file.name}</span>
            {file.failed ? (
              <small class="field-error">{t.uploadFailed}</small>
            ) : file.attachment ? (
              <small class="quiet">{fileSize(file.size)}</small>
            ) : (
              <progress max={1} value={file.done} aria-label={text.value.files.uploading(file.name)} />
            )}
          </span>
          <IconButton small icon="close" iconSize={16} tip="none" label={t.detach(file.name)} onClick={() => outgoing.remove(file.key)} />
        </li>
      ))}
    </ul>
  );
}
