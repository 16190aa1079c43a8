// Takes the pictures of messages in the documentation, or checks them: `node pictures.mjs write|check [FOLDER]`.
// Owns the two commands and their exit codes: 0 if the pictures are right, 1 if not, 64 for other arguments. What is
// shown is in pictures.json; the text of a message is what webhook-app renders, or the program of WEBHOOK_APP.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { findChromium, startChromium } from './browser.mjs';
import { inputsOf, problems, write } from './manifest.mjs';
import { parse } from './tree.mjs';

const ROOT = resolve(import.meta.dirname, '../../..');
const FIXTURES = join(ROOT, 'function/tests/integration/fixtures/gitlab');
const INSTALL = 'apt-get install chromium fonts-noto-color-emoji';

/** The pictures of pictures.json by their file names, with the texts of their messages. */
function definitions() {
  const { account, messages, groups, pictures } = JSON.parse(readFileSync(join(import.meta.dirname, 'pictures.json'), 'utf8'));
  const texts = Object.entries(messages).map(([name, message]) => ({ name, time: message.time, text: render(message) }));
  const shown = (group) => groups[group].map((wanted) => texts.find(({ name }) => name === wanted));
  return Object.entries(pictures).map(([file, picture]) => [file, { ...picture, account, messages: shown(picture.messages) }]);
}

/** The message for a fixture, also one that is sent only if a rule asks for it. The settings of the caller have no effect. */
function render({ fixture }) {
  const program = process.env.WEBHOOK_APP || resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/webhook-app');
  if (!existsSync(program)) throw new Error(`${program} does not exist; build it with: cargo build --bins`);
  const output = execFileSync(program, ['render', '--explain', join(FIXTURES, `${fixture}.json`)], { encoding: 'utf8', env: {} });
  const [text] = output.trimEnd().split('\n\n');
  if (text.startsWith('nothing is sent')) throw new Error(`${fixture} has no message: ${text}`);
  return text;
}

/** Shows pictures in Chromium; returns what is wrong with them and, if `isTaken`, their images. */
async function photograph(executable, pictures, options) {
  const browser = await startChromium(executable);
  const images = {};
  const wrong = [];
  try {
    for (const [file, picture] of pictures) {
      const messages = picture.messages.map((message) => ({ ...message, tree: parse(message.text) }));
      const { violations, image } = await browser.photograph({ ...picture, messages }, options);
      wrong.push(...violations.map((violation) => `${file}: ${violation}`));
      images[file] = image;
    }
  } finally {
    await browser.close();
  }
  return { violations: wrong, images };
}

/** Compares the pictures with their inputs and, if Chromium is installed, what it shows with the messages. */
async function check(folder, pictures) {
  const stale = problems(folder, inputs(pictures)).map(([file, reason]) => `${relative(ROOT, join(folder, file))} ${reason}`);
  if (stale.length > 0) stale.push('run `make pictures`, look at the pictures and commit them');
  const chromium = findChromium();
  if (!chromium && process.env.REQUIRE_TOOLS === '1') stale.push(`Chromium is not installed, and REQUIRE_TOOLS=1 is set: ${INSTALL}`);
  else if (!chromium) console.log(`SKIPPED: whether Chromium shows the messages unchanged, because it is not installed: ${INSTALL}`);
  const violations = chromium ? (await photograph(chromium, pictures)).violations : [];
  return [...stale, ...violations];
}

/** Takes the pictures that are not right. The others stay, because another machine has slightly different fonts. */
async function take(folder, pictures) {
  const wrong = problems(folder, inputs(pictures)).map(([file]) => file);
  const chromium = findChromium();
  if (!chromium) return [`no picture was taken, because Chromium is not installed: ${INSTALL}`];
  const { images, violations } = await photograph(chromium, pictures, { isTaken: true });
  if (violations.length > 0) return violations;
  mkdirSync(folder, { recursive: true });
  const taken = wrong.filter((file) => images[file]);
  taken.forEach((file) => writeFileSync(join(folder, file), images[file]));
  write(folder, inputs(pictures));
  console.log(taken.length > 0 ? `taken: ${taken.join(', ')}` : 'all pictures are up to date');
  return [];
}

const inputs = (pictures) => Object.fromEntries(pictures.map(([file, picture]) => [file, inputsOf(picture)]));

const COMMANDS = { check, write: take };

async function main([command, folder = join(ROOT, 'function/docs/messages')]) {
  if (!Object.hasOwn(COMMANDS, command ?? '')) {
    console.error('usage: node pictures.mjs write|check [FOLDER]');
    return 64;
  }
  const pictures = definitions();
  const errors = await COMMANDS[command](resolve(folder), pictures);
  errors.forEach((error) => console.error(error));
  if (command === 'check') console.log(`${pictures.length} pictures checked, ${errors.length === 0 ? 'all are up to date' : 'see above'}`);
  return errors.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(`failed to show the messages: ${error.message}`);
  return 1;
});
