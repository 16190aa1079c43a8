// Parses messages with Rocket.Chat's parser and fails if one of them has anything except plain text,
// code spans and the allowed links. Input: one JSON record per line.
//
// A record: {"name": …, "text": the message, "outside": [untrusted texts as they should be rendered],
// "links": [allowed URLs], "labels": [allowed labels of these links], "seen": the message as a notification should
// show it}.
//
// Observed with versions 0.31.24, 0.31.31, 0.31.36 and 0.32.0 of the parser:
//
// - Of all characters of the basic multilingual plane, only a backtick or a line feed ends a code span, at
//   any position. A backslash does not escape in it; look-alikes of the backtick, white space, control
//   characters and lone surrogates stay text; 100,000 characters are not a problem. Two backticks are
//   text and not an empty code span, so that an empty text must not be quoted.
// - Nothing inside a code span is formatted or linked or pairs with markup outside.
// - A link with a label ends early, or loses its label, at white space, "|" and a backslash in its URL, at
//   ")", and at "(" without ")". Versions differ on balanced parentheses and on the rest of a broken
//   link: newer ones link to the bare URL. "<url|label>" fails at ")" and most of the others, and "<url>"
//   becomes a link that includes the ">", so that neither is safer.
// - A label is not code: its backticks are shown. A bold label is bold. The scheme is not checked:
//   "javascript:" is linked.
// - Bare domains, mail addresses, telephone numbers and file names such as "main.rs" become links.
import { text as whole } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { notification } from './notification.mjs';
import { MENTION, parse } from './parsers.mjs';

const HARMLESS = new Set(['PARAGRAPH', 'PLAIN_TEXT', 'LINE_BREAK']);

// All violations of a record.
export function violations({ text, outside = [], links = [], labels = [], seen }) {
  const found = [];
  const code = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (!node || typeof node !== 'object') return undefined;
    if (node.type === 'INLINE_CODE') return code.push(node.value.value);
    if (node.type === 'LINK') return found.push(...linkViolations(node, links, labels));
    if (node.type && !HARMLESS.has(node.type)) found.push(node.type);
    return visit(node.value);
  };
  visit(parse(text));
  const lost = outside.filter((part) => !code.includes(part));
  found.push(...lost.map((part) => `not in a code span: ${JSON.stringify(part)}`));
  const mention = MENTION.exec(text);
  if (mention) found.push(`a mention in the raw text: ${JSON.stringify(mention[0])}`);
  const notified = notification(text);
  if (seen !== undefined && !isNotified(seen, notified)) found.push(`a notification: ${JSON.stringify(notified)}`);
  return found;
}

// Notifications also strip what looks like markup in code spans: then they lack some of the characters, but have no
// others. A "[" in a code span takes the place of the one before the next label.
function isNotified(seen, notified) {
  if (!/[*_~<>[\]#!]/.test(seen)) return notified === seen;
  const rest = notified.replaceAll('[', '');
  let at = 0;
  for (const char of seen.replaceAll('[', '')) if (rest.startsWith(char, at)) at += char.length;
  return at === rest.length && notified.length <= seen.length;
}

function linkViolations(node, links, labels) {
  const url = node.value.src.value;
  const parts = [node.value.label].flat();
  const plain = parts.every((part) => part.type === 'PLAIN_TEXT');
  const label = plain ? parts.map((part) => part.value).join('') : JSON.stringify(parts);
  const allowed = links.includes(url) && plain && labels.includes(label);
  return allowed ? [] : [`LINK ${label} to ${url}`];
}

// Only line feeds separate records, because a message may contain other line terminators.
async function main() {
  const lines = (await whole(process.stdin)).split('\n').filter((line) => line !== '');
  let count = 0;
  for (const [index, line] of lines.entries()) {
    const [name, found] = read(line, index + 1);
    count += found.length;
    found.forEach((violation) => console.error(`${name}: ${violation}`));
  }
  console.log(`${lines.length} messages parsed with Rocket.Chat's parser, ${count} violations`);
  process.exitCode = lines.length > 0 && count === 0 ? 0 : 1;
}

// An invalid record is reported as a violation, so that the other records are still checked.
function read(line, number) {
  try {
    const record = JSON.parse(line);
    return [record.name, violations(record)];
  } catch (error) {
    return [`line ${number}`, [`not a record: ${error.message}`]];
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
