// The tree that Rocket.Chat's parser makes of a message. Owns the parser's options and the text of a tree,
// which names every node that a picture can show. The nodes are drawn in view.jsx.
import { createRequire } from 'node:module';

/** What a workspace enables by default. */
const OPTIONS = { colors: true, emoticons: true, katex: { dollarSyntax: false, parenthesisSyntax: true } };

/** Parses a message. Loads the parser only now, because the other functions work without installed packages. */
export function parse(text) {
  return createRequire(import.meta.url)('@rocket.chat/message-parser').parse(text, OPTIONS);
}

/** The text of each block of a tree; throws for a node that a picture cannot show. */
export const texts = (tree) => tree.map(textOf);

/** Whether a tree contains an emoji, which needs its own font. */
export const hasEmoji = (tree) => /"type":"EMOJI"/.test(JSON.stringify(tree));

function textOf(node) {
  if (Array.isArray(node)) return node.map(textOf).join('');
  switch (node.type) {
    case 'PARAGRAPH':
    case 'BOLD':
    case 'ITALIC':
    case 'INLINE_CODE':
      return textOf(node.value);
    case 'LINE_BREAK':
      return '';
    case 'PLAIN_TEXT':
      return node.value;
    case 'LINK':
      return textOf(node.value.label);
    case 'MENTION_USER':
      return `@${textOf(node.value)}`;
    case 'EMOJI':
      if (node.unicode) return node.unicode;
      throw new Error(`cannot show the emoji :${node.shortCode}:, only emoji that are characters`);
    default:
      throw new Error(`cannot show a node of type ${node.type}; add it to tree.mjs and view.jsx`);
  }
}
