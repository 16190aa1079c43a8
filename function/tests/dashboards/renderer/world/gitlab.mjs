// Webhooks as GitLab sends them, signed. Owns their headers; the bodies are fixtures of the integration tests.
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { repository } from './programs.mjs';

export const KEY = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

const FIXTURES = 'function/tests/integration/fixtures/gitlab';

/** The header X-Gitlab-Event for the beginning of a fixture's name. */
const EVENTS = {
  push: 'Push Hook', tag_push: 'Tag Push Hook', merge_request: 'Merge Request Hook', pipeline: 'Pipeline Hook', note: 'Note Hook', issue: 'Issue Hook',
  job: 'Job Hook', deployment: 'Deployment Hook', release: 'Release Hook', wiki_page: 'Wiki Page Hook', emoji: 'Emoji Hook', milestone: 'Milestone Hook',
};

export const fixture = (name) => readFileSync(repository(FIXTURES, `${name}.json`), 'utf8');

export function headers(name, body, { key = KEY, id = randomUUID(), at = Math.floor(Date.now() / 1000) } = {}) {
  const kind = Object.keys(EVENTS).find((prefix) => name.startsWith(prefix));
  const secret = Buffer.from(key.replace('whsec_', ''), 'base64');
  const signature = createHmac('sha256', secret).update(`${id}.${at}.`).update(body).digest('base64');
  return {
    'content-type': 'application/json', 'user-agent': 'GitLab/19.3.0', 'idempotency-key': id, 'x-gitlab-event': EVENTS[kind] ?? 'Push Hook',
    'x-gitlab-webhook-uuid': randomUUID(), 'x-gitlab-event-uuid': randomUUID(), 'x-gitlab-instance': 'https://gitlab.example.org',
    'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}`,
  };
}

/** Posts a fixture to a pod and returns the status; 0 if there was no response. `change` may replace headers, and the body. */
export async function post(pod, name, { change = () => {}, body = fixture(name), ...options } = {}) {
  const sent = headers(name, body, options);
  change(sent);
  const given = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
  const response = await fetch(`${pod.url}/webhook`, { method: 'POST', headers: given, body, signal: options.signal }).catch(() => undefined);
  return response?.status ?? 0;
}
