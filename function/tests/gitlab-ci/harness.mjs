// Test harness: projects for gitlab-ci-local, the programs their jobs talk to, and a fake of GitLab's webhooks API. The
// tests are in the files *.test.mjs.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { load } from "js-yaml";

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
  // These record their arguments, which other users of a machine can read.
  for (const program of ["curl", "git", "jq", "openssl", "python3"]) {
    const real = spawnSync("sh", ["-c", `command -v ${program}`]).stdout.toString().trim();
    const script = `#!/bin/sh\nprintf '%s\\n' "${program} $*" >> ${folder}/arguments\nexec ${real} "$@"\n`;
    writeFileSync(join(folder, "bin", program), script, { mode: 0o755 });
  }
  return repository(folder);
}

/** Another project, whose pipeline includes a template of this one. */
export function otherProject(t, template, inputs, jobs = {}) {
  const here = project(t);
  const folder = mkdtempSync(join(tmpdir(), "pipeline-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(here.folder, "bin"), join(folder, "bin"), { recursive: true });
  const file = `function/ci/templates/${template}.yml`;
  // JSON is valid YAML.
  writeFileSync(join(folder, ".gitlab-ci.yml"), JSON.stringify({ include: [{ project: "tools/webhook-app", file, inputs }], ...jobs }));
  const address = "ssh://git@gitlab.example.org:22/tools/webhook-app.git";
  writeFileSync(join(folder, ".gitconfig"), `[url "file://${here.folder}"]\n  insteadOf = ${address}\n`);
  return repository(folder);
}

/** Makes a folder a repository with one commit. */
function repository(folder) {
  const git = (...words) => execFileSync("git", words, { cwd: folder, stdio: "pipe" }).toString().trim();
  const commit = (message, ...words) => {
    git("-c", "user.name=Robin Example", "-c", "user.email=robin@example.org", "commit", "--quiet", ...words, "--message", message);
    return git("rev-parse", "HEAD");
  };
  git("init", "--quiet", "--initial-branch=main");
  git("remote", "add", "origin", "git@gitlab.example.org:acme/rocket.git");
  git("add", "--all");
  const branch = (name) => git("switch", "--quiet", "--create", name);
  const tag = (name) => git("tag", name);
  return { folder, sha: commit(TITLE), commit, branch, tag, arguments: () => {
    const file = join(folder, "arguments");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  } };
}

/** The jobs of the pipeline of a project, with includes and extensions resolved. */
export async function jobsOf(place, variables) {
  const { code, output } = await gitlab(place, ["--preview"], variables);
  if (code !== 0) throw new Error(output);
  const keywords = ["stages", "variables", "workflow", "default", "include"];
  const pipeline = load(output.slice(output.indexOf("---\n")));
  return Object.fromEntries(Object.entries(pipeline).filter(([name]) => !name.startsWith(".") && !keywords.includes(name)));
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
  const values = { CI_COMMIT_REF_PROTECTED: "true", CI_PROJECT_ID: 42, CI_PIPELINE_ID: 4711, ...variables };
  const set = Object.entries(values).flatMap(([name, value]) => ["--variable", `${name}=${value}`]);
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
export async function deployed(t, changed = {}) {
  const chat = await start(t, "fake-rocketchat", ["127.0.0.1:0"], {}, (message) => message.listening);
  const settings = {
    PORT: "0",
    LOG_FORMAT: "json",
    GITLAB_SIGNING_KEYS: KEY,
    ROCKETCHAT_URL: chat.listening,
    ROCKETCHAT_USER_ID: chat.user_id,
    ROCKETCHAT_AUTH_TOKEN: chat.auth_token,
    ROCKETCHAT_RECIPIENT: "alice",
    ...changed,
  };
  const { port } = await start(t, "webhook-app", [], settings, (message) => message.port);
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    messages: async () => (await fetch(`${chat.listening}/inspect/messages`)).json(),
  };
}

/**
 * A fake of GitLab's API for project webhooks: lists by page, creates, updates and deletes; requires its token. A secret is
 * never returned. Without `signing` it ignores signing keys, as GitLab before 19.0 does.
 */
export async function gitlabApi(t, token, { signing = true } = {}) {
  const hooks = [{ id: 1, url: "https://other.example.org/" }];
  const secrets = [];
  const save = (hook, { signing_token, token: secret, ...fields }) => {
    secrets.push({ signing_token, token: secret });
    const present = { signing_token_present: signing && signing_token !== undefined, token_present: secret !== undefined };
    return Object.assign(hook, fields, signing_token === undefined ? {} : present);
  };
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
    if (request.method === "DELETE") {
      hooks.splice(hooks.findIndex(({ id }) => id === Number(path[1])), 1);
      return response.writeHead(204).end();
    }
    const hook = JSON.parse(Buffer.concat(chunks).toString());
    if (request.method === "POST" && !path[1]) {
      // GitLab's default for what a request does not contain.
      hooks.push(save({ id: hooks.length + 1, push_events: true, enable_ssl_verification: true }, hook));
      return answer(201, hooks.at(-1));
    }
    const found = hooks.find(({ id }) => id === Number(path[1]));
    if (request.method !== "PUT" || !found) return answer(404, { message: "404 Not Found" });
    return answer(200, save(found, hook));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => server.close());
  return { address: `http://127.0.0.1:${server.address().port}/api/v4`, hooks, secrets };
}

/** The value of `skip` for a test that needs these programs. With REQUIRE_TOOLS=1 none is skipped, so it fails. */
export function without(...programs) {
  const missing = programs.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
  return process.env.REQUIRE_TOOLS !== "1" && missing.length > 0 && `SKIPPED: ${missing.join(", ")} not installed`;
}
