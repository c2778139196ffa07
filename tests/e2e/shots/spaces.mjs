// Spaces as the photographs show them: what REST answers, in the language of the photograph.
const people = {
  en: ['Maya Lindqvist', 'Tomás Rivera', 'Aiko Tanaka', 'Noah Okafor', 'Elif Demir', 'Priya Raman'],
  'zh-CN': ['林晓', '陈志远', '王思涵', '李明', '赵雨桐', '周子墨'],
};
const names = {
  en: ['Product design', 'Launch 2026', 'Customer interviews', 'Office and travel', 'Old website'],
  'zh-CN': ['产品设计', '2026 发布', '客户访谈', '行政与差旅', '旧版网站'],
};
const ROLES = ['owner', 'editor', 'editor', 'viewer', 'viewer', 'viewer'];
const CREATED = Date.UTC(2025, 10, 3, 9);

const space = (name, i) => ({
  id: `s${i}`, kind: 'space', name, role: i === 2 ? 'viewer' : 'owner', links: 'editor', version: 1, created: CREATED,
  archived: i === 4, favourite: i === 0, muted: i === 3, members: people.en.length,
});

export function user(language) {
  return { id: 'u0', email: 'maya@example.org', name: people[language][0], role: 'admin', language: '' };
}

/** The answer to a GET below /api/v1/, or undefined. */
export function spacesAnswer(path, language) {
  const spaces = [
    ...names[language].map(space),
    { ...space(people[language][1], 5), kind: 'direct', with: 'u1', members: 2 },
  ];
  if (path === 'spaces') return { items: spaces };
  const [, id, below] = /^spaces\/(s\d)(?:\/(\w+))?$/.exec(path) ?? [];
  if (!id) return undefined;
  if (!below) return spaces.find((candidate) => candidate.id === id);
  if (below === 'members')
    return {
      items: people[language].map((name, i) => ({
        id: `u${i}`, name, email: `${people.en[i].split(' ')[0].toLowerCase()}@example.org`, role: ROLES[i], joined: CREATED,
      })),
    };
  if (below === 'links')
    return { items: [{ id: 'l1', role: 'viewer', maker: 'u0', uses: -1, expires: Date.UTC(2026, 0, 12, 9), created: CREATED }] };
  return undefined;
}
