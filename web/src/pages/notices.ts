// Finds the words for what happens in a call.
import type { Call } from '../call/call';
import type { Notice } from '../call/notices';
import { quiet } from '../profile';
import { takeUpdate, waiting } from '../pwa/worker';
import * as settings from '../settings';
import { text } from '../text';
import type { IconName } from '../ui/icons';
import { toast, type Toast } from '../ui/toast';
import { overlay, panel } from './meeting/state';

const CHAT_PREVIEW = 140;

/** What others do, and waits for no answer of one's own: it does not come up while one is not to be
 * disturbed, as no push comes. */
const DISTURBING = new Set<Notice['kind']>(['joined', 'left', 'hand', 'chat', 'poll']);

export function tell(call: Call, notice: Notice): void {
  if (DISTURBING.has(notice.kind) && quiet()) return;
  const entry = phrase(call, notice);
  if (entry) toast(entry);
}

/** A new version of the client waits for a reload. */
export function tellUpdate(): void {
  if (!waiting.value) return;
  const t = text.peek().pwa;
  toast({
    id: 'update',
    words: t.update,
    icon: 'download',
    actions: [{ label: t.reload, run: takeUpdate, testid: 'take-update' }],
    ms: 0,
  });
}

function simple(id: string, words: string, icon?: IconName, detail?: string): Toast {
  return { id, words, ...(icon ? { icon } : {}), ...(detail ? { detail } : {}) };
}

function phrase(call: Call, notice: Notice): Toast | null {
  const t = text.peek();
  const who = (id: string) => call.people.nameOf(id) || t.notice.someone;
  switch (notice.kind) {
    case 'joined':
      return simple('coming', t.notice.joined(notice.name), 'person');
    case 'left':
      return simple('coming', t.notice.left(notice.name), 'leave');
    case 'hand':
      return simple('hand', t.notice.hand(notice.name), 'hand');
    case 'knock':
      if (panel.peek() === 'people') return null;
      return {
        id: `knock-${notice.id}`,
        words: t.notice.knock(notice.name),
        icon: 'door',
        ms: 20_000,
        actions: [
          {
            label: t.people.admit,
            testid: 'toast-admit',
            run: () => void call.ask('host.admit', { id: notice.id }),
          },
        ],
      };
    case 'chat':
      if (panel.peek() === 'chat') return null;
      return {
        ...simple('chat', t.notice.chat(notice.name), 'chat', notice.text.slice(0, CHAT_PREVIEW)),
        actions: [{ label: t.meeting.chat, run: () => (panel.value = 'chat') }],
        ms: 5000,
      };
    case 'poll':
      return {
        ...simple('poll', t.poll.opened, 'statistics', notice.question),
        ms: 15_000,
        actions: [{ label: t.poll.vote, testid: 'toast-vote', run: () => (overlay.value = 'polls') }],
      };
    case 'muted':
      return simple('muted', t.notice.muted(who(notice.by)), 'microphoneOff');
    case 'asked_unmute':
      return {
        id: 'asked',
        words: t.notice.askedUnmute(who(notice.by)),
        icon: 'microphone',
        ms: 20_000,
        actions: [
          {
            label: t.meeting.unmute,
            testid: 'toast-unmute',
            run: () => void call.setMicrophone(true),
          },
        ],
      };
    case 'taken_over':
      return simple('screen', t.notice.takenOver(who(notice.by)), 'screen');
    case 'stopped':
      return simple(
        'stopped',
        (notice.what === 'camera' ? t.notice.stoppedCamera : t.notice.stoppedScreen)(who(notice.by)),
        notice.what === 'camera' ? 'cameraOff' : 'screenOff',
      );
    case 'role':
      return simple('role', t.notice[notice.role], 'star');
    case 'device':
      return {
        id: `device-${notice.device}`,
        words: t.problem.device[notice.device][notice.problem],
        icon: 'alert',
        tone: 'warn',
        ms: 12_000,
      };
    case 'device_gone': {
      const words =
        notice.device === 'microphone'
          ? notice.replaced
            ? t.notice.microphoneReplaced
            : t.notice.microphoneGone
          : notice.replaced
            ? t.notice.cameraReplaced
            : t.notice.cameraGone;
      return { id: `device-${notice.device}`, words, icon: 'alert', tone: 'warn', ms: 8000 };
    }
    case 'refused': {
      const known = t.notice.refused;
      const words =
        notice.code === 'denied' || notice.code === 'too_fast' || notice.code === 'busy' || notice.code === 'too_large'
          ? known[notice.code]
          : known.other(notice.text);
      return { id: 'refused', words, icon: 'alert', tone: 'warn' };
    }
    case 'talking_muted':
      return {
        ...simple('muted', t.notice.talkingMuted, 'microphoneOff', t.notice.talkingMutedText),
        actions: [{ label: t.meeting.unmute, run: () => void call.setMicrophone(true) }],
        ms: 6000,
      };
    case 'share_failed':
      return { id: 'share', words: t.notice.shareFailed, icon: 'alert', tone: 'warn', ms: 8000 };
    case 'back':
      return simple('back', t.notice.back, 'check');
  }
}

/** Offers a device that was just plugged in. */
export function offerDevice(call: Call, kind: MediaDeviceKind, id: string, label: string): void {
  const t = text.peek();
  toast({
    id: `arrived-${kind}`,
    words: t.notice.arrived(label),
    icon: kind === 'videoinput' ? 'camera' : kind === 'audioinput' ? 'microphone' : 'volume',
    actions: [
      {
        label: t.notice.use,
        run: () => {
          if (kind === 'audiooutput') settings.speaker.value = id;
          else if (kind === 'audioinput') {
            settings.microphone.value = id;
            void call.switchDevice('microphone');
          } else {
            settings.camera.value = id;
            void call.switchDevice('camera');
          }
        },
      },
    ],
  });
}
