// Brings the replica set to what the manifests say: initiated, all members in it, and the users with the roles and passwords that
// they need. mongosh runs it in the Job; a second run repairs what is missing and changes nothing else.
//
// mongosh waits for the database without `await`, but not in callbacks, so there are loops where `map` would be shorter.

const { readFileSync } = require("fs");

/** MongoDB's codes (https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml). */
const CODES = {
  authenticationFailed: 18,
  alreadyInitialized: 23,
  duplicateRole: 51002,
  duplicateUser: 51003,
  // Another change of the members is not finished, or not yet on a majority.
  configurationInProgress: 109,
  incompatibleConfiguration: 103,
  notYetCommitted: 308,
};

/** The state of a member that answers reads, and that of the primary. */
const [PRIMARY, SECONDARY] = [1, 2];

/** Letters that need no escape in MONGO_URL. */
const PASSWORD = /^[A-Za-z0-9._~-]{16,}$/;

/** Restoring with an oplog needs this (https://www.mongodb.com/docs/database-tools/mongorestore/#required-access). */
const RESTORE_ROLE = "restoreWithOplog";

/** The users beside root, and what they may do. All are in the database `admin`, so `authSource` is the same for all. */
const USERS = [
  // Rocket.Chat reads the state of the set, and the oplog if it cannot use change streams.
  { name: "rocketchat", roles: [["readWrite", "rocketchat"], ["clusterMonitor", "admin"], ["read", "local"]] },
  // https://github.com/percona/mongodb_exporter#permissions
  { name: "exporter", roles: [["clusterMonitor", "admin"], ["read", "local"]] },
  { name: "backup", roles: [["backup", "admin"]] },
];

/** The settings of the Job, or an error that lists all that is wrong. */
function settings() {
  const { REPLICA_SET, NAMESPACE, PASSWORDS_FOLDER } = process.env;
  const [members, seconds] = [Number(process.env.MEMBERS), Number(process.env.WAIT_SECONDS)];
  const wrong = [];
  for (const name of ["REPLICA_SET", "NAMESPACE", "PASSWORDS_FOLDER"]) {
    if (!process.env[name]) wrong.push(`${name} is not set; the Job sets it`);
  }
  if (members !== 1 && members !== 3) wrong.push(`MEMBERS is "${process.env.MEMBERS}", expected 1 or 3; use the Component three-members`);
  if (!(seconds > 0)) wrong.push(`WAIT_SECONDS is "${process.env.WAIT_SECONDS}", expected a number of seconds above 0`);
  const passwords = {};
  for (const name of ["root", "rocketchat", "exporter", "backup"]) {
    const found = passwordOf(PASSWORDS_FOLDER, name);
    passwords[name] = found.password;
    if (found.wrong) wrong.push(found.wrong);
  }
  if (wrong.length > 0) throw new Error(`invalid settings:\n  ${wrong.join("\n  ")}`);
  const hosts = [];
  for (let ordinal = 0; ordinal < members; ordinal += 1) hosts.push(`mongodb-${ordinal}.mongodb.${NAMESPACE}.svc:27017`);
  return { set: REPLICA_SET, hosts, seconds, passwords };
}

/** The content of a file is never in the error. */
function passwordOf(folder, name) {
  let password;
  try {
    password = readFileSync(`${folder}/${name}-password`, "utf8").trim();
  } catch (error) {
    return { wrong: `${name}-password cannot be read (${error.code}); add the key to the Secret mongodb` };
  }
  if (PASSWORD.test(password)) return { password };
  return { wrong: `${name}-password has ${password.length} characters; expected at least 16 of A-Z a-z 0-9 . _ ~ - and no others, because MONGO_URL contains it` };
}

/** Whether waiting may help: the server is not reachable yet, or there is no primary. */
function isTransient(error) {
  return error.name === "MongoServerSelectionError" || error.name === "MongoNetworkError" || error.name === "MongoNetworkTimeoutError";
}

/** A connection as root; a wrong password cannot be waited for. */
function signIn(address, passwords) {
  try {
    return connect(address, "root", passwords.root);
  } catch (error) {
    if (error.code !== CODES.authenticationFailed) throw error;
    throw new Error("MongoDB refuses root-password of the Secret mongodb; expected the one with which the volume was created, see \"Change a password\" in README.md");
  }
}

/** What a member says of itself, which needs no authentication; waits until it answers. */
function helloOf(host, seconds) {
  for (const end = Date.now() + seconds * 1000; ; sleep(2000)) {
    try {
      return connect(`mongodb://${host}/admin?directConnection=true&serverSelectionTimeoutMS=5000`).hello();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (Date.now() >= end) throw new Error(`${host} does not answer after ${seconds} s (${error.message}); is its pod running, and does DNS resolve its name?`);
    }
  }
}

/** Initiates the set on the first member, unless a member is in one. */
function initiate({ set, hosts, seconds, passwords }) {
  const [first] = hosts;
  const initiated = [];
  for (const host of hosts) {
    const hello = helloOf(host, seconds);
    if (hello.setName && hello.setName !== set) throw new Error(`${host} is in the replica set ${hello.setName}, expected ${set}; is its volume that of another installation?`);
    if (hello.setName) initiated.push(host);
  }
  // A first member that lost its volume must not begin a second set: the others send it the configuration, and then the data.
  if (initiated.length > 0) return;
  const admin = signIn(`mongodb://${first}/admin?directConnection=true&authSource=admin&serverSelectionTimeoutMS=5000`, passwords);
  try {
    admin.adminCommand({ replSetInitiate: { _id: set, members: [{ _id: 0, host: first }] } });
    print(`initiated ${set} on ${first}`);
  } catch (error) {
    if (error.code !== CODES.alreadyInitialized) throw error;
    print(`${set} was initiated by another run`);
  }
}

/** A connection to the primary; waits for the election. */
function primaryOf({ set, hosts, seconds, passwords }) {
  for (const end = Date.now() + seconds * 1000; ; sleep(2000)) {
    try {
      const admin = signIn(`mongodb://${hosts.join(",")}/admin?replicaSet=${set}&authSource=admin&serverSelectionTimeoutMS=5000`, passwords);
      const hello = admin.hello();
      if (hello.isWritablePrimary) return admin;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    if (Date.now() >= end) {
      const { hosts: found } = helloOf(hosts[0], seconds);
      throw new Error(`${set} has no primary after ${seconds} s; its members are ${(found ?? []).join(", ") || "none"}, expected ${hosts.join(", ")}; look at rs.status()`);
    }
  }
}

/** Adds one member. Only one voting member can be added at a time, and it has no vote until it has the data. */
function add(admin, host, seconds) {
  for (const end = Date.now() + seconds * 1000; ; sleep(2000)) {
    const { config } = admin.adminCommand({ replSetGetConfig: 1 });
    const ids = config.members.map((member) => member._id);
    config.members.push({ _id: Math.max(...ids) + 1, host });
    config.version += 1;
    try {
      admin.adminCommand({ replSetReconfig: config });
      print(`added ${host}`);
      return;
    } catch (error) {
      const isBusy = [CODES.configurationInProgress, CODES.incompatibleConfiguration, CODES.notYetCommitted].includes(error.code);
      if (!isBusy || Date.now() >= end) throw new Error(`${host} cannot be added: ${error.message}`);
    }
  }
}

/** Waits until a member has copied the data. */
function waitForData(admin, host, seconds) {
  for (const end = Date.now() + seconds * 1000; ; sleep(2000)) {
    const { members } = admin.adminCommand({ replSetGetStatus: 1 });
    const member = members.find(({ name }) => name === host);
    if (member && [PRIMARY, SECONDARY].includes(member.state)) return;
    if (Date.now() >= end) throw new Error(`${host} is ${member ? member.stateStr : "not in the set"} after ${seconds} s, expected SECONDARY; a large copy needs a higher WAIT_SECONDS, and running the Job again continues`);
  }
}

function addMissing(admin, { set, hosts, seconds }) {
  const { config } = admin.adminCommand({ replSetGetConfig: 1 });
  const present = config.members.map((member) => member.host);
  const others = present.filter((host) => !hosts.includes(host));
  // Not removed, because a set that shrinks below a majority stops.
  if (others.length > 0) print(`warning: ${set} also has ${others.join(", ")}; if they are gone for good, remove them with rs.remove()`);
  for (const host of hosts) {
    if (!present.includes(host)) add(admin, host, seconds);
    waitForData(admin, host, seconds);
  }
}

/** root gets what a restore needs. */
function createRestoreRole(admin) {
  const privileges = [{ resource: { anyResource: true }, actions: ["anyAction"] }];
  if (admin.getRole(RESTORE_ROLE) === null) {
    try {
      admin.createRole({ role: RESTORE_ROLE, privileges, roles: [] });
    } catch (error) {
      if (error.code !== CODES.duplicateRole) throw error;
    }
  }
  admin.grantRolesToUser("root", [{ role: RESTORE_ROLE, db: "admin" }]);
}

function createUsers(admin, passwords) {
  for (const { name, roles: pairs } of USERS) {
    const user = { pwd: passwords[name], roles: pairs.map(([role, db]) => ({ role, db })) };
    let exists = admin.getUser(name) !== null;
    if (!exists) {
      try {
        admin.createUser({ user: name, ...user });
        print(`created ${name}`);
      } catch (error) {
        if (error.code !== CODES.duplicateUser) throw error;
        exists = true;
      }
    }
    if (exists) {
      admin.updateUser(name, user);
      print(`updated ${name}`);
    }
  }
}

function main() {
  const wanted = settings();
  initiate(wanted);
  const admin = primaryOf(wanted);
  addMissing(admin, wanted);
  createRestoreRole(admin);
  createUsers(admin, wanted.passwords);
  print(`${wanted.set} is complete: ${wanted.hosts.join(", ")}`);
}

let failure = null;
try {
  main();
} catch (error) {
  failure = error;
}
if (failure !== null) print(`error: ${failure.message}`);
quit(failure === null ? 0 : 1);
