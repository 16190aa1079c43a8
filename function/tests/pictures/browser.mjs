// Chromium without a window. Owns how a picture is shown and taken, and that the page neither reports an error nor
// requests anything. What the page consists of is in page.mjs, and whether it shows the messages in dom.mjs.
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

import { missingFonts, settle, wrongTexts } from './dom.mjs';
import { page } from './page.mjs';

/** The path of Chromium, or undefined if it is not installed. */
export function findChromium(name = process.env.CHROMIUM || 'chromium') {
  const paths = isAbsolute(name) ? [name] : process.env.PATH.split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      return accessSync(path, constants.X_OK) === undefined;
    } catch {
      return false;
    }
  });
}

/** The page is answered here and does not leave Chromium. A page without an address has no local storage, which Fuselage reads. */
const ADDRESS = 'http://pictures.invalid/';

/** Starts Chromium; `photograph` shows a picture in it. */
export async function startChromium(executablePath, entry) {
  const { chromium } = await import('playwright-core');
  const html = await page(entry);
  // Chromium refuses its sandbox to root, and shows only this page.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return {
    photograph: (picture, options) => photograph(browser, html, picture, options),
    close: () => browser.close(),
  };
}

/** Shows a picture and returns what is wrong with it and, if that is nothing and `isTaken`, its image. */
async function photograph(browser, html, picture, { isTaken = false } = {}) {
  const violations = [];
  // Sharp on usual screens, and half the bytes of a factor of 2.
  const tab = await browser.newPage({ viewport: { width: 800, height: 600 }, deviceScaleFactor: 1.5 });
  tab.on('console', (message) => message.type() === 'error' && violations.push(`the console has an error: ${message.text()}`));
  tab.on('pageerror', (error) => violations.push(`the page has an error: ${error.message}`));
  await tab.route('**', (route) => {
    if (route.request().url() === ADDRESS) return route.fulfill({ body: html, contentType: 'text/html' });
    violations.push(`the page requests ${route.request().url()}`);
    return route.abort();
  });
  await tab.goto(ADDRESS);
  await tab.evaluate((shown) => window.show(shown), picture).catch((error) => violations.push(error.message.split('\n')[0]));
  await tab.evaluate(settle);
  violations.push(...(await wrongTexts(tab, picture)));
  if (isTaken && violations.length === 0) violations.push(...(await missingFonts(tab, picture)));
  const image = isTaken && violations.length === 0 ? await screenshot(tab) : undefined;
  await tab.close();
  return { violations, image };
}

/** The picture with 256 colours, which looks the same and is a third of the bytes. */
async function screenshot(tab) {
  const { default: upng } = await import('upng-js');
  const image = upng.decode(await tab.locator('#picture').screenshot({ omitBackground: true }));
  return Buffer.from(upng.encode(upng.toRGBA8(image), image.width, image.height, 256));
}
