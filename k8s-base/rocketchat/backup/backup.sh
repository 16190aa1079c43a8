#!/usr/bin/env bash
# Dumps MongoDB with the changes that happen meanwhile, verifies the file, and removes old ones. An incomplete dump never gets the
# name of a complete one, and nothing is removed unless the new one is good.
# Settings: MONGO_MEMBERS, REPLICA_SET, PASSWORD_FILE, BACKUP_FOLDER, BACKUP_KEEP
set -euo pipefail
umask 077
# Dumps are no text.
export LC_ALL=C

fail() {
  echo "backup: $1" >&2
  exit 1
}

for setting in MONGO_MEMBERS REPLICA_SET PASSWORD_FILE BACKUP_FOLDER BACKUP_KEEP; do
  [ -n "${!setting:-}" ] || fail "$setting is not set; the CronJob sets it"
done
[[ $BACKUP_KEEP =~ ^[1-9][0-9]*$ ]] || fail "BACKUP_KEEP is \"$BACKUP_KEEP\", expected a number above 0"
[ -r "$PASSWORD_FILE" ] || fail "$PASSWORD_FILE cannot be read; the Secret mongodb needs the key backup-password"
[ -w "$BACKUP_FOLDER" ] || fail "$BACKUP_FOLDER is not writable by user $(id -u); is fsGroup that of the image?"

# What an earlier run left behind.
rm -f "$BACKUP_FOLDER"/*.partial

name=rocketchat-$(date -u +%Y%m%dT%H%M%SZ).archive.gz
partial=$BACKUP_FOLDER/$name.partial
# Command lines can be read by other processes, so the address with the password is in a file.
settings=$(mktemp)
trap 'rm -f "$settings" "$partial"' EXIT
printf 'uri: mongodb://backup:%s@%s/?replicaSet=%s&authSource=admin&readPreference=secondaryPreferred\n' \
  "$(< "$PASSWORD_FILE")" "$MONGO_MEMBERS" "$REPLICA_SET" > "$settings"

mongodump --config="$settings" --oplog --gzip --archive="$partial" \
  || fail "mongodump failed, see above; the $(find "$BACKUP_FOLDER" -name '*.archive.gz' | wc -l) earlier dumps are untouched"

# gzip has a checksum at its end, so a truncated file is found. MongoDB's archives begin with a magic number.
gzip --test "$partial" || fail "the dump is truncated or damaged; is $BACKUP_FOLDER full? $(df -h "$BACKUP_FOLDER" | tail -n 1)"
# `head` closes the pipe early, which is no error of gzip.
magic=$({ gzip --decompress --stdout "$partial" 2>/dev/null || true; } | head -c 4 | od -An -tx1 | tr -d ' \n')
[ "$magic" = 6de29981 ] || fail "the dump begins with \"$magic\", expected 6de29981 of an archive of mongodump"
# The list of collections is at the beginning. A dump of an empty or of another server has none of Rocket.Chat's.
collections=$({ gzip --decompress --stdout "$partial" 2>/dev/null || true; } | head -c 1000000 | tr -d '\0')
[[ $collections == *rocketchat_settings* ]] \
  || fail "the dump has no collection rocketchat_settings; is it the right server, and has Rocket.Chat started once?"

(cd "$BACKUP_FOLDER" && sha256sum "$name.partial" | sed 's/\.partial$//' > "$name.sha256")
sync "$partial"
mv "$partial" "$BACKUP_FOLDER/$name"

# The names are times, so their order is that of the dumps.
find "$BACKUP_FOLDER" -maxdepth 1 -name 'rocketchat-*.archive.gz' | sort --reverse | tail -n "+$((BACKUP_KEEP + 1))" |
  while read -r old; do
    rm -f "$old" "$old.sha256"
    echo "removed $(basename "$old")"
  done
echo "wrote $name, $(wc -c < "$BACKUP_FOLDER/$name") bytes, verified; $(find "$BACKUP_FOLDER" -maxdepth 1 -name 'rocketchat-*.archive.gz' | wc -l) dumps are kept"
