// A tree of Rocket.Chat's parser in one line of text per line of a message. Owns the notation, which shows the type of
// every node that no message has. Which nodes a message may have is decided in check.mjs and inert.mjs.

/** The notation of a link, code, bold text and an emoji. Plain text is written as it is. */
export const link = (url, label) => `<${url}|${label}>`;
export const code = (text) => `\`${text}\``;
export const bold = (text) => `**${text}**`;
export const emoji = (char) => `:${char}:`;

/** A node, or several. */
function show(node) {
  if (Array.isArray(node)) return node.map(show).join('');
  switch (node?.type) {
    case 'PLAIN_TEXT':
      return node.value;
    case 'INLINE_CODE':
      return code(node.value.value);
    case 'BOLD':
      return bold(show(node.value));
    case 'LINK':
      return link(node.value.src.value, show(node.value.label));
    case 'EMOJI':
      return emoji(node.unicode ?? node.shortCode);
    default:
      return `{${node?.type} ${JSON.stringify(node?.value)}}`;
  }
}

/** The lines of a tree. */
export const lines = (tree) => tree.map((block) => (block.type === 'PARAGRAPH' ? show(block.value) : show(block))).join('\n');
