// Compares pairs of messages of one template, whose outside texts differ: Rocket.Chat must find the same in both, so
// that no outside text mentions, links or formats, whatever the template puts beside it. Input: one JSON record per
// line. Each is parsed with the newest build and one of the others, or with "all" as argument with all of them.
//
// A record: {"name": the template, "text": the message with hostile texts, "twin": the same with harmless ones}. What
// the template itself does, such as a mention or a link that it writes, is in both.
import { text as whole } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { MENTION, PARSERS, parse } from './parsers.mjs';

// Nodes that say what they are by their text.
const NAMED = new Set(['EMOJI', 'MENTION_USER', 'MENTION_CHANNEL', 'COLOR', 'TIMESTAMP']);

// A tree in which all plain texts are alike, and all code spans.
export function shape(node) {
  if (Array.isArray(node)) {
    const parts = node.map((part) => shape(part)).flat();
    return parts.filter((part, index) => part !== 'TEXT' || parts[index - 1] !== 'TEXT');
  }
  if (node?.type === 'PLAIN_TEXT') return node.value === '' ? [] : 'TEXT';
  if (node?.type === 'INLINE_CODE') return 'CODE';
  if (node?.type === 'LINK') return `LINK ${node.value.src.value} ${JSON.stringify(shape([node.value.label].flat()))}`;
  if (NAMED.has(node?.type)) return JSON.stringify(node);
  if (node?.type) return `${node.type} ${JSON.stringify(typeof node.value === 'string' ? node.value : shape(node.value))}`;
  return node && typeof node === 'object' ? JSON.stringify(node) : String(node);
}

// One build fails on some texts, such as "![](https://docs.example]": the client then shows the text without markup.
function parsed(text, parser) {
  try {
    return shape(parse(text, parser));
  } catch (error) {
    return error.name;
  }
}

const mentions = (text) => text.match(new RegExp(MENTION, 'gm'))?.length ?? 0;

// All violations of a record.
export function violations({ text, twin }, builds = PARSERS) {
  const found = mentions(text) === mentions(twin) ? [] : [`another mention in the raw text: ${JSON.stringify(text)}`];
  for (const [version, parser] of builds) {
    const [shown, expected] = [text, twin].map((one) => JSON.stringify(parsed(one, parser)));
    if (shown !== expected) found.push(`${version}: ${JSON.stringify(text)} is ${shown}, expected ${expected}`);
  }
  return found;
}

async function main() {
  const lines = (await whole(process.stdin)).split('\n').filter((line) => line !== '');
  const older = PARSERS.slice(0, -1);
  let bad = 0;
  for (const [index, record] of lines.map((line) => JSON.parse(line)).entries()) {
    const two = [older[index % older.length], PARSERS.at(-1)];
    const found = violations(record, process.argv[2] === 'all' ? PARSERS : two);
    bad += found.length;
    if (bad <= 20) found.forEach((violation) => console.error(`${record.name}: ${violation}`));
  }
  console.log(`${lines.length} messages of templates parsed, ${bad} violations`);
  process.exitCode = lines.length > 0 && bad === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
