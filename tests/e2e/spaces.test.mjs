// Spaces as people work in them: bringing others in, what each may do, leaving.
import { makeAccounts, rest, signedIn } from './support/accounts.mjs';
import { check, until } from './support/cleanup.mjs';
import { axeFinds, launchChromium } from './support/people.mjs';
import { startServer } from './support/server.mjs';

const roleOf = (page, account) => page.getByTestId(`member-${account.email}`).innerText();

async function makeSpace(person, name) {
  await person.page.getByTestId('new-space').click();
  await person.page.getByTestId('space-name').fill(name);
  await person.page.getByTestId('create-space').click();
  await person.page.getByTestId('space-title').waitFor();
  return new URL(person.page.url()).pathname.split('/').pop();
}

export const tests = {
  async 'a space is made, one comes by address and one by link, an owner decides'() {
    const server = await startServer();
    const [ann, ben, eva] = await makeAccounts(server, 'Ann', 'Ben', 'Eva');
    const browser = await launchChromium();
    const owner = await signedIn(browser, server, ann);
    const id = await makeSpace(owner, 'Design team');
    check((await owner.page.title()).startsWith('Design team'), 'the title of the page');

    await owner.page.getByTestId('invite').click();
    await owner.page.getByTestId('invite-email').fill(ben.email);
    await owner.page.getByTestId('invite-role').selectOption('editor');
    await owner.page.getByTestId('invite-send').click();
    await owner.page.getByTestId(`member-${ben.email}`).waitFor();
    await owner.page.getByTestId('invite-dialog').getByRole('radio').nth(1).click();
    await owner.page.getByTestId('make-link').click();
    const link = await owner.page.getByTestId('made-link').inputValue();
    await owner.page.keyboard.press('Escape');

    const editor = await signedIn(browser, server, ben, { locale: 'zh-CN' });
    await editor.page.getByTestId(`space-${id}`).click();
    await until('Ben is an editor, in Chinese', async () => (await roleOf(editor.page, ben)).includes('编辑者'));
    check((await editor.page.getByTestId(`manage-${ann.email}`).count()) === 0, 'an editor decides about nobody');
    await editor.page.getByTestId('space-more').click();
    check((await editor.page.getByTestId('open-space-settings').count()) === 0, 'nor about the space');
    await editor.page.keyboard.press('Escape');

    const viewer = await signedIn(browser, server, eva);
    check((await viewer.page.getByTestId(`space-${id}`).count()) === 0, 'outside there is no such space');
    await viewer.page.goto(`${server.url}/s/${id}`);
    await viewer.page.getByTestId('space-blank').waitFor();
    await viewer.page.goto(link);
    await viewer.page.getByTestId('space-title').waitFor();
    await until('Eva is a viewer', async () => (await roleOf(viewer.page, eva)).includes('Viewer'));
    check((await viewer.page.getByTestId('invite').count()) === 0, 'a viewer invites nobody');

    await owner.page.reload();
    await owner.page.getByTestId(`manage-${eva.email}`).click();
    await owner.page.getByTestId('role-editor').click();
    await until('Eva is an editor', async () => (await roleOf(owner.page, eva)).includes('Editor'));
    await owner.page.getByTestId(`manage-${ben.email}`).click();
    await owner.page.getByTestId('remove-member').click();
    await owner.page.getByTestId('confirm-yes').click();
    await until('Ben is out', async () => (await owner.page.getByTestId(`member-${ben.email}`).count()) === 0);
    check((await rest(server, ben.token, 'GET', 'spaces')).items.length === 0, 'for the server too');
  },

  async 'favourite, archived, left, deleted'() {
    const server = await startServer();
    const [ann] = await makeAccounts(server, 'Ann');
    const { page } = await signedIn(await launchChromium(), server, ann);
    const id = await makeSpace({ page }, 'Plans');
    const listed = async () => (await rest(server, ann.token, 'GET', 'spaces')).items[0];
    await page.getByTestId('space-more').click();
    await page.getByTestId('favourite').click();
    await until('a favourite', async () => (await listed()).favourite);
    await page.getByTestId('space-more').click();
    await page.getByTestId('leave-space').click();
    await page.getByTestId('confirm-yes').click();
    check((await listed()).id === id, 'the only owner stays');
    await page.getByTestId('space-more').click();
    await page.getByTestId('open-space-settings').click();
    await page.getByTestId('archive-space').click();
    await until('archived', async () => (await listed()).archived);
    await page.getByTestId('delete-space').click();
    await page.getByTestId('confirm').locator('input').fill('Plans');
    await page.getByTestId('confirm-yes').click();
    await page.getByTestId('new-meeting').waitFor();
    check((await listed()) === undefined, 'nothing is left');
  },

  async 'axe finds nothing serious, light and dark, wide and narrow'() {
    const server = await startServer();
    const [ann, ben] = await makeAccounts(server, 'Ann', 'Ben');
    const { id } = await rest(server, ann.token, 'POST', 'spaces', { name: 'Design team' });
    await rest(server, ann.token, 'POST', `spaces/${id}/members`, { email: ben.email, role: 'viewer' });
    const browser = await launchChromium();
    for (const colorScheme of ['light', 'dark'])
      for (const width of [360, 1440]) {
        const { page } = await signedIn(browser, server, ann, { colorScheme, viewport: { width, height: 800 } });
        const where = `${colorScheme}, ${width}`;
        await axeFinds(page, `start, ${where}`);
        if (width === 360) {
          await page.getByTestId('rail-open').click();
          await page.getByTestId(`space-${id}`).waitFor();
          await axeFinds(page, `drawer, ${where}`);
        }
        await page.getByTestId(`space-${id}`).click();
        await page.getByTestId(`member-${ben.email}`).waitFor();
        await axeFinds(page, `space, ${where}`);
        await page.getByTestId('invite').click();
        await axeFinds(page, `inviting, ${where}`);
      }
  },
};
