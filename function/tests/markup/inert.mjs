// Plain where plain is inert: the rule by which an outside text stands in a message without a code span (inert.rs), and
// its proof in place with Rocket.Chat's own parser: every accepted text, in every place where a message puts one, is
// plain text exactly as written, also in a notification.
//
// `node inert.mjs verdicts` reads verdicts of the Rust code, one JSON record per line: {"text": …, "inert": …}. Both must
// agree. Every accepted text is tried with every version in one place, and the next text in the next place, because all
// places take 100 ms per text.
//
// `node inert.mjs [seconds] [letters|short|long]` tries generated texts in all places: all letters that the rule allows,
// all short texts, and long random ones until the time is over. The first two need minutes to half an hour.
import { text as whole } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { notification } from './notification.mjs';
import { isWeakLabel, MENTION, PARSERS, parse } from './parsers.mjs';
import * as tree from './tree.mjs';

// Servers also search addresses in the raw text, for previews.
const ADDRESS = /\w:\/\/|(^|\s)spotify:[^:\s]+:[^:\s]/;

// ---------------------------------------------------------------------------------------------------------------------
// The rule

// `is_invisible` in visible_text.rs.
const INVISIBLE =
  /[\u{ad}\u{34f}\u{600}-\u{605}\u{61c}\u{6dd}\u{70f}\u{890}-\u{891}\u{8e2}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{fffc}\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;

// Blocks with letters that are neither emoji nor written from right to left.
const LETTERS = [
  [0xaa, 0x58f],
  [0x900, 0x1fff],
  [0x2c00, 0xd7ff],
  [0xf900, 0xfb1c],
  [0xff10, 0xffdc],
  [0x20000, 0x323af],
];

// Blocks of scripts whose words contain marks, which are not alphanumeric: from Devanagari to Burmese, and Khmer.
const MARKED = [
  [0x900, 0x109f],
  [0x1780, 0x17d3],
];

// Quotation marks, dashes, the ellipsis, and the punctuation of Chinese and Japanese.
const PUNCTUATION = '¡¿«»‐‑‒–—‘’‚“”„…、。「」『』《》【】（）！，：；？～・';

const within = (blocks, code) => blocks.some(([first, last]) => first <= code && code <= last);
const isLetter = (char) => /^[A-Za-z]$/.test(char);
const isDigit = (char) => /^[0-9]$/.test(char);
const isAscii = (char) => isLetter(char) || isDigit(char);

// A letter or digit of any script that is written from left to right.
export function isWord(char) {
  if (isAscii(char)) return true;
  const code = char.codePointAt(0) ?? 0;
  const isPart = within(MARKED, code) || /^[\p{Alphabetic}\p{N}]$/u.test(char);
  return within(LETTERS, code) && isPart && !INVISIBLE.test(char);
}

// Whether the text is shown as it is, wherever it stands. `before` and `after` are empty at the ends of the text.
export function isInert(text) {
  const chars = [...text];
  const at = (index) => chars[index] ?? '';
  let dots = 0;
  for (const [index, char] of chars.entries()) {
    const [before, after] = [at(index - 1), at(index + 1)];
    // A word of one character can begin an emoticon, with `)` or `:` after the text at the latest.
    const isLone = (place) => at(place - 1) === '' || at(place - 1) === ' ';
    dots = char === ' ' ? 0 : dots + (char === '.');
    if (!fits(char, before, after, dots)) return false;
    if (isLone(index - 1) && begins(before, char, after)) return false;
    if (after === '' && isLone(index) && '8BXD'.includes(char)) return false;
    // Parentheses may stand around the text.
    if (char === 'y' && '('.includes(before) && ')'.includes(after)) return false;
  }
  return chars.length > 0 && !text.toLowerCase().includes('localhost');
}

// Whether a character may stand between two others.
function fits(char, before, after, dots) {
  const isOpen = before === '' || before === ' ';
  switch (char) {
    case ' ':
      return !isOpen && after !== '';
    case "'":
    case '"':
      return true;
    case ',':
    case '?':
      return !isOpen;
    case '!':
      return after !== '';
    case '&':
      return before !== '' && after !== '';
    case '(':
      return isWord(after) || after === ')';
    case ')':
      return !isOpen && before !== '-';
    case ':':
    case ';':
      return !isOpen && after === ' ';
    case '/':
      return before !== '' && before !== '/' && after !== '' && after !== '/';
    case '-':
      return before !== '' && after !== '';
    case '.': {
      const isNumber = isAscii(before) && isDigit(after) && dots <= 2;
      const isEnd = isWord(before) && !isDigit(before) && (after === '' || after === ' ');
      return isNumber || isEnd;
    }
    default:
      return isWord(char) || PUNCTUATION.includes(char);
  }
}

// Whether a word of one character begins an emoticon.
function begins(word, char, after) {
  if (char === ')') return '8BX'.includes(word || ' ');
  if (char === ':') return word === 'D';
  if (char === '-') return ['8D', 'BD', 'XP'].includes(word + after);
  return false;
}

// ---------------------------------------------------------------------------------------------------------------------
// Places

const URL = 'https://g.example/a';
const link = (label) => ({ text: `[${label}](${URL})`, tree: tree.link(URL, label), shown: label });
const code = (text) => ({ text: `\`${text}\``, tree: tree.code(text), shown: text });
const bold = (text) => ({ text: `**${text}**`, tree: tree.bold(text), shown: text });
const SIGN = { text: '✅', tree: tree.emoji('✅'), shown: '✅' };
const SHA = link('da156088');

// Every place in a message: a list of parts, which are strings of our own, outside texts or marked-up parts.
export const PLACES = {
  'alone': (a) => [a],
  'at the end': (a) => ['by ', a],
  'after a sign': (a) => [SIGN, ' ', a],
  'after a link': (a) => [SHA, ' ', a],
  'before a link': (a) => [a, ' ', SHA],
  'before a colon': (a) => [a, ': ', code('x')],
  'between a link and a colon': (a) => [SHA, ' ', a, ': ', bold('x')],
  'before a colon at the end': (a) => [code('x'), ' ', a, ':'],
  'before a full stop': (a) => [bold('x'), ' ', a, '.'],
  'in parentheses': (a) => [bold('x'), ' (', a, ')'],
  'in parentheses after a word': (a) => ['x (', a, '), ', code('y')],
  'in parentheses, two fields': (a, b) => [code('x'), ' (', a, ' ', b, ')'],
  'before a parenthesis': (a) => ['(', SHA, ' ', a, ')'],
  'between code spans': (a) => [code('x'), ' ', a, ' ', code('y')],
  'between bold texts': (a) => [bold('x'), ' ', a, ' ', bold('y')],
  'in bold': (a) => [SIGN, ' ', bold(a)],
  'in bold, in parentheses': (a) => ['x (', bold(a), '): ', code('x')],
  'as a label': (a) => [link(a)],
  'as a label, before a colon': (a) => [SIGN, ' ', link(a), ': ', code('x')],
  'two fields, space': (a, b) => [bold('x'), ' ', a, ' ', b],
  'two fields, comma': (a, b) => [a, ', ', b],
  'two fields, dot': (a, b) => [SIGN, ' ', a, ' · ', b],
  'two fields, word': (a, b) => [code('x'), ' ', a, ' in ', b, ' by ', a],
  'two fields, colon': (a, b) => [code('x'), ' ', a, ': ', b],
  'two fields, bold': (a, b) => [bold(a), ' ', b, ' ', bold(a)],
  'two fields, label': (a, b) => [link(a), ' ', b, ': ', link(b)],
  'two lines': (a, b) => [a, '\n', b],
  'in quotation marks': (a) => [code('x'), '\n“', a, '”'],
  'in a first line': (a, b) => [SIGN, ' ', SHA, ' pushed to ', code('x'), ' in ', bold(a), ', started by ', b],
  'in a first line, as a label': (a, b) => [SHA, ' of ', code('x'), ' in ', link(a), ' by ', b],
  'in a last line': (a, b) => [code('x'), '\nby ', a, ' · in ', bold(b), ' · ', code('y'), ' · was: ', a],
};

const written = (parts) => parts.map((part) => part.text ?? part).join('');
const expected = (parts) => parts.map((part) => part.tree ?? part).join('');
const notified = (parts) => parts.map((part) => part.shown ?? part).join('');

// The violations of a text in places, with a second text.
export function violations(text, other, places = Object.keys(PLACES)) {
  return violationsIn(places.map((place) => [place, text, other]));
}

// The violations of places, each with two texts. All places are lines of one message, because a call of the parser
// costs more than a line, and are parsed one by one to name the one that fails.
function violationsIn(places) {
  const composed = places.map(([place, text, other]) => ({ place, text, other, parts: PLACES[place](text, other) }));
  const found = [];
  for (const { place, text, other, parts } of composed) {
    if (MENTION.test(written(parts))) found.push(`a mention, ${place}: ${written(parts)}`);
    if (ADDRESS.test(text) || ADDRESS.test(other)) found.push(`an address: ${text}, ${other}`);
    // A notification keeps the marks of bold after a parenthesis, whatever the text.
    if (place !== 'in bold, in parentheses' && notification(written(parts)) !== notified(parts)) {
      found.push(`notification, ${place}: ${written(parts)}`);
    }
  }
  for (const [version, parser] of PARSERS) {
    const isWeak = ({ place, text, other }) => place.includes('label') && isWeakLabel(text + other, version);
    const used = composed.filter((one) => !isWeak(one));
    const fails = (parts) => tree.lines(parse(written(parts), parser)) !== expected(parts);
    tried[version] = (tried[version] ?? 0) + used.length;
    const together = used.flatMap(({ parts }, index) => (index === 0 ? parts : ['\n', ...parts]));
    if (used.length === 0 || !fails(together)) continue;
    const failing = used.filter(({ parts }) => fails(parts)).map(({ place, parts }) => `${place}: ${written(parts)}`);
    found.push(`${version}, ${failing.join(' | ') || `together: ${written(together)}`}`);
  }
  return found;
}

// How many places each version has parsed.
export const tried = {};

// ---------------------------------------------------------------------------------------------------------------------
// The proof

// One of each kind of character that the rule or the parser's emoticons tell apart.
const KINDS = [..."aDBXPyé中81 '\",?!&()/-:;.…，"];
const OTHERS = ['8a', "B'", 'D 1.2', 'y-x', 'é (b)', "O'Brien", '中', '1', 'X: y', '"a"', 'a.', 'v1.2.3', 'a/b'];

// All texts of at most `length` characters.
function* short(length) {
  const heads = length === 1 ? [''] : ['', ...short(length - 1)];
  for (const head of heads) for (const char of KINDS) yield head + char;
}

// A repeatable sequence of numbers below a limit.
function numbers(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * limit);
  };
}

const WORDS = [
  ...['8', 'B', 'D', 'X', 'P', 'y', 'O', 'L', 'b', 'a', '1', '0', '3', 't', 'tel', 'mailto', 'color', 'spotify'],
  ...['http', 'example', 'com', 'Fix', 'the', 'login', 'v1.2.3', '1.0', '10.0.1', 'é', 'Zoë', 'ß'],
  ...['中文', 'नमस्ते', 'ไทย', 'Ж', '𠮷'],
  ...[' ', ' ', ' ', ' ', '.', '. ', ',', ', ', ':', ': ', '-', ' - ', '--', '/', "'", '"', '(', ')', ' (', ') ', '()'],
  ...['?', '!', '!: ', '&', '…', '，', '：', '「', '」', '’', '–', '_', '*', '#', '@'],
  ...['=', ';', '+', '[', ']', '|', '~', '<'],
];

const LETTER_PLACES = ['at the end', 'in bold', 'as a label'];

// A random text that the rule accepts.
function long(number) {
  for (;;) {
    const words = Array.from({ length: 1 + number(14) }, () => WORDS[number(WORDS.length)]);
    const text = words.join('');
    if (isInert(text)) return text;
  }
}

// Every letter that is allowed, alone and between others; forty in a text.
function* letters() {
  const chars = Array.from({ length: 0x323b0 }, (_, code) => String.fromCodePoint(code));
  const parts = chars
    .filter((char) => char > '\x7f' && (isWord(char) || PUNCTUATION.includes(char)))
    .map((char) => `${char} a${char}b${char > '\uffff' ? '' : ` 1${char}2`} ${char}`);
  for (let index = 0; index < parts.length; index += 40) yield parts.slice(index, index + 40).join(', ');
}

function prove(seconds, part) {
  const end = Date.now() + seconds * 1000;
  const isOver = () => Date.now() > end;
  const number = numbers(Date.now() & 0xffff);
  const count = { letters: 0, short: 0, long: 0 };
  const check = (kind, ...rest) => {
    count[kind] += 1;
    report(violations(...rest));
  };
  const all = [...short(3)].filter(isInert);
  if (!part || part === 'letters') for (const text of letters()) check('letters', text, 'x', LETTER_PLACES);
  if (!part || part === 'short') {
    // A step that has no factor in common with the number goes through all, but not in their order.
    for (let index = 0; index < all.length && !isOver(); index += 1) {
      const text = all[(index * 7919) % all.length];
      check('short', text, OTHERS[index % OTHERS.length]);
      report(PARSERS.filter(([, parser]) => tree.lines(parse(text, parser)) !== text).map(([name]) => `${name}: ${text}`));
    }
  }
  if (!part || part === 'long') while (!isOver()) check('long', long(number), long(number));
  const shorts = `${count.short} of ${all.length} short ones`;
  console.log(`${count.letters} texts with all letters, ${shorts}, ${count.long} long ones`);
}

// Characters that are newer than this version of Node have no known verdict.
const isKnown = (text) => !/\p{Cn}/u.test(text);

// Compares verdicts. Tries every accepted text with its neighbour, each in the next place.
function compare(records) {
  const known = records.filter(({ text }) => isKnown(text));
  report(known.filter(({ text, inert }) => isInert(text) !== inert).map(({ text, inert }) => `not ${inert}: ${text}`));
  const accepted = known.filter(({ inert }) => inert).map(({ text }) => text);
  const places = Object.keys(PLACES);
  const rows = accepted.map((text, index) => [text, accepted[index + 1] ?? 'x']);
  for (let start = 0; start < rows.length; start += places.length) {
    const next = rows.slice(start, start + places.length);
    report(violationsIn(next.map(([text, other], index) => [places[index], text, other])));
  }
  if (accepted.length === 0) report(['no text is accepted']);
  console.log(`${known.length} verdicts compared, ${accepted.length} accepted texts tried`);
}

let bad = 0;

function report(found) {
  bad += found.length;
  for (const violation of found.slice(0, Math.max(0, 50 - bad + found.length))) console.error(violation);
}

async function main(first = '20', part = undefined) {
  if (first === 'verdicts') {
    const records = (await whole(process.stdin)).split('\n').filter((line) => line !== '');
    compare(records.map((line) => JSON.parse(line)));
  } else {
    prove(Number(first), part);
  }
  const places = Object.entries(tried).map(([version, times]) => `${version}: ${times}`);
  console.log(`places parsed by version: ${places.join(', ')}`);
  console.log(`${bad} violations`);
  process.exitCode = bad === 0 && places.length > 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(...process.argv.slice(2));
