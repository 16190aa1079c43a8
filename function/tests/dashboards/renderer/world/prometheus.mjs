// A real Prometheus that scrapes the programs of the world. Owns its configuration: the labels are those that the monitors give.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';

import { answers, atEnd, freePort, repository, start } from './programs.mjs';

/** A fifteenth of the interval of the monitors, so that minutes show what else takes an hour. */
export const SCRAPE_SECONDS = 1;

/** The rules of the repository, as files of Prometheus. */
function rules(folder) {
  const source = repository('monitoring/rules');
  if (!existsSync(source)) return [];
  return readdirSync(source).filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml').map((file) => {
    const { spec } = parse(readFileSync(join(source, file), 'utf8'));
    const path = join(folder, file);
    writeFileSync(path, stringify(spec));
    return path;
  });
}

/** Starts Prometheus with the rules of the repository. Returns its address. */
export async function startPrometheus(global, scrapes) {
  const folder = mkdtempSync(join(tmpdir(), 'dashboards-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'prometheus.yaml'), stringify({ global, rule_files: rules(folder), scrape_configs: scrapes }));
  const port = await freePort();
  await start('prometheus', [`--config.file=${folder}/prometheus.yaml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, '--web.cors.origin=.*', '--log.level=warn']);
  await answers(`http://127.0.0.1:${port}/-/ready`);
  return `http://127.0.0.1:${port}`;
}

/** `targets` are `{ job, address, path, labels }`. Returns the address of Prometheus. */
export async function prometheus(targets) {
  const scrape = ({ job, address, path = '/metrics', labels = {} }, index) => ({
    job_name: `target-${index}`, metrics_path: path, honor_labels: path !== '/metrics',
    static_configs: [{ targets: [address], labels: { job, ...labels } }],
  });
  const interval = `${SCRAPE_SECONDS}s`;
  return startPrometheus({ scrape_interval: interval, scrape_timeout: interval, evaluation_interval: '5s' }, targets.map(scrape));
}
