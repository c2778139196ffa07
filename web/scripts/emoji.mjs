// The emoji that the picker offers, from emojibase-data (MIT) and cut to what is needed: one line
// each of [emoji, group, shortcodes, words in English and Chinese]. Fetched when first asked for.
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const english = require('emojibase-data/en/compact.json');
const chinese = new Map(require('emojibase-data/zh/compact.json').map((emoji) => [emoji.hexcode, emoji]));
const groups = new Map(require('emojibase-data/en/data.json').map((emoji) => [emoji.hexcode, emoji.group]));
const codes = require('emojibase-data/en/shortcodes/github.json');

const words = (emoji) => [emoji?.label, ...(emoji?.tags ?? [])].filter(Boolean);
const rows = english
  .filter(({ hexcode }) => groups.get(hexcode) !== undefined && groups.get(hexcode) !== 2 && codes[hexcode])
  .map((emoji) => [
    emoji.unicode,
    groups.get(emoji.hexcode),
    [codes[emoji.hexcode]].flat().join(' '),
    [...new Set([...words(emoji), ...words(chinese.get(emoji.hexcode))])].join(' '),
  ]);
mkdirSync('dist', { recursive: true });
writeFileSync('dist/emoji.json', JSON.stringify(rows));
process.stdout.write(`emoji.json: ${rows.length} emoji\n`);
