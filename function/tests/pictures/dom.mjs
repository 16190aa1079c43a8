// What a page shows, compared with the trees of its messages. Owns the rules that every character of a message is
// visible, that no others are, and that the fonts are those of Rocket.Chat's client.
import { hasEmoji, texts } from './tree.mjs';

/** Waits until the fonts and images are drawn. Runs in the page. */
export async function settle() {
  await Promise.all([...document.images].map((image) => image.decode()));
  await document.fonts.ready;
}

/** Differences between the text of the page and that of the trees. */
export async function wrongTexts(tab, { messages }) {
  const shown = await tab.evaluate(visibleTexts);
  if (shown.length !== messages.length) return [`${shown.length} messages are shown instead of ${messages.length}`];
  return messages.flatMap(({ name, tree }, index) => {
    try {
      const expected = JSON.stringify(texts(tree));
      const found = JSON.stringify(shown[index]);
      return found === expected ? [] : [`the text of ${name} is shown as ${found} instead of ${expected}`];
    } catch (error) {
      return [`${name}: ${error.message}`];
    }
  });
}

/** The text of each block of each message, without what takes no space. Runs in the page. */
function visibleTexts() {
  const isVisible = (text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const { opacity, visibility } = getComputedStyle(text.parentElement);
    return range.getClientRects().length > 0 && opacity !== '0' && visibility === 'visible';
  };
  const textOf = (node) => (node.nodeType === Node.TEXT_NODE ? (isVisible(node) ? node.data : '') : [...node.childNodes].map(textOf).join(''));
  return [...document.querySelectorAll('[data-tree]')].map((body) => [...body.children].map(textOf));
}

/** Fonts of Rocket.Chat's client that the texts are not drawn with. */
export async function missingFonts(tab, { messages }) {
  const required = { 'Inter Variable': 'it is part of Fuselage' };
  if (messages.some(({ tree }) => hasEmoji(tree))) required['Noto Color Emoji'] = 'install fonts-noto-color-emoji';
  const used = await usedFonts(tab);
  const missing = Object.entries(required).filter(([font]) => !used.has(font));
  return missing.map(([font, advice]) => `no text is drawn with the font ${font}; ${advice}`);
}

/** The names of the fonts that the texts are drawn with. */
async function usedFonts(tab) {
  const session = await tab.context().newCDPSession(tab);
  await session.send('DOM.enable');
  await session.send('CSS.enable');
  const { root } = await session.send('DOM.getDocument');
  const { nodeIds } = await session.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: '[data-tree], [data-tree] *' });
  const names = new Set();
  for (const nodeId of nodeIds) {
    const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId });
    fonts.forEach(({ familyName }) => names.add(familyName));
  }
  return names;
}
