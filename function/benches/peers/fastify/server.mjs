// A minimal Node implementation for comparison: verifies the signature and sends one message.
// It has no deduplication and no retries, and it checks only the status of Rocket.Chat's responses.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import Fastify from "fastify";
import { Pool } from "undici";

const { GITLAB_SIGNING_KEYS, ROCKETCHAT_URL, ROCKETCHAT_USER_ID, ROCKETCHAT_AUTH_TOKEN, ROCKETCHAT_RECIPIENT, PORT } = process.env;
const key = Buffer.from(GITLAB_SIGNING_KEYS.replace("whsec_", ""), "base64");
const chat = new Pool(ROCKETCHAT_URL, { connections: 64 });
const headers = { "content-type": "application/json", "x-user-id": ROCKETCHAT_USER_ID, "x-auth-token": ROCKETCHAT_AUTH_TOKEN };

async function call(path, body) {
  const response = await chat.request({ path: `/api/v1/${path}`, method: "POST", headers, body: JSON.stringify(body) });
  if (response.statusCode !== 200) throw new Error(`Rocket.Chat responded ${response.statusCode}`);
  return response.body.json();
}

let room;
const app = Fastify({ logger: true, disableRequestLogging: true, bodyLimit: 30 * 1024 * 1024 });
app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

app.post("/webhook", async (request, reply) => {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = request.headers;
  const expected = Buffer.from(`v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(request.body).digest("base64")}`);
  const received = Buffer.from(signature ?? "");
  const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
  if (!fresh || expected.length !== received.length || !timingSafeEqual(expected, received)) return reply.code(401).send();
  const push = JSON.parse(request.body);
  room ??= (await call("im.create", { username: ROCKETCHAT_RECIPIENT })).room._id;
  const msg = `${push.after} pushed to ${push.ref} of ${push.project.path_with_namespace}`;
  const message = { _id: createHash("sha256").update(id).digest("hex").slice(0, 34), rid: room, msg };
  await call("chat.sendMessage", { message });
  request.log.info({ delivery_id: id, sha: push.after }, "webhook delivered");
  return { status: "delivered" };
});

await app.listen({ port: Number(PORT), host: "127.0.0.1" });
