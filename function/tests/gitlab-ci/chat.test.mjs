// Tests of the templates that send commits and results, and of the job that registers a webhook: executed in a shell by
// gitlab-ci-local, against the real program and a strict fake of Rocket.Chat.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import test from "node:test";

import { KEY, TITLE, deployed, gitlab, gitlabApi, otherProject, project } from "./harness.mjs";

/** The key as bytes in hexadecimal, as some programs take it. */
const HEX = Buffer.from(KEY.slice("whsec_".length), "base64").toString("hex");

const COMMIT = { CI_COMMIT_TITLE: TITLE, CI_COMMIT_MESSAGE: TITLE, CI_COMMIT_AUTHOR: "Robin Example <robin@example.org>" };

/** Runs a job that must succeed and must not show the key. */
async function succeeds(place, job, variables) {
  const run = await gitlab(place, [job], variables);
  assert.equal(run.code, 0, run.output);
  for (const secret of [KEY, KEY.slice("whsec_".length), HEX]) {
    assert.ok(!run.output.includes(secret), `the output contains the key: ${run.output}`);
    assert.ok(!place.arguments().includes(secret), `a command line contains the key: ${place.arguments()}`);
  }
  return run;
}

test("the job notify sends one message for the commit, even if it runs twice or in another pipeline", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const variables = { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, ...COMMIT };
  for (const CI_PIPELINE_ID of [4711, 4711, 4712]) await succeeds(place, "notify", { ...variables, CI_PIPELINE_ID });
  assert.match(place.arguments(), /^python3 .* push$/m, "the arguments are recorded");
  const messages = await app.messages();
  assert.equal(messages.length, 1, JSON.stringify(messages));
  const { text } = messages[0];
  assert.ok(text.includes(place.sha), text);
  assert.ok(text.includes("acme/rocket"), text);
  assert.ok(text.includes('Say "hi" to $(id) and') && text.includes("it's 100 % "), text);
  assert.ok(text.includes(" · Robin Example") && !text.includes("robin@example.org"), text);
});

test("the commits of a push are counted and listed", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  for (let number = 1; number <= 23; number += 1) place.last = place.commit(`Change ${number}`, "--allow-empty");
  const variables = { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, CI_COMMIT_BEFORE_SHA: place.sha };
  await succeeds(place, "notify", variables);
  const [{ text }] = await app.messages();
  assert.match(text, /\b23 commits\b/);
  assert.ok(text.includes("Change 23") && text.includes(place.last), text);
});

test("a push whose earlier commit is not there does not count", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  await succeeds(place, "notify", { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, CI_COMMIT_BEFORE_SHA: "7".repeat(40), ...COMMIT });
  const [{ text }] = await app.messages();
  assert.ok(text.includes(place.sha) && !text.includes("commits"), text);
});

test("a tag is sent as a tag", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const tag = { CI_COMMIT_TAG: "v1.2.3", CI_COMMIT_REF_NAME: "v1.2.3" };
  await succeeds(place, "notify", { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, ...tag, ...COMMIT });
  const [{ text }] = await app.messages();
  assert.match(text, /tag.*v1\.2\.3/i);
  assert.ok(text.includes(place.sha), text);
});

test("the job notify fails if webhook-app rejects the delivery", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const wrong = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const { code, output } = await gitlab(place, ["notify"], { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: wrong });
  assert.notEqual(code, 0, output);
  assert.match(output, /expected status 200 or 204, found 401/);
  assert.deepEqual(await app.messages(), []);
});

/** The port of a server that is closed after the test. */
async function listen(t, server) {
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => server.close());
  return server.address().port;
}

test("a redirect to a login page is not a delivered message", async (t) => {
  const paths = [];
  const server = createServer((request, response) => {
    paths.push(`${request.method} ${request.url}`);
    if (request.method === "POST") response.writeHead(302, { location: "/login" });
    response.end("Please sign in");
  });
  const url = `http://127.0.0.1:${await listen(t, server)}/webhook`;
  const { code, output } = await gitlab(project(t), ["notify", "--no-needs"], { WEBHOOK_URL: url, GITLAB_SIGNING_KEY: KEY, ...COMMIT });
  assert.notEqual(code, 0, output);
  assert.match(output, /expected status 200 or 204, found 302/);
  assert.deepEqual(paths, ["POST /webhook"]);
});

test("an answer that is not HTTP is tried again", async (t) => {
  const answers = ["SSH-2.0-server\r\n", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"];
  const server = createTcpServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(answers.shift())));
  const url = `http://127.0.0.1:${await listen(t, server)}/webhook`;
  const { output } = await succeeds(project(t), "notify", { WEBHOOK_URL: url, GITLAB_SIGNING_KEY: KEY, ...COMMIT });
  assert.match(output, /no answer: SSH-2\.0-server/);
  assert.deepEqual(answers, []);
});

test("an address without a scheme and an incomplete key are named", async (t) => {
  const url = "https://hooks.example.org/webhook";
  for (const [variables, part] of [
    [{ WEBHOOK_URL: "hooks.example.org/webhook", GITLAB_SIGNING_KEY: KEY }, /url: expected the address of the function, such as .*, found hooks\.example\.org\/webhook/],
    [{ WEBHOOK_URL: url, GITLAB_SIGNING_KEY: "whsec_" }, /GITLAB_SIGNING_KEY: expected whsec_ and the base64 of 24 to 64 bytes/],
    [{ WEBHOOK_URL: url, GITLAB_SIGNING_KEY: KEY.slice("whsec_".length) }, /GITLAB_SIGNING_KEY: expected whsec_ and/],
  ]) {
    const { code, output } = await gitlab(project(t), ["notify", "--no-needs"], variables);
    assert.notEqual(code, 0, output);
    assert.match(output, part);
    assert.doesNotMatch(output, /Traceback/);
  }
});

test("another project sends its commits with three lines", async (t) => {
  const app = await deployed(t);
  const place = otherProject(t, "send-commit", { url: app.url });
  for (const run of [1, 2]) await succeeds(place, "send-commit", { GITLAB_SIGNING_KEY: KEY, ...COMMIT, CI_PIPELINE_ID: run });
  const messages = await app.messages();
  assert.equal(messages.length, 1, JSON.stringify(messages));
  assert.ok(messages[0].text.includes(place.sha), messages[0].text);
});

test("another project names its variable with the key, its job and its condition", async (t) => {
  const app = await deployed(t);
  const inputs = { url: app.url, signing_key: "CHAT_KEY", job: "tell", stage: "test", condition: '$CI_COMMIT_BRANCH == "main"' };
  const place = otherProject(t, "send-commit", inputs);
  const missing = await gitlab(place, ["tell"], COMMIT);
  assert.notEqual(missing.code, 0, missing.output);
  assert.match(missing.output, /CHAT_KEY is not set in this job/);
  await succeeds(place, "tell", { CHAT_KEY: KEY, ...COMMIT });
  assert.equal((await app.messages()).length, 1);
});

test("another project sends the result of its pipeline, and only that", async (t) => {
  const app = await deployed(t);
  const url = "https://gitlab.example.org/acme/rocket/-/pipelines/4711";
  for (const [script, word] of [["exit 1", "failed"], ["exit 0", "passed"]]) {
    const place = otherProject(t, "send-results", { url: app.url }, { work: { script: [script] } });
    const before = (await app.messages()).length;
    const { output } = await gitlab(place, [], { GITLAB_SIGNING_KEY: KEY, CI_PIPELINE_URL: url, ...COMMIT });
    const messages = await app.messages();
    assert.equal(messages.length, before + 1, output);
    const { text } = messages.at(-1);
    assert.ok(text.includes(`[Pipeline 4711](${url})`) && text.includes(word), text);
  }
});

test("a template without the address of the function is rejected", async (t) => {
  const { code, output } = await gitlab(otherProject(t, "send-commit", {}), ["--list"]);
  assert.notEqual(code, 0, output);
  assert.match(output, /`url` input: required value has not been provided/);
});

const REGISTER = { WEBHOOK_URL: "https://hooks.example.org/webhook", GITLAB_SIGNING_KEY: KEY, GITLAB_API_TOKEN: "canary-api-token" };

test("the job register creates one webhook and updates it", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "canary-api-token")];
  for (const word of ["created", "updated"]) {
    const { output } = await succeeds(place, "register", { ...REGISTER, CI_API_V4_URL: api.address });
    assert.match(output, new RegExp(`${word} webhook 2 for https://hooks.example.org/webhook, which sends: push, tag_push`));
    assert.doesNotMatch(output + place.arguments(), /canary-api-token/);
  }
  assert.equal(api.hooks.length, 2);
  const { push_events, tag_push_events, enable_ssl_verification } = api.hooks[1];
  assert.deepEqual([push_events, tag_push_events, enable_ssl_verification], [true, true, true]);
  assert.deepEqual(api.secrets.map(({ signing_token }) => signing_token), [KEY, KEY]);
});

test("updating a webhook keeps what a person changed", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "canary-api-token")];
  const changed = { push_events: false, pipeline_events: true, enable_ssl_verification: false, name: "Chat" };
  api.hooks.push({ id: 2, url: REGISTER.WEBHOOK_URL, ...changed });
  await succeeds(place, "register", { ...REGISTER, CI_API_V4_URL: api.address });
  const { push_events, pipeline_events, enable_ssl_verification, name } = api.hooks[1];
  assert.deepEqual({ push_events, pipeline_events, enable_ssl_verification, name }, changed);
});

test("the triggers that are asked for are switched on", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "canary-api-token")];
  const variables = { ...REGISTER, CI_API_V4_URL: api.address };
  await succeeds(place, "register", { ...variables, TRIGGERS: "pipeline merge_requests" });
  const { push_events, pipeline_events, merge_requests_events } = api.hooks[1];
  assert.deepEqual([push_events, pipeline_events, merge_requests_events], [false, true, true]);
  const { output } = await gitlab(place, ["register"], { ...variables, TRIGGERS: "pipelines" });
  assert.match(output, /TRIGGERS: expected some of push .*, found pipelines/);
});

test("a GitLab that ignores the signing key is an error, and leaves no webhook that fails", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "canary-api-token", { signing: false })];
  const { output } = await gitlab(place, ["register"], { ...REGISTER, CI_API_V4_URL: api.address });
  assert.match(output, /GitLab ignored GITLAB_SIGNING_KEY: expected GitLab 19\.0 or later/);
  assert.doesNotMatch(output, /created webhook/);
  assert.equal(api.hooks.length, 1);
});

test("the job register fails if GitLab rejects the token", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "the-right-one")];
  const { code, output } = await gitlab(place, ["register"], { ...REGISTER, GITLAB_API_TOKEN: "another", CI_API_V4_URL: api.address });
  // A failed manual job does not fail its pipeline.
  assert.equal(code, 0);
  assert.match(output, /could not list the webhooks of the project: .*401 Unauthorized/);
  assert.equal(api.hooks.length, 1);
});
