// The script of the Job mongodb-replica-set in every state in which it can find the members.

import assert from "node:assert/strict";
import test from "node:test";

import { PASSWORDS, Servers, hostOf, run, serverError } from "./mongosh.mjs";

const SCRIPT = new URL("../../../../k8s-base/rocketchat/mongodb/replica-set.js", import.meta.url).pathname;

const role = (name, db) => ({ role: name, db });

/** What a complete run leaves behind, whatever it found. */
function assertComplete(servers, { code, output }) {
  assert.equal(code, 0, output);
  assert.match(output, /^rs0 is complete: /m);
  const hosts = [...servers.members.keys()];
  assert.deepEqual(hosts.filter((host) => !servers.config.members.some((member) => member.host === host)), []);
  for (const host of hosts) assert.ok([1, 2].includes(servers.members.get(host).state), `${host} has its data`);
  const expected = {
    rocketchat: [role("readWrite", "rocketchat"), role("clusterMonitor", "admin"), role("read", "local")],
    exporter: [role("clusterMonitor", "admin"), role("read", "local")],
    backup: [role("backup", "admin")],
    root: [role("root", "admin"), role("restoreWithOplog", "admin")],
  };
  assert.deepEqual([...servers.users.keys()].sort(), Object.keys(expected).sort());
  for (const [name, roles] of Object.entries(expected)) assert.deepEqual(servers.users.get(name), { pwd: PASSWORDS[name], roles }, name);
  assert.deepEqual(servers.roles.get("restoreWithOplog").privileges, [{ resource: { anyResource: true }, actions: ["anyAction"] }]);
}

/** A run that must fail, and say so with one line that matches. */
function assertFails({ code, output }, pattern) {
  assert.equal(code, 1, output);
  assert.match(output, pattern);
  assert.ok(!output.includes("is complete"), output);
}

const names = (servers) => servers.changes.map(([name]) => name);

test("an empty volume becomes a set of one member with its users", () => {
  const servers = new Servers(1);
  const result = run(SCRIPT, servers);
  assertComplete(servers, result);
  assert.deepEqual(servers.config.members, [{ _id: 0, host: hostOf(0) }]);
  assert.equal(names(servers)[0], "replSetInitiate");
  assert.ok(servers.now >= servers.electionTime, "it waited for the election");
});

test("a second run changes no member and no role", () => {
  const servers = new Servers(1);
  run(SCRIPT, servers);
  servers.changes = [];
  const { version } = servers.config;
  const result = run(SCRIPT, servers);
  assertComplete(servers, result);
  assert.equal(servers.config.version, version);
  assert.deepEqual(names(servers), ["grantRolesToUser", "updateUser", "updateUser", "updateUser"]);
  assert.doesNotMatch(result.output, /initiated|added|created/);
});

test("three empty volumes become a set of three, whose members are added one by one", () => {
  const servers = new Servers(3);
  const result = run(SCRIPT, servers);
  assertComplete(servers, result);
  assert.deepEqual(servers.config.members.map(({ _id, host }) => [_id, host]), [[0, hostOf(0)], [1, hostOf(1)], [2, hostOf(2)]]);
  assert.equal(names(servers).filter((name) => name === "replSetReconfig").length, 2);
  assert.ok(servers.now >= 2 * servers.copyTime, "each copy was waited for");
});

test("members that are missing are added to a set that works", () => {
  const servers = new Servers(3).initiated([hostOf(0)]);
  assertComplete(servers, run(SCRIPT, servers));
  assert.ok(!names(servers).includes("replSetInitiate"));
});

test("a member that was removed gets a number that is free", () => {
  const servers = new Servers(3).initiated([hostOf(0), hostOf(1), hostOf(2)]);
  servers.config.members = servers.config.members.filter(({ _id }) => _id !== 1);
  Object.assign(servers.members.get(hostOf(1)), { set: null, state: null });
  assertComplete(servers, run(SCRIPT, servers));
  assert.deepEqual(servers.config.members.map(({ _id }) => _id), [0, 2, 3]);
});

test("another change of the members is waited for", () => {
  for (const code of [103, 109, 308]) {
    const servers = new Servers(3).initiated([hostOf(0), hostOf(1)]);
    servers.errors.replSetReconfig = [serverError(code, "busy"), serverError(code, "busy")];
    assertComplete(servers, run(SCRIPT, servers));
  }
  const servers = new Servers(3).initiated([hostOf(0), hostOf(1)]);
  servers.errors.replSetReconfig = Array.from({ length: 1000 }, () => serverError(109, "another change is in progress"));
  assertFails(run(SCRIPT, servers), /^error: mongodb-2\..* cannot be added: another change is in progress$/m);
});

test("a change of the members that the server refuses for good is not repeated", () => {
  const servers = new Servers(3).initiated([hostOf(0), hostOf(1)]);
  servers.errors.replSetReconfig = [serverError(93, "invalid configuration")];
  assertFails(run(SCRIPT, servers), /cannot be added: invalid configuration$/m);
  assert.deepEqual(servers.changes, []);
});

test("a set that another run has just initiated is taken as it is", () => {
  const servers = new Servers(1);
  const { connect } = servers;
  servers.connect = (address, ...credentials) => {
    const database = connect.call(servers, address, ...credentials);
    if (credentials.length > 0 && servers.config === null) servers.initiated([hostOf(0)]);
    return database;
  };
  const result = run(SCRIPT, servers);
  assertComplete(servers, result);
  assert.match(result.output, /^rs0 was initiated by another run$/m);
});

test("a user whom another run has just created is updated", () => {
  const servers = new Servers(1).initiated([hostOf(0)]);
  const { connect } = servers;
  let isFirst = true;
  servers.connect = (...words) => {
    const database = connect.call(servers, ...words);
    return new Proxy(database, {
      get(target, name) {
        if (name !== "getUser" || !isFirst) return target[name];
        isFirst = false;
        servers.users.set("rocketchat", { pwd: "of the other run", roles: [] });
        return () => null;
      },
    });
  };
  assertComplete(servers, run(SCRIPT, servers));
});

test("the role of restores may be created by another run", () => {
  const servers = new Servers(1).initiated([hostOf(0)]);
  const privileges = [{ resource: { anyResource: true }, actions: ["anyAction"] }];
  servers.roles.set("restoreWithOplog", { role: "restoreWithOplog", privileges, roles: [] });
  const { connect } = servers;
  servers.connect = (...words) => {
    const database = connect.call(servers, ...words);
    return new Proxy(database, { get: (target, name) => (name === "getRole" ? () => null : target[name]) });
  };
  assertComplete(servers, run(SCRIPT, servers));
});

test("users with other passwords and roles get those of the Secret and of the script", () => {
  const servers = new Servers(1).initiated([hostOf(0)]);
  servers.users.set("rocketchat", { pwd: "an old one", roles: [role("root", "admin")] });
  servers.users.set("exporter", { pwd: "an old one", roles: [] });
  const result = run(SCRIPT, servers);
  assertComplete(servers, result);
  assert.match(result.output, /^updated rocketchat$/m);
  assert.match(result.output, /^created backup$/m);
});

test("members that start late are waited for, and then reported", () => {
  const late = new Servers(1);
  late.members.get(hostOf(0)).up = false;
  late.at(120_000, () => Object.assign(late.members.get(hostOf(0)), { up: true }));
  assertComplete(late, run(SCRIPT, late));

  const never = new Servers(3);
  never.members.get(hostOf(2)).up = false;
  assertFails(run(SCRIPT, never), /^error: mongodb-2\.mongodb\.rocketchat\.svc:27017 does not answer after 300 s \(.*ECONNREFUSED.*\); is its pod running/m);
  assert.deepEqual(never.changes, [], "no set without its members");

  const unknown = new Servers(1);
  assertFails(run(SCRIPT, unknown, { environment: { NAMESPACE: "elsewhere" } }), /ENOTFOUND mongodb-0\.mongodb\.elsewhere\.svc/);
  assert.ok(unknown.now >= 300_000, "a name that DNS does not know yet is waited for");
});

test("an election is waited for, and a set without a primary is reported with its members", () => {
  const slow = new Servers(1);
  slow.electionTime = 100_000;
  assertComplete(slow, run(SCRIPT, slow));

  const never = new Servers(1).initiated(["mongodb-0.mongodb.old.svc:27017"]);
  Object.assign(never.members.get(hostOf(0)), { set: "rs0", state: 10 });
  never.primary = null;
  assertFails(run(SCRIPT, never), /^error: rs0 has no primary after 300 s; its members are mongodb-0\.mongodb\.old\.svc:27017, expected mongodb-0\.mongodb\.rocketchat\.svc:27017; look at/m);
  assert.deepEqual(never.changes, []);
});

test("a member that hands over to another one is not taken for the primary", () => {
  const servers = new Servers(3).initiated([hostOf(0), hostOf(1), hostOf(2)]);
  const { connect } = servers;
  let connections = 0;
  servers.connect = (address, ...credentials) => {
    const database = connect.call(servers, address, ...credentials);
    if (!address.includes("replicaSet=")) return database;
    connections += 1;
    const isFirst = connections === 1;
    return new Proxy(database, { get: (target, name) => (isFirst && name === "hello" ? () => ({ isWritablePrimary: false }) : target[name]) });
  };
  assertComplete(servers, run(SCRIPT, servers));
  assert.equal(connections, 2);
});

test("a first member that lost its volume does not begin a second set", () => {
  const servers = new Servers(3).initiated([hostOf(1), hostOf(2), hostOf(0)]);
  Object.assign(servers.members.get(hostOf(0)), { set: null, state: null });
  servers.at(60_000, () => Object.assign(servers.members.get(hostOf(0)), { set: "rs0", state: 2 }));
  assertComplete(servers, run(SCRIPT, servers));
  assert.ok(!names(servers).includes("replSetInitiate"), servers.changes);
  assert.ok(servers.now >= 60_000, "the copy was waited for");
});

test("a member that does not get its data is reported", () => {
  const servers = new Servers(3);
  servers.copyTime = Infinity;
  assertFails(run(SCRIPT, servers), /^error: mongodb-1\..* is STARTUP2 after 300 s, expected SECONDARY/m);
});

test("a wrong password of root is reported at once", () => {
  for (const servers of [new Servers(1), new Servers(1).initiated([hostOf(0)])]) {
    servers.rootPassword = "another-0123456789";
    assertFails(run(SCRIPT, servers), /^error: MongoDB refuses root-password of the Secret mongodb; expected the one with which the volume was created/m);
    assert.ok(servers.now < 10_000, `${servers.now} ms`);
    assert.deepEqual(servers.changes, []);
  }
});

test("the volume of another set is refused", () => {
  const servers = new Servers(1).initiated([hostOf(0)], "other");
  assertFails(run(SCRIPT, servers), /^error: mongodb-0\..* is in the replica set other, expected rs0/m);
  assert.deepEqual(servers.changes, []);
});

test("a member that the manifests do not have is named and not removed", () => {
  const servers = new Servers(1).initiated([hostOf(0), "mongodb-1.mongodb.rocketchat.svc:27017"]);
  const result = run(SCRIPT, servers);
  assert.equal(result.code, 0, result.output);
  assert.match(result.output, /^warning: rs0 also has mongodb-1\.mongodb\.rocketchat\.svc:27017; .*rs\.remove/m);
  assert.equal(servers.config.members.length, 2);
});

test("other errors end the run", () => {
  for (const command of ["replSetInitiate", "createRole", "createUser", "updateUser", "grantRolesToUser"]) {
    const servers = new Servers(1);
    if (command === "updateUser") servers.users.set("backup", { pwd: "an old one", roles: [] });
    servers.errors[command] = [serverError(13, `not authorized to execute ${command}`)];
    assertFails(run(SCRIPT, servers), new RegExp(`^error: not authorized to execute ${command}$`, "m"));
  }
});

test("all settings that are wrong are reported together, before a connection", () => {
  const servers = new Servers(1);
  servers.connect = () => assert.fail("a connection");
  const passwords = { root: "short", rocketchat: "with/slash:and@0123456789", exporter: PASSWORDS.exporter };
  const result = run(SCRIPT, servers, { environment: { MEMBERS: "2", WAIT_SECONDS: "soon", NAMESPACE: "" }, passwords });
  assertFails(result, /^error: invalid settings:$/m);
  for (const line of [/NAMESPACE is not set/, /MEMBERS is "2", expected 1 or 3/, /WAIT_SECONDS is "soon"/, /root-password has 5 characters/, /rocketchat-password has 25 characters/, /backup-password cannot be read \(ENOENT\)/]) assert.match(result.output, line);
  assert.doesNotMatch(result.output, /exporter/);
});
