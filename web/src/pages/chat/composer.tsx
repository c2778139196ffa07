// Where a message is written: a new one, a reply, or a message of one's own again; with files by
// button, drop and paste, and recordings.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from '../../chat/chat';
import type { Named } from '../../chat/mentions';
import { OUTGOING_MAX, type Outgoing } from '../../chat/outgoing';
import { canRecord, VoiceRecorder } from '../../chat/voice';
import { text, zone } from '../../text';
import { IconButton } from '../../ui/button';
import { EmojiPicker } from '../../ui/emoji-picker';
import { Icon } from '../../ui/icons';
import { Popup } from '../../ui/menu';
import { toast } from '../../ui/toast';
import { clip } from '../../util/bytes';
import { wallTime } from '../../util/zone';
import { OutgoingFiles } from './attachments';
import { useCompletions } from './completions';
import { RecorderBar } from './recorder';

const TEXT_MAX = 8000; // bytes

export function Composer({ chat, people, outgoing, later, tools }: {
  chat: Chat;
  people: readonly Named[];
  /** Where files go; absent: none may be added. */
  outgoing?: Outgoing | undefined;
  /** Asks when to write it; absent: there is no later. */
  later?: (() => void) | undefined;
  tools?: ComponentChildren;
}) {
  const t = text.value.chat;
  const typed = chat.written.value;
  const setTyped = (words: string) => (chat.written.value = words);
  const area = useRef<HTMLTextAreaElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const [recorder, setRecorder] = useState<VoiceRecorder | null>(null);
  const [busy, setBusy] = useState(false);
  const mode = chat.composing.value;

  useEffect(() => {
    if (mode?.kind === 'edit') setTyped(mode.message.text);
    area.current?.focus();
  }, [mode]);

  const completions = useCompletions(area, people, typed, setTyped);

  // As tall as its text, up to a limit the style sheet sets.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.setProperty('height', 'auto');
    element.style.setProperty('height', `${element.scrollHeight + 2}px`);
  }, [typed, recorder]);

  const files = outgoing?.files.value ?? [];
  const uploading = files.some(({ attachment, failed }) => !attachment && !failed);
  const ready = files.some(({ attachment }) => attachment);
  const cancel = () => chat.stopComposing();
  const send = () => {
    const words = typed.trim();
    if ((!words && !ready) || uploading) return;
    if (mode?.kind === 'edit') {
      if (words && words !== mode.message.text) void chat.edit(mode.message.id, words);
    } else {
      const attachments = outgoing?.collect() ?? [];
      chat.say(words, mode?.message.id ?? null, attachments).catch(() => undefined);
    }
    setTyped('');
    chat.composing.value = null;
  };

  const attach = (chosen: Iterable<File> | null | undefined): boolean => {
    const list = [...(chosen ?? [])];
    if (!outgoing || list.length === 0) return false;
    if (outgoing.add(list) > 0) toast({ id: 'too-many-files', words: t.tooManyFiles(OUTGOING_MAX), icon: 'alert', tone: 'warn' });
    area.current?.focus();
    return true;
  };

  const put = (words: string) => {
    const element = area.current;
    const from = element?.selectionStart ?? typed.length;
    setTyped(clip(typed.slice(0, from) + words + typed.slice(element?.selectionEnd ?? from), TEXT_MAX));
    requestAnimationFrame(() => {
      element?.focus();
      element?.setSelectionRange(from + words.length, from + words.length);
    });
  };

  const record = () =>
    void VoiceRecorder.begin().then(setRecorder, () => toast({ id: 'no-microphone', words: t.noMicrophone, icon: 'alert', tone: 'warn' }));
  const sendVoice = async () => {
    if (!recorder || !outgoing) return;
    setBusy(true);
    try {
      const { blob, duration, wave } = await recorder.finish();
      const kind = blob.type.includes('ogg') ? 'ogg' : blob.type.includes('mp4') ? 'm4a' : 'webm';
      const name = `${t.voiceName} ${wallTime(Date.now(), zone.peek()).replace('T', ' ').replaceAll(':', '.')}.${kind}`;
      const attachment = await outgoing.voice(blob, name, duration, wave);
      setRecorder(null);
      chat.say('', mode?.kind === 'reply' ? mode.message.id : null, [attachment]).catch(() => undefined);
      chat.composing.value = null;
    } catch {
      toast({ id: 'voice-failed', words: t.uploadFailed, icon: 'alert', tone: 'warn' });
    } finally {
      setBusy(false);
    }
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
      {outgoing && mode?.kind !== 'edit' && <OutgoingFiles outgoing={outgoing} />}
      {recorder ? (
        <RecorderBar recorder={recorder} busy={busy} cancel={() => setRecorder(null)} send={() => void sendVoice()} />
      ) : (
        <div
          class="composer-box"
          onDragOver={(event) => outgoing && event.preventDefault()}
          onDrop={(event) => {
            if (attach(event.dataTransfer?.files)) event.preventDefault();
          }}
        >
          {completions.box}
          {tools}
          {outgoing && (
            <>
              <input
                ref={chooser}
                type="file"
                multiple
                hidden
                data-testid="attach-input"
                onChange={(event) => {
                  attach(event.currentTarget.files);
                  event.currentTarget.value = '';
                }}
              />
              <IconButton icon="attach" label={t.attach} tip="none" data-testid="attach" onClick={() => chooser.current?.click()} />
            </>
          )}
          <textarea
            ref={area}
            rows={1}
            value={typed}
            placeholder={t.placeholder}
            aria-label={t.placeholder}
            aria-description={t.hint}
            data-testid="chat-input"
            {...completions.attributes}
            onKeyUp={completions.moved}
            onClick={completions.moved}
            onPaste={(event) => {
              if (attach(event.clipboardData?.files)) event.preventDefault();
            }}
            onInput={(event) => {
              setTyped((event.currentTarget.value = clip(event.currentTarget.value, TEXT_MAX)));
              completions.moved();
              if (event.currentTarget.value) chat.typed();
            }}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (completions.key(event)) return;
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
          <Popup kind="dialog" label={t.emoji} trigger={(props) => <IconButton {...props} icon="smile" label={t.emoji} tip="none" data-testid="emoji" />}>
            {(close) => (
              <EmojiPicker
                choose={(emoji) => {
                  close();
                  put(emoji);
                }}
              />
            )}
          </Popup>
          {later && typed.trim() && !mode && files.length === 0 && <IconButton icon="clock" label={t.later} tip="none" data-testid="later" onClick={later} />}
          {outgoing && canRecord() && !typed.trim() && !mode && files.length === 0 ? (
            <IconButton icon="microphone" label={t.record} tip="none" data-testid="record" onClick={record} />
          ) : (
            <IconButton
              type="submit"
              class="send"
              icon="send"
              label={t.send}
              tip="none"
              disabled={(typed.trim() === '' && !ready) || uploading}
              data-testid="chat-send"
            />
          )}
        </div>
      )}
    </form>
  );
}
