// A recording: its shape, played and sought in. Its content is fetched when it is first played.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Attachment } from '../../gateway/frames';
import { contentUrl } from '../../spaces/rest';
import { text } from '../../text';
import { IconButton } from '../../ui/button';

const STEP_S = 5;
const SPEEDS = [1, 1.5, 2] as const;

/** One at a time. */
let playing: HTMLAudioElement | null = null;

export function Wave({ wave, done }: { wave: string; done: number }) {
  const bars = [...wave].map((digit) => parseInt(digit, 16));
  return (
    <svg class="wave" viewBox={`0 0 ${bars.length * 3} 32`} preserveAspectRatio="none" aria-hidden="true">
      {bars.map((level, i) => {
        const height = 3 + (level / 15) * 29;
        return <rect key={i} x={i * 3 + 0.5} y={16 - height / 2} width={2} height={height} rx={1} class={i < done * bars.length ? 'past' : ''} />;
      })}
    </svg>
  );
}

export function minutes(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The browser's recordings do not say how long they are until it has looked for their end. */
async function prepare(audio: HTMLAudioElement, url: string): Promise<void> {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(String(reply.status));
  audio.src = URL.createObjectURL(await reply.blob());
  await new Promise<void>((resolve, reject) => {
    audio.onloadedmetadata = () => {
      if (Number.isFinite(audio.duration)) return resolve();
      audio.ondurationchange = () => {
        if (!Number.isFinite(audio.duration)) return;
        audio.ondurationchange = null;
        audio.currentTime = 0;
        resolve();
      };
      audio.currentTime = 1e7;
    };
    audio.onerror = () => reject(new Error('audio'));
  });
}

export function VoicePlayer({ attachment }: { attachment: Attachment }) {
  const t = text.value.chat;
  const audio = useRef<HTMLAudioElement | null>(null);
  const ready = useRef<Promise<void> | null>(null);
  const [at, setAt] = useState(0); // seconds
  const [on, setOn] = useState(false);
  const [failed, setFailed] = useState(false);
  const [speed, setSpeed] = useState<number>(1);
  const length = (attachment.duration ?? 0) / 1000;

  useEffect(
    () => () => {
      audio.current?.pause();
      if (audio.current?.src) URL.revokeObjectURL(audio.current.src);
    },
    [],
  );

  const element = async (): Promise<HTMLAudioElement> => {
    const made = (audio.current ??= new Audio());
    ready.current ??= prepare(made, contentUrl(attachment.file, attachment.version)).then(() => {
      made.ontimeupdate = () => setAt(made.currentTime);
      made.onplay = () => setOn(true);
      made.onpause = () => setOn(false);
      made.onended = () => {
        made.currentTime = 0;
        setAt(0);
      };
    });
    await ready.current;
    return made;
  };
  const attempt = (deed: Promise<void>) => {
    setFailed(false);
    deed.catch(() => {
      ready.current = null;
      setFailed(true);
    });
  };
  const press = async () => {
    const made = await element();
    if (!made.paused) return made.pause();
    if (playing !== made) playing?.pause();
    playing = made;
    made.playbackRate = speed;
    await made.play();
  };
  const seek = async (seconds: number) => {
    const to = Math.max(0, Math.min(length, seconds));
    setAt(to);
    (await element()).currentTime = to;
  };
  const faster = () => {
    const next = SPEEDS[(SPEEDS.indexOf(speed as 1) + 1) % SPEEDS.length] ?? 1;
    setSpeed(next);
    if (audio.current) audio.current.playbackRate = next;
  };

  return (
    <div class="voice" data-testid="voice" data-playing={on || undefined}>
      <IconButton class="voice-play" icon={on ? 'pause' : 'play'} tip="none" label={on ? t.pause : t.play} data-testid="voice-play" onClick={() => attempt(press())} />
      <div
        class="voice-line"
        role="slider"
        tabIndex={0}
        aria-label={t.position}
        aria-valuemin={0}
        aria-valuemax={Math.round(length)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={minutes(at)}
        data-testid="voice-line"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          attempt(seek(((event.clientX - box.left) / box.width) * length));
        }}
        onKeyDown={(event) => {
          const step = { ArrowRight: STEP_S, ArrowUp: STEP_S, ArrowLeft: -STEP_S, ArrowDown: -STEP_S }[event.key];
          const to = event.key === 'Home' ? 0 : event.key === 'End' ? length : step === undefined ? null : at + step;
          if (to === null) return;
          event.preventDefault();
          attempt(seek(to));
        }}
      >
        <Wave wave={attachment.wave || '0'} done={length > 0 ? at / length : 0} />
      </div>
      <span class="numbers small quiet">{minutes(on || at > 0 ? at : length)}</span>
      <button type="button" class="voice-speed numbers" aria-label={t.speed(speed)} onClick={faster}>
        {speed}×
      </button>
      {failed && <small class="field-error">{t.voiceFailed}</small>}
    </div>
  );
}
