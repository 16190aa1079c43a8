// Test harness: a project for gitlab-ci-local, the programs its jobs talk to, and a fake of GitLab's
// webhooks API. The tests are in check.test.mjs.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const root = resolve(import.meta.dirname, "../../..");
const runner = join(import.meta.dirname, "node_modules/.bin/gitlab-ci-local");
const programs = resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "debug");

/** The signing key of the tests; not a secret. */
export const KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/** A commit title with shell metacharacters, because titles are untrusted. */
export const TITLE = `Say "hi" to $(id) and \`id\`, it's 100 % \\n safe`;

/** A repository with the files that the jobs need and one commit; its remote does not exist. */
export function project(t) {
  const folder = mkdtempSync(join(tmpdir(), "pipeline-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of [".gitlab-ci.yml", "Makefile", "function/ci", "function/packaging", "k8s-base", "knative"]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  // Package managers do nothing here: the jobs use the tools of this machine.
  mkdirSync(join(folder, "bin"));
  for (const installer of ["apt-get", "apk"]) {
    writeFileSync(join(folder, "bin", installer), "#!/bin/sh\n", { mode: 0o755 });
  }
  const git = (...words) => execFileSync("git", words, { cwd: folder, stdio: "pipe" }).toString().trim();
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", "git@gitlab.example.org:acme/rocket.git");
  git("add", "--all");
  git("-c", "user.name=Robin Example", "-c", "user.email=robin@example.org", "commit", "--quiet", "--message", TITLE);
  return { folder, sha: git("rev-parse", "HEAD") };
}

/** Adds an overlay of an operator to the project, with settings that are not the examples. */
export function overlay({ folder }, path, base) {
  mkdirSync(join(folder, path), { recursive: true });
  const settings = ["ROCKETCHAT_URL=https://chat.acme.test", "ROCKETCHAT_RECIPIENT=alice"];
  const generated = [{ name: "webhook-app", behavior: "merge", literals: settings }];
  const kustomization = { resources: [`../../${base}`], configMapGenerator: generated };
  // JSON is valid YAML.
  writeFileSync(join(folder, path, "kustomization.yaml"), JSON.stringify(kustomization));
  // gitlab-ci-local copies only files that git tracks.
  execFileSync("git", ["add", path], { cwd: folder });
}

/** Runs gitlab-ci-local with these arguments; jobs run in a shell. */
export function gitlab({ folder }, args, variables = {}) {
  const set = Object.entries(variables).flatMap(([name, value]) => ["--variable", `${name}=${value}`]);
  const env = { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}`, HOME: folder };
  return new Promise((done) => {
    const child = spawn(runner, ["--force-shell-executor", ...set, ...args], { cwd: folder, env });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("close", (code) => done({ code, output: Buffer.concat(chunks).toString() }));
  });
}

/** Starts a program of the workspace and waits for the first JSON line for which `isReady` is true. */
async function start(t, name, args, env, isReady) {
  const child = spawn(join(programs, name), args, { env, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  for await (const line of createInterface(child.stdout)) {
    const message = JSON.parse(line);
    if (isReady(message)) return message;
  }
  throw new Error(`${name} exited early; build it with: cargo build -p webhook-app -p fakes --bins`);
}

/** A running webhook-app and its fake Rocket.Chat; `messages` returns the stored messages. */
export async function deployed(t) {
  const chat = await start(t, "fake-rocketchat", ["127.0.0.1:0"], {}, (message) => message.listening);
  const settings = {
    PORT: "0",
    LOG_FORMAT: "json",
    GITLAB_SIGNING_KEYS: KEY,
    ROCKETCHAT_URL: chat.listening,
    ROCKETCHAT_USER_ID: chat.user_id,
    ROCKETCHAT_AUTH_TOKEN: chat.auth_token,
    ROCKETCHAT_RECIPIENT: "alice",
  };
  const { port } = await start(t, "webhook-app", [], settings, (message) => message.port);
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    messages: async () => (await fetch(`${chat.listening}/inspect/messages`)).json(),
  };
}

/** A fake of GitLab's API for project webhooks: lists by page, creates and updates; requires its token. */
export async function gitlabApi(t, token) {
  const hooks = [{ id: 1, url: "https://other.example.org/" }];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const answer = (status, value) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const url = new URL(request.url, "http://gitlab");
    const path = url.pathname.match(/^\/api\/v4\/projects\/42\/hooks(?:\/(\d+))?$/);
    if (!path) return answer(404, { message: "404 Not Found" });
    if (request.headers["private-token"] !== token) return answer(401, { message: "401 Unauthorized" });
    if (request.method === "GET") {
      const first = 100 * (Number(url.searchParams.get("page")) - 1);
      return answer(200, hooks.slice(first, first + 100));
    }
    const hook = JSON.parse(Buffer.concat(chunks).toString());
    if (request.method === "POST" && !path[1]) {
      hooks.push({ id: hooks.length + 1, ...hook });
      return answer(201, hooks.at(-1));
    }
    const found = hooks.find(({ id }) => id === Number(path[1]));
    if (request.method !== "PUT" || !found) return answer(404, { message: "404 Not Found" });
    return answer(200, Object.assign(found, hook));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => server.close());
  return { address: `http://127.0.0.1:${server.address().port}/api/v4`, hooks };
}

export const has = (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
