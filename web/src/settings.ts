// What a person chose, kept in this browser.
import { effect, signal, type Signal } from '@preact/signals';
import { load, save } from './util/store';

export type Theme = 'system' | 'light' | 'dark';

function kept<T>(key: string, fallback: T): Signal<T> {
  const value = signal<T>(load(key, fallback));
  let first = true;
  effect(() => {
    const now = value.value;
    if (first) first = false;
    else save(key, now);
  });
  return value;
}

export const name = kept('name', '');
export const theme = kept<Theme>('theme', 'system');
export const microphone = kept('microphone', ''); // device ids; '' is the system's choice
export const camera = kept('camera', '');
export const speaker = kept('speaker', '');
export const joinMuted = kept('join.muted', false);
export const joinCameraOff = kept('join.camera_off', false);
export const pushToTalk = kept('push_to_talk', false);
export const mirror = kept('mirror', true);
export const noiseSuppression = kept('noise_suppression', true);
export const layout = kept<'grid' | 'speaker'>('layout', 'grid');
export const hideSelf = kept('hide_self', false);
export const sounds = kept('sounds', true);

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
});
