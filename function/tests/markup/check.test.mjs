// Tests of the check itself: it finds each kind of violation, and none in harmless messages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { violations } from './check.mjs';

const PROGRAM = fileURLToPath(new URL('check.mjs', import.meta.url));
const LINK = 'https://gitlab.example.org/a/b/-/commit/da156088';
const GOOD = {
  text: `[da156088](${LINK}) pushed to \`main\` by \`＠all\`\n1 commit, \`:smile: **b** https://x.org\``,
  outside: ['main', '＠all', ':smile: **b** https://x.org'],
  links: [LINK],
  labels: ['da156088'],
};

test('a valid message has no violations', () => assert.deepEqual(violations(GOOD), []));

// GitLab's page that compares two commits has three dots in its path.
test('the link of a comparison is one link', () => {
  const links = [40, 64].map((digits) => `https://gitlab.example.org/a/b/-/compare/${'a1'.repeat(digits / 2)}...${'0f'.repeat(digits / 2)}`);
  for (const link of links) {
    for (const label of ['compare', '23 commits', 'and 20 more']) {
      for (const text of [`[${label}](${link})`, `\`main\`: [${label}](${link}).`, `[a](${LINK}), [${label}](${link}) by Robin\n[${label}](${link})`]) {
        assert.deepEqual(violations({ text, links: [LINK, link], labels: ['a', label] }), [], text);
      }
    }
    const cut = link.replace('...', '…');
    assert.notDeepEqual(violations({ text: `[compare](${link})`, links: [cut], labels: ['compare'] }), [], cut);
  }
});

// Name, text, and the beginning of the violation.
const RAW_MENTION = 'a mention in the raw text';
const BAD = [
  ['a mention', '@alice look', 'MENTION_USER'],
  ['a mention in a code span', '` @alice`', RAW_MENTION],
  ['a mention after a quotation mark', '`a>@alice`', RAW_MENTION],
  ['a mention of all at the start of a line', '`x`\n@all', 'MENTION_USER'],
  ['a channel', 'see #general', 'MENTION_CHANNEL'],
  ['a channel in a code span', '`see #general`', RAW_MENTION],
  ['an address', 'see https://example.org', 'LINK'],
  ['a domain alone', 'see example.org', 'LINK'],
  ['a mail address', 'write to a@example.org', 'LINK'],
  ['a telephone number', 'call +15551234567', 'LINK'],
  ['an emoji by name', 'see :smile:', 'EMOJI'],
  ['an emoji', 'well 😀', 'EMOJI'],
  ['emoji alone', ':smile:', 'BIG_EMOJI'],
  ['an emoticon', 'well :)', 'EMOJI'],
  ['bold text', '**bold**', 'BOLD'],
  ['text in italics', '_italic_', 'ITALIC'],
  ['struck text', '~~struck~~', 'STRIKE'],
  ['code in bold', '**`code`**', 'BOLD'],
  ['a formula', '$$x^2$$', 'KATEX'],
  ['a formula in a line', 'a $x$', 'INLINE_KATEX'],
  ['a formula in parentheses', '\\(x\\)', 'INLINE_KATEX'],
  ['a colour', 'color:#ff0000', 'COLOR'],
  ['a quotation', '> quoted', 'QUOTE'],
  ['a heading', '# heading', 'HEADING'],
  ['a list', '- item', 'UNORDERED_LIST'],
  ['a numbered list', '1. item', 'ORDERED_LIST'],
  ['a task', '- [ ] task', 'TASKS'],
  ['a spoiler', '||hidden||', 'SPOILER'],
  ['a spoiler of several lines', '||\nhidden\n||', 'SPOILER_BLOCK'],
  ['a time', '<t:1700000000:R>', 'TIMESTAMP'],
  ['a block of code', '```\ncode\n```', 'CODE'],
  ['a rule', '---', 'HORIZONTAL_RULE'],
  ['a table', '|a|b|\n|-|-|\n|c|d|', 'TABLE'],
  ['an image', '![x](https://example.org/x.png)', 'IMAGE'],
  ['another link', '[da156088](https://evil.example)', 'LINK'],
  ['a link that runs a script', '[da156088](javascript:alert(1))', 'LINK'],
  ['another label', `[click](${LINK})`, 'LINK'],
  ['another label in the other form', `<${LINK}|click>`, 'LINK'],
  ['a formatted label', `[**da156088**](${LINK})`, 'LINK'],
  ['a label in backticks', `[\`da156088\`](${LINK})`, 'LINK'],
  ['a broken link', `[da156088](${LINK} )`, 'LINK'],
];
for (const [name, text, beginning] of BAD) {
  test(`${name} is a violation`, () => {
    const found = violations({ text, links: [LINK], labels: ['da156088'] });
    assert.ok(found[0]?.startsWith(beginning), `${JSON.stringify(text)} gave ${JSON.stringify(found)}`);
  });
}

test('a notification shows the text without marks, and of a code span at most its text', () => {
  const notify = (text, seen) => violations({ text, links: [LINK], labels: ['da156088'], seen });
  const text = `[da156088](${LINK}) by \`main\``;
  assert.deepEqual(notify(text, 'da156088 by main'), []);
  assert.deepEqual(notify(text, 'da156088 by main.'), ['a notification: "da156088 by main"']);
  assert.deepEqual(notify('`*a* b_c`', '*a* b_c'), []);
  assert.deepEqual(notify('`*a* b_c`', '*a* b_'), ['a notification: "a b_c"']);
});

test('untrusted text outside of a code span is a violation', () => {
  for (const text of ['main', '`ma`in`', '`ma` `in`', '`main\n`', '`main ` x', '``main']) {
    assert.deepEqual(violations({ text, outside: ['main'] }), ['not in a code span: "main"'], text);
  }
});

test('only a backtick or a line feed ends a code span', () => {
  for (let code = 0; code < 0x3000; code += 1) {
    const outside = `a${String.fromCharCode(code)}b`;
    const ends = outside === 'a`b' || outside === 'a\nb';
    const found = violations({ text: `x \`${outside}\` y`, outside: [outside] });
    assert.equal(found.some((violation) => violation.startsWith('not in a code span')), ends, `character ${code}`);
  }
});

// The name of a branch such as `fix-#12` is shown as it is, because neither the parser nor the search in the raw text
// finds a channel in it.
test('a number sign in a code span starts a mention only after white space or ">"', () => {
  const codes = [...Array(0x3001).keys(), 0xfeff].filter((code) => code !== '`'.charCodeAt(0));
  for (const code of codes) {
    const before = String.fromCharCode(code);
    const found = violations({ text: `x \`a${before}#general\` y` });
    const starts = /[\s>]/.test(before);
    assert.equal(found.length > 0, starts, `character ${code}: ${JSON.stringify(found)}`);
  }
  for (const text of ['`#12-fix`', 'x `#general` y', '`a` `#general`', '`#general` `b`', '`#`', '`a#`', '`👩‍🔧#x`']) {
    assert.deepEqual(violations({ text }), [], text);
  }
});

// Runs the program as the integration tests do.
function check(...lines) {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM], { input: lines.join('\n'), encoding: 'utf8' });
  return [status, stderr];
}

test('the program prints the name of the record and the violation', () => {
  const bad = JSON.stringify({ name: 'second', text: '> quoted' });
  assert.deepEqual(check(JSON.stringify({ name: 'first', ...GOOD }), bad), [1, 'second: QUOTE\n']);
});

test('the program accepts messages with other line terminators', () => {
  const text = '`a\u2028b\rc`';
  assert.deepEqual(check(JSON.stringify({ name: 'ends', text, outside: [text.slice(1, -1)] }), ''), [0, '']);
});

test('the program fails without messages and on invalid records', () => {
  assert.deepEqual(check(), [1, '']);
  const [status, stderr] = check('nonsense', JSON.stringify({ name: 'good', ...GOOD }));
  assert.equal(status, 1);
  assert.match(stderr, /^line 1: not a record: /);
});
