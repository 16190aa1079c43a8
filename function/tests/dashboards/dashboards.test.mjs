// Tests of the dashboards without showing them: every query parses and reads what exists, every link leads somewhere, and every panel
// says what it shows. Whether the queries find something is tested by `make dashboards`.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { parse } from 'yaml';

import { known, mistakes } from './metrics.mjs';
import { selectors } from './promql.mjs';
import { ROOT, dashboards, links, panels, queries } from './read.mjs';

const ALL = dashboards();
const METRICS = known();

test('there are five dashboards, each in a ConfigMap that Grafana finds', () => {
  assert.equal(ALL.length, 5);
  assert.equal(new Set(ALL.map(({ dashboard }) => dashboard.uid)).size, 5);
  for (const { file, configMap, key } of ALL) {
    assert.equal(configMap.metadata.labels.grafana_dashboard, '1', file);
    assert.equal(configMap.metadata.annotations.grafana_folder, 'webhook-app', file);
    assert.equal(key, file.replace('.yaml', '.json'));
  }
});

test('kustomize applies every dashboard', () => {
  const { resources } = parse(readFileSync(join(ROOT, 'monitoring/kustomization.yaml'), 'utf8'));
  for (const { file } of ALL) assert.ok(resources.includes(file), file);
});

for (const { file, text, dashboard } of ALL) {
  test(`${file}: every query parses and reads metrics and labels that exist`, () => {
    const wrong = queries(dashboard).flatMap(({ where, expr }) => mistakes(selectors(expr), METRICS).map((mistake) => `${where}: ${mistake}`));
    assert.deepEqual(wrong, []);
  });

  test(`${file}: every variable that is used is defined, and is used if it is defined`, () => {
    const used = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name).filter((name) => !name.startsWith('__'));
    assert.deepEqual([...new Set(used)].sort(), dashboard.templating.list.map(({ name }) => name).sort());
  });

  test(`${file}: every panel has a title, a description, a unit and a text for no data`, () => {
    for (const { type, title, description, fieldConfig } of panels(dashboard)) {
      assert.ok(title && description && fieldConfig.defaults.noValue, title);
      assert.ok(type === 'table' || fieldConfig.defaults.unit, title);
    }
    const titles = panels(dashboard).map(({ title, type }) => `${type} ${title}`);
    assert.equal(new Set(titles).size, titles.length);
  });

  test(`${file}: panels neither overlap nor leave a gap in a line`, () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`));
    const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
    assert.equal(new Set(cells).size, cells.length);
    assert.equal(cells.length, 24 * height);
  });

  test(`${file}: no query can divide by zero or show what is not a number`, () => {
    for (const { where, expr } of queries(dashboard)) {
      if (expr.includes('histogram_quantile')) assert.match(expr, /and on \(\w*\) sum(?: by \(\w+\))? \(rate\(.*_count.*\) > 0$/s, where);
      if (/ \/ (?!2|1000|86400)/.test(expr)) assert.match(expr, /> 0\)|process_max_fds/, where);
    }
  });

  test(`${file}: every link leads to another dashboard, to Explore or to the runbooks`, () => {
    const uids = ALL.map(({ dashboard: { uid } }) => uid);
    for (const { title, url } of links(dashboard)) {
      const [, uid] = url.match(/^\/d\/([\w-]+)\?/) ?? [];
      const [, panes] = url.match(/^\/explore\?schemaVersion=1&orgId=1&panes=(.*)$/) ?? [];
      if (uid) assert.ok(uids.includes(uid), title);
      else if (panes) assert.ok(Object.values(JSON.parse(panes))[0].queries[0].refId, title);
      else assert.match(url, /^\$\{runbooks\}/, title);
    }
  });
}

test('a link of data has a title, an address, and whether it opens a new tab', () => {
  const ofFields = ALL.flatMap(({ dashboard }) => panels(dashboard)).flatMap(({ fieldConfig: { defaults, overrides } }) => [
    ...(defaults.links ?? []),
    ...overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'links').flatMap(({ value }) => value)),
  ]);
  assert.ok(ofFields.length > 0);
  for (const link of ofFields) assert.deepEqual(Object.keys(link).sort(), ['targetBlank', 'title', 'url']);
});

const WRONG = [
  ['a mistake in PromQL', 'sum(rate(up[5m])', /expected PromQL/],
  ['an unknown metric', 'rate(webhook_delivery_total[$__rate_interval])', 'expected a metric of'],
  ['an unknown name by a pattern', '{__name__=~"webhook_nothing.*"}', 'expected a metric of'],
  ['an unknown label', 'webhook_deliveries_total{result="failed"}', 'has no label result'],
  ['grouping by an unknown label', 'sum by (cause) (webhook_deliveries_total)', 'has the label cause'],
];
for (const [name, expr, expected] of WRONG) {
  test(`the check finds ${name}`, () => {
    if (expected instanceof RegExp) assert.throws(() => selectors(expr), expected);
    else assert.match(mistakes(selectors(expr), METRICS).join(), new RegExp(expected));
  });
}

/** What packages may have; AGPL, which Grafana's server has, is not one of them. */
const LICENCES = /^\(?(?:MIT|Apache-2\.0|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Zlib|MPL-2\.0)(?: (?:AND|OR) (?:MIT|Apache-2\.0|BSD-3-Clause|Zlib|MPL-2\.0))*\)?$/;

/** Packages without the field `license`; the first two are in the public domain by their files LICENSE, the third has MIT in the field `licenses`. */
const NO_LICENCE = ['node_modules/fast-shallow-equal', 'node_modules/react-universal-interface', 'node_modules/get-document'];

test('no package that shows or checks the dashboards has a licence like AGPL', () => {
  for (const folder of ['.', 'renderer']) {
    const { packages } = JSON.parse(readFileSync(join(import.meta.dirname, folder, 'package-lock.json'), 'utf8'));
    const without = Object.entries(packages).filter(([name, { license }]) => name !== '' && !NO_LICENCE.includes(name) && !LICENCES.test(license ?? ''));
    assert.deepEqual(without.map(([name, { license }]) => `${name}: ${license}`), []);
  }
  assert.doesNotMatch('AGPL-3.0-only', LICENCES);
});
