// A proxy in front of the fake Rocket.Chat of one pod that answers in its place with a fault. Owns the faults, each named by
// the reason that webhook-app counts for it.
import { once } from 'node:events';
import { createServer, request as call } from 'node:http';

import { atEnd } from './programs.mjs';

const json = (status, body, headers = {}) => (response) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const html = (status, headers = {}) => (response) => response.writeHead(status, { 'content-type': 'text/html', ...headers }).end('<html></html>');
const refusal = (code) => json(400, { success: false, error: `[${code}]`, errorType: code });

/** What happens to each call to Rocket.Chat. */
export const FAULTS = {
  forbidden: json(403, { success: false, error: 'User does not have the permissions required for this action [error-unauthorized]' }),
  not_found: json(404, { success: false, error: 'Resource not found' }),
  proxy_refused: html(403),
  rate_limited: (response) => json(429, { success: false, error: '[error-too-many-requests]' }, { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Date.now() + 60_000) })(response),
  redirected: html(302, { location: 'https://login.example.org/' }),
  refused: refusal('error-invalid-room'),
  reset: (response) => response.socket.resetAndDestroy(),
  server_error: json(500, { success: false, error: 'Internal server error' }),
  timeout: () => {},
  too_long: refusal('error-message-size-exceeded'),
  totp_required: json(401, { success: false, error: 'TOTP Required [totp-required]', errorType: 'totp-required' }),
  try_again: html(408),
  unauthorized: json(401, { success: false, error: 'You must be logged in to do this.' }),
  unconfirmed: json(200, { success: true }),
  unreadable: html(200),
};

/** A proxy; set its `fault` to one of the names above. `delay` is the time in ms that the chat server takes. */
export async function chatProxy(target) {
  const proxy = { fault: undefined, delay: () => 20 + 60 * Math.random() ** 4 };
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    if (proxy.fault) return FAULTS[proxy.fault](response);
    const { method, url: path, headers } = request;
    const upstream = call({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.socket?.destroy());
    setTimeout(() => request.pipe(upstream), proxy.delay());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(proxy, { url: `http://127.0.0.1:${server.address().port}` });
}
