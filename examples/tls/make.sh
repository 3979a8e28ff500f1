#!/bin/sh
# How the certificates beside this file were made, with OpenSSL 3: an authority, a server and a client, for a hundred years.
# They are for the guide and for trying things out. Everybody has their keys: never use them for anything else.
set -e
cd "$(dirname "$0")"
days=36500

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# issue NAME EXTENSION
issue() {
  new_key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$1" -addext "$2" |
    openssl x509 -req -CA authority.pem -CAkey authority.key -copy_extensions copy -days $days -out "$1.pem"
}

new_key authority
openssl req -x509 -new -key authority.key -subj "/CN=authority" -days $days -out authority.pem
issue server "subjectAltName=DNS:localhost,IP:127.0.0.1"
issue client "extendedKeyUsage=clientAuth"
# Nobody is to sign more with it.
rm authority.key
