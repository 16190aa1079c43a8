#!/usr/bin/env bash
# Replaces the data of MongoDB by a dump of backup.sh. It verifies the dump first, and refuses while Rocket.Chat is connected.
# Settings: MONGO_MEMBERS, REPLICA_SET, PASSWORD_FILE, BACKUP_FOLDER, and BACKUP, the name of the dump, or empty for the newest
set -euo pipefail
umask 077

fail() {
  echo "restore: $1" >&2
  exit 1
}

for setting in MONGO_MEMBERS REPLICA_SET PASSWORD_FILE BACKUP_FOLDER; do
  [ -n "${!setting:-}" ] || fail "$setting is not set; the Job sets it"
done
[ -r "$PASSWORD_FILE" ] || fail "$PASSWORD_FILE cannot be read; the Secret mongodb needs the key root-password"

dumps=$(find "$BACKUP_FOLDER" -maxdepth 1 -name 'rocketchat-*.archive.gz' -printf '%f\n' | sort)
[ -n "$dumps" ] || fail "$BACKUP_FOLDER has no dump; expected rocketchat-TIME.archive.gz"
name=${BACKUP:-$(tail -n 1 <<< "$dumps")}
grep -qxF "$name" <<< "$dumps" || fail "there is no dump $name; expected one of:
$dumps"
[ -e "$BACKUP_FOLDER/$name.sha256" ] || fail "$name.sha256 is missing; copy it beside the dump, or write it with sha256sum if you trust the file"
(cd "$BACKUP_FOLDER" && sha256sum --check --status "$name.sha256") || fail "$name has changed since it was written; use another dump"

# Command lines can be read by other processes, so the address with the password is in files.
uri="mongodb://root:$(< "$PASSWORD_FILE")@$MONGO_MEMBERS/?replicaSet=$REPLICA_SET&authSource=admin"
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
printf 'uri: %s\n' "$uri" > "$settings"

clients=$(MONGO_URI=$uri mongosh --nodb --norc --quiet --file "$(dirname "${BASH_SOURCE[0]}")/clients.js") \
  || fail "MongoDB cannot be asked for its clients, see above"
[ "$clients" = 0 ] || fail "Rocket.Chat has $clients connections, expected 0; run kubectl -n rocketchat scale deployment/rocketchat --replicas=0, and wait until its pod is gone"

echo "restoring $name"
mongorestore --config="$settings" --gzip --archive="$BACKUP_FOLDER/$name" --oplogReplay --drop --stopOnError \
  || fail "mongorestore failed, see above; the data is incomplete, so restore again before Rocket.Chat starts"
echo "restored $name; run the Job mongodb-replica-set again, and then start Rocket.Chat"
