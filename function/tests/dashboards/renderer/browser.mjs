// Chromium without a window. Owns how a dashboard is shown and taken, and what must not happen meanwhile: an error on the console or
// of a panel, or a request to another server than Prometheus.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { findChromium } from '../../pictures/browser.mjs';
import { page } from './bundle.mjs';

export { findChromium };

/** The page is answered here and does not leave Chromium. */
const ADDRESS = 'http://127.0.0.1:1/';

/** Pixels of a row of Grafana's grid, with the space below it, and of what is above the grid. */
const ROW = 38;
const HEAD = 130;
const WIDTH = 1400;

/** Shows dashboards in Chromium; `show` returns what the page reports and a picture. */
export async function startChromium(executablePath, world) {
  const { chromium } = await import('playwright-core');
  const html = await page();
  // Chromium refuses its sandbox to root, and shows only this page.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return { show: (dashboard) => show(browser, html, world, dashboard), close: () => browser.close() };
}

const isDone = () => {
  const panels = window.REPORT.panels();
  return window.REPORT.errors.length > 0 || (panels.length > 0 && panels.every(({ state, pluginError }) => pluginError || state === 'Done' || state === 'Error'));
};

async function show(browser, html, { prometheus, range, scrapeSeconds }, dashboard) {
  const rows = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
  const tab = await browser.newPage({ viewport: { width: WIDTH, height: rows * ROW + HEAD }, deviceScaleFactor: 1 });
  const problems = [];
  tab.on('console', (message) => message.type() === 'error' && problems.push(`the console has an error: ${message.text()}`));
  tab.on('pageerror', (error) => problems.push(`the page has an error: ${error.message}`));
  await tab.route('**', async (route) => {
    const url = route.request().url();
    if (url === ADDRESS) return route.fulfill({ body: html({ dashboard, range, scrapeSeconds }), contentType: 'text/html' });
    if (url.startsWith(`${ADDRESS}api/`)) return route.fulfill(await forwarded(url.replace(ADDRESS, `${prometheus}/`)));
    if (url.startsWith(`${ADDRESS}public/`)) return route.fulfill(await asset(url));
    problems.push(`the page requests ${url}`);
    return route.abort();
  });
  await tab.goto(ADDRESS);
  await tab.waitForFunction(isDone, undefined, { timeout: 60_000 }).catch(() => problems.push('the panels are not done after 60 s'));
  // Grafana draws on canvases in the next frames.
  await tab.evaluate(() => new Promise((drawn) => setTimeout(drawn, 1000)));
  const { panels, queries, errors } = await tab.evaluate(() => ({ panels: window.REPORT.panels(), queries: window.REPORT.queries, errors: window.REPORT.errors }));
  problems.push(...errors.map((error) => `the page has an error: ${error}`));
  const images = await pictures(tab, dashboard, rows);
  await tab.close();
  return { panels, queries, problems, images };
}

/** From so many rows on, a dashboard has a second picture, which begins at its first heading. */
const LONG = 45;

/** The pictures by the end of their names. */
async function pictures(tab, { panels }, rows) {
  const whole = rows * ROW + HEAD;
  if (rows < LONG) return { '': await picture(tab, 0, whole) };
  const heading = HEAD - ROW + ROW * panels.find(({ type }) => type === 'row').gridPos.y;
  return { '': await picture(tab, 0, heading), '-causes': await picture(tab, heading, whole - heading) };
}

/** The response of Prometheus. The page itself may not call it, because Chromium protects servers of this machine. */
async function forwarded(url) {
  const response = await fetch(url);
  return { status: response.status, body: await response.text(), contentType: 'application/json' };
}

/** Icons and fonts that Grafana's application serves beside its page. Its packages have few of them: the others are left out, and text has a font of the system. */
function asset(url) {
  const file = join(import.meta.dirname, 'node_modules/@grafana/ui/dist', new URL(url).pathname.replace('/build/', '/'));
  if (existsSync(file)) return { path: file };
  return url.endsWith('.svg') ? { body: '<svg xmlns="http://www.w3.org/2000/svg"/>', contentType: 'image/svg+xml' } : { body: '', contentType: 'font/woff2' };
}

/** The picture with few colours, which is a third of the bytes. */
async function picture(tab, y, height) {
  const { default: upng } = await import('upng-js');
  const image = upng.decode(await tab.screenshot({ clip: { x: 0, y, width: WIDTH, height } }));
  return Buffer.from(upng.encode(upng.toRGBA8(image), image.width, image.height, 64));
}
