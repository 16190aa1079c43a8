// Tests of the rule: what it accepts, and that each kind of text it refuses for a reason does something in a place.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isInert, violations } from './inert.mjs';
import { PARSERS, parse } from './parsers.mjs';

const PLAIN = [
  ...['Fix login (again)', 'feat(api): add paging', 'feat(api)!: drop v1', 'Bump serde from 1.0.1 to 1.0.2', 'v1.2.3'],
  ...["Merge branch 'fix-login' into 'main'", 'Draft: Resolve "Login fails"', 'Anna-Lena Müller', "O'Brien", 'R&D'],
  ...['acme/rocket', 'Python 3.8', 'Revert !12', 'Fix it.', 'a; b', 'Владимир', 'नमस्ते', '한국어', '𠮷野', '中文（再次）。'],
  ...['ADD: x', 'UTF-8', '(v8)', 'Q: why?', 'x – y', 'pull/push', 'see /etc', 'all is gone'],
];
// In pairs, because all places of a text take 100 ms; inert.mjs tries many more.
for (let index = 0; index < PLAIN.length; index += 2) {
  const [text, other] = [PLAIN[index], PLAIN[index + 1]];
  test(`plain: ${text}, ${other}`, () => {
    assert.ok(isInert(text) && isInert(other));
    assert.deepEqual(violations(text, other), []);
  });
}

// Text and a place where it does something.
const HAZARDS = [
  ['by @all', 'alone'],
  ['@all', 'at the end'],
  ['a@b.de', 'after a link'],
  ['see #12', 'alone'],
  ['(#12)', 'after a link'],
  ['C#', 'in parentheses', 'plain today'],
  ['*b*', 'after a link'],
  ['_b_', 'after a link'],
  ['x-a_1 b_2', 'after a link'],
  ['~b~', 'alone'],
  ['`b`', 'alone'],
  ['[ci] x', 'before a link'],
  ['<t:1700000000:R>', 'alone'],
  ['I <3 it', 'alone'],
  ['> a', 'alone'],
  ['||b||', 'alone'],
  ['$x$', 'alone'],
  ['\\(x\\)', 'alone'],
  ['\\*', 'alone'],
  ['a =D', 'alone'],
  ['100 %', 'in parentheses'],
  ['+12345', 'alone'],
  ['a;)', 'alone', 'plain today'],
  ['a ;)', 'alone'],
  ['main.rs', 'alone'],
  ['example.org', 'after a link'],
  ['a.中国', 'alone'],
  ['10.0.0.1', 'alone'],
  ['1. x', 'alone'],
  ['localhost', 'alone'],
  [':b:', 'alone'],
  ['a :b', 'alone'],
  ['a :/', 'alone'],
  ['Foo::b::x', 'alone', 'plain today'],
  ['x :D', 'before a link'],
  ['https://a.de', 'alone'],
  ['spotify:track:x', 'alone'],
  ['- x', 'alone'],
  ['8-D', 'before a link'],
  ['X-P', 'before a link'],
  ['B)', 'before a link'],
  ['see (y)', 'before a link'],
  ['y', 'in parentheses'],
  ['Plan D', 'before a colon'],
  ['Plan B', 'in parentheses'],
  ['Team X', 'in parentheses'],
  ['Java 8', 'in parentheses'],
  ['D: x', 'after a link'],
  ['🎉', 'alone'],
  ['a ☎ b', 'alone'],
  ['Fix:', 'in parentheses', 'plain today'],
  ['y) x', 'in parentheses'],
  ['f (y', 'in parentheses'],
  ['(y', 'in parentheses', 'plain today'],
  ['x -', 'alone', 'plain today'],
];
for (const [text, place, remark] of HAZARDS) {
  test(`refused: ${text}`, () => {
    assert.ok(!isInert(text));
    assert.equal(violations(text, 'x', [place]).length > 0, remark === undefined, place);
  });
}

test('refused because it is invisible or changes the order of what stands beside it', () => {
  const texts = ['a\u200db', 'a\u202eb', '\u3164', 'يوسف', 'אבג', 'a  b', ' a', 'a ', 'a\nb', ''];
  for (const text of texts) assert.ok(!isInert(text), JSON.stringify(text));
});

// Why bold text has two marks, and code none. Messages write bold text after a space, because a notification keeps its
// marks after a parenthesis.
test('two marks make bold text everywhere, single ones do not in parentheses, and code not in bold', () => {
  const types = (text) => PARSERS.map(([, parser]) => parse(text, parser)[0].value.map((node) => node.type).join(' '));
  const all = (expected) => PARSERS.map(() => expected);
  assert.deepEqual(types('(**a**) b'), all('PLAIN_TEXT BOLD PLAIN_TEXT'));
  assert.deepEqual(types('x **a**'), all('PLAIN_TEXT BOLD'));
  assert.equal(types('(*a*) b').at(-1), 'PLAIN_TEXT');
  assert.match(types('(*`a`*) b').at(-1), /EMOJI/);
  assert.match(JSON.stringify(parse('**`a`**', PARSERS[0][1])), /"value":"`a`"/);
});
