// The programs behind the dashboards: pods of webhook-app, one of which is broken in every way that can be provoked here, a hand-off
// to a broker, `webhook-app reconcile` in its loop, and Prometheus. Owns what happens, and for how long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { broker } from './broker.mjs';
import { FAULTS, chatProxy } from './chat.mjs';
import { KEY, fixture, post } from './gitlab.mjs';
import { answers, atEnd, freePort, own, repository, start, stopAll, until } from './programs.mjs';
import { prometheus, SCRAPE_SECONDS } from './prometheus.mjs';
import { vendors } from './vendors.mjs';

/** Events that are sent again and again; some have no message. */
export const TRAFFIC = ['push_of_a_new_branch', 'merge_request_opened', 'pipeline_failed', 'pipeline_running', 'note_on_a_merge_request', 'job_failed', 'deployment_succeeded', 'tag_push_of_an_annotated_tag'];

/** One recipient is deactivated, one template fails for its event, and one event has a rule for more than 20 people. */
const ROUTES = `rules:
  - event: issue
    to: ["@alice", "@former"]
  - event: milestone
    to: [${Array.from({ length: 22 }, (_, index) => `"@alice${index}"`).join(', ')}]
  - event: merge_request
    to: ["@bob"]
  - event: [push, tag_push, pipeline, note, job, deployment, release, wiki_page]
    to: ["@alice"]
`;
/** Divides by zero for a title of eleven characters, which the example does not have. */
const MESSAGES = 'release: "{{ 1 // (title | length - 11) }}"';

/** Rocket.Chat cannot be reached at these addresses: the reason, and the address for the port of a proxy that answers. */
const ADDRESSES = {
  connection_refused: () => 'http://127.0.0.1:1',
  dns: () => 'http://chat.invalid',
  not_tls: (port) => `https://127.0.0.1:${port}`,
};

const sleep = (seconds) => new Promise((next) => setTimeout(next, seconds * 1000));

/** Starts one pod of webhook-app; `settings` are added to those of all pods. */
export async function pod(name, chat, { user_id: user, auth_token: token }, settings = {}) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { PORT: String(port), GITLAB_SIGNING_KEYS: KEY, ROCKETCHAT_URL: chat, ROCKETCHAT_USER_ID: user, ROCKETCHAT_AUTH_TOKEN: token, ROUTES, LAME_DUCK_SECONDS: '0', GITLAB_RECONCILE_USER: 'webhook-bot', ...settings };
  const started = await start(own('webhook-app'), ['serve'], { env });
  await Promise.race([answers(`${url}/metrics`), started.failed]);
  return { name, url, ...started, target: { job: 'webhook-app', address: `127.0.0.1:${port}`, labels: { namespace: 'webhook-app', pod: name } } };
}

/** The loop of `webhook-app reconcile` with a fake GitLab whose hook sends to `to`. */
async function reconciler(to) {
  const { first: gitlab } = await start(own('fake-gitlab-api'), ['127.0.0.1:0'], { firstLine: true });
  const api = (method, path, body) => fetch(`${gitlab.listening}${path}`, { method, headers: { 'content-type': 'application/json', 'private-token': gitlab.token }, body: JSON.stringify(body) });
  const hook = await api('POST', `/api/v4/projects/${encodeURIComponent(gitlab.project)}/hooks`, { url: `${to.url}/webhook`, signing_token: KEY, push_events: true, tag_push_events: true, merge_requests_events: true, enable_ssl_verification: false });
  if (!hook.ok) throw new Error(`expected a new hook, found ${hook.status}: ${await hook.text()}`);
  const port = await freePort();
  const env = { GITLAB_URL: gitlab.listening, GITLAB_API_TOKEN: gitlab.token, GITLAB_RECONCILE_USER: 'webhook-bot', WEBHOOK_URL: `${to.url}/webhook`, GITLAB_SIGNING_KEYS: KEY, HOOKS: `[{project: ${gitlab.project}, triggers: [push, tag_push, merge_requests]}]`, ROUTES, RECONCILE_INTERVAL_SECONDS: '10', METRICS_PORT: String(port) };
  const started = await start(own('webhook-app'), ['reconcile'], { env });
  await Promise.race([answers(`http://127.0.0.1:${port}/metrics`), started.failed]);
  const happen = (name) => api('POST', '/inspect/happen', { project: gitlab.project, trigger: 'push_events', body: JSON.parse(fixture(name)) });
  return { happen, target: { job: 'webhook-app-reconcile', address: `127.0.0.1:${port}`, labels: { namespace: 'webhook-app', pod: 'webhook-app-reconcile-0' } } };
}

/** What a sender or an attacker can do wrong, each once. */
export async function rejections(to) {
  const header = (name, value) => ({ change: (headers) => { headers[name] = value; } });
  const name = TRAFFIC[0];
  await post(to, name, { key: `whsec_${Buffer.alloc(32, 7).toString('base64')}` });
  await post(to, name, { at: Math.floor(Date.now() / 1000) - 3600 });
  await post(to, name, header('webhook-signature', undefined));
  await post(to, name, header('webhook-signature', 'v9,nonsense'));
  await post(to, name, header('webhook-timestamp', 'yesterday'));
  await post(to, name, header('content-type', 'text/plain'));
  await post(to, name, header('content-encoding', 'gzip'));
  await post(to, name, { body: 'no JSON' });
  await post(to, name, { body: '{}' });
  await fetch(`${to.url}/nowhere`, { method: 'POST' });
  await fetch(`${to.url}/webhook`);
  // A client that does not wait.
  await post(to, name, { signal: AbortSignal.timeout(5) });
}

/** Every failure that a chat server can cause: each for one webhook. */
async function failures(broken, proxy) {
  for (const fault of Object.keys(FAULTS)) {
    proxy.fault = fault;
    await post(broken, 'push_of_a_new_branch');
    proxy.fault = undefined;
    await sleep(1);
  }
}

/** Steady traffic to some pods until `stop`. */
function traffic(pods) {
  let isOver = false;
  const loop = async () => {
    for (let index = 0; !isOver; index += 1) {
      post(pods[index % pods.length], TRAFFIC[(index * 5) % TRAFFIC.length]);
      await sleep(0.15 + 0.25 * Math.random());
    }
  };
  const done = loop();
  return async () => {
    isOver = true;
    await done;
  };
}

/** Fails if a reason that was provoked was not counted. */
async function every(address) {
  const query = 'sum by (reason) (webhook_deliveries_total{outcome="failed"}) > 0';
  const { data } = await (await fetch(`${address}/api/v1/query?${new URLSearchParams({ query })}`)).json();
  const counted = data.result.map(({ metric }) => metric.reason);
  const missing = [...Object.keys(FAULTS), ...Object.keys(ADDRESSES)].filter((reason) => !counted.includes(reason));
  if (missing.length > 0) throw new Error(`expected that webhooks failed for ${missing.join(', ')}, found only ${counted.join(', ')}`);
}

/** Starts the world, lets it happen, and returns the address of Prometheus and the time range. */
export async function world() {
  const { first: chat } = await start(own('fake-rocketchat'), ['127.0.0.1:0'], { firstLine: true });
  const [good, faulty, handing, resent] = await Promise.all([chatProxy(chat.listening), chatProxy(chat.listening), chatProxy(chat.listening), chatProxy(chat.listening)]);
  const events = await broker();
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const id = '7d9f6c5b8';
  const pods = [await pod(`webhook-app-${id}-4kq2x`, good.url, chat), await pod(`webhook-app-${id}-9tzlm`, good.url, chat, { MESSAGES })];
  const broken = await pod(`webhook-app-${id}-h7w5c`, faulty.url, chat);
  const keeping = await pod(`webhook-app-${id}-n2v8d`, handing.url, chat, { SINK_URL: events.url, DELIVERY_TIMEOUT_SECONDS: '2' });
  const letters = await pod('webhook-app-dead-letters-0', good.url, chat, { DEAD_LETTERS_FOLDER: folder, DEAD_LETTERS_TO: '@carol' });
  letters.target.job = 'webhook-app-dead-letters';
  const others = await Promise.all(Object.entries(ADDRESSES).map(([reason, address]) => pod(`webhook-app-${id}-${reason.replace('_', '')}`, address(new URL(good.url).port), chat)));
  Object.assign(events, { deliverTo: `${keeping.url}/deliver`, deadLettersTo: `${letters.url}/dead-letters` });
  const reconcile = await reconciler(broken);
  const all = [...pods, broken, keeping, letters, ...others];
  const address = await prometheus([...all.map(({ target }) => target), reconcile.target, ...(await vendors())]);
  await sleep(4 * SCRAPE_SECONDS);

  const from = new Date();
  const stop = traffic([...pods, pods[0], keeping, broken]);
  await sleep(25);
  await Promise.all(others.map((other) => post(other, 'push_of_a_new_branch')));
  await rejections(pods[0]);
  for (const name of ['issue_opened', 'milestone_created', 'wiki_page_created', 'emoji_on_a_merge_request', 'kind_that_nobody_knows']) await post(pods[1], name);
  await post(pods[1], 'release_published', { body: fixture('release_published').replace('Second stage', 'Third stage') });
  handing.fault = 'server_error';
  const failing = failures(broken, faulty);
  await sleep(20);
  events.refuses = 503;
  await post(keeping, 'push_of_a_new_branch');
  events.refuses = undefined;
  await sleep(10);
  handing.fault = undefined;
  await failing;
  // One webhook that GitLab's log has as a success, and two that wait.
  await reconcile.happen('push_of_a_new_branch');
  await sleep(11);
  faulty.fault = 'server_error';
  for (const name of ['push_of_a_new_branch', 'push_that_goes_back']) await reconcile.happen(name);
  await sleep(14);
  faulty.fault = undefined;
  await sleep(30);
  await stop();
  await sleep(2 * SCRAPE_SECONDS);
  await every(address);
  return { prometheus: address, scrapeSeconds: SCRAPE_SECONDS, range: { from: from.toISOString(), to: new Date().toISOString() } };
}

export { stopAll };
