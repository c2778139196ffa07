// A conversation with a person, or with some.
import { useEffect, useState } from 'preact/hooks';
import { go, spacePath } from '../../route';
import { knownPeople } from '../../spaces/known';
import { bring, createSpace, type Member } from '../../spaces/rest';
import { put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Face } from '../../ui/face';
import { Icon } from '../../ui/icons';
import { Caption } from '../../ui/parts';
import { clip } from '../../util/bytes';
import { NAME_MAX } from './new-space';
import { faultOf } from './told';

const SHOWN_MAX = 50;
const OTHERS_MAX = 49; // a group has 50

export function NewConversation({ onClose }: { onClose(): void }) {
  const t = text.value.spaces;
  const [people, setPeople] = useState<readonly Member[] | undefined>(undefined);
  const [sought, setSought] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  useEffect(() => {
    knownPeople().then(setPeople, () => setPeople([]));
  }, []);
  const wanted = sought.trim().toLocaleLowerCase();
  const shown = (people ?? []).filter((person) => `${person.name} ${person.email}`.toLocaleLowerCase().includes(wanted)).slice(0, SHOWN_MAX);
  const toggle = (id: string) => setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(0, OTHERS_MAX));

  const begin = async () => {
    const [first] = chosen;
    if (!first || busy) return;
    setBusy(true);
    try {
      const space =
        chosen.length === 1
          ? await createSpace({ kind: 'direct', with: first })
          : await createSpace({ kind: 'group', name: name.trim() || chosen.map((id) => people?.find((person) => person.id === id)?.name ?? '').join(', ').slice(0, 100) });
      if (chosen.length > 1) for (const id of chosen) await bring(space.id, id, 'editor');
      put(space);
      onClose();
      go(spacePath(space.id));
    } catch (error) {
      setFault(faultOf(error));
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={t.converse}
      onClose={onClose}
      testid="new-conversation-dialog"
      foot={
        <>
          <Button onClick={onClose}>{text.value.common.cancel}</Button>
          <Button variant="primary" busy={busy} disabled={busy || chosen.length === 0} data-testid="begin-conversation" onClick={() => void begin()}>
            {chosen.length > 1 ? t.converseGroup(chosen.length + 1) : t.converseAction}
          </Button>
        </>
      }
    >
      <div class="panel-search">
        <Icon name="search" size={16} />
        <input class="input" type="search" value={sought} placeholder={t.findPerson} aria-label={t.findPerson} autoFocus data-testid="find-person" onInput={(event) => setSought(event.currentTarget.value)} />
      </div>
      <ul class="people-choice scroll" aria-label={t.findPerson}>
        {shown.map((person) => (
          <li key={person.id}>
            <label class="members-row">
              <input type="checkbox" checked={chosen.includes(person.id)} data-testid={`choose-${person.email}`} onChange={() => toggle(person.id)} />
              <Face name={person.name} id={person.id} class="rail-avatar" />
              <span class="person-words grow">
                <span class="ellipsis">{person.name}</span>
                <small class="quiet ellipsis">{person.email}</small>
              </span>
            </label>
          </li>
        ))}
        {people !== undefined && shown.length === 0 && <li class="rail-note">{people.length === 0 ? t.knowNobody : t.noMember}</li>}
        {people === undefined && <li class="rail-note">{text.value.common.loading}</li>}
      </ul>
      {chosen.length > 1 && (
        <label class="field">
          <span class="label">{t.groupName}</span>
          <input class="input" value={name} autoComplete="off" data-testid="group-name" onInput={(event) => setName((event.currentTarget.value = clip(event.currentTarget.value, NAME_MAX)))} />
        </label>
      )}
      {fault && <Caption tone="danger">{fault}</Caption>}
    </Dialog>
  );
}
