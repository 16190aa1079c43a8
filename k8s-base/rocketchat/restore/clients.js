// Prints how many connections the user of Rocket.Chat has, for restore.sh.

const admin = connect(process.env.MONGO_URI).getSiblingDB("admin");
const operations = admin.aggregate([{ $currentOp: { allUsers: true, idleConnections: true } }]).toArray();
const isRocketchat = ({ effectiveUsers }) => (effectiveUsers ?? []).some(({ user }) => user === "rocketchat");
print(operations.filter(isRocketchat).length);
