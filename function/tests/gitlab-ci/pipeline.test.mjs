// Tests of the pipeline as a whole, without a GitLab: its schema, its lists of checks, images and tools, and what each kind
// of pipeline contains.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { gitlab, jobsOf, project, root, without } from "./harness.mjs";

const read = (name) => readFileSync(join(root, name), "utf8");
const pipeline = read(".gitlab-ci.yml");
const files = readdirSync(join(root, "function/ci")).filter((name) => name.endsWith(".yml"));
const templates = readdirSync(join(root, "function/ci/templates"));
const included = [...files, ...templates.map((name) => `templates/${name}`)].map((name) => read(`function/ci/${name}`)).join("\n");

/** The jobs on the default branch. They are the same for all tests. */
let jobs;
test.before(async (t) => { jobs = await jobsOf(project(t)); });

/** The make targets of a script. */
const targets = (script) => [...script.matchAll(/\bmake ((?:[a-z][a-z0-9-]* ?)+)/g)].flatMap(([, names]) => names.trim().split(" "));

/** The make targets of jobs. */
const targetsOf = (chosen) => chosen.flatMap(([, { script }]) => targets(script.join("\n")));

/** What the branch pipeline of a project with these variables contains. */
const listed = (t, variables) => jobsIn(project(t), variables);

async function jobsIn(place, variables) {
  const { code, output } = await gitlab(place, ["--list-csv"], variables);
  assert.equal(code, 0, output);
  const rows = output.slice(output.indexOf("name;stage")).trim().split("\n").slice(1);
  return rows.map((row) => row.split(";")[0]);
}

/** All variables of a project that uses everything. */
const ALL = {
  CI_REGISTRY_IMAGE: "registry.acme.test/acme/rocket",
  KUBE_CONTEXT: "acme/agent:production",
  REVIEW_OVERLAY: "overlays/review",
  STAGING_OVERLAY: "overlays/staging",
  STAGING_URL: "https://staging.acme.test/webhook",
  DEPLOY_OVERLAY: "overlays/production",
  WEBHOOK_URL: "https://hooks.acme.test/webhook",
  GITLAB_SIGNING_KEY: "whsec_a2V5",
};

test("the pipeline is valid against GitLab's schema", async (t) => {
  const { code, output } = await gitlab(project(t), ["--list"]);
  assert.equal(code, 0, output);
});

test("an invalid pipeline is rejected, also in an included file", async (t) => {
  for (const [file, from, to, part] of [
    [".gitlab-ci.yml", "interruptible: true", "interruptible: perhaps", /interruptible/],
    ["function/ci/deploy.yml", "auto_stop_in: 2 days", "auto_stop_in: 2", /auto_stop_in/],
    ["function/ci/check.yml", "reports: { junit:", "reports: { unit:", /unit/],
  ]) {
    const place = project(t);
    const text = read(file);
    assert.ok(text.includes(from), from);
    writeFileSync(join(place.folder, file), text.replace(from, to));
    const { code, output } = await gitlab(place, ["--list"]);
    assert.notEqual(code, 0, output);
    assert.match(output, part);
  }
});

test("no job is named like a keyword of GitLab", () => {
  const keywords = ["image", "services", "cache", "before_script", "after_script", "pages", "true", "false", "nil"];
  assert.deepEqual(Object.keys(jobs).filter((name) => keywords.includes(name)), []);
});

test("each job runs one line of existing make targets, or the program of a template", () => {
  const existing = new Set([...read("Makefile").matchAll(/^([a-z-]+):.*##/gm)].map(([, target]) => target));
  assert.ok(Object.keys(jobs).length > 20);
  for (const [name, { script }] of Object.entries(jobs)) {
    assert.equal(script.length, 1, name);
    // Its image has no make.
    if (script[0].startsWith('python3 "$webhook_app_send" ') || name === "publish-buildkit") continue;
    assert.match(script[0], /^make [a-z -]+( [A-Z]+=("\$[A-Z_]+"|1))?$/, name);
    for (const target of targets(script[0])) assert.ok(existing.has(target), `make ${target} of ${name} does not exist`);
  }
});

/** The checks that are not in `make check`, and what runs them. */
const SEPARATE = { "release-test": "pipeline", e2e: ".ci/run" };

test("make check, the pipeline and .ci/run have the same checks, and each separate one runs somewhere", () => {
  const list = read("Makefile").match(/^check: (.*?) ##/m)[1].split(" ");
  assert.ok(list.length > 10, list.join(" "));

  const checks = Object.entries(jobs).filter(([, { stage }]) => stage === "check");
  // They report to GitLab, and cannot fail.
  const reports = ["codequality", "coverage"];
  const and = (place) => [...list, ...Object.keys(SEPARATE).filter((name) => SEPARATE[name] === place)].toSorted();
  const inPipeline = targetsOf(checks).filter((name) => !reports.includes(name));
  assert.deepEqual(inPipeline.toSorted(), and("pipeline"), ".gitlab-ci.yml");

  const script = read(".ci/run").replace(/^ *#.*$/gm, "").replace(/^declare -A may_lack=\([^)]*\)/m, "").replace(/for program in .*/, "");
  assert.deepEqual([...new Set(targets(script))].toSorted(), and(".ci/run"), ".ci/run");

  // A new target that tests something is in one of the lists; `alert-test` asks the servers of a user.
  const tests = [...read("Makefile").matchAll(/^([a-z-]*test):.*##/gm)].map(([, name]) => name).filter((name) => name !== "alert-test");
  for (const name of tests) assert.ok(list.includes(name) || SEPARATE[name], `make ${name} runs nowhere`);
  for (const [name, place] of Object.entries(SEPARATE)) assert.ok(read("function/docs/pipeline.md").includes(`| \`${name}\` | ${place} |`), name);
});

test("a check whose tool is missing fails in the pipeline and in .ci/run", () => {
  assert.match(pipeline, /^  REQUIRE_TOOLS: "1"$/m);
  assert.match(read(".ci/run"), /^export REQUIRE_TOOLS=1$/m);
});

test(".ci/run names all missing programs, and stops", (t) => {
  const { folder } = project(t);
  mkdirSync(join(folder, "few"));
  for (const program of ["bash", "dirname", "mktemp", "rm", "git"]) {
    const real = execFileSync("sh", ["-c", `command -v ${program}`]).toString().trim();
    symlinkSync(real, join(folder, "few", program));
  }
  const env = { PATH: join(folder, "few"), HOME: folder };
  const { status, stdout, stderr } = spawnSync(join(root, ".ci/run"), { env, encoding: "utf8" });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /FAILED: expected cargo rustc make go node npm python3 curl kubectl in PATH, found none/);
});

test("the findings of clippy are those of a merge request", { skip: without("jq") }, () => {
  const finding = (file_name, line_start, level) => ({
    reason: "compiler-message",
    message: {
      code: { code: "clippy::needless_return" },
      level,
      message: "unneeded `return` statement",
      spans: [{ file_name, line_start, is_primary: true, text: [{ text: "    return 1;" }] }],
    },
  });
  const other = [{ reason: "build-finished", success: true }, { reason: "compiler-message", message: { code: null, spans: [] } }];
  const messages = [finding("function/src/a.rs", 3, "warning"), finding("function/src/a.rs", 3, "warning"), finding("function/src/b.rs", 7, "error"), ...other];
  const input = messages.map((message) => JSON.stringify(message)).join("\n");
  const report = JSON.parse(execFileSync("jq", ["--slurp", "--from-file", join(root, "function/ci/codequality.jq")], { input }));
  assert.deepEqual(report.map(({ severity, location }) => [severity, location]), [
    ["minor", { path: "function/src/a.rs", lines: { begin: 3 } }],
    ["major", { path: "function/src/b.rs", lines: { begin: 7 } }],
  ]);
  for (const field of ["description", "check_name", "fingerprint"]) assert.ok(report.every((entry) => entry[field]), field);
  assert.equal(new Set(report.map(({ fingerprint }) => fingerprint)).size, 2);
});

test("the image of the jobs has the packages and tools of .ci/run", () => {
  const script = read(".ci/run");
  const containerfile = read("function/ci/Containerfile");
  const packages = [...script.match(/for pair in ([^;]*);/)[1].matchAll(/[a-z]+:([a-z-]+)/g)].map(([, name]) => name);
  assert.ok(packages.length > 10, packages.join(" "));
  const installed = containerfile.match(/apt-get install([^]*?)&& rm/)[1].split(/[\s\\]+/);
  // The test of the release needs a registry, which .ci/run does not.
  for (const name of [...packages, "docker-registry"]) assert.ok(installed.includes(name), name);
  const tools = [...script.matchAll(/" install_\w+ (\S+) (\S+)/g)].map(([, ...tool]) => tool);
  assert.ok(tools.length >= 4, tools.join(" "));
  for (const [name, version] of tools) assert.match(containerfile, new RegExp(`${name} (--locked --version )?${version} `), name);
});

test("the tag of the image of the jobs is the content of its Containerfile", () => {
  const hash = createHash("sha256").update(readFileSync(join(root, "function/ci/Containerfile"))).digest("hex").slice(0, 12);
  assert.equal(pipeline.match(/^  CI_IMAGE: \$CI_REGISTRY_IMAGE\/ci:(.*)$/m)[1], hash);
});

/** Where the pipeline and its templates name an image: a variable, a job, or the default of the input `image`. */
const IMAGES = /(?:\b\w+_IMAGE: |\bimage: (?:\{ name: )?|^ {4}image:\n(?: {6}description: .*\n)? {6}default: )(?![{\n])([^\s,}]+)/gm;
const PINNED = /^[^\s:@]+(\/[^\s:@]+)*(:\d+\/[^\s:@]+)?(:(?!latest\b)[\w.-]+(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/;

test("an image without a tag is found", () => {
  const [all, inputs] = [pipeline + included, "    image:\n      default: "];
  const number = [...all.matchAll(IMAGES)].length;
  for (const [line, image] of [
    ["  BUILDKIT_IMAGE: docker.io/moby/buildkit", "docker.io/moby/buildkit"],
    ["  image: debian", "debian"],
    ["  image: { name: localhost:5000/debian, entrypoint: [] }", "localhost:5000/debian"],
    [`${inputs}python:latest`, "python:latest"],
  ]) {
    const images = [...`${all}\n${line}\n`.matchAll(IMAGES)].map((match) => match[1]);
    assert.equal(images.length, number + 1, line);
    assert.equal(images.at(-1), image);
    assert.doesNotMatch(image, PINNED);
  }
});

test("every image is pinned, and all use the toolchain of the Containerfile", () => {
  const containerfile = read("function/ci/Containerfile");
  const found = [...containerfile.matchAll(/^FROM (?:--\S+ )?(\S+)/gm), ...(pipeline + included).matchAll(IMAGES)].map(([, image]) => image);
  // A variable and an input are pinned where their value is.
  const images = found.filter((image) => !/^(\$[A-Z_]+|"?\$\[\[.*)$/.test(image));
  assert.ok(images.length >= 8, images.join(" "));
  for (const image of images) assert.match(image, PINNED);
  const toolchain = read("Containerfile").match(/^ARG RUST=(.*)$/m)[1];
  assert.equal(containerfile.match(/^FROM ([^\s@]+)(@\S+)?$/m)[1], toolchain);
  assert.equal(pipeline.match(/^  RUST_VERSION: "(.*)"$/m)[1], toolchain.match(/:([0-9.]+)-/)[1]);
});

test("the Containerfile copies the manifest of every workspace member", () => {
  const members = read("Cargo.toml").match(/^members = \[(.*)\]$/m)[1].match(/[^", ]+/g);
  for (const member of members) {
    assert.ok(read("Containerfile").includes(`COPY ${member}/Cargo.toml ${member}/\n`), `copy the manifest of ${member}`);
    assert.ok(read(".dockerignore").split("\n").includes(`!${member}/Cargo.toml`), `add the manifest of ${member} to .dockerignore`);
  }
});

test("jobs without their variables are not part of the pipeline", async (t) => {
  const found = await listed(t, {});
  for (const job of ["review", "staging", "smoke", "production", "notify", "result-failed", "register"]) {
    assert.ok(!found.includes(job), job);
  }
  for (const job of ["lint", "deny", "test"]) assert.ok(found.includes(job), job);
});

test("the default branch is published, deployed and reported", async (t) => {
  const found = await listed(t, ALL);
  for (const job of ["publish", "staging", "smoke", "production", "notify", "result-failed"]) assert.ok(found.includes(job), job);
  for (const job of ["review", "release", "register"]) assert.ok(!found.includes(job), job);
});

test("the project's webhook replaces the messages of the pipeline", async (t) => {
  const found = await listed(t, { ...ALL, GITLAB_API_TOKEN: "t" });
  assert.ok(found.includes("register"));
  for (const job of ["notify", "result-success", "result-failed"]) assert.ok(!found.includes(job), job);
});

test("a scheduled pipeline only looks for advisories, and sends only a failure", async (t) => {
  const found = await listed(t, { ...ALL, CI_PIPELINE_SOURCE: "schedule" });
  const expected = ["ci-image", "advisories", "result-failed"];
  assert.deepEqual(found, expected);
});

test("a pipeline that a person starts sends no commit again", async (t) => {
  const found = await listed(t, { ...ALL, CI_PIPELINE_SOURCE: "web" });
  assert.ok(found.includes("production") && !found.includes("notify"));
});

test("a protected tag with a version is released, and no other tag", async (t) => {
  for (const [tag, is_protected, expected] of [["v1.2.3", "true", true], ["v1.2.3", "false", false], ["stable", "true", false]]) {
    const place = project(t);
    place.tag(tag);
    const found = await jobsIn(place, { ...ALL, CI_COMMIT_REF_PROTECTED: is_protected, CI_COMMIT_TAG: tag, CI_COMMIT_REF_NAME: tag });
    assert.equal(found.includes("release"), expected, `${tag} ${is_protected}`);
    assert.ok(found.includes("release-test"), tag);
  }
});

test("another builder replaces the job publish", async (t) => {
  const found = await listed(t, { ...ALL, BUILDER: "buildkit" });
  assert.ok(found.includes("publish-buildkit") && !found.includes("publish"), found.join(" "));
});

test("a branch that is not protected gets no secret", async (t) => {
  const found = await listed(t, { ...ALL, CI_COMMIT_REF_PROTECTED: "false" });
  for (const job of ["publish", "staging", "production", "notify"]) assert.ok(!found.includes(job), job);
});

test("a merge request gets a review app, and one of a fork does not", async (t) => {
  const of = (source) =>
    listed(t, {
      ...ALL,
      CI_PIPELINE_SOURCE: "merge_request_event",
      CI_COMMIT_REF_PROTECTED: "false",
      CI_MERGE_REQUEST_IID: 7,
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: source,
    });
  const [own, fork] = [await of(42), await of(43)];
  for (const job of ["publish", "review", "stop-review"]) assert.ok(own.includes(job) && !fork.includes(job), job);
  assert.ok(fork.includes("test"));
});

test("deployments and messages are not canceled, and one environment has one deployment at a time", () => {
  for (const [name, job] of Object.entries(jobs)) {
    if (job.stage === "check") continue;
    assert.equal(job.interruptible, false, name);
    if (job.environment && job.environment.action !== "verify") assert.equal(job.resource_group, job.environment.name, name);
  }
  assert.equal(jobs.review.environment.on_stop, "stop-review");
  assert.equal(jobs["stop-review"].environment.name, jobs.review.environment.name);
  assert.equal(jobs.release.resource_group, "release");
});

test("only deployments ask for the runner that takes nothing else", () => {
  const tagged = Object.entries(jobs).filter(([, { tags }]) => tags?.length);
  assert.deepEqual(tagged.map(([name]) => name).toSorted(), ["production", "smoke", "staging"]);
  for (const [name, { tags }] of tagged) assert.deepEqual(tags, ["$DEPLOY_RUNNER_TAG"], name);
});

test("each job in the image with the tools waits until it is built", () => {
  // Without `needs`, a job waits for all stages before its own.
  const waits = ({ needs, stage }) => (needs ? needs.some(({ job, optional }) => job === "ci-image" || (!optional && waits(jobs[job]))) : stage !== "prepare");
  const chosen = Object.entries(jobs).filter(([, { image }]) => (image?.name ?? image) === "$CI_IMAGE");
  assert.ok(chosen.length > 20, chosen.map(([name]) => name).join(" "));
  assert.deepEqual(chosen.filter(([, job]) => !waits(job)).map(([name]) => name), []);
});

test("a review app whose deployment failed can be deleted", () => {
  assert.ok(!jobs["stop-review"].needs.some(({ job }) => job === "review"));
});

test("an earlier deployment can be repeated, however old its digest is", () => {
  for (const name of ["publish", "publish-buildkit"]) assert.equal(jobs[name].artifacts.expire_in, "never", name);
});

test("each job with a target folder has a cache by job and toolchain", () => {
  const keys = Object.entries(jobs).flatMap(([name, { cache = [] }]) => cache.map(({ key }) => [name, key.prefix]));
  assert.ok(keys.length > 10);
  for (const [name, prefix] of keys) assert.equal(prefix, "$CI_JOB_NAME_SLUG-$RUST_VERSION", name);
});

// GitLab has one cache for all protected refs, and one for all others. gitlab-ci-local knows only one.
test("what is not protected has caches, and nothing changes those of the default branch", async (t) => {
  const request = { CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_IID: 7, CI_COMMIT_REF_PROTECTED: "false" };
  for (const [name, branch, variables, expected] of [
    ["default branch", "main", {}, "pull-push"],
    ["other protected branch", "stable", {}, "pull"],
    ["other branch", "feature", { CI_COMMIT_REF_PROTECTED: "false" }, "pull-push"],
    ["merge request", "feature", { ...request, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: 42 }, "pull-push"],
    ["merge request of a fork", "feature", { ...request, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: 43 }, "pull"],
  ]) {
    const place = project(t);
    if (branch !== "main") place.branch(branch);
    const policies = Object.values(await jobsOf(place, variables)).flatMap(({ cache = [] }) => cache.map(({ policy }) => policy));
    assert.deepEqual([...new Set(policies)], [expected], name);
  }
});
