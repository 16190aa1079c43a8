// The dashboards of the repository. Owns where they are, and what of them is a query or a link; nothing here judges them.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { parse } from 'yaml';

export const ROOT = resolve(import.meta.dirname, '../../..');

const FOLDER = 'monitoring';

/** Every ConfigMap with a dashboard: `{ file, configMap, key, text, dashboard }`. */
export function dashboards() {
  const files = readdirSync(join(ROOT, FOLDER)).filter((file) => file.endsWith('-dashboard.yaml')).sort();
  return files.map((file) => {
    const configMap = parse(readFileSync(join(ROOT, FOLDER, file), 'utf8'));
    const [key, text] = Object.entries(configMap.data)[0];
    return { file, configMap, key, text, dashboard: JSON.parse(text) };
  });
}

/** The panels without the rows between them. */
export const panels = ({ panels: all }) => all.filter(({ type }) => type !== 'row');

/** Every query with where it is: `{ where, expr }`. That of a variable is a selector. */
export function queries(dashboard) {
  const ofPanels = panels(dashboard).flatMap(({ title, targets }) => targets.map(({ expr, refId }) => ({ where: `panel "${title}", query ${refId}`, expr })));
  const ofAnnotations = dashboard.annotations.list.map(({ name, expr }) => ({ where: `annotation "${name}"`, expr }));
  const ofVariables = dashboard.templating.list.filter(({ type }) => type === 'query').map(({ name, query }) => ({ where: `variable "${name}"`, expr: selector(query.query) }));
  return [...ofPanels, ...ofAnnotations, ...ofVariables];
}

/** What `label_values(SELECTOR, LABEL)` selects. */
function selector(query) {
  const parts = query.match(/^label_values\((.+),\s*\w+\)$/);
  if (!parts) throw new Error(`expected label_values(SELECTOR, LABEL) as the query of a variable, found ${query}`);
  return parts[1];
}

/** Every link with its address: of the dashboard, of panels, and of fields. */
export function links(value) {
  if (Array.isArray(value)) return value.flatMap(links);
  if (value === null || typeof value !== 'object') return [];
  const own = typeof value.url === 'string' && value.url !== '' ? [{ title: value.title, url: value.url }] : [];
  return [...own, ...Object.values(value).flatMap(links)];
}
