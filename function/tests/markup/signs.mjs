// The signs at the start of a message and what they mean, as the program has them. Owns how they are read from its source,
// so that the check and the documentation have no list of their own.
import { readFileSync } from 'node:fs';

const SOURCE = new URL('../../src/notifier/message/sign.rs', import.meta.url);

/** The comment before each variant, and the character of each variant. */
const VARIANT = /((?: {4}\/\/\/ .*\n)+) {4}([A-Z]\w*),\n/g;
const CHARACTER = /Self::(\w+) => '(.+?)',/gu;

/** All signs in their order: `{ name, char, meaning }`. */
export function readSigns(source = readFileSync(SOURCE, 'utf8')) {
  const [, variants] = source.split('enum Sign {');
  const meanings = [...(variants ?? '').matchAll(VARIANT)].map(([, comment, name]) => [name, comment.replace(/\s*\/\/\/ /g, ' ').trim()]);
  const chars = Object.fromEntries([...source.matchAll(CHARACTER)].map(([, name, char]) => [name, char]));
  return meanings.map(([name, meaning]) => ({ name, meaning, char: chars[name] }));
}
