#!/bin/sh
# Starts redis-server, as its arguments say, with two users: `goalstream`, of the functions, whose
# password is the secret redis_password, and `health`, which may ask how it is and nothing else.
set -eu
here=$(dirname "$0")
# The hash: the password itself is in no file of the container but its secret.
hash=$(tr -d '\r\n' </run/secrets/redis_password | sha256sum | cut -d ' ' -f 1)
umask 077
cat >/data/users.acl <<USERS
user default reset
user health on nopass -@all +ping
user goalstream on #$hash $(cat "$here/rights.acl")
USERS
exec redis-server --aclfile /data/users.acl "$@"
