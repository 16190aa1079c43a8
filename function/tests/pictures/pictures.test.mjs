// Tests of the check itself: it finds every reason why a picture is not what it should be. Those of the page need
// Chromium and are skipped without it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { findChromium, startChromium } from './browser.mjs';
import { inputsOf, problems, write } from './manifest.mjs';
import { texts } from './tree.mjs';

const MESSAGES = [
  { name: 'push', time: '9:12 AM', text: 'pushed' },
  { name: 'job', time: '9:20 AM', text: 'failed' },
];
const PICTURE = { theme: 'light', day: 'today', account: { name: 'GitLab', username: 'gitlab.bot', role: 'Bot' }, messages: MESSAGES };

/** A folder for one test. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'pictures-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A folder with a picture that is up to date. */
function taken(t) {
  const path = folder(t);
  writeFileSync(join(path, 'light.png'), 'an image');
  write(path, { 'light.png': inputsOf(PICTURE) });
  return path;
}

test('a picture is up to date until something changes', (t) => {
  assert.deepEqual(problems(taken(t), { 'light.png': inputsOf(PICTURE) }), []);
});

const withText = (text) => ({ ...PICTURE, messages: [MESSAGES[0], { ...MESSAGES[1], text }] });
const STALE = 'is stale: changed since it was taken: ';
// Name, the picture after the change, and what is found.
const CHANGES = [
  ['the text of a message', withText('passed'), `${STALE}message job`],
  ['the time of a message', { ...PICTURE, messages: [MESSAGES[0], { ...MESSAGES[1], time: '9:21 AM' }] }, `${STALE}message job`],
  ['the theme', { ...PICTURE, theme: 'dark' }, `${STALE}definition`],
  ['the name of the account', { ...PICTURE, account: { ...PICTURE.account, name: 'Git' } }, `${STALE}definition`],
  ['the order', { ...PICTURE, messages: MESSAGES.toReversed() }, `${STALE}definition`],
  ['the number of messages', { ...PICTURE, messages: MESSAGES.slice(1) }, `${STALE}definition, message push`],
];
for (const [name, changed, reason] of CHANGES) {
  test(`a picture is stale after a change of ${name}`, (t) => {
    assert.deepEqual(problems(taken(t), { 'light.png': inputsOf(changed) }), [['light.png', reason]]);
  });
}

test('every picture is stale after a change of the renderer or of its packages', (t) => {
  const sources = folder(t);
  for (const changed of ['browser.mjs', 'package-lock.json', 'page.mjs', 'tree.mjs', 'view.jsx']) {
    for (const file of ['browser.mjs', 'package-lock.json', 'page.mjs', 'tree.mjs', 'view.jsx']) {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      writeFileSync(join(sources, file), file === changed ? `${text} ` : text);
    }
    assert.deepEqual(problems(taken(t), { 'light.png': inputsOf(PICTURE, sources) }), [['light.png', `${STALE}renderer`]], changed);
  }
});

test('a missing picture is found', (t) => {
  const path = taken(t);
  rmSync(join(path, 'light.png'));
  assert.deepEqual(problems(path, { 'light.png': inputsOf(PICTURE) }), [['light.png', 'is missing']]);
});

test('a picture without an entry in the manifest is found', (t) => {
  const path = taken(t);
  rmSync(join(path, 'manifest.json'));
  assert.deepEqual(problems(path, { 'light.png': inputsOf(PICTURE) }), [['light.png', 'is not in the manifest']]);
});

test('another picture of the same name is found', (t) => {
  const path = taken(t);
  writeFileSync(join(path, 'light.png'), 'another image');
  assert.deepEqual(problems(path, { 'light.png': inputsOf(PICTURE) }), [['light.png', 'is not the picture that was taken']]);
});

test('an orphan is found, and removed when the pictures are written', (t) => {
  const path = taken(t);
  writeFileSync(join(path, 'old.png'), 'an image');
  const inputs = { 'light.png': inputsOf(PICTURE) };
  assert.deepEqual(problems(path, inputs), [['old.png', 'is an orphan: pictures.json does not have it']]);
  write(path, inputs);
  assert.deepEqual(problems(path, inputs), []);
});

test('every picture shows a group, and the groups show all messages and no others', () => {
  const { messages, groups, pictures } = JSON.parse(readFileSync(join(import.meta.dirname, 'pictures.json'), 'utf8'));
  const named = Object.values(pictures).map((picture) => picture.messages);
  assert.deepEqual(named.filter((group) => !(group in groups)), []);
  assert.deepEqual([...new Set(Object.values(groups).flat())].toSorted(), Object.keys(messages).toSorted());
});

test('every picture in one theme has a picture in the other, except that of the README', () => {
  const { pictures } = JSON.parse(readFileSync(join(import.meta.dirname, 'pictures.json'), 'utf8'));
  const groupsIn = (theme) => Object.values(pictures).filter((picture) => picture.theme === theme).map((picture) => picture.messages);
  assert.deepEqual(groupsIn('dark'), groupsIn('light').filter((group) => group !== 'readme'));
});

const plain = (value) => ({ type: 'PLAIN_TEXT', value });
const paragraph = (...value) => ({ type: 'PARAGRAPH', value });
const link = (label) => ({ type: 'LINK', value: { src: plain('https://gitlab.example.org'), label: [plain(label)] } });

test('a node of an unknown type is found', () => {
  for (const type of ['SPOILER', 'IMAGE', 'MENTION_CHANNEL', 'INLINE_KATEX']) {
    assert.throws(() => texts([paragraph(plain('a'), { type, value: [] })]), new RegExp(`a node of type ${type};`));
  }
  assert.throws(() => texts([paragraph({ type: 'EMOJI', shortCode: 'smile', value: plain('smile') })]), /the emoji :smile:/);
});

/** Runs the command with a program that prints a text. */
function run(t, text, ...args) {
  return runWith({ REQUIRE_TOOLS: '' }, t, text, ...args);
}

function runWith(variables, t, text, ...args) {
  const program = join(folder(t), 'program');
  writeFileSync(program, `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
  const env = { ...process.env, ...variables, WEBHOOK_APP: program, CHROMIUM: '/nonexistent/chromium' };
  const command = join(import.meta.dirname, 'pictures.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('without Chromium the check says what it skips, and fails for what it found', (t) => {
  const { status, stdout, stderr } = run(t, 'a text', 'check', folder(t));
  assert.equal(status, 1);
  assert.match(stdout, /^SKIPPED: .*apt-get install chromium/m);
  assert.match(stderr, /readme\.png is missing\n/);
  assert.match(stderr, /run `make pictures`/);
});

test('without Chromium the check fails if tools are required', (t) => {
  const { status, stdout, stderr } = runWith({ REQUIRE_TOOLS: '1' }, t, 'a text', 'check', folder(t));
  assert.equal(status, 1);
  assert.doesNotMatch(stdout, /SKIPPED/);
  assert.match(stderr, /Chromium is not installed, and REQUIRE_TOOLS=1 is set: .*apt-get install chromium/);
});

test('without Chromium no picture is taken, and the command fails', (t) => {
  const { status, stderr } = run(t, 'a text', 'write', folder(t));
  assert.deepEqual([status, stderr.split(',')[0]], [1, 'no picture was taken']);
});

test('a fixture without a message and unknown arguments are errors', (t) => {
  const skipped = run(t, 'nothing is sent: GitLab generated the comment', 'check', folder(t));
  assert.equal(skipped.status, 1);
  assert.match(skipped.stderr, /has no message/);
  assert.equal(run(t, 'a text', 'take').status, 64);
});

const chromium = findChromium();
// A test that runs without it fails.
const skip = !chromium && process.env.REQUIRE_TOOLS !== '1' && 'SKIPPED: Chromium is not installed';
const code = { type: 'INLINE_CODE', value: plain('main') };
const mention = { type: 'MENTION_USER', value: plain('alice') };
const TREE = [
  paragraph({ type: 'EMOJI', unicode: '✅' }, plain(' '), { type: 'BOLD', value: [link('acme')] }, plain(' passed')),
  { type: 'LINE_BREAK' },
  paragraph(code, { type: 'ITALIC', value: [plain('x')] }, mention),
];

/** A page that does what a picture says after it was shown. */
const ENTRY = `
  import { show } from './view.jsx';
  window.show = (picture) => { show(picture); return new Function(picture.fault)(); };
`;
const browser = chromium && (await startChromium(chromium, ENTRY));
test.after(() => browser?.close());

/** What is wrong with a picture of a tree, on a page with a fault. */
async function shown(tree, fault = '') {
  const { violations } = await browser.photograph({ ...PICTURE, messages: [{ name: 'push', time: '9:12 AM', tree }], fault });
  return violations.join('\n');
}

test('a message is shown as it was parsed', { skip }, async () => assert.equal(await shown(TREE), ''));

// Name, what the page does after the message is shown, and what is found.
const FAULTS = [
  ['a text that the page lost', `document.querySelector('code').remove()`, /the text of push is shown as .*"x@alice"/],
  ['a text that is hidden', `document.querySelector('code').style.display = 'none'`, /the text of push is shown as .*"x@alice"/],
  ['a text that is transparent', `document.querySelector('em').style.opacity = 0`, /the text of push is shown as .*"main@alice"/],
  ['a text that was added', `document.querySelector('em').append('y')`, /the text of push is shown as .*"mainxy@alice"/],
  ['a message that was lost', `document.querySelector('.rcx-message').remove()`, /0 messages are shown instead of 1/],
  ['an error on the console', `console.error('broken')`, /the console has an error: broken/],
  ['an error of the page', `return new Promise((done) => setTimeout(() => { setTimeout(done); throw new Error('broken'); }))`, /the page has an error: broken/],
  ['a request', `return fetch('https://chat.example.org/emoji.png').catch(() => {})`, /the page requests https:\/\/chat.example.org\/emoji.png/],
];
for (const [name, fault, expected] of FAULTS) {
  test(`${name} is found`, { skip }, async () => assert.match(await shown(TREE, fault), expected));
}

test('a node that the page cannot draw is found', { skip }, async () => {
  assert.match(await shown([paragraph({ type: 'SPOILER', value: [plain('a')] })]), /a node of type SPOILER/);
});
