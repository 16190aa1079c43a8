// What the committed pictures were made of. Owns the manifest beside them, which has hashes of the inputs and of each
// picture, and the rule when a picture is stale. Needs neither Chromium nor installed packages.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'manifest.json';

/** Files that the look of every picture depends on. */
const RENDERER = ['browser.mjs', 'package-lock.json', 'page.mjs', 'tree.mjs', 'view.jsx'];

const hash = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);

/** Hashes of everything that determines a picture, each with a name that a reader understands. */
export function inputsOf({ theme, day, account, messages }, folder = import.meta.dirname) {
  const renderer = RENDERER.map((file) => readFileSync(join(folder, file), 'utf8'));
  const shown = messages.map(({ name, time, text }) => [`message ${name}`, hash(time, text)]);
  const definition = hash(JSON.stringify({ theme, day, account, order: messages.map(({ name }) => name) }));
  return { renderer: hash(...renderer), definition, ...Object.fromEntries(shown) };
}

/** The manifest of a folder; empty if there is none. */
export function read(folder) {
  const file = join(folder, NAME);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** Why each picture of a folder is not what its inputs say: `[[name, reason]]`. `inputs` has those of each picture. */
export function problems(folder, inputs) {
  const manifest = read(folder);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.png')) : [];
  const wrong = Object.entries(inputs).map(([name, expected]) => [name, reason(folder, files, name, manifest[name], expected)]);
  const orphans = [...new Set([...files, ...Object.keys(manifest)])].filter((name) => !(name in inputs));
  return [...wrong.filter(([, found]) => found), ...orphans.map((name) => [name, 'is an orphan: pictures.json does not have it'])];
}

function reason(folder, files, name, entry, expected) {
  if (!files.includes(name)) return 'is missing';
  if (!entry) return 'is not in the manifest';
  const changed = [...new Set([...Object.keys(expected), ...Object.keys(entry.inputs)])].filter((input) => entry.inputs[input] !== expected[input]);
  if (changed.length > 0) return `is stale: changed since it was taken: ${changed.join(', ')}`;
  return entry.image === imageHash(folder, name) ? undefined : 'is not the picture that was taken';
}

const imageHash = (folder, name) => hash(readFileSync(join(folder, name), 'base64'));

/** Removes what is an orphan and writes the manifest of the pictures in a folder. */
export function write(folder, inputs) {
  const orphans = readdirSync(folder).filter((file) => file.endsWith('.png') && !(file in inputs));
  orphans.forEach((file) => rmSync(join(folder, file)));
  const entries = Object.entries(inputs).map(([name, found]) => [name, { image: imageHash(folder, name), inputs: found }]);
  writeFileSync(join(folder, NAME), `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
}
