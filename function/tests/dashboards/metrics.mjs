// Every metric that a dashboard may read, with its labels: those that the documentation lists, those of vendors.json, and
// Prometheus's own. Owns how a histogram is named.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './read.mjs';

/** Labels that Prometheus gives every series of a pod, and `le`, which only buckets have. */
const TARGET = ['namespace', 'job', 'pod', 'instance', 'le'];

const PROMETHEUS = { up: [], ALERTS: ['alertname', 'alertstate', 'severity', 'service'] };

const histogram = (name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`];

/** The rows of a table of metrics: `| \`name\` | type | \`label\`, … | meaning |`. */
function documented(file) {
  const rows = readFileSync(join(ROOT, file), 'utf8').matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| ?([^|]*)\|/gm);
  return [...rows].flatMap(([, name, type, labels]) => (type === 'histogram' ? histogram(name) : [name]).map((one) => [one, labels.match(/\w+/g) ?? []]));
}

function vendors() {
  const all = JSON.parse(readFileSync(join(import.meta.dirname, 'vendors.json'), 'utf8'));
  return Object.values(all).flatMap(({ metrics }) =>
    Object.entries(metrics).flatMap(([name, series]) => (series[0].histogram ? histogram(name) : [name]).map((one) => [one, Object.keys(series[0].labels ?? {})])));
}

/** The labels of each metric by its name. */
export function known() {
  const all = [...documented('monitoring/METRICS.md'), ...documented('function/docs/reconcile.md'), ...vendors(), ...Object.entries(PROMETHEUS)];
  return new Map(all.map(([name, labels]) => [name, [...labels, ...TARGET]]));
}

/** What is wrong with the selectors of a query. */
export function mistakes({ found, grouping }, metrics) {
  const ofSelectors = found.flatMap(({ name, pattern, labels }) => {
    const matching = name ? [name].filter((one) => metrics.has(one)) : [...metrics.keys()].filter((one) => new RegExp(`^(?:${pattern})$`).test(one));
    if (matching.length === 0) return [`expected a metric of monitoring/METRICS.md, function/docs/reconcile.md or vendors.json, found ${name ?? pattern}`];
    return labels.filter((label) => !metrics.get(matching[0]).includes(label)).map((label) => `${matching[0]} has no label ${label}`);
  });
  const all = new Set(found.flatMap(({ name }) => metrics.get(name) ?? [...metrics.values()].flat()));
  return [...ofSelectors, ...grouping.filter((label) => !all.has(label)).map((label) => `no metric of the query has the label ${label}`)];
}
