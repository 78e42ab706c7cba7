#!/usr/bin/env bash
# Runs Apache Kafka, and sets the password of the user `goalstream` from its secret, over a listener
# that only this container can reach.
set -u
ready=/tmp/has-users
user=/tmp/user.properties
rm -f "$ready"
[ -r /run/secrets/kafka_password ] || {
  echo "user $(id -u) may not read the secret kafka_password: chown its file, or chmod a+r" >&2
  exit 1
}
/etc/kafka/docker/run &
kafka=$!
trap 'kill $kafka; wait $kafka; exit 0' TERM

alive() { kill -0 $kafka 2>/dev/null || exit 1; }
until (exec 3<>/dev/tcp/127.0.0.1/9094) 2>/dev/null; do alive; sleep 0.2; done

printf 'SCRAM-SHA-512=password=%s\n' "$(cat /run/secrets/kafka_password)" >"$user"
until KAFKA_HEAP_OPTS=-Xmx128m /opt/kafka/bin/kafka-configs.sh --bootstrap-server localhost:9094 \
  --alter --entity-type users --entity-name goalstream --add-config-file "$user"; do
  alive
done
rm -f "$user"
touch "$ready"
wait $kafka
