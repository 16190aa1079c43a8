// Shows every dashboard with the metrics of real programs and takes its pictures, or checks that the committed ones are not stale:
// `node pictures.mjs write|check`. Owns the two commands, what makes a dashboard fail, and the exit codes: 0, 1, and 64 for other
// arguments.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { problems, write as writeManifest } from '../pictures/manifest.mjs';
import { inputs } from './manifest.mjs';
import { ROOT, dashboards } from './read.mjs';

const FOLDER = join(ROOT, 'monitoring/dashboards');

/** Larger pictures would make each clone slow. */
const MAX_BYTES = 200_000;

function check(all) {
  const stale = problems(FOLDER, inputs(all)).map(([file, reason]) => `monitoring/dashboards/${file} ${reason}`);
  return stale.length > 0 ? [...stale, 'run `make dashboards`, look at the pictures and commit them'] : [];
}

/** Why a dashboard is not right. Every panel must have values, or a sentence why not in empty.json; one about a panel that does not exist is wrong, too. */
function mistakes(name, { panels, problems: found }) {
  const reasons = JSON.parse(readFileSync(join(import.meta.dirname, 'renderer/empty.json'), 'utf8'))[name] ?? {};
  const failed = panels.filter(({ state, pluginError }) => state !== 'Done' || pluginError).map(({ title, state, error, pluginError }) => `panel "${title}": ${pluginError ?? error ?? state}`);
  const empty = panels.filter(({ title, state, values }) => state === 'Done' && values === 0 && !reasons[title]).map(({ title }) => `panel "${title}" is empty; mend it, or say why in renderer/empty.json`);
  const unknown = Object.keys(reasons).filter((title) => !panels.some((panel) => panel.title === title)).map((title) => `renderer/empty.json: there is no panel "${title}"`);
  return [...found, ...failed, ...empty, ...unknown].map((mistake) => `${name}: ${mistake}`);
}

async function take(all) {
  const { findChromium, startChromium } = await import('./renderer/browser.mjs');
  const { stopAll, world } = await import('./renderer/world/world.mjs');
  const chromium = findChromium();
  if (!chromium) return ['expected chromium in PATH, found none: apt-get install chromium'];
  try {
    console.log('the programs run for two minutes');
    const browser = await startChromium(chromium, await world());
    const shown = [];
    for (const { file, dashboard } of all) shown.push([file.replace('-dashboard.yaml', ''), `${file.replace('.yaml', '')}`, await browser.show(dashboard)]);
    await browser.close();
    const wrong = shown.flatMap(([, name, result]) => mistakes(name, result));
    if (wrong.length > 0) return wrong;
    return keep(all, shown.flatMap(([name, , { images }]) => Object.entries(images).map(([end, image]) => [`${name}${end}.png`, image])));
  } finally {
    await stopAll();
  }
}

function keep(all, images) {
  mkdirSync(FOLDER, { recursive: true });
  images.forEach(([file, image]) => writeFileSync(join(FOLDER, file), image));
  writeManifest(FOLDER, inputs(all));
  const large = images.filter(([, { length }]) => length > MAX_BYTES);
  console.log(`taken: ${images.map(([file, { length }]) => `${file} (${Math.ceil(length / 1000)} kB)`).join(', ')}`);
  return large.map(([file, { length }]) => `expected at most ${MAX_BYTES} bytes, found ${length} in ${file}`);
}

const COMMANDS = { check, write: take };

async function main([command]) {
  if (!Object.hasOwn(COMMANDS, command ?? '')) {
    console.error('usage: node pictures.mjs write|check');
    return 64;
  }
  const errors = await COMMANDS[command](dashboards());
  errors.forEach((error) => console.error(error));
  return errors.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(`failed to show the dashboards: ${error.message}`);
  return 1;
});
