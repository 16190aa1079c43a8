// Reads messages, one JSON record a line, with Rocket.Chat's own parser, and fails where one of them
// holds more than plain text, code spans and the links that its record allows.
//
// A record: {"name": …, "text": the message, "outside": [texts that came from outside, as they should
// appear], "links": [addresses that may be linked to], "labels": [texts those links may have]}.
//
// What was found out with versions 0.31.24, 0.31.31, 0.31.36 and 0.32.0 of this parser:
//
// - Of all characters of the basic plane, only a grave accent or a line feed ends a code span, in
//   whatever place. A backslash does not escape in it; look-alikes of the grave accent, white space,
//   control characters and lone surrogates stay text; 100,000 characters are no trouble. Two grave
//   accents are not an empty span but text, so an empty text must not be put between them.
// - Nothing inside of a span is formatted or linked, and nothing in it pairs with a sign outside.
// - A link with a label ends early, or loses its label, at white space, "|" and a backslash in its
//   address; at ")", and at "(" without a ")". Versions differ on balanced parentheses, and on what is
//   left of a broken link: newer ones link to the bare address. "<address|label>" fails at ")"
//   and most of the others, and "<address>" becomes a link that holds the ">": it is no safer.
// - The label of a link is not code: its grave accents are shown. A label in bold is bold. The scheme
//   is not looked at: "javascript:" makes a link.
// - Bare domains, mail addresses, telephone numbers and file names such as "main.rs" become links.
import { createRequire } from 'node:module';
import { text as whole } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const { parse } = createRequire(import.meta.url)('@rocket.chat/message-parser');

// Everything that a workspace can switch on.
const OPTIONS = {
  colors: true,
  emoticons: true,
  katex: { dollarSyntax: true, parenthesisSyntax: true },
  customDomains: ['corp', 'internal'],
};

// Older servers look for mentions in the raw text, code spans or not: at the start of a line, after
// white space or after ">". Newer ones take them from the parser. Neither must find one.
const MENTION = /(^|\s|>)[@#][^\s<>`]/m;

const HARMLESS = new Set(['PARAGRAPH', 'PLAIN_TEXT', 'LINE_BREAK']);

// Every way in which a record is not harmless.
export function faults({ text, outside = [], links = [], labels = [] }) {
  const found = [];
  const code = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (!node || typeof node !== 'object') return undefined;
    if (node.type === 'INLINE_CODE') return code.push(node.value.value);
    if (node.type === 'LINK') return found.push(...linkFaults(node, links, labels));
    if (node.type && !HARMLESS.has(node.type)) found.push(node.type);
    return visit(node.value);
  };
  visit(parse(text, OPTIONS));
  const lost = outside.filter((part) => !code.includes(part));
  found.push(...lost.map((part) => `not in a code span: ${JSON.stringify(part)}`));
  const mention = MENTION.exec(text);
  if (mention) found.push(`a mention for the server: ${JSON.stringify(mention[0])}`);
  return found;
}

function linkFaults(node, links, labels) {
  const address = node.value.src.value;
  const parts = [node.value.label].flat();
  const plain = parts.every((part) => part.type === 'PLAIN_TEXT');
  const label = plain ? parts.map((part) => part.value).join('') : JSON.stringify(parts);
  const allowed = links.includes(address) && plain && labels.includes(label);
  return allowed ? [] : [`LINK ${label} to ${address}`];
}

// Records are divided by line feeds alone: other ends of lines may stand in a message.
async function main() {
  const lines = (await whole(process.stdin)).split('\n').filter((line) => line !== '');
  let bad = 0;
  for (const [index, line] of lines.entries()) {
    const [name, found] = read(line, index + 1);
    bad += found.length;
    found.forEach((fault) => console.error(`${name}: ${fault}`));
  }
  console.log(`${lines.length} messages read by Rocket.Chat's parser, ${bad} faults`);
  process.exitCode = lines.length > 0 && bad === 0 ? 0 : 1;
}

// A record that cannot be read is a fault like any other, so that the rest is still looked at.
function read(line, number) {
  try {
    const record = JSON.parse(line);
    return [record.name, faults(record)];
  } catch (error) {
    return [`line ${number}`, [`not a record: ${error.message}`]];
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
