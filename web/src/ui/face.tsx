// Somebody's picture, or the letters of their name, and whether they are there.
import { pictureUrl } from '../profile';
import { personOf, shownState } from '../spaces/presence';
import { text } from '../text';
import { Avatar } from './parts';

export function Face({ id, name, class: extra }: { id: string; name: string; class?: string }) {
  const person = personOf(id);
  const state = person && shownState(person);
  return (
    <span class="face">
      <Avatar
        name={name} seed={id} class={extra ?? ''}
        {...(person && person.picture > 0 ? { picture: pictureUrl(id, person.picture) } : {})}
      />
      {state && (
        <span class={`presence ${state}`} role="img" aria-label={text.value.profile.states[state]} title={text.value.profile.states[state]} />
      )}
    </span>
  );
}
