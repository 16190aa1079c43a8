// The fake of GitLab and a receiver of its webhooks, for the tests with @gitbeaker/rest.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

/** A running fake; `inspect` calls its inspection API. */
export async function fakeGitlab(t, ...options) {
  const program = process.env.FAKE_GITLAB_API;
  if (!program) throw new Error("FAKE_GITLAB_API is not set; run function/tests/gitlab-api/check");
  const child = spawn(program, ["127.0.0.1:0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  for await (const line of createInterface(child.stdout)) {
    const started = JSON.parse(line);
    const inspect = async (method, path, body) => {
      const response = await fetch(`${started.listening}/inspect/${path}`, { method, body: body && JSON.stringify(body) });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
      return response.status === 204 ? undefined : response.json();
    };
    return { ...started, inspect };
  }
  throw new Error("fake-gitlab-api exited early; build it with: cargo build -p fakes --bins");
}

/** A receiver of webhooks: `answer` is the status of its responses, `received` what came. */
export async function receiver(t) {
  const state = { answer: 200, received: [] };
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    state.received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(state.answer).end("seen");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  t.after(() => server.close());
  state.url = `http://127.0.0.1:${server.address().port}/webhook`;
  return state;
}

/** A push of one commit by robin. */
export function push(before, after) {
  const author = { name: "Robin Example", email: "robin@example.org" };
  const title = `Change ${after}`;
  return {
    object_kind: "push",
    before: before.repeat(40),
    after: after.repeat(40),
    checkout_sha: after.repeat(40),
    ref: "refs/heads/main",
    user_id: 7,
    user_name: "Robin Example",
    user_username: "robin",
    commits: [{ id: after.repeat(40), title, message: title, timestamp: "2026-11-20T10:42:07+00:00", author, added: ["new.rs"] }],
    total_commits_count: 1,
  };
}
