// Tests of the check itself: it finds each kind of violation, and none in harmless messages.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { violations } from './check.mjs';
import { PARSERS } from './parsers.mjs';
import { readSigns } from './signs.mjs';

const PROGRAM = fileURLToPath(new URL('check.mjs', import.meta.url));
const LINK = 'https://gitlab.example.org/a/b/-/commit/da156088';
const GOOD = {
  text: `[da156088](${LINK}) pushed to \`main\` by \`＠all\`\n1 commit, \`:smile: **b** https://x.org\``,
  outside: ['main', '＠all', ':smile: **b** https://x.org'],
  links: [LINK],
  labels: ['da156088'],
};

test('a valid message has no violations', () => assert.deepEqual(violations(GOOD, PARSERS), []));

// A message with everything that a message may have.
const SIGNED = {
  text: `✅ [Pipeline 31](${LINK}) passed on \`main\` in **acme/rocket**, started by Robin Example\nin **acme** · 1 min 3 s`,
  outside: ['main'],
  links: [LINK],
  labels: ['Pipeline 31'],
  bold: ['acme/rocket', 'acme'],
  seen: '✅ Pipeline 31 passed on main in acme/rocket, started by Robin Example\nin acme · 1 min 3 s',
};

test('a message with a sign and the name of a project has no violations', () => {
  assert.deepEqual(violations(SIGNED, PARSERS), []);
  for (const { char } of readSigns()) {
    const text = SIGNED.text.replace('✅', char);
    assert.deepEqual(violations({ ...SIGNED, text, seen: undefined }, PARSERS), [], char);
  }
});

test('a message without a sign has no violations', () => {
  const [text, seen] = [SIGNED.text.slice(2), SIGNED.seen.slice(2)];
  assert.deepEqual(violations({ ...SIGNED, text, seen }, PARSERS), []);
});

test('an emoji that is no sign or elsewhere than at the start is a violation', () => {
  for (const text of ['🎉 done', '✅ done ✅', 'done\n✅ again', 'done ✅', ' ✅ done', '**acme** ✅']) {
    assert.ok(violations({ text }).includes('EMOJI'), text);
  }
});

test('bold text is a violation unless it is a name behind the word for it', () => {
  const bold = ['acme'];
  for (const before of ['in', 'pushed in', 'in group', 'to group', 'Group', 'Project', 'renamed to', 'Repository']) {
    assert.deepEqual(violations({ text: `${before} **acme**`, bold }), [], before);
  }
  for (const text of ['**acme**', 'by **acme**', 'within **acme**', 'in **other**', 'in **`acme`**', 'in\n**acme**', '“in **acme**']) {
    assert.deepEqual(violations({ text, bold }), ['BOLD'], text);
  }
});

test('text of which the parser drops a character and markup that it does not see are violations', () => {
  assert.deepEqual(violations({ text: 'a \\* b' }), ['read as "a * b"']);
  assert.match(violations({ text: `[a](${LINK} )`, links: [LINK], labels: ['a'] })[0], /^(LINK|read as)/);
});

test('a first line with more than 90 characters and more than five lines are violations', () => {
  const check = (text) => violations({ text, seen: text });
  const first = `✅ ${'x'.repeat(88)}`;
  assert.deepEqual(check(first), []);
  assert.deepEqual(check(`${first}x`), ['a first line of 91 characters']);
  assert.deepEqual(check(`a\n${'y'.repeat(91)}\nc\nd\ne`), []);
  assert.deepEqual(check('a\nb\nc\nd\ne\nf'), ['6 lines']);
});

test('a label that one build does not show is not tried with it', () => {
  const record = { text: `[prod (eu)](${LINK})`, links: [LINK], labels: ['prod (eu)'] };
  assert.deepEqual(violations(record, PARSERS), []);
  assert.match(violations({ ...record, labels: [] }, PARSERS)[0], /^read as .*0\.31\.22/);
});

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
  ['an empty line', 'a\n\nb', 'LINE_BREAK'],
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
  const record = { text: '`* a` in **acme**', bold: ['acme'], seen: '* a in acme' };
  assert.deepEqual(violations(record), []);
  assert.deepEqual(violations({ ...record, seen: '* a in acm' }), ['a notification: " a in acme**"']);
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
  const bad = (rest) => JSON.stringify({ name: 'second', text: '> quoted', ...rest });
  const good = JSON.stringify({ name: 'first', ...GOOD });
  assert.deepEqual(check(good, bad()), [1, `second: QUOTE (${PARSERS[0][0]})\n`]);
  assert.deepEqual(check(good, bad({ builds: 'all' })), [1, 'second: QUOTE\n']);
  assert.deepEqual(check(bad()), [1, 'second: QUOTE\n']);
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
