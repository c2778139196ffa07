// Before the meeting: who I am, how I look and sound. Behind it the gateway and the offer get ready.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../call/call';
import * as settings from '../settings';
import { go } from '../route';
import { text } from '../text';
import { clip } from '../util/bytes';
import { Button, IconButton } from '../ui/button';
import { Icon, Logo } from '../ui/icons';
import { Avatar, Caption, LevelMeter, PagePreferences } from '../ui/parts';
import { DevicePicker } from './devices';

const NAME_MAX = 64; // bytes

export function Prejoin({ call }: { call: Call }) {
  const t = text.value.prejoin;
  const [name, setName] = useState(settings.name.peek());
  const [missing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const joining = call.phase.value === 'joining';
  const info = call.info.value;

  useEffect(() => {
    const microphone = !settings.joinMuted.peek();
    const camera = !settings.joinCameraOff.peek();
    call.microphoneOn.value = microphone;
    call.cameraOn.value = camera;
    void call.capture.start(microphone, camera).then(() => {
      if (call.phase.peek() !== 'prejoin') return;
      call.microphoneOn.value = call.microphoneOn.peek() && call.capture.microphone.peek() !== null;
      call.cameraOn.value = call.cameraOn.peek() && call.capture.camera.peek() !== null;
      const track = call.capture.microphone.peek();
      if (track) track.enabled = call.microphoneOn.peek();
    });
    if (window.matchMedia('(hover: hover)').matches) input.current?.focus();
  }, [call]);

  const submit = (event: Event) => {
    event.preventDefault();
    const trimmed = name.trim();
    if (!trimmed) {
      setMissing(true);
      input.current?.focus();
      return;
    }
    call.join(trimmed);
  };
  const listenOnly = !call.microphoneOn.value && !call.cameraOn.value;

  return (
    <div class="page prejoin">
      <header class="page-head">
        <a
          class="brand"
          href="/"
          onClick={(event) => {
            event.preventDefault();
            go('/');
          }}
        >
          <Logo /> Parley
        </a>
        <PagePreferences />
      </header>
      <main class="prejoin-main">
        <Preview call={call} name={name} />
        <form class="prejoin-side" onSubmit={submit} noValidate>
          <div class="prejoin-title">
            <h1>{info?.title || t.heading}</h1>
            {info && (
              <p class="quiet">
                {info.locked ? t.locked : t.people(info.participants)}
                {info.lobby && !info.locked ? ` · ${t.lobby}` : ''}
              </p>
            )}
          </div>
          <label class="field">
            <span class="label">{t.name}</span>
            <input
              ref={input}
              class="input large"
              value={name}
              placeholder={t.namePlaceholder}
              autoComplete="name"
              aria-invalid={missing}
              aria-describedby={missing ? 'name-missing' : undefined}
              data-testid="name-input"
              onInput={(event) => {
                setName((event.currentTarget.value = clip(event.currentTarget.value, NAME_MAX)));
                setMissing(false);
              }}
            />
            {missing && (
              <span class="field-error" id="name-missing" role="alert">
                {t.nameMissing}
              </span>
            )}
          </label>
          <details class="prejoin-devices">
            <summary>
              <Icon name="settings" size={18} />
              {t.devices}
              <Icon name="down" size={16} class="turn" />
            </summary>
            <DevicePicker call={call} />
          </details>
          <Button
            type="submit"
            variant="primary"
            size="large"
            wide
            busy={joining}
            disabled={joining}
            data-testid="join-button"
          >
            {joining ? t.joining : t.join}
          </Button>
          <p class="quiet small listen-hint" role="status">
            {listenOnly && !call.capture.asking.value ? t.listenOnly : ''}
          </p>
        </form>
      </main>
    </div>
  );
}

function Preview({ call, name }: { call: Call; name: string }) {
  const t = text.value;
  const video = useRef<HTMLVideoElement>(null);
  const track = call.capture.camera.value;
  const asking = call.capture.asking.value;

  useEffect(() => {
    if (video.current) video.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);

  const toggle = async (kind: 'microphone' | 'camera') => {
    if (kind === 'microphone') {
      await call.setMicrophone(!call.microphoneOn.peek());
      settings.joinMuted.value = !call.microphoneOn.peek();
    } else {
      await call.setCamera(!call.cameraOn.peek());
      settings.joinCameraOff.value = !call.cameraOn.peek();
    }
  };
  const problems = [
    ['camera', call.capture.cameraProblem.value] as const,
    ['microphone', call.capture.microphoneProblem.value] as const,
  ].filter(([, problem]) => problem !== null);

  return (
    <section class="preview-column">
      <div class="preview">
        <video
          ref={video}
          class={settings.mirror.value ? 'mirrored' : ''}
          autoPlay
          playsInline
          muted
          hidden={!track}
          aria-label={t.prejoin.preview}
          data-testid="preview"
        />
        {!track && (
          <div class="preview-empty">
            {name.trim() ? <Avatar name={name} seed={name} class="large" /> : <Icon name="person" size={56} />}
            <p>{asking ? t.prejoin.allow : t.prejoin.cameraOff}</p>
          </div>
        )}
        <div class="preview-level" aria-hidden="true" hidden={!call.microphoneOn.value}>
          <MicrophoneLevel call={call} />
        </div>
        <div class="preview-controls">
          <IconButton
            class={call.microphoneOn.value ? 'stage-button' : 'stage-button off'}
            icon={call.microphoneOn.value ? 'microphone' : 'microphoneOff'}
            iconSize={22}
            label={call.microphoneOn.value ? t.meeting.mute : t.meeting.unmute}
            aria-pressed={call.microphoneOn.value}
            data-testid="mic-toggle"
            onClick={() => void toggle('microphone')}
          />
          <IconButton
            class={call.cameraOn.value ? 'stage-button' : 'stage-button off'}
            icon={call.cameraOn.value ? 'camera' : 'cameraOff'}
            iconSize={22}
            label={call.cameraOn.value ? t.meeting.stopCamera : t.meeting.startCamera}
            aria-pressed={call.cameraOn.value}
            data-testid="cam-toggle"
            onClick={() => void toggle('camera')}
          />
        </div>
      </div>
      {problems.map(
        ([device, problem]) =>
          problem && (
            <Caption
              key={device}
              tone="warn"
              testid="device-problem"
              action={
                problem !== 'insecure' && (
                  <Button size="small" onClick={() => void toggle(device)}>
                    {t.common.retry}
                  </Button>
                )
              }
            >
              {t.problem.device[device][problem]}
            </Caption>
          ),
      )}
    </section>
  );
}

function MicrophoneLevel({ call }: { call: Call }) {
  return <LevelMeter level={call.meter.level.value} label={text.value.prejoin.level} />;
}
