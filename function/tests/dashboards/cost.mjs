// `make monitoring-cost`: what Prometheus needs for pods of webhook-app, with the interval of the monitors and all rules. Owns the
// measurement and its table. One program stands for all pods: Prometheus scrapes it under a name for each.
import { setTimeout } from 'node:timers/promises';

import { pod, rejections, TRAFFIC } from './renderer/world/world.mjs';
import { post } from './renderer/world/gitlab.mjs';
import { own, start, stopAll, until } from './renderer/world/programs.mjs';
import { startPrometheus } from './renderer/world/prometheus.mjs';

/** How many pods; the difference is the cost of a hundred. */
const PODS = [1, 101];

/** Seconds until each series is known to the rules, and of the measurement. */
const WARM_UP = 120;
const MEASURED = 180;

/** The metrics of an exposition without labels. */
async function metrics(address) {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Object.fromEntries(text.split('\n').filter((line) => /^[a-z_]+ /.test(line)).map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
}

/** Prometheus with so many pods, all of them at this address. */
function prometheusFor(count, address) {
  const names = Array.from({ length: count }, (_, index) => `webhook-app-7d9f6c5b8-${String(index).padStart(5, '0')}`);
  const relabel = [
    { source_labels: ['__address__'], target_label: 'pod' },
    { source_labels: ['__address__'], target_label: 'instance' },
    { target_label: '__address__', replacement: address },
  ];
  const scrape = { job_name: 'webhook-app', static_configs: [{ targets: names, labels: { namespace: 'webhook-app' } }], relabel_configs: relabel };
  // The interval of the monitors, and how often the operator evaluates rules by default.
  return startPrometheus({ scrape_interval: '15s', evaluation_interval: '30s' }, [scrape]);
}

async function measure(address) {
  const before = await metrics(address);
  await setTimeout(MEASURED * 1000);
  const after = await metrics(address);
  return {
    series: after.prometheus_tsdb_head_series,
    mebibytes: after.process_resident_memory_bytes / 2 ** 20,
    millicores: ((after.process_cpu_seconds_total - before.process_cpu_seconds_total) / MEASURED) * 1000,
  };
}

async function up(address) {
  const answer = await fetch(`${address}/api/v1/query?${new URLSearchParams({ query: 'count(up == 1)' })}`);
  return Number((await answer.json()).data.result[0]?.value[1] ?? 0);
}

async function main() {
  const { first: chat } = await start(own('fake-rocketchat'), ['127.0.0.1:0'], { firstLine: true });
  const scraped = await pod('webhook-app', chat.listening, chat);
  // Each kind of event and of rejection, so that most series exist.
  for (const name of TRAFFIC) await post(scraped, name);
  await rejections(scraped);
  const exposition = await (await fetch(`${scraped.url}/metrics`)).text();
  const samples = exposition.split('\n').filter((line) => line && !line.startsWith('#')).length;

  console.error(`measuring for ${WARM_UP + MEASURED} s`);
  const servers = [];
  for (const count of PODS) servers.push(await prometheusFor(count, scraped.target.address));
  for (const [index, count] of PODS.entries()) await until(`${count} targets`, async () => (await up(servers[index])) === count);
  await setTimeout(WARM_UP * 1000);
  const [one, all] = await Promise.all(servers.map(measure));

  const difference = (key) => all[key] - one[key];
  console.log(`one pod: ${samples} series, ${(exposition.length / 1000).toFixed(1)} kB for each scrape

| Prometheus | one pod | 101 pods | a hundred pods |
|---|---|---|---|
| series | ${one.series} | ${all.series} | ${difference('series')} |
| memory, MiB | ${one.mebibytes.toFixed(0)} | ${all.mebibytes.toFixed(0)} | ${difference('mebibytes').toFixed(0)} |
| CPU, thousandths of a core | ${one.millicores.toFixed(0)} | ${all.millicores.toFixed(0)} | ${difference('millicores').toFixed(0)} |`);
}

process.exitCode = await main().then(() => 0).catch((error) => {
  console.error(`failed to measure: ${error.message}`);
  return 1;
}).finally(stopAll);
