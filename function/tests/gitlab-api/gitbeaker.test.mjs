// Drives the fake of GitLab with @gitbeaker/rest.

import assert from "node:assert/strict";
import test from "node:test";

import { Gitlab } from "@gitbeaker/rest";

import { fakeGitlab, push, receiver } from "./harness.mjs";

const KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const client = (fake, token = fake.token) => new Gitlab({ host: fake.listening, token });

/** What the client itself uses; it has no methods for the event log and for tests. */
const requesterOf = (api) => api.Events.requester;

/** The status and the text of an error. */
async function refusal(call) {
  const error = await call.then(() => assert.fail("expected an error, found a success"), (error) => error);
  assert.ok(error.cause?.response, error.stack);
  return [error.cause.response.status, error.cause.description];
}

const happen = (fake, trigger, body) => fake.inspect("POST", "happen", { project: fake.project, trigger, body });

test("a hook is added, shown, listed, changed and removed", async (t) => {
  const fake = await fakeGitlab(t);
  const { ProjectHooks } = client(fake);
  const added = await ProjectHooks.add(fake.project, "https://hooks.example.org/", { pipelineEvents: true, signingToken: KEY, pushEvents: false });
  assert.deepEqual([added.push_events, added.pipeline_events, added.signing_token_present, added.token_present], [false, true, true, false]);
  assert.ok(!JSON.stringify(added).includes(KEY));
  const changed = await ProjectHooks.edit(fake.project, added.id, "https://hooks.example.org/", { jobEvents: true });
  assert.deepEqual([changed.job_events, changed.pipeline_events, changed.signing_token_present], [true, true, true]);
  const moved = await ProjectHooks.edit(fake.project, added.id, "https://other.example.org/");
  assert.equal(moved.signing_token_present, false, "another URL clears the key");
  assert.equal((await ProjectHooks.show(42, added.id)).url, "https://other.example.org/");
  assert.deepEqual((await ProjectHooks.all(42)).map(({ id }) => id), [added.id]);
  await ProjectHooks.remove(fake.project, added.id);
  assert.deepEqual(await ProjectHooks.all(42), []);
  const requests = await fake.inspect("GET", "requests");
  assert.deepEqual(requests.map(({ method }) => method), ["POST", "PUT", "PUT", "GET", "GET", "DELETE", "GET"]);
});

test("the client finds all pages of a list by their links", async (t) => {
  const fake = await fakeGitlab(t);
  const { ProjectHooks } = client(fake);
  for (let number = 0; number < 45; number += 1) await ProjectHooks.add(fake.project, `https://hooks.example.org/${number}`);
  await fake.inspect("DELETE", "requests");
  const all = await ProjectHooks.all(fake.project);
  assert.equal(all.length, 45);
  assert.equal(new Set(all.map(({ url }) => url)).size, 45);
  assert.equal((await fake.inspect("GET", "requests")).length, 3);
  const { data, paginationInfo } = await ProjectHooks.all(fake.project, { page: 2, perPage: 30, showExpanded: true });
  assert.equal(data.length, 15);
  assert.deepEqual(paginationInfo, { total: 45, next: null, current: 2, previous: 1, perPage: 30, totalPages: 2 });
});

test("what GitLab refuses reaches the client as its error", async (t) => {
  const fake = await fakeGitlab(t);
  const { ProjectHooks, Projects, Repositories, SystemHooks } = client(fake);
  const cases = [
    [() => ProjectHooks.add(fake.project, "ftp://example.org"), [422, "Invalid url given"]],
    [() => ProjectHooks.add(fake.project), [400, "url is missing"]],
    [() => ProjectHooks.show(fake.project, 99), [404, "404 Not found"]],
    [() => ProjectHooks.all("acme/secret"), [404, "404 Project Not Found"]],
    [() => Projects.show(99), [404, "404 Project Not Found"]],
    [() => SystemHooks.all(), [403, "403 Forbidden"]],
    [() => client(fake, "wrong").ProjectHooks.all(fake.project), [401, "401 Unauthorized"]],
    [() => client(fake, fake.read_token).ProjectHooks.add(fake.project, "https://example.org"), [403, "insufficient_scope"]],
    [() => Repositories.compare(fake.project, "a".repeat(40), "b".repeat(40)), [404, "404 Ref Not Found"]],
  ];
  for (const [call, expected] of cases) assert.deepEqual(await refusal(call()), expected);
  assert.deepEqual(await client(fake, fake.read_token).ProjectHooks.all(fake.project), []);
});

test("an administrator manages system hooks", async (t) => {
  const fake = await fakeGitlab(t);
  const { SystemHooks } = client(fake, fake.admin_token);
  const hook = await SystemHooks.create("https://hooks.example.org/", { pushEvents: true });
  assert.deepEqual([hook.push_events, hook.repository_update_events], [true, true]);
  assert.equal((await SystemHooks.all()).length, 1);
  await SystemHooks.remove(hook.id);
  assert.deepEqual(await SystemHooks.all(), []);
});

test("a failed event is found in the log, and the client waits for the limit of resends", async (t) => {
  const fake = await fakeGitlab(t);
  const target = await receiver(t);
  const api = client(fake);
  const { id } = await api.ProjectHooks.add(fake.project, target.url, { token: "canary" });
  target.answer = 503;
  const [attempt] = await happen(fake, "push_events", push("a", "b"));
  assert.equal(attempt.status, 503);
  const hook = `projects/${encodeURIComponent(fake.project)}/hooks/${id}`;
  const requester = requesterOf(api);
  const [failed] = (await requester.get(`${hook}/events`, { searchParams: { status: "server_failure" } })).body;
  assert.equal(failed.request_headers["Idempotency-Key"], attempt.idempotency_key);
  assert.equal(failed.request_headers["X-Gitlab-Token"], "[REDACTED]");
  assert.equal(failed.request_data.commits[0].author.email, "[REDACTED]");
  target.answer = 200;
  const resend = () => requester.post(`${hook}/events/${failed.id}/resend`, { body: {} });
  await fake.inspect("POST", "clock", { advance_seconds: 60 });
  const statuses = [];
  // The sixth or, at the turn of a minute, a later one is refused until the clock moves; the client tries it again.
  let refused = false;
  for (let number = 0; number < 12 && !refused; number += 1) {
    const resent = resend();
    const waiting = setInterval(async () => {
      const requests = await fake.inspect("GET", "requests");
      if (requests.at(-1).status !== 429) return;
      refused = true;
      await fake.inspect("POST", "clock", { advance_seconds: 60 });
      clearInterval(waiting);
    }, 50);
    statuses.push((await resent).body.response_status);
    clearInterval(waiting);
  }
  assert.ok(refused, "no resend was refused");
  assert.ok(statuses.length > 5 && statuses.every((status) => status === 200), statuses);
  const keys = new Set(target.received.map(({ headers }) => headers["idempotency-key"]));
  assert.equal(keys.size, 1);
  assert.equal((await requester.get(`${hook}/events`, { searchParams: { status: 503 } })).body.length, 1, "the record stays failed");
  assert.deepEqual(await refusal(requester.get(`${hook}/events`, { searchParams: { per_page: 100 } })), [400, "per_page does not have a valid value"]);
});

test("a disabled hook is tested, which enables it", async (t) => {
  const fake = await fakeGitlab(t);
  const target = await receiver(t);
  const api = client(fake);
  const { id } = await api.ProjectHooks.add(fake.project, target.url);
  const path = `projects/42/hooks/${id}`;
  target.answer = 500;
  const sent = [];
  for (const after of "bcdef") sent.push((await happen(fake, "push_events", push("a", after))).length);
  assert.deepEqual(sent, [1, 1, 1, 1, 0], "the fifth is dropped");
  const status = async () => (await api.ProjectHooks.show(42, id)).alert_status;
  assert.equal(await status(), "temporarily_disabled");
  const requester = requesterOf(api);
  const events = (await requester.get(`${path}/events`)).body;
  assert.equal(events.length, 4);
  assert.deepEqual(await refusal(requester.post(`${path}/events/${events[0].id}/resend`, { body: {} })), [422, "Hook disabled"]);
  assert.deepEqual(await refusal(requester.post(`${path}/test/push_events`, { body: {} })), [422, "seen"]);
  target.answer = 204;
  assert.equal((await requester.post(`${path}/test/push_events`, { body: {} })).status, 201);
  assert.equal(await status(), "executable");
  assert.equal(target.received.at(-1).body.user_username, "webhook-bot");
});

test("signing keys are ignored before GitLab 19", async (t) => {
  const fake = await fakeGitlab(t, "--version", "18.11.4");
  const api = client(fake);
  const hook = await api.ProjectHooks.add(fake.project, "https://hooks.example.org/", { signingToken: KEY });
  assert.equal(hook.signing_token_present, undefined);
  const { version } = (await requesterOf(api).get("version")).body;
  assert.equal(version, "18.11.4");
});

test("pushes, commits, pipelines and merge requests are listed", async (t) => {
  const fake = await fakeGitlab(t);
  const { Commits, Events, MergeRequests, Pipelines, Projects, Repositories } = client(fake);
  await happen(fake, "push_events", push("a", "b"));
  await happen(fake, "push_events", push("b", "c"));
  const user = { id: 7, username: "robin", name: "Robin", email: "robin@example.org" };
  await happen(fake, "pipeline_events", { user, object_attributes: { id: 31, status: "failed", ref: "main", sha: "c".repeat(40) }, builds: [] });
  await happen(fake, "merge_requests_events", { user, object_attributes: { id: 112, iid: 12, state: "opened", title: "Add" } });

  const pushes = await Events.all({ projectId: fake.project, action: "pushed", sort: "asc" });
  assert.deepEqual(pushes.map(({ push_data }) => push_data.commit_title), ["Change b", "Change c"]);
  const { commits } = await Repositories.compare(fake.project, "a".repeat(40), "main");
  assert.deepEqual(commits.map(({ title }) => title), ["Change b", "Change c"]);
  assert.equal((await Commits.all(fake.project, { refName: "main" })).length, 2);
  assert.equal((await Pipelines.show(fake.project, 31)).user.username, "robin");
  const later = new Date(Date.now() + 3_600_000).toISOString();
  assert.deepEqual((await Pipelines.all(fake.project)).map(({ status }) => status), ["failed"]);
  assert.deepEqual(await Pipelines.all(fake.project, { updatedAfter: later }), []);
  assert.deepEqual((await MergeRequests.all({ projectId: fake.project })).map(({ iid }) => iid), [12]);
  assert.deepEqual(await MergeRequests.all({ projectId: fake.project, updatedAfter: later }), []);
  assert.deepEqual((await Projects.all({ membership: true, minAccessLevel: 40 })).map(({ id }) => id), [42]);
});
