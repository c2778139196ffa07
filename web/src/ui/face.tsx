// Somebody's picture, or the letters of their name, and whether they are there.
import { session } from '../account';
import { pictureUrl } from '../profile';
import { personOf, shownState } from '../spaces/presence';
import { text } from '../text';
import { Avatar } from './parts';

/** `id`: their account; `seed`: what their colour is of, else the account. */
export function Face({ id, seed, name, class: extra }: { id: string; seed?: string; name: string; class?: string }) {
  const person = personOf(id);
  const state = person && shownState(person);
  // Pictures are shown to accounts, not to guests.
  const pictured = person && person.picture > 0 && !session.value?.guest;
  return (
    <span class="face">
      <Avatar
        name={name} seed={seed ?? id} class={extra ?? ''}
        {...(pictured ? { picture: pictureUrl(id, person.picture) } : {})}
      />
      {state && (
        <span class={`presence ${state}`} role="img" aria-label={text.value.profile.states[state]} title={text.value.profile.states[state]} />
      )}
    </span>
  );
}
