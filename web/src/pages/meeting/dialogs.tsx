// Settings, shortcuts and statistics.
import { useState } from 'preact/hooks';
import type { Call } from '../../call/call';
import type { StreamStats } from '../../call/stats';
import * as settings from '../../settings';
import { chooseLanguage, language, languageName, languages, text } from '../../text';
import { Dialog } from '../../ui/dialog';
import { Segments, Switch } from '../../ui/parts';
import { DevicePicker } from '../devices';
import { Everyone } from './everyone';
import { bits, Table } from './figures';
import { CallOut, DialIn } from './phones';
import { Polls } from './polls';
import { overlay } from './state';

const close = () => (overlay.value = null);

export function Overlays({ call }: { call: Call }) {
  switch (overlay.value) {
    case 'settings':
      return <Settings call={call} />;
    case 'shortcuts':
      return <Shortcuts />;
    case 'statistics':
      return <Statistics call={call} />;
    case 'call-out':
      return <CallOut call={call} />;
    case 'dial-in':
      return <DialIn call={call} />;
    case 'polls':
      return <Polls call={call} />;
    default:
      return null;
  }
}

function Settings({ call }: { call: Call }) {
  const t = text.value.settings;
  const [tab, setTab] = useState<'devices' | 'general'>('devices');
  return (
    <Dialog title={t.heading} onClose={close} testid="settings">
      <Segments
        label={t.heading}
        value={tab}
        onChange={(next) => setTab(next)}
        options={[
          { value: 'devices', label: t.audioVideo },
          { value: 'general', label: t.general },
        ]}
      />
      {tab === 'devices' ? (
        <>
          <DevicePicker call={call} />
          <div>
            <Switch label={t.mirror} checked={settings.mirror.value} onChange={(on) => (settings.mirror.value = on)} />
            <Switch label={t.hideSelf} checked={settings.hideSelf.value} onChange={(on) => (settings.hideSelf.value = on)} />
            <Switch
              label={t.noise}
              checked={settings.noiseSuppression.value}
              onChange={(on) => {
                settings.noiseSuppression.value = on;
                void call.switchDevice('microphone');
              }}
            />
            <Switch
              label={t.pushToTalk}
              hint={t.pushToTalkText}
              checked={settings.pushToTalk.value}
              testid="push-to-talk"
              onChange={(on) => {
                settings.pushToTalk.value = on;
                if (on) void call.setMicrophone(false);
              }}
            />
          </div>
        </>
      ) : (
        <>
          <div class="field">
            <span class="label">{t.language}</span>
            <Segments
              label={t.language}
              value={language.value}
              onChange={chooseLanguage}
              options={languages.map((tag) => ({ value: tag, label: languageName(tag) }))}
            />
          </div>
          <div class="field">
            <span class="label">{t.theme}</span>
            <Segments
              label={t.theme}
              value={settings.theme.value}
              onChange={(value) => (settings.theme.value = value)}
              options={[
                { value: 'system', label: t.themeSystem, icon: 'system' },
                { value: 'light', label: t.themeLight, icon: 'sun' },
                { value: 'dark', label: t.themeDark, icon: 'moon' },
              ]}
            />
          </div>
        </>
      )}
    </Dialog>
  );
}

function Shortcuts() {
  const t = text.value.shortcuts;
  const list: [string[], string][] = [
    [['M'], t.microphone],
    [['V'], t.camera],
    [['S'], t.share],
    [['H'], t.hand],
    [['C'], t.chat],
    [['P'], t.people],
    [['L'], t.layout],
    [['F'], t.fullScreen],
    [['←', '→'], t.pages],
    [[t.space], t.talk],
    [['?'], t.list],
  ];
  return (
    <Dialog title={t.heading} onClose={close} testid="shortcuts">
      <dl class="shortcuts">
        {list.map(([keys, words]) => (
          <div key={words}>
            <dt>{words}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;
const picture = (s: StreamStats) => (s.height > 0 ? `${s.width}×${s.height} · ${Math.round(s.fps)}/s` : '–');

function Statistics({ call }: { call: Call }) {
  const t = text.value.stats;
  const sample = call.sample.value;
  const connection = call.connection.value;
  const quality = call.quality.value.get(call.self.value) ?? 'unknown';
  if (!sample || !connection)
    return (
      <Dialog title={t.heading} onClose={close} testid="statistics">
        <p class="quiet">{t.noData}</p>
      </Dialog>
    );
  const facts: [string, string][] = [
    [t.quality, text.value.tile.quality[quality]],
    [t.rtt, `${Math.round(sample.rttMs)} ms`],
    [t.path, sample.protocol === 'tcp' || call.overTcp.value ? t.tcp : sample.protocol.toUpperCase() || '–'],
    [t.up, bits(sample.outBitrate)],
    [t.down, bits(sample.inBitrate)],
    [t.available, bits(sample.available)],
    [t.loss, percent(sample.outLoss)],
    ...(call.timings.firstFrame !== undefined ? ([[t.joinTime, `${Math.round(call.timings.firstFrame)} ms`]] as [string, string][]) : []),
  ];
  const limited = { none: t.none, cpu: t.cpu, bandwidth: t.bandwidth } as Record<string, string>;
  return (
    <Dialog title={t.heading} onClose={close} wide testid="statistics">
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="numbers">{value}</dd>
          </div>
        ))}
      </dl>
      <Table
        caption={t.sending}
        head={[t.source, t.codec, t.size, t.bitrate, t.limited]}
        rows={sample.sent
          .filter((s) => s.bitrate > 0 || (s.active && s.frames > 0))
          .map((s) => [
            `${sourceName(call, s)}${s.rid ? ` (${s.rid})` : ''}`,
            s.codec,
            s.active === false ? t.paused : picture(s),
            bits(s.bitrate),
            s.kind === 'video' ? (limited[s.limited ?? ''] ?? t.other) : '–',
          ])}
      />
      <Table
        caption={t.receiving}
        head={[t.source, t.codec, t.size, t.bitrate, t.lossShort]}
        rows={sample.received
          .filter((s) => s.bitrate > 0)
          .map((s) => [slotName(call, s), s.codec, picture(s), bits(s.bitrate), percent(s.loss)])}
      />
      <Everyone call={call} />
    </Dialog>
  );
}

function sourceName(call: Call, stream: StreamStats): string {
  const t = text.value.stats;
  const pc = call.connection.value?.pc;
  const at = pc?.getTransceivers().findIndex((transceiver) => transceiver.mid === stream.mid) ?? -1;
  return [t.microphone, t.camera, t.screen, t.screenAudio][at] ?? stream.mid;
}

function slotName(call: Call, stream: StreamStats): string {
  const t = text.value.stats;
  const slot = call.connection.value?.slots.get(stream.mid);
  if (!slot) return stream.mid;
  if (slot.kind === 'voice') return t.voice(slot.index + 1);
  if (slot.kind === 'screen_audio') return t.screenAudio;
  const source = call.connection.value?.views.value.get(stream.mid)?.source;
  const name = source ? call.people.nameOf(source.id) : t.emptySlot;
  return slot.kind === 'screen' ? `${t.screen}: ${name}` : name;
}
