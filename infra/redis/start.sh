#!/bin/sh
# Start redis-server with the given arguments and two users: `goalstream`, for the functions, whose
# password is the secret redis_password; and `health`, for the health check, with PING and INFO.
set -eu
here=$(dirname "$0")
[ -r /run/secrets/redis_password ] || {
  echo "user $(id -u) may not read the secret redis_password: chown its file, or chmod a+r" >&2
  exit 1
}
password=$(sed 's/^[[:space:]]*//; s/[[:space:]]*$//' /run/secrets/redis_password)
[ "$password" ] || { echo 'the secret redis_password is empty' >&2; exit 1; }
# Only the hash of the password is written to a file; it is in no process's arguments.
hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
umask 077
cat >/tmp/users.acl <<USERS
user default reset
user health on nopass -@all +ping +info
user goalstream on #$hash $(cat "$here/goalstream.acl")
USERS
exec redis-server --aclfile /tmp/users.acl "$@"
