// Tests of the signs, and of the page that describes them: every sign is one character that all builds of the parser take
// for an emoji, and the table of docs/messages.md has all of them with their meaning.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { PARSERS, parse } from './parsers.mjs';
import { readSigns } from './signs.mjs';

const SIGNS = readSigns();
const PAGE = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8');

test('every variant has a comment and a sign', () => {
  assert.ok(SIGNS.length > 20, `${SIGNS.length}`);
  for (const sign of SIGNS) assert.ok(sign.char && sign.meaning, JSON.stringify(sign));
});

test('signs differ from each other', () => assert.equal(new Set(SIGNS.map(({ char }) => char)).size, SIGNS.length));

// Circles and squares that differ by their colour only.
test('no two signs differ by their colour only', () => {
  for (const shape of [/^[🔴🟠🟡🟢🔵🟣🟤⚫⚪]$/u, /^[🟥🟧🟨🟩🟦🟪🟫⬛⬜]$/u, /^[🔶🔷🔸🔹]$/u]) {
    assert.ok(SIGNS.filter(({ char }) => shape.test(char)).length <= 1, `${shape}`);
  }
});

test('every sign is one character that needs no variation selector', () => {
  for (const { char } of SIGNS) assert.match(char, /^\p{Emoji_Presentation}$/u);
});

test('every build takes every sign for an emoji', () => {
  const text = (char) => `${char} [a](https://gitlab.example.org) b`;
  for (const { char } of SIGNS) {
    for (const [version, parser] of PARSERS) {
      const [first] = parse(text(char), parser)[0].value;
      assert.deepEqual([first.type, first.unicode], ['EMOJI', char], version);
    }
  }
});

test('the page lists every sign with its meaning, in the order of the program', () => {
  const [, table] = PAGE.match(/<!-- signs: begin -->\n([\s\S]*?)<!-- signs: end -->/) ?? [];
  const rows = (table ?? '').trim().split('\n').slice(2);
  assert.deepEqual(rows, SIGNS.map(({ char, meaning }) => `| ${char} | ${meaning.replace(/\.$/, '')} |`));
});
