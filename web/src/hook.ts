// window.__parley: what the browser tests look at and do (docs/design/web.md).
import type { Call } from './call/call';
import { overlay, panel } from './pages/meeting/state';
import { chooseLanguage, type Language } from './text';

let current: Call | null = null;

const hook = {
  get call(): Call | null {
    return current;
  },
  get pc(): RTCPeerConnection | null {
    return current?.connection.peek()?.pc ?? null;
  },
  /** The call in plain values. `presenter` is a name; `ids` are the others. */
  probe() {
    if (!current) return null;
    const call = current;
    const self = call.self.peek();
    const presenter = call.people.presenter.peek();
    const connection = call.connection.peek();
    return {
      session: call.session,
      self,
      ids: call.people.ids.peek().filter((id) => id !== self),
      people: call.people.ids.peek().map((id) => call.people.peek(id)),
      presenter: presenter === null ? null : call.people.nameOf(presenter),
      phase: call.phase.peek(),
      link: call.link.peek(),
      media: call.media.peek(),
      over: call.over.peek(),
      timings: { ...call.timings },
      slots: [...(connection?.slots.values() ?? [])].map(({ mid, kind, index }) => ({
        mid,
        kind,
        index,
        ...connection?.views.peek().get(mid),
      })),
    };
  },
  /** Resolves when the server has it for good. */
  sendChat(text: string): Promise<void> {
    return current ? current.chat.say(text, null) : Promise.reject(new Error('no call'));
  },
  allChat() {
    return current ? current.chat.all() : Promise.reject(new Error('no call'));
  },
  /** Opens a dialog or the panel of the meeting. */
  open(what: 'settings' | 'shortcuts' | 'stats' | 'call-out' | 'dial-in' | 'polls' | 'people' | 'chat'): void {
    if (what === 'people' || what === 'chat') panel.value = what;
    else overlay.value = what === 'stats' ? 'statistics' : what;
  },
  setLanguage(language: Language): void {
    chooseLanguage(language);
  },
};

declare global {
  interface Window {
    __parley: typeof hook;
  }
}

window.__parley = hook;

export function expose(call: Call | null): void {
  current = call;
}
