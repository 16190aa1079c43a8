// A small broker of CloudEvents in binary mode: stores what is handed off, posts it to the pod that delivers it, and gives it up
// after some attempts. Owns its two queues; the metrics of a real RabbitMQ are recorded, see vendors.mjs.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { atEnd } from './programs.mjs';

const MAX_ATTEMPTS = 4;

/** `deliverTo` and `deadLettersTo` are addresses; set `refuses` to a status to refuse what is handed off. */
export async function broker() {
  const state = { refuses: undefined, deliverTo: undefined, deadLettersTo: undefined, queue: [] };
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (state.refuses) return response.writeHead(state.refuses).end();
    const kept = Object.entries(request.headers).filter(([name]) => name.startsWith('ce-') || name === 'content-type');
    state.queue.push({ headers: Object.fromEntries(kept), body, attempts: 0 });
    response.writeHead(202).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const timer = setInterval(() => deliver(state), 1500);
  atEnd(() => {
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}/` });
}

async function deliver(state) {
  const event = state.queue.shift();
  if (!event) return;
  const { headers, body } = event;
  event.attempts += 1;
  const response = await fetch(state.deliverTo, { method: 'POST', headers, body }).catch(() => undefined);
  if (response?.ok) return;
  if (response?.status !== 422 && event.attempts < MAX_ATTEMPTS) return void state.queue.push(event);
  await fetch(state.deadLettersTo, { method: 'POST', headers, body }).catch(() => {});
}
