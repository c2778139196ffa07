// Who a message names: those whose "@name" stands in it, "all" for everybody.
export interface Named {
  id: string;
  name: string;
}

const MENTIONS_MAX = 50; // as the server's

/** What may stand before the "@" of an e-mail address; Chinese is written without spaces. */
const LOCAL_PART = /[\w.%+-]/;

/** Ids, each once. The longest name wins, so that "@Ann Lee" does not name Ann too. */
export function mentionsIn(words: string, people: readonly Named[]): string[] {
  const longest = [...people].sort((a, b) => b.name.length - a.name.length);
  const found = new Set<string>();
  for (let at = words.indexOf('@'); at >= 0; at = words.indexOf('@', at + 1)) {
    if (at > 0 && LOCAL_PART.test(words[at - 1] ?? '')) continue;
    const rest = words.slice(at + 1).toLocaleLowerCase();
    const person = longest.find(({ name }) => {
      const next = rest[name.length];
      return name && rest.startsWith(name.toLocaleLowerCase()) && (next === undefined || !/[\p{L}\p{N}]/u.test(next));
    });
    if (person) found.add(person.id);
  }
  return [...found].slice(0, MENTIONS_MAX);
}
