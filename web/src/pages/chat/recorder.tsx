// In the composer's place while a voice message is recorded.
import { useEffect } from 'preact/hooks';
import { VOICE_MAX_MS, type VoiceRecorder, waveOf } from '../../chat/voice';
import { text } from '../../text';
import { IconButton } from '../../ui/button';
import { minutes, Wave } from './player';

const SHOWN = 60; // levels

export function RecorderBar({ recorder, busy, cancel, send }: {
  recorder: VoiceRecorder;
  busy: boolean;
  cancel(): void;
  send(): void;
}) {
  const t = text.value.chat;
  useEffect(() => () => recorder.cancel(), [recorder]);
  const levels = recorder.levels.value.slice(-SHOWN);
  return (
    <div class="composer-box recording" data-testid="recording">
      <span class="recording-dot" />
      <span class="numbers" role="timer" aria-label={t.recording}>
        {minutes(recorder.elapsed.value / 1000)}
      </span>
      <Wave wave={waveOf(levels).padStart(SHOWN, '0')} done={1} />
      <span class="quiet small" role="status">
        {recorder.full.value ? t.voiceFull(VOICE_MAX_MS / 60_000) : ''}
      </span>
      <IconButton icon="trash" tip="none" label={t.cancelVoice} disabled={busy} data-testid="voice-cancel" onClick={cancel} />
      <IconButton class="send" icon="send" tip="none" label={t.sendVoice} disabled={busy} data-testid="voice-send" onClick={send} />
    </div>
  );
}
