// Choosing microphone, camera and speaker; used before and during a meeting.
import type { Signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Call } from '../call/call';
import { devices, type Device } from '../call/devices';
import { testSpeaker } from '../call/playback';
import * as settings from '../settings';
import { text } from '../text';
import { Button } from '../ui/button';
import { Icon, type IconName } from '../ui/icons';
import { LevelMeter } from '../ui/parts';

const outputChoice = 'setSinkId' in HTMLMediaElement.prototype;

export function DevicePicker({ call }: { call: Call }) {
  const t = text.value.prejoin;
  const [testing, setTesting] = useState(false);
  const lists = devices.value;
  return (
    <div class="device-picker">
      <Choice
        icon="microphone"
        label={t.microphone}
        list={lists.microphones}
        chosen={settings.microphone}
        testid="choose-microphone"
        onChange={() => void call.switchDevice('microphone')}
      />
      <Level call={call} />
      <Choice
        icon="camera"
        label={t.camera}
        list={lists.cameras}
        chosen={settings.camera}
        testid="choose-camera"
        onChange={() => void call.switchDevice('camera')}
      />
      {outputChoice && (
        <Choice
          icon="volume"
          label={t.speaker}
          list={lists.speakers}
          chosen={settings.speaker}
          testid="choose-speaker"
          onChange={() => undefined}
        />
      )}
      <Button
        size="small"
        variant="ghost"
        icon="play"
        disabled={testing}
        onClick={() => {
          setTesting(true);
          void testSpeaker()
            .catch(() => undefined)
            .finally(() => setTesting(false));
        }}
      >
        {t.test}
      </Button>
    </div>
  );
}

function Level({ call }: { call: Call }) {
  return <LevelMeter level={call.meter.level.value} label={text.value.prejoin.level} />;
}

function Choice({ icon, label, list, chosen, testid, onChange }: {
  icon: IconName;
  label: string;
  list: readonly Device[];
  chosen: Signal<string>;
  testid: string;
  onChange(): void;
}) {
  const t = text.value.prejoin;
  const offered = list.filter((device) => device.id !== 'default');
  const value = offered.some((device) => device.id === chosen.value) ? chosen.value : '';
  return (
    <label class="field">
      <span class="label">{label}</span>
      <span class="select leading">
        <Icon name={icon} size={18} />
        <select
          value={value}
          disabled={list.length === 0}
          data-testid={testid}
          onChange={(event) => {
            chosen.value = event.currentTarget.value;
            onChange();
          }}
        >
          <option value="">{list.length === 0 ? t.noDevices : t.systemDefault}</option>
          {offered.map((device, i) => (
            <option key={device.id} value={device.id}>
              {device.label || t.unnamed(i + 1)}
            </option>
          ))}
        </select>
        <Icon name="down" size={18} />
      </span>
    </label>
  );
}
