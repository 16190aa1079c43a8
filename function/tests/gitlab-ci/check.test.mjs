// Tests of the GitLab pipeline without a GitLab: validates .gitlab-ci.yml against GitLab's schema, and runs
// the jobs that only talk to deployed systems with gitlab-ci-local.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { KEY, TITLE, deployed, gitlab, gitlabApi, has, overlay, project, root } from "./harness.mjs";

const pipeline = readFileSync(join(root, ".gitlab-ci.yml"), "utf8");

test("the pipeline is valid against GitLab's schema", async (t) => {
  const { code, output } = await gitlab(project(t), ["--list"]);
  assert.equal(code, 0, output);
});

test("an invalid pipeline is rejected", async (t) => {
  const place = project(t);
  writeFileSync(join(place.folder, ".gitlab-ci.yml"), pipeline.replace("interruptible: true", "interruptible: perhaps"));
  const { code, output } = await gitlab(place, ["--list"]);
  assert.notEqual(code, 0, output);
  assert.match(output, /interruptible/);
});

test("no job is named like a keyword of GitLab", () => {
  const keywords = ["image", "services", "cache", "before_script", "after_script", "pages", "true", "false", "nil"];
  const jobs = [...pipeline.matchAll(/^([a-z_]+):$/gm)].map(([, name]) => name);
  assert.deepEqual(jobs.filter((name) => keywords.includes(name)), []);
});

test("each job only installs tools and runs existing make targets", () => {
  const makefile = readFileSync(join(root, "Makefile"), "utf8");
  const targets = new Set([...makefile.matchAll(/^([a-z-]+):.*##/gm)].map(([, target]) => target));
  const scripts = [...pipeline.matchAll(/^  script:\n((?:    - .*\n)+)/gm)].map(([, lines]) => lines);
  assert.ok(scripts.length >= 6, "expected at least 6 scripts");
  for (const lines of scripts) {
    const commands = lines.trim().split("\n").map((line) => line.replace(/^ *- /, ""));
    const made = commands.at(-1).match(/^make ([a-z -]+)$/);
    assert.ok(made, `${commands.at(-1)} is not a make target`);
    for (const target of made[1].split(" ")) assert.ok(targets.has(target), `make ${target} does not exist`);
    for (const tool of commands.slice(0, -1)) assert.match(tool, /^(rustup component add|cargo install) /);
  }
});

test("every image is pinned, and the Rust image is that of the Containerfile", () => {
  const images = [...pipeline.matchAll(/^  ([A-Z]+)_IMAGE: (.*)$/gm)];
  assert.ok(images.length >= 3, "expected at least 3 images");
  for (const [, name, image] of images) assert.match(image, /(:|@sha256:)(?!latest)[\w.-]+$/, name);
  const containerfile = readFileSync(join(root, "Containerfile"), "utf8");
  assert.equal(images.find(([, name]) => name === "RUST")[2], containerfile.match(/^ARG RUST=(.*)$/m)[1]);
  for (const [, image] of pipeline.matchAll(/^ +image: (.*)$/gm)) assert.match(image, /\$[A-Z]+_IMAGE/);
});

test("the Containerfile copies the manifest of every workspace member", () => {
  const read = (name) => readFileSync(join(root, name), "utf8");
  const members = read("Cargo.toml").match(/^members = \[(.*)\]$/m)[1].match(/[^", ]+/g);
  for (const member of members) {
    assert.ok(read("Containerfile").includes(`COPY ${member}/Cargo.toml ${member}/\n`), `copy the manifest of ${member}`);
    assert.ok(read(".dockerignore").split("\n").includes(`!${member}/Cargo.toml`), `add the manifest of ${member} to .dockerignore`);
  }
});

test("jobs without their variables are not part of the pipeline", async (t) => {
  const { output } = await gitlab(project(t), ["--list-csv"]);
  for (const job of ["deploy", "notify", "register"]) assert.doesNotMatch(output, new RegExp(`^${job};`, "m"));
  for (const job of ["lint", "deny", "test"]) assert.match(output, new RegExp(`^${job};`, "m"));
});

test("the job notify sends one message for the commit, even if it runs twice", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const commit = { CI_COMMIT_TITLE: TITLE, CI_COMMIT_AUTHOR: "Robin Example <robin@example.org>" };
  const variables = { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, CI_PIPELINE_ID: 4711, CI_PROJECT_ID: 42, ...commit };
  for (const run of [1, 2]) {
    const { code, output } = await gitlab(place, ["notify"], variables);
    assert.equal(code, 0, `${run}: ${output}`);
    assert.doesNotMatch(output, /whsec_|AAECAwQF/, "the output contains the key");
  }
  const messages = await app.messages();
  assert.equal(messages.length, 1, JSON.stringify(messages));
  const { text } = messages[0];
  assert.ok(text.includes(place.sha), text);
  assert.ok(text.includes("acme/rocket"), text);
  assert.ok(text.includes('Say "hi" to $(id) and') && text.includes("it's 100 % "), text);
  assert.ok(text.includes(" · Robin Example") && !text.includes("robin@example.org"), text);
});

test("another pipeline of the same commit sends another message", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  for (const CI_PIPELINE_ID of [1, 2]) {
    await gitlab(place, ["notify"], { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: KEY, CI_PIPELINE_ID, CI_PROJECT_ID: 42 });
  }
  assert.equal((await app.messages()).length, 2);
});

test("the job notify fails if webhook-app rejects the delivery", async (t) => {
  const [place, app] = [project(t), await deployed(t)];
  const wrong = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const { code, output } = await gitlab(place, ["notify"], { WEBHOOK_URL: app.url, GITLAB_SIGNING_KEY: wrong, CI_PROJECT_ID: 42 });
  assert.notEqual(code, 0, output);
  assert.match(output, /expected status 200, found 401/);
  assert.deepEqual(await app.messages(), []);
});

test("the job register creates one webhook and updates it", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "canary-api-token")];
  const variables = {
    WEBHOOK_URL: "https://hooks.example.org/webhook",
    GITLAB_SIGNING_KEY: KEY,
    GITLAB_API_TOKEN: "canary-api-token",
    CI_API_V4_URL: api.address,
    CI_PROJECT_ID: 42,
  };
  for (const word of ["created", "updated"]) {
    const { code, output } = await gitlab(place, ["register"], variables);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`${word} webhook 2 for https://hooks.example.org/webhook`));
    assert.doesNotMatch(output, /canary-api-token|whsec_/);
  }
  assert.equal(api.hooks.length, 2);
  const { push_events, tag_push_events, signing_token, enable_ssl_verification } = api.hooks[1];
  assert.deepEqual([push_events, tag_push_events, signing_token, enable_ssl_verification], [true, true, KEY, true]);
});

test("the job register fails if GitLab rejects the token", async (t) => {
  const [place, api] = [project(t), await gitlabApi(t, "the-right-one")];
  const { code, output } = await gitlab(place, ["register"], {
    WEBHOOK_URL: "https://hooks.example.org/webhook",
    GITLAB_SIGNING_KEY: KEY,
    GITLAB_API_TOKEN: "another",
    CI_API_V4_URL: api.address,
    CI_PROJECT_ID: 42,
  });
  // A failed manual job does not fail its pipeline.
  assert.equal(code, 0);
  assert.match(output, /could not list the webhooks of the project: .*401 Unauthorized/);
  assert.equal(api.hooks.length, 1);
});

test("the job deploy deploys the image by digest", { skip: !(has("kubectl") && has("jq")) && "kubectl or jq is not installed" }, async (t) => {
  const place = project(t);
  const image = `registry.acme.test/acme/rocket@sha256:${"5".repeat(64)}`;
  for (const base of ["k8s-base", "knative"]) {
    const DEPLOY_OVERLAY = `overlays/${base}`;
    overlay(place, DEPLOY_OVERLAY, base);
    const variables = { IMAGE: image, DEPLOY_OVERLAY, DRY_RUN: 1, KUBE_CONTEXT: "acme/agent:production", CI_REGISTRY_IMAGE: "r" };
    const { code, output } = await gitlab(place, ["deploy", "--no-needs"], variables);
    assert.equal(code, 0, output);
    assert.equal(output.match(/image: (\S+)/g)?.length, 1, output);
    assert.ok(output.includes(`image: ${image}`), output);
  }
});

test("the job deploy rejects the example settings", { skip: !(has("kubectl") && has("jq")) && "kubectl or jq is not installed" }, async (t) => {
  const image = `registry.acme.test/acme/rocket@sha256:${"5".repeat(64)}`;
  const variables = { IMAGE: image, DEPLOY_OVERLAY: "k8s-base", KUBE_CONTEXT: "acme/agent:production", CI_REGISTRY_IMAGE: "r" };
  const { code, output } = await gitlab(project(t), ["deploy", "--no-needs"], variables);
  assert.notEqual(code, 0, output);
  assert.match(output, /nothing was applied/);
  assert.match(output, /chat\.example\.com/);
});

test("the job deploy rejects an image by tag", async (t) => {
  const variables = { IMAGE: "registry.example.org/acme/rocket:main", DEPLOY_OVERLAY: "k8s-base", KUBE_CONTEXT: "acme/agent:production" };
  const { code, output } = await gitlab(project(t), ["deploy"], variables);
  assert.notEqual(code, 0);
  assert.match(output, /expected an image by digest/);
});
