// Rocket.Chat's parser: the builds that messages are checked with, the options of a workspace, what older servers find
// without it, and what one build does not show.
//
// All builds since 0.31.22 except those that are equal to another one: 0.31.32, and the development builds of 0.32.0.
// They differ in what becomes an emoticon, a label, an address or italics. Of the earlier ones, 0.31.18 takes `a.1b` for
// a domain; before it, no link with a label works, so that no version of the messages does.
import { createRequire } from 'node:module';

process.env.NODE_ENV ??= 'production'; // Older builds choose the faster file by it.
const require = createRequire(import.meta.url);

const OLDER = ['0.31.22', '0.31.23', '0.31.24', '0.31.31', '0.31.35', '0.31.36'];
const NEWEST = require('@rocket.chat/message-parser').parse;

// Names and functions, the newest last.
export const PARSERS = [
  ...OLDER.map((version) => [version, require(`parser-${version}`).parse]),
  ['newest', NEWEST],
];

// All parser options that a workspace can enable.
const OPTIONS = {
  colors: true,
  emoticons: true,
  katex: { dollarSyntax: true, parenthesisSyntax: true },
  customDomains: ['corp', 'internal'],
};

export const parse = (text, parser = NEWEST) => parser(text, OPTIONS);

// Older servers search mentions in the raw text, even in code spans: at the start of a line, after white
// space or after ">". Newer ones use the parser. Neither may find one.
export const MENTION = /(^|\s|>)[@#][^\s<>`]/m;

// In one build, a label with a parenthesis is no link, and the message shows its markup.
export const isWeakLabel = (label, version) => version === '0.31.22' && /[()]/.test(label);
