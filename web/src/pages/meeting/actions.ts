// What several parts of the meeting page do.
import type { Call } from '../../call/call';
import { layout } from '../../settings';
import { text } from '../../text';
import { confirm } from '../../ui/dialog';
import { toast } from '../../ui/toast';

export async function copyLink(call: Call): Promise<void> {
  const link = call.address();
  try {
    await navigator.clipboard.writeText(link);
    toast({ id: 'link', words: text.peek().meeting.linkCopied, icon: 'check' });
  } catch {
    // The clipboard is refused: show it, so that it can be copied by hand.
    toast({ id: 'link', words: link, icon: 'link', ms: 20_000 });
  }
}

export async function toggleShare(call: Call): Promise<void> {
  if (call.presenting.peek()) {
    call.stopShare();
    return;
  }
  const t = text.peek().screen;
  if (!('getDisplayMedia' in (navigator.mediaDevices ?? {}))) {
    toast({ id: 'share', words: t.unsupported, icon: 'alert', tone: 'warn', ms: 8000 });
    return;
  }
  const presenter = call.people.presenter.peek();
  if (presenter !== null && presenter !== call.self.peek()) {
    const name = call.people.nameOf(presenter);
    if (!call.hosting.peek()) {
      toast({ id: 'share', words: t.busy(name), icon: 'screen' });
      return;
    }
    const yes = await confirm({ title: t.takeOver, body: t.takeOverText(name), action: t.takeOverAction });
    if (yes === null) return;
  }
  await call.share();
}

export function toggleFullScreen(): void {
  const change = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen?.();
  change?.catch(() => undefined);
}

export function toggleLayout(): void {
  layout.value = layout.peek() === 'grid' ? 'speaker' : 'grid';
}

export async function endForAll(call: Call): Promise<void> {
  const t = text.peek().meeting;
  const yes = await confirm({ title: t.endConfirm, body: t.endConfirmText, action: t.endForAll, danger: true });
  if (yes !== null) void call.ask('host.end', {});
}
