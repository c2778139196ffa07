// Which microphones, cameras and speakers there are, kept true as they are plugged in and out.
import { signal } from '@preact/signals';

export interface Device {
  id: string;
  label: string;
}

export interface DeviceLists {
  microphones: Device[];
  cameras: Device[];
  speakers: Device[];
}

export const devices = signal<DeviceLists>({ microphones: [], cameras: [], speakers: [] });
/** What came since the last look; the meeting offers to use it. */
export const arrived = signal<{ kind: MediaDeviceKind; device: Device } | null>(null);

let known: Set<string> | null = null;

/** Reads the list again. Labels and ids are blank until a permission is given. */
export async function refreshDevices(): Promise<void> {
  if (!navigator.mediaDevices?.enumerateDevices) return;
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device) => ({ id: device.deviceId, label: device.label }));
  devices.value = {
    microphones: of('audioinput'),
    cameras: of('videoinput'),
    speakers: of('audiooutput'),
  };
  const before = known;
  const labelled = all.filter((device) => device.label !== '' && device.deviceId !== 'default');
  known = new Set(labelled.map((device) => device.kind + device.deviceId));
  // The first list with labels is what there was; only what comes later is news.
  if (!before || before.size === 0) return;
  const fresh = labelled.find((device) => !before.has(device.kind + device.deviceId));
  if (fresh)
    arrived.value = { kind: fresh.kind, device: { id: fresh.deviceId, label: fresh.label } };
}

export function watchDevices(): () => void {
  const look = () => void refreshDevices();
  navigator.mediaDevices?.addEventListener?.('devicechange', look);
  look();
  return () => navigator.mediaDevices?.removeEventListener?.('devicechange', look);
}
