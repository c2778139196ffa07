// What may be done about a person: the same in their tile and in the list.
import type { Call } from '../../call/call';
import type { Participant } from '../../gateway/frames';
import { text } from '../../text';
import { confirm } from '../../ui/dialog';
import { Item, Rule } from '../../ui/menu';

const NAME_MAX = 64;

async function rename(call: Call, p: Participant, self: boolean): Promise<void> {
  const t = text.peek().people;
  const name = await confirm({
    title: t.renameTitle,
    action: text.peek().common.save,
    input: { label: t.newName, value: p.name, max: NAME_MAX },
  });
  if (!name || name === p.name) return;
  if (self) void call.ask('self.update', { name });
  else void call.ask('host.rename', { id: p.id, name });
}

async function remove(call: Call, p: Participant): Promise<void> {
  const t = text.peek().people;
  const yes = await confirm({ title: t.removeConfirm(p.name), body: t.removeText, action: t.removeAction, danger: true });
  if (yes !== null) void call.ask('host.remove', { id: p.id });
}

async function handOver(call: Call, p: Participant): Promise<void> {
  const t = text.peek().people;
  const yes = await confirm({ title: t.makeHostConfirm(p.name), body: t.makeHostText, action: t.makeHost });
  if (yes !== null) void call.ask('host.role', { id: p.id, role: 'host' });
}

export function HostItems({ call, p, then }: { call: Call; p: Participant; then(run: () => void): () => void }) {
  const t = text.value.people;
  if (p.id === call.self.value)
    return (
      <Item icon="edit" testid="rename" onSelect={then(() => void rename(call, p, true))}>
        {t.renameSelf}
      </Item>
    );
  if (!call.hosting.value) return null;
  const host = call.role.value === 'host';
  const id = p.id;
  return (
    <>
      {p.muted ? (
        <Item icon="microphone" testid="ask-unmute" onSelect={then(() => void call.ask('host.ask_unmute', { id }))}>
          {t.askUnmute}
        </Item>
      ) : (
        <Item icon="microphoneOff" testid="mute" onSelect={then(() => void call.ask('host.mute', { id }))}>
          {t.mute}
        </Item>
      )}
      {p.camera && (
        <Item icon="cameraOff" testid="stop-camera" onSelect={then(() => void call.ask('host.stop', { id, what: 'camera' }))}>
          {t.stopCamera}
        </Item>
      )}
      {p.screen && (
        <Item icon="screenOff" testid="stop-screen" onSelect={then(() => void call.ask('host.stop', { id, what: 'screen' }))}>
          {t.stopScreen}
        </Item>
      )}
      {p.hand > 0 && (
        <Item icon="hand" testid="lower-hand" onSelect={then(() => void call.ask('host.lower_hand', { id }))}>
          {t.lowerHand}
        </Item>
      )}
      <Item icon="edit" testid="rename" onSelect={then(() => void rename(call, p, false))}>
        {t.rename}
      </Item>
      {host && <Rule />}
      {host && (
        <Item icon="star" testid="make-host" onSelect={then(() => void handOver(call, p))}>
          {t.makeHost}
        </Item>
      )}
      {host && p.role !== 'cohost' && (
        <Item icon="people" testid="make-cohost" onSelect={then(() => void call.ask('host.role', { id, role: 'cohost' }))}>
          {t.makeCohost}
        </Item>
      )}
      {host && p.role !== 'participant' && (
        <Item icon="person" testid="make-participant" onSelect={then(() => void call.ask('host.role', { id, role: 'participant' }))}>
          {t.makeParticipant}
        </Item>
      )}
      <Rule />
      <Item icon="personOff" danger testid="remove" onSelect={then(() => void remove(call, p))}>
        {t.remove}
      </Item>
    </>
  );
}
