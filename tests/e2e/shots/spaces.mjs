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
  unread: [0, 3, 0, 0, 0, 12][i], mentions: i === 1 ? 1 : 0, archived: i === 4, favourite: i === 0, muted: i === 3, members: people.en.length,
});

export function user(language) {
  return { id: 'u0', email: 'maya@example.org', name: people[language][0], role: 'admin', language: '', zone: '', quiet_until: 0, picture: 0 };
}

const talk = {
  en: [
    [1, 'Morning! The new onboarding screens are in the folder. Could you look at the **second step**? I am not sure about the wording.'],
    [1, 'Two variants:\n\n- “Set up your room”\n- “Make it yours”'],
    [2, '“Make it yours” reads better, and translates well.', 1, { '👍': ['u0', 'u1'], '🎉': ['u4'] }],
    [0, 'Agreed. I changed the key to `onboarding.step2.title`; it is in the next build.', 0, {}, true],
    [3, '@Maya Lindqvist do we keep the old illustration for the release?'],
    [0, 'Yes, until Aiko’s is done.', 5],
  ],
  'zh-CN': [
    [1, '早上好！新的引导页已经放到文件夹里了，能看看**第二步**吗？我对文案不太确定。'],
    [1, '两个版本：\n\n- “布置你的房间”\n- “让它属于你”'],
    [2, '“让它属于你”更顺口，也好翻译。', 1, { '👍': ['u0', 'u1'], '🎉': ['u4'] }],
    [0, '同意。键名改成了 `onboarding.step2.title`，下一个版本就有。', 0, {}, true],
    [3, '@林晓 发布时还用旧插图吗？'],
    [0, '用，等思涵的画好再换。', 5],
  ],
};

const LONG = 'https://journal.example/2025/11/a-very-long-address-without-any-end/that-somebody-has-copied?with=everything&behind=it';
const linked = {
  en: [
    [1, 'Background for Thursday: https://en.wikipedia.org/wiki/Onboarding and their own guide https://docs.example.com/guide', [
      ['https://en.wikipedia.org/wiki/Onboarding', 'Onboarding', 'The mechanism through which new employees acquire the knowledge, skills and behaviours to become effective members of an organization.', 'Wikipedia'],
      ['https://docs.example.com/guide', 'Guide', '', ''],
    ]],
    [0, LONG, [[LONG, 'What forty-one people told us about the first five minutes, and what we changed because of it: a report in three parts, with all the numbers', 'Part one: how we asked. Forty-one people in six countries set up their room while we watched and said nothing. Here is what they tried first, where they stopped, and which words they read aloud twice before they went on.', 'The Interview Journal']]],
    [3, 'Thanks, I will read it tonight.', []],
  ],
  'zh-CN': [
    [1, '周四的背景材料：https://zh.wikipedia.org/wiki/入职 和他们的指南 https://docs.example.com/guide', [
      ['https://zh.wikipedia.org/wiki/入职', '入职培训', '新员工获得必要的知识、技能和行为，成为组织有效成员的过程。', '维基百科'],
      ['https://docs.example.com/guide', '指南', '', ''],
    ]],
    [0, LONG, [[LONG, '四十一个人告诉我们的最初五分钟，以及我们因此做出的改变：分三部分的报告，附全部数据', '第一部分：我们怎么问。六个国家的四十一个人在我们的注视下布置自己的房间，我们一言不发。他们先尝试了什么、在哪里停下、哪些词念了两遍，都在这里。', '访谈周刊']]],
    [3, '谢谢，今晚就看。', []],
  ],
};

const linking = (language) => ([author, text, cards], i) => ({
  ...message(language)([author, text], i), replies: 0,
  previews: cards.map(([url, title, about, site], k) => ({ id: `p${k}`, url, title, about, site })),
});

const message = (language) => ([author, text, thread, reactions = {}, edited], i) => ({
  id: String(i + 1), space: 's0', author: `u${author}`, author_name: people[language][author], text, replies: talk[language].filter((other) => other[2] === i + 1).length, mentions: [],
  created: Date.UTC(2025, 10, 20, 8, 10 + 7 * i), ...(thread ? { thread: String(thread) } : {}),
  ...(edited ? { edited: Date.UTC(2025, 10, 20, 9) } : {}),
  reactions: Object.entries(reactions).map(([emoji, by]) => ({ emoji, by })),
});

const stored = {
  en: ['Illustrations', 'Research', 'Onboarding v3.pdf', 'Release notes.md', 'Walkthrough.mp4', 'hero.png'],
  'zh-CN': ['插图', '调研', '引导页 v3.pdf', '发布说明.md', '演示.mp4', '首图.png'],
};
const TYPES = ['', '', 'application/pdf', 'text/markdown', 'video/mp4', 'image/png'];

const file = (name, i) => ({
  id: `f${i}`, space: 's0', name, kind: i < 2 ? 'folder' : 'file', ...(i < 2 ? {} : { type: TYPES[i] }), author: `u${i % 4}`,
  size: [0, 0, 2_400_000, 3_120, 48_700_000, 380_000][i], version: 1, created: CREATED, changed: Date.UTC(2025, 10, 12 + i, 9, 30),
});

const found = {
  en: [
    ['message', 'u1', 'Morning! The new ', 'onboarding', ' screens are in the folder. Could you look at the second step?'],
    ['file', 'u2', '', 'Onboarding', ' v3.pdf'],
    ['message', 'u0', 'Agreed. I changed the key to ', 'onboarding', '.step2.title; it is in the next build.'],
  ],
  'zh-CN': [
    ['message', 'u1', '早上好！新的', '引导页', '已经放到文件夹里了，能看看第二步吗？'],
    ['file', 'u2', '', '引导页', ' v3.pdf'],
    ['message', 'u3', '客户说', '引导页', '比以前短，也更清楚。'],
  ],
};

const hit = (language) => ([kind, author, before, word, after], i) => ({
  kind, id: `${i + 1}`, space: 's0', author, author_name: people[language][Number(author[1])], created: Date.UTC(2025, 10, 20 - i, 8, 10),
  snippet: [{ text: before }, { text: word, hit: true }, { text: after }].filter(({ text }) => text),
  ...(kind === 'file' ? { type: 'application/pdf' } : {}),
});

const later = {
  en: ['The build of Friday is up: please try the second step on a phone.', 'Reminder: the release notes close at noon.'],
  'zh-CN': ['周五的版本已经上传，请在手机上试试第二步。', '提醒：发布说明中午截止。'],
};

/** What whoever has the link gets to see. */
function sharedAnswer(below, language) {
  if (below === '') return { name: names[language][0], everything: false, messages: false, expires: Date.UTC(2026, 0, 12, 9) };
  return below === '/files' ? { items: stored[language].map(file) } : undefined;
}

/** The answer to a GET below /api/v1/, or undefined. */
export function spacesAnswer(path, query, language) {
  const spaces = [
    ...names[language].map(space),
    { ...space(people[language][1], 5), kind: 'direct', with: 'u1', members: 2 },
  ];
  if (path === 'events') return { items: [], last: 1, more: false };
  if (path === 'spaces') return { items: spaces };
  if (path === 'search') return { items: found[language].map(hit(language)) };
  if (path.startsWith('shares/x')) return sharedAnswer(path.slice('shares/x'.length), language);
  const [, id, below] = /^spaces\/(s\d)(?:\/(\w+))?$/.exec(path) ?? [];
  if (!id) return undefined;
  if (!below) return spaces.find((candidate) => candidate.id === id);
  if (below === 'members')
    return {
      items: people[language].map((name, i) => ({
        id: `u${i}`, name, email: `${people.en[i].split(' ')[0].toLowerCase()}@example.org`, role: ROLES[i], joined: CREATED,
      })),
    };
  if (below === 'messages' && id === 's1') return { items: linked[language].map(linking(language)).reverse() };
  if (below === 'messages') {
    const all = id === 's2' ? [] : talk[language].map(message(language)).reverse();
    return { items: query.has('thread') ? all.filter(({ thread }) => thread === query.get('thread')) : all };
  }
  if (below === 'files') return { items: id === 's2' ? [] : stored[language].map(file) };
  if (below === 'meetings') return { items: id === 's2' ? [{ id: 'm1', link: '/m/m1', title: '', participants: 2, created: CREATED }] : [] };
  if (below === 'scheduled')
    return { items: later[language].map((text, i) => ({ id: `t${i}`, text, send_at: Date.UTC(2027, 0, 12 + i, 9), created: CREATED })) };
  if (below === 'shares')
    return { items: [{ id: 'h1', name: names[language][0], everything: true, messages: false, locked: true, files: [], views: 14, expires: Date.UTC(2026, 0, 12, 9), maker: 'u0', created: CREATED }] };
  if (below === 'links')
    return { items: [{ id: 'l1', role: 'viewer', maker: 'u0', uses: -1, expires: Date.UTC(2026, 0, 12, 9), created: CREATED }] };
  return undefined;
}
