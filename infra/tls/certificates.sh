#!/bin/sh
# Makes a CA, and for each service a key and a certificate for its name. Existing ones are kept; the
# key of the CA is not stored.
set -eu
[ ! -e /tls/authority/ca.pem ] || exit 0
cd /tmp
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

openssl req -x509 $key -keyout ca.key -out ca.pem -days 3650 -subj /CN=goalstream \
  -addext keyUsage=critical,keyCertSign

cat >extensions <<'END'
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
authorityKeyIdentifier = keyid
subjectAltName = DNS:${ENV::SERVICE}
END
for SERVICE in kafka postgres redis; do
  export SERVICE
  openssl req $key -keyout key -out request -subj "/CN=$SERVICE"
  openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
    -extfile extensions -out certificate
  cat key certificate ca.pem >"/tls/$SERVICE/all.pem"
  cat key >"/tls/$SERVICE/key.pem"
  cat certificate >"/tls/$SERVICE/certificate.pem"
done
chmod 640 /tls/postgres/*.pem # Postgres refuses a key that everybody may read
cat ca.pem >/tls/authority/ca.pem
