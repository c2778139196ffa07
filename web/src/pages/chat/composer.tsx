// Where a message is written: a new one, a reply, or a message of one's own again.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import type { Named } from '../../chat/mentions';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import { Icon } from '../../ui/icons';
import { clip } from '../../util/bytes';
import { useMentions } from './mentions';

const TEXT_MAX = 8000; // bytes

export function Composer({ chat, people, tools }: {
  chat: Chat;
  people: readonly Named[];
  tools?: ComponentChildren;
}) {
  const t = text.value.chat;
  const typed = chat.written.value;
  const setTyped = (words: string) => (chat.written.value = words);
  const area = useRef<HTMLTextAreaElement>(null);
  const mode = chat.composing.value;

  useEffect(() => {
    if (mode?.kind === 'edit') setTyped(mode.message.text);
    area.current?.focus();
  }, [mode]);

  const mentions = useMentions(area, people, typed, setTyped);

  // As tall as its text, up to a limit the style sheet sets.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.setProperty('height', 'auto');
    element.style.setProperty('height', `${element.scrollHeight + 2}px`);
  }, [typed]);

  const cancel = () => chat.stopComposing();
  const send = () => {
    const words = typed.trim();
    if (!words) return;
    setTyped('');
    chat.composing.value = null;
    if (mode?.kind === 'edit') {
      if (words !== mode.message.text) void chat.edit(mode.message.id, words);
    } else chat.say(words, mode?.message.id ?? null).catch(() => undefined);
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {mode && (
        <div class="composer-mode">
          <Icon name={mode.kind} size={16} />
          <span class="ellipsis">{mode.kind === 'edit' ? t.editing : t.replyTo(mode.message.author_name)}</span>
          <IconButton small icon="close" iconSize={16} tip="none" label={mode.kind === 'edit' ? t.cancelEdit : t.cancelReply} onClick={cancel} />
        </div>
      )}
      <div class="composer-box">
        {mentions.box}
        {tools}
        <textarea
          ref={area}
          rows={1}
          value={typed}
          placeholder={t.placeholder}
          aria-label={t.placeholder}
          aria-description={t.hint}
          data-testid="chat-input"
          {...mentions.attributes}
          onKeyUp={mentions.moved}
          onClick={mentions.moved}
          onInput={(event) => {
            setTyped((event.currentTarget.value = clip(event.currentTarget.value, TEXT_MAX)));
            mentions.moved();
            if (event.currentTarget.value) chat.typed();
          }}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (mentions.key(event)) return;
            // An input method composing Chinese uses Enter for itself.
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              send();
            } else if (event.key === 'Escape' && mode) {
              event.preventDefault();
              cancel();
            }
          }}
        />
        <IconButton
          type="submit"
          class="send"
          icon="send"
          label={t.send}
          tip="none"
          disabled={typed.trim() === ''}
          data-testid="chat-send"
        />
      </div>
    </form>
  );
}
