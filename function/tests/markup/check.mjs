// Parses messages with Rocket.Chat's parser and fails if one of them has anything except a sign, plain text, code spans,
// bold names of projects and groups, and the allowed links; or if a notification shows it in another way or cut off.
// Input: one JSON record per line.
//
// A record: {"name": …, "text": the message, "outside": [untrusted texts as they should be rendered in code spans],
// "links": [allowed URLs], "labels": [allowed labels of these links], "bold": [names that may be bold],
// "seen": the message as a notification should show it, "builds": "all"}. Every message is parsed with the newest build
// or, every second one, an older build in turn, because those take twice as long; "all" takes all builds.
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
import { isWeakLabel, MENTION, PARSERS, parse } from './parsers.mjs';
import { readSigns } from './signs.mjs';
import * as tree from './tree.mjs';

// What a notification shows of a first line, and what a reader takes in at a glance.
const LONGEST_FIRST_LINE = 90;
const MOST_LINES = 5;

const SIGNS = new Set(readSigns().map(({ char }) => char));
// The words before the name of a project or group.
const BEFORE_BOLD = /(^| )(in|to|[Gg]roup|[Pp]roject|Subgroup|Repository) $/;
const NEWEST = PARSERS.slice(-1);
const OLDER = PARSERS.slice(0, -1);

// All violations of a record, with these builds of the parser.
export function violations(record, builds = NEWEST) {
  const found = merged(builds.map(([version, parser]) => [version, violationsIn(record, version, parser)]));
  const { text, seen } = record;
  const mention = MENTION.exec(text);
  if (mention) found.push(`a mention in the raw text: ${JSON.stringify(mention[0])}`);
  if (seen === undefined) return found;
  const notified = notification(text);
  if (!isNotified(seen, notified)) found.push(`a notification: ${JSON.stringify(notified)}`);
  const [first, ...others] = seen.split('\n');
  if ([...first].length > LONGEST_FIRST_LINE) found.push(`a first line of ${[...first].length} characters`);
  if (others.length >= MOST_LINES) found.push(`${others.length + 1} lines`);
  return found;
}

// Each violation once, with its builds if the newest is not among them.
function merged(ofBuilds) {
  const all = new Set(ofBuilds.flatMap(([, found]) => found));
  return [...all].map((violation) => {
    const versions = ofBuilds.filter(([, found]) => found.includes(violation)).map(([version]) => version);
    return versions.includes('newest') ? violation : `${violation} (${versions.join(', ')})`;
  });
}

// The violations of a record in the tree of one build.
function violationsIn(record, version, parser) {
  const { text, outside = [], links = [], labels = [], bold = [] } = record;
  if (labels.some((label) => isWeakLabel(label, version))) return [];
  const found = [];
  const code = [];
  const blocks = parse(text, parser);
  blocks.forEach((block, at) => {
    if (block.type !== 'PARAGRAPH') return found.push(block.type);
    return block.value.forEach((node, index) => {
      const before = block.value[index - 1];
      if (node.type === 'PLAIN_TEXT') return undefined;
      if (node.type === 'INLINE_CODE') return code.push(node.value.value);
      if (node.type === 'LINK') return found.push(...linkViolations(node, links, labels));
      if (node.type === 'EMOJI' && at === 0 && index === 0 && SIGNS.has(node.unicode)) return undefined;
      if (node.type === 'BOLD' && isName(node, before, bold)) return undefined;
      return found.push(node.type);
    });
  });
  const lost = outside.filter((part) => !code.includes(part));
  found.push(...lost.map((part) => `not in a code span: ${JSON.stringify(part)}`));
  const read = tree.lines(blocks);
  if (found.length === 0 && read !== intended(text)) found.push(`read as ${JSON.stringify(read)}`);
  return found;
}

// Whether bold text is a name that may be bold, behind words that announce it.
function isName({ value }, before, names) {
  const isPlain = value.length === 1 && value[0].type === 'PLAIN_TEXT';
  return isPlain && names.includes(value[0].value) && BEFORE_BOLD.test(before?.value);
}

// The tree that a message is meant to have, in the notation of tree.mjs: a reading that knows only the markup that
// messages use.
const MARKUP = /`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)|\*\*([^*\n]+)\*\*/g;

function intended(text) {
  const [first] = text;
  const sign = SIGNS.has(first) ? tree.emoji(first) : '';
  const rest = sign ? text.slice(first.length) : text;
  const written = (_, code, label, url, name) => {
    if (code !== undefined) return tree.code(code);
    return label === undefined ? tree.bold(name) : tree.link(url, label);
  };
  return sign + rest.replace(MARKUP, written);
}

// Notifications also strip what looks like markup in code spans: then they lack some of the characters, but have no
// others, except for marks of ours that are left when one in a code span took their place: a "[" for the one before the
// next label, a "*" for those before a bold name.
function isNotified(seen, notified) {
  if (!/[*_~<>[\]#!]/.test(seen)) return notified === seen;
  const [all, shown] = [seen, notified].map((text) => text.replace(/[[*]/g, ''));
  let at = 0;
  for (const char of all) if (shown.startsWith(char, at)) at += char.length;
  return at === shown.length;
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
    const [name, found] = read(line, index);
    count += found.length;
    found.forEach((violation) => console.error(`${name}: ${violation}`));
  }
  console.log(`${lines.length} messages parsed with Rocket.Chat's parser, ${count} violations`);
  process.exitCode = lines.length > 0 && count === 0 ? 0 : 1;
}

const buildAt = (index) => (index % 2 === 0 ? NEWEST : [OLDER[((index - 1) / 2) % OLDER.length]]);

// An invalid record is reported as a violation, so that the other records are still checked.
function read(line, index) {
  try {
    const record = JSON.parse(line);
    return [record.name, violations(record, record.builds === 'all' ? PARSERS : buildAt(index))];
  } catch (error) {
    return [`line ${index + 1}`, [`not a record: ${error.message}`]];
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
