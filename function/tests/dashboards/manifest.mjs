// What the committed pictures were made of. Owns the hashes of a dashboard and of the renderer; when a picture is stale is the rule
// of the pictures of messages.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

import { panels } from './read.mjs';

const RENDERER = join(import.meta.dirname, 'renderer');

const hash = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);

/** The sources of the renderer and of what it shows. */
function sources(folder = RENDERER) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== 'node_modules' && name !== 'empty.json');
  return entries.flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)])).sort();
}

/** Dashboards of so many rows have two pictures, as in renderer/browser.mjs. */
const LONG = 45;

/** The inputs of each picture by its file name. */
export function inputs(dashboards) {
  const files = [...sources(), join(import.meta.dirname, 'vendors.json')];
  const renderer = hash(...files.flatMap((file) => [relative(import.meta.dirname, file), readFileSync(file, 'utf8')]));
  return Object.fromEntries(dashboards.flatMap(({ file, text, dashboard }) => names(file, dashboard).map((name) => [name, { dashboard: hash(text), renderer }])));
}

function names(file, dashboard) {
  const rows = Math.max(...panels(dashboard).map(({ gridPos: { y, h } }) => y + h));
  const name = file.replace('-dashboard.yaml', '');
  return rows < LONG ? [`${name}.png`] : [`${name}.png`, `${name}-causes.png`];
}
