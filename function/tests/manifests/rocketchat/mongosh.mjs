// A strict stand-in for mongosh and the members of a replica set: it runs a script with the globals that the script may use, and
// refuses what a real server refuses, with its error names and codes. Time passes only when the script waits. It knows nothing of
// the network and of data; what it allows follows MongoDB's manual for 8.0.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import vm from "node:vm";

export const PASSWORDS = { root: "root-0123456789abcdef", rocketchat: "chat-0123456789abcdef", exporter: "expo-0123456789abcdef", backup: "back-0123456789abcdef" };

const ROLES = ["root", "readWrite", "read", "clusterMonitor", "backup"];

/** An error of the driver or of the server. */
function failure(name, message, code) {
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
}
const refused = (code, message) => failure("MongoServerError", message, code);

/** An object whose other properties are an error, so that a script cannot use what is not modelled. */
function strict(what, properties) {
  return new Proxy(properties, {
    get(target, name) {
      // The engine asks for these when it awaits or prints an object.
      if (typeof name === "symbol" || name === "then") return target[name];
      assert.ok(name in target, `${what} has no ${name}`);
      return target[name];
    },
  });
}

const clone = (value) => structuredClone(value);

/** The keys of an object must be exactly these. */
function exactly(object, keys, what) {
  assert.deepEqual(Object.keys(object).sort(), [...keys].sort(), what);
}

export const hostOf = (ordinal, namespace = "rocketchat") => `mongodb-${ordinal}.mongodb.${namespace}.svc:27017`;

/** The servers. A member is there if it has a name in DNS, and up if mongod listens. */
export class Servers {
  now = 0;
  /** Host → whether it listens, the set that its volume knows, and its state in it. */
  members = new Map();
  config = null;
  primary = null;
  rootPassword = PASSWORDS.root;
  users = new Map([["root", { pwd: PASSWORDS.root, roles: [{ role: "root", db: "admin" }] }]]);
  roles = new Map();
  /** How long an election and the copy of the data to a new member take, in milliseconds; Infinity is for ever. */
  electionTime = 4000;
  copyTime = 10_000;
  /** Errors that the next calls of a command throw. */
  errors = {};
  /** Commands that change something, in order. */
  changes = [];
  #events = [];

  constructor(count) {
    for (let ordinal = 0; ordinal < count; ordinal += 1) this.members.set(hostOf(ordinal), { up: true, set: null, state: null });
  }

  at(time, event) {
    if (Number.isFinite(time)) this.#events.push({ time, event });
  }

  pass(milliseconds) {
    assert.ok(milliseconds > 0);
    this.now += milliseconds;
    const due = this.#events.filter(({ time }) => time <= this.now).sort((a, b) => a.time - b.time);
    this.#events = this.#events.filter(({ time }) => time > this.now);
    for (const { event } of due) event();
    assert.ok(this.now < 24 * 3600_000, "the script waits for ever");
  }

  /** As after an earlier run: these hosts are in the set, the first is primary. */
  initiated(hosts, set = "rs0") {
    this.config = { _id: set, version: hosts.length, term: 1, members: hosts.map((host, _id) => ({ _id, host, priority: 1, votes: 1 })), settings: {} };
    hosts.forEach((host, index) => this.members.has(host) && Object.assign(this.members.get(host), { set, state: index === 0 ? 1 : 2 }));
    [this.primary] = hosts;
    return this;
  }

  #elect(host) {
    this.at(this.now + this.electionTime, () => {
      this.members.get(host).state = 1;
      this.primary = host;
    });
  }

  connect(address, user, password) {
    const match = /^mongodb:\/\/([^/@]+)\/(\w+)\?(.+)$/.exec(address);
    assert.ok(match, `an address without credentials, with a database and options: ${address}`);
    const [, list, database, query] = match;
    const options = Object.fromEntries(new URLSearchParams(query));
    for (const name of Object.keys(options)) assert.ok(["directConnection", "replicaSet", "authSource", "serverSelectionTimeoutMS"].includes(name), name);
    assert.equal(database, "admin");
    const timeout = Number(options.serverSelectionTimeoutMS ?? 30_000);
    const unreachable = (name, message) => {
      this.pass(timeout);
      throw failure(name, message);
    };
    const hosts = list.split(",");
    for (const host of hosts) {
      if (!this.members.has(host)) throw failure("MongoNetworkError", `getaddrinfo ENOTFOUND ${host}`);
    }
    const up = hosts.filter((host) => this.members.get(host).up);
    if (up.length === 0) unreachable("MongoServerSelectionError", `connect ECONNREFUSED ${hosts[0]}`);
    let host;
    if (options.directConnection === "true") {
      assert.equal(hosts.length, 1, "a direct connection has one host");
      assert.equal(options.replicaSet, undefined);
      [host] = hosts;
    } else {
      assert.ok(options.replicaSet, "a set or a direct connection");
      const knows = up.some((each) => this.members.get(each).set === options.replicaSet);
      if (!knows || this.primary === null) unreachable("MongoServerSelectionError", "Server selection timed out");
      host = this.primary;
    }
    if (user !== undefined) {
      assert.equal(options.authSource, "admin", "users are in admin");
      if (user !== "root" || password !== this.rootPassword) throw refused(18, "Authentication failed.");
    }
    return this.#database(host, user !== undefined);
  }

  #database(host, isRoot) {
    const member = () => this.members.get(host);
    const change = (name, ...values) => {
      if (!isRoot) throw refused(13, `command ${name} requires authentication`);
      if (name !== "replSetInitiate" && this.primary !== host) throw refused(10107, "not primary");
      const planned = this.errors[name]?.shift();
      if (planned) throw planned;
      this.changes.push([name, ...clone(values)]);
    };
    const roleExists = ({ role, db }) => {
      if (db === "admin" && this.roles.has(role)) return;
      if (!ROLES.includes(role)) throw refused(31, `Could not find role: ${role}@${db}`);
    };
    const commands = {
      replSetInitiate: (config) => {
        if (member().set) throw refused(23, "already initialized");
        exactly(config, ["_id", "members"], "the configuration");
        for (const each of config.members) exactly(each, ["_id", "host"], "a member");
        change("replSetInitiate", config);
        const hosts = config.members.map((each) => each.host);
        for (const each of hosts) assert.ok(this.members.get(each)?.up, `${each} is reachable`);
        this.config = { ...clone(config), version: 1, term: 1, settings: {} };
        for (const each of hosts) Object.assign(this.members.get(each), { set: config._id, state: 2 });
        this.#elect(hosts[0]);
        return { ok: 1 };
      },
      replSetGetConfig: () => ({ ok: 1, config: clone(this.config) }),
      replSetGetStatus: () => {
        const names = { 1: "PRIMARY", 2: "SECONDARY", 5: "STARTUP2" };
        const state = (each) => this.members.get(each)?.state ?? 8;
        return { ok: 1, members: this.config.members.map((each) => ({ name: each.host, state: state(each.host), stateStr: names[state(each.host)] ?? "DOWN" })) };
      },
      replSetReconfig: (config) => {
        change("replSetReconfig", config);
        if (config.version !== this.config.version + 1) throw refused(103, "the version must be the next one");
        assert.equal(config._id, this.config._id);
        const [before, after] = [this.config, config].map(({ members }) => members.map((each) => each.host));
        if (new Set(config.members.map(({ _id }) => _id)).size !== config.members.length) throw refused(103, "an _id twice");
        const changed = [...before.filter((each) => !after.includes(each)), ...after.filter((each) => !before.includes(each))];
        if (changed.length > 1) throw refused(103, "more than one voting member was added or removed");
        for (const each of changed) {
          if (!this.members.get(each)?.up) throw refused(103, `${each} is not reachable`);
          Object.assign(this.members.get(each), { set: config._id, state: 5 });
          this.at(this.now + this.copyTime, () => Object.assign(this.members.get(each), { state: 2 }));
        }
        this.config = clone(config);
        return { ok: 1 };
      },
    };
    return strict("the database", {
      hello: () => ({
        ok: 1,
        ...(member().set ? { setName: member().set, hosts: (this.config?.members ?? []).map((each) => each.host) } : { isreplicaset: true }),
        isWritablePrimary: this.primary === host,
        secondary: member().state === 2,
      }),
      adminCommand: (command) => {
        const [name, ...others] = Object.keys(command);
        assert.ok(name in commands && others.length === 0, `the command ${JSON.stringify(command)}`);
        if (!isRoot) throw refused(13, `command ${name} requires authentication`);
        return commands[name](command[name]);
      },
      getRole: (name) => clone(this.roles.get(name) ?? null),
      createRole: (role) => {
        exactly(role, ["role", "privileges", "roles"], "a role");
        change("createRole", role);
        if (this.roles.has(role.role)) throw refused(51002, "Role already exists");
        this.roles.set(role.role, clone(role));
      },
      grantRolesToUser: (name, roles) => {
        roles.forEach(roleExists);
        change("grantRolesToUser", name, roles);
        const user = this.users.get(name);
        if (!user) throw refused(11, `User ${name} not found`);
        for (const role of roles) if (!user.roles.some((each) => each.role === role.role)) user.roles.push(clone(role));
      },
      getUser: (name) => (this.users.has(name) ? { user: name, roles: clone(this.users.get(name).roles) } : null),
      createUser: (user) => {
        exactly(user, ["user", "pwd", "roles"], "a user");
        user.roles.forEach(roleExists);
        change("createUser", user);
        if (this.users.has(user.user)) throw refused(51003, "User already exists");
        this.users.set(user.user, clone({ pwd: user.pwd, roles: user.roles }));
      },
      updateUser: (name, update) => {
        exactly(update, ["pwd", "roles"], "an update");
        update.roles.forEach(roleExists);
        change("updateUser", name, update);
        if (!this.users.has(name)) throw refused(11, `User ${name} not found`);
        this.users.set(name, clone(update));
      },
    });
  }
}

export const serverError = refused;

/** Runs a script as mongosh does: its exit code and what it printed. */
export function run(script, servers, { environment = {}, passwords = PASSWORDS } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "passwords-"));
  for (const [name, password] of Object.entries(passwords)) writeFileSync(join(folder, `${name}-password`), `${password}\n`);
  const printed = [];
  class Quit {
    constructor(code) {
      this.code = code;
    }
  }
  let quit = null;
  const alive = () => assert.equal(quit, null, "the script continues after quit()");
  const context = vm.createContext({
    process: strict("process", { env: { REPLICA_SET: "rs0", MEMBERS: String(servers.members.size), NAMESPACE: "rocketchat", WAIT_SECONDS: "300", PASSWORDS_FOLDER: folder, ...environment } }),
    require: (name) => {
      assert.equal(name, "fs", "the only module");
      return strict("fs", { readFileSync });
    },
    connect: (...words) => {
      alive();
      return servers.connect(...words);
    },
    sleep: (milliseconds) => {
      alive();
      servers.pass(milliseconds);
    },
    print: (text) => printed.push(String(text)),
    quit: (code) => {
      alive();
      quit = new Quit(code);
      throw quit;
    },
    Date: strict("Date", { now: () => servers.now }),
  });
  try {
    vm.runInContext(readFileSync(script, "utf8"), context, { filename: script });
  } catch (error) {
    if (!(error instanceof Quit)) throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.notEqual(quit, null, "the script ends with quit()");
  const output = printed.join("\n");
  for (const password of Object.values(passwords)) assert.ok(password === "" || !output.includes(password), `the output contains a password: ${output}`);
  return { code: quit.code, output };
}
