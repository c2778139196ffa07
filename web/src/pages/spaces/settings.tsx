// What owners decide about a space.
import { useState } from 'preact/hooks';
import { go } from '../../route';
import { changeSpace, deleteSpace, type LinkPolicy, type Space } from '../../spaces/rest';
import { may } from '../../spaces/rights';
import { drop, put } from '../../spaces/spaces';
import { text } from '../../text';
import { Button } from '../../ui/button';
import { confirm, Dialog } from '../../ui/dialog';
import { Icon } from '../../ui/icons';
import { Switch } from '../../ui/parts';
import { clip } from '../../util/bytes';
import { NAME_MAX } from './new-space';
import { told } from './told';

export function SettingsDialog({ space, onClose }: { space: Space; onClose(): void }) {
  const t = text.value.spaces;
  const change = (wish: Parameters<typeof changeSpace>[1]) => void told(changeSpace(space.id, wish).then(put));
  const remove = async () => {
    onClose();
    const typed = await confirm({
      title: t.deleteConfirm(space.name),
      body: t.deleteText,
      action: t.delete,
      danger: true,
      input: { label: t.deleteCheck(space.name), value: '', max: NAME_MAX },
    });
    if (typed !== space.name || !(await told(deleteSpace(space.id)))) return;
    drop(space.id);
    go('/');
  };
  return (
    <Dialog title={t.settingsTitle} onClose={onClose} testid="space-settings">
      {may(space, 'manage') && (
        <>
          <Rename space={space} change={change} />
          <label class="field">
            <span class="label">{t.linkPolicy}</span>
            <span class="select">
              <select value={space.links} onChange={(event) => change({ links: event.currentTarget.value as LinkPolicy })}>
                {(Object.keys(t.linkPolicies) as LinkPolicy[]).map((policy) => (
                  <option key={policy} value={policy}>
                    {t.linkPolicies[policy]}
                  </option>
                ))}
              </select>
              <Icon name="down" size={18} />
            </span>
          </label>
        </>
      )}
      {may(space, 'archive') && (
        <Switch
          label={t.archive}
          hint={t.archiveText}
          checked={space.archived}
          testid="archive-space"
          onChange={(archived) => change({ archived })}
        />
      )}
      {may(space, 'delete') && (
        <Button variant="ghost" class="danger-words" icon="trash" onClick={() => void remove()} data-testid="delete-space">
          {t.delete}
        </Button>
      )}
    </Dialog>
  );
}

function Rename({ space, change }: { space: Space; change(wish: { name: string }): void }) {
  const t = text.value.spaces;
  const [name, setName] = useState(space.name);
  const same = !name.trim() || name.trim() === space.name;
  return (
    <form
      class="line-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!same) change({ name: name.trim() });
      }}
    >
      <label class="field grow">
        <span class="label">{t.name}</span>
        <input
          class="input"
          value={name}
          data-testid="rename-space"
          onInput={(event) => setName((event.currentTarget.value = clip(event.currentTarget.value, NAME_MAX)))}
        />
      </label>
      <Button type="submit" disabled={same}>
        {text.value.common.save}
      </Button>
    </form>
  );
}
