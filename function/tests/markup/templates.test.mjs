// Tests of the comparison itself: it finds what outside text does, and ignores what it says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { violations } from './templates.mjs';

const isSame = (text, twin) => violations({ text, twin }).length === 0;

test('texts that do nothing are alike', () => {
  assert.ok(isSame('*see* `a *b*` by Kim', '*see* `x` by Robin Example'));
  assert.ok(isSame('@kim [a](https://a.de) Kim', '@kim [a](https://a.de) x'));
});

test('what a text does differs from a text that does nothing', () => {
  for (const [text, twin] of [
    ['[push] `x](https://evil.example)`', '[push] `x`'],
    ['[`*a*`](https://a.de)', '[`a`](https://a.de)'],
    ['https://a.de/`b`', 'https://a.de/`x`'],
    ['<https://a.de|`a> *b*`>', '<https://a.de|`x`>'],
    ['@all', '@'],
    [':smile:', ':Kim:'],
    ['a.de', 'a.x'],
    ['x @all', 'x a'],
    ['> a', 'a'],
  ]) {
    assert.ok(!isSame(text, twin), text);
  }
});
