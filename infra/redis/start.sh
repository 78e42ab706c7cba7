#!/bin/sh
# Starts redis-server, as its arguments say, with two users: `goalstream`, of the functions, whose
# password is the secret redis_password, and `health`, which may ask how it is and nothing else.
set -eu
here=$(dirname "$0")
password=$(sed 's/^[[:space:]]*//; s/[[:space:]]*$//' /run/secrets/redis_password)
[ "$password" ] || { echo 'the secret redis_password is empty' >&2; exit 1; }
# Its hash: the password itself is in no other file, and among no process' arguments.
hash=$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)
umask 077
cat >/tmp/users.acl <<USERS
user default reset
user health on nopass -@all +ping +info
user goalstream on #$hash $(cat "$here/rights.acl")
USERS
exec redis-server --aclfile /tmp/users.acl "$@"
