// The check sees what it should: each kind of fault once, and nothing in what is harmless.
import assert from 'node:assert/strict';
import test from 'node:test';
import { faults } from './check.mjs';

const LINK = 'https://gitlab.example.org/a/b/-/commit/da156088';
const GOOD = {
  text: `[da156088](${LINK}) pushed to \`main\` by \`＠all\`\n1 commit, \`:smile: **b** https://x.org\``,
  outside: ['main', '＠all', ':smile: **b** https://x.org'],
  links: [LINK],
  labels: ['da156088'],
};

test('a message as it should be has no faults', () => assert.deepEqual(faults(GOOD), []));

const BAD = {
  'a mention': '@alice look',
  'a mention in a code span': '` @alice`',
  'a mention of all at the start of a code line': '`x`\n@all',
  'a channel': 'see #general',
  'an address': 'see https://example.org',
  'a domain alone': 'see example.org',
  'an emoji': ':smile:',
  'an emoticon': 'well :)',
  'bold text': '**bold**',
  'text in italics': '_italic_',
  'struck text': '~~struck~~',
  'a formula': '$$x^2$$',
  'a formula in parentheses': '\\(x\\)',
  'a colour': 'color:#ff0000',
  'a quotation': '> quoted',
  'a heading': '# heading',
  'a list': '- item',
  'a numbered list': '1. item',
  'a task': '- [ ] task',
  'a spoiler': '||hidden||',
  'a time': '<t:1700000000:R>',
  'a block of code': '```\ncode\n```',
  'an image': '![x](https://example.org/x.png)',
  'another link': '[da156088](https://evil.example)',
  'another label': `[click](${LINK})`,
  'a formatted label': `[**da156088**](${LINK})`,
};
for (const [name, text] of Object.entries(BAD)) {
  test(`${name} is a fault`, () => {
    assert.notDeepEqual(faults({ text, links: [LINK], labels: ['da156088'] }), []);
  });
}

test('outside text that left its code span is a fault', () => {
  for (const text of ['main', '`ma`in`', '`ma` `in`', '`main\n`']) {
    assert.notDeepEqual(faults({ text, outside: ['main'] }), [], text);
  }
});
