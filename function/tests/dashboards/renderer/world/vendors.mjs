// Neighbours whose servers do not run here, by recorded names: an exposition for each vendor of vendors.json, whose values move. They
// show that queries fit the names, not how these servers behave.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { atEnd } from './programs.mjs';

const VENDORS = JSON.parse(readFileSync(join(import.meta.dirname, '../../vendors.json'), 'utf8'));

/** Seconds until a value repeats. */
const PERIOD = 140;

const START = Date.now() / 1000;

const labelled = (labels) => `{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`).join(',')}}`;

/** The lines of one series. */
function lines(name, { labels = {}, gauge, rate, steps, histogram, expires_in_days: days }) {
  const age = Date.now() / 1000 - START;
  const line = (value, suffix = '', more = {}) => `${name}${suffix}${labelled({ ...labels, ...more })} ${value}`;
  if (gauge) {
    const value = gauge[0] + (gauge[1] - gauge[0]) * Math.max(0, Math.sin((2 * Math.PI * age) / PERIOD));
    return [line(Number.isInteger(gauge[0]) && gauge[1] < 100 ? Math.round(value) : value)];
  }
  if (steps) return [line(steps[Math.floor((age % PERIOD) / (PERIOD / steps.length))])];
  if (days) return [line(START + days * 86_400)];
  if (rate !== undefined) return [line(rate * age)];
  const counts = Object.entries(histogram).map(([le, perSecond]) => [le, perSecond * age]);
  const all = counts.at(-1)[1];
  return [...counts.map(([le, count]) => line(count, '_bucket', { le })), line(all, '_bucket', { le: '+Inf' }), line(all * 0.05, '_sum'), line(all, '_count')];
}

const exposition = ({ metrics }) => Object.entries(metrics).flatMap(([name, series]) => series.flatMap((one) => lines(name, one))).join('\n') + '\n';

/** Serves them; returns the targets for Prometheus, one for each vendor, whose job is its name. */
export async function vendors() {
  const server = createServer(({ url }, response) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(exposition(VENDORS[url.slice(1)]))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${server.address().port}`;
  return Object.entries(VENDORS).map(([job, { labels }]) => ({ job, address, path: `/${job}`, labels }));
}
