// People with accounts on a test's own server.
import { newPerson } from './people.mjs';

const PASSWORD = 'a quiet lake at dawn';

/** REST under /api/v1 as whoever holds the token; answers with the JSON, refusals with an error. */
export async function rest(server, token, method, path, body) {
  const reply = await fetch(`${server.url}/api/v1/${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
  return reply.status === 204 ? undefined : reply.json();
}

/** The first name makes the server's first account; answers with {name, email, token} for each. */
export async function makeAccounts(server, ...names) {
  const people = [];
  for (const name of names) {
    const account = { name, email: `${name.toLowerCase()}@example.org`, password: PASSWORD };
    if (people.length === 0) await rest(server, undefined, 'POST', 'setup', account);
    else await rest(server, people[0].token, 'POST', 'users', account);
    const { token } = await rest(server, undefined, 'POST', 'session', { email: account.email, password: PASSWORD });
    people.push({ ...account, token });
  }
  return people;
}

/** A browser in which the account is signed in, on the first page. */
export async function signedIn(browser, server, account, options = {}) {
  const person = await newPerson(browser, server, { name: account.name, ...options });
  await person.page.goto(`${server.url}/sign-in`);
  await person.page.getByTestId('email').fill(account.email);
  await person.page.getByTestId('password').fill(account.password);
  await person.page.getByTestId('sign-in').click();
  await person.page.getByTestId('rail').waitFor({ state: 'attached' });
  return person;
}
