// Reads messages, one JSON record a line, with Rocket.Chat's own parser, and fails where one of them
// holds more than plain text, code spans and the links that its record allows.
//
// A record: {"name": …, "text": the message, "outside": [texts that came from outside, as they should
// appear], "links": [addresses that may be linked to], "labels": [texts those links may have]}.
//
// What was found out about code spans with this parser (0.31.24 to 0.32.0): only a grave accent or a
// line feed ends one, a backslash does not escape in it, and nothing inside of it is formatted.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { parse } = createRequire(import.meta.url)('@rocket.chat/message-parser');

// Everything that a workspace can switch on.
const OPTIONS = {
  colors: true,
  emoticons: true,
  katex: { dollarSyntax: true, parenthesisSyntax: true },
  customDomains: ['corp', 'internal'],
};

// The server looks for mentions in the raw text, code spans or not: at the start of a line, after
// white space or after ">".
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
  const label = parts.map((part) => part.value).join('');
  const allowed = links.includes(address) && plain && labels.includes(label);
  return allowed ? [] : [`LINK ${JSON.stringify(label)} to ${address}`];
}

async function main() {
  let messages = 0;
  let bad = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const record = JSON.parse(line);
    messages += 1;
    for (const fault of faults(record)) {
      bad += 1;
      console.error(`${record.name}: ${fault}`);
    }
  }
  console.log(`${messages} messages read by Rocket.Chat's parser, ${bad} faults`);
  process.exit(messages > 0 && bad === 0 ? 0 : 1);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
