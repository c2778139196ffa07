// Single keys, wherever no text is being typed.
import { useEffect } from 'preact/hooks';
import type { Call } from '../../call/call';
import { pushToTalk } from '../../settings';
import { toggleFullScreen, toggleLayout, toggleShare } from './actions';
import { overlay, page, togglePanel } from './state';

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
}

export function useShortcuts(call: Call): void {
  useEffect(() => {
    const actions: Record<string, () => void> = {
      m: () => void call.setMicrophone(!call.microphoneOn.peek()),
      v: () => void call.setCamera(!call.cameraOn.peek()),
      s: () => void toggleShare(call),
      h: () => call.toggleHand(),
      c: () => togglePanel('chat'),
      p: () => togglePanel('people'),
      l: toggleLayout,
      f: toggleFullScreen,
      '?': () => (overlay.value = 'shortcuts'),
      arrowleft: () => (page.value = Math.max(0, page.peek() - 1)),
      arrowright: () => (page.value += 1),
    };
    let holding = false;
    const down = (event: KeyboardEvent) => {
      if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('dialog[open]')) return;
      if (event.key === ' ' && pushToTalk.peek()) {
        event.preventDefault();
        if (!holding && !event.repeat) {
          holding = true;
          void call.setMicrophone(true);
        }
        return;
      }
      const inTabs = event.target instanceof HTMLElement && event.target.closest('[role="tablist"], .scroll');
      if (event.key.startsWith('Arrow') && inTabs) return;
      const action = actions[event.key.toLowerCase()];
      if (!action || event.repeat) return;
      event.preventDefault();
      action();
    };
    const release = () => {
      if (!holding) return;
      holding = false;
      void call.setMicrophone(false);
    };
    const up = (event: KeyboardEvent) => {
      if (event.key !== ' ') return;
      if (holding) event.preventDefault();
      release();
    };
    window.addEventListener('keydown', down);
    window.addEventListener('keyup', up);
    window.addEventListener('blur', release);
    return () => {
      window.removeEventListener('keydown', down);
      window.removeEventListener('keyup', up);
      window.removeEventListener('blur', release);
    };
  }, [call]);
}
