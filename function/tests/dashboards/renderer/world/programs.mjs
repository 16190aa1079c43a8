// Programs and servers on free ports of this machine. Owns starting them, waiting for them, and stopping each at the end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../../../..');

const stops = [];

/** Stops everything, the last one first. */
export async function stopAll() {
  while (stops.length > 0) await stops.pop()();
}

export const atEnd = (stop) => stops.push(stop);

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** The path of one of this project's programs. */
export function own(name) {
  const path = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug', name);
  if (!existsSync(path)) throw new Error(`${path} does not exist; build it with: cargo build --bins`);
  return path;
}

export const repository = (...parts) => join(ROOT, ...parts);

/** Starts a program; `firstLine` waits for the line of JSON with which the fakes begin, and `printed` has the last output. */
export async function start(path, args, { env = {}, firstLine = false } = {}) {
  const child = spawn(path, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  const keep = (line) => printed.push(line) > 50 && printed.shift();
  const lines = createInterface(child.stdout);
  createInterface(child.stderr).on('line', keep);
  lines.on('line', keep);
  const ended = once(child, 'exit');
  atEnd(async () => {
    child.kill();
    await ended;
  });
  const failed = ended.then(() => Promise.reject(new Error(`${path} ended early:\n${printed.join('\n')}`)));
  failed.catch(() => {});
  const first = firstLine ? JSON.parse((await Promise.race([once(lines, 'line'), failed]))[0]) : undefined;
  return { first, failed, printed };
}

/** Waits until `condition` returns a value that is true; `whatFor` is for the error. */
export async function until(whatFor, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await Promise.resolve(condition()).catch(() => undefined);
    if (found) return found;
    if (Date.now() > end) throw new Error(`expected ${whatFor} within ${seconds} s`);
    await new Promise((next) => setTimeout(next, 100));
  }
}

export const answers = (url) => until(`an answer of ${url}`, async () => (await fetch(url)).ok);
