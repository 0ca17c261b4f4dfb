#!/bin/sh
# Makes the secrets of compose.yaml, once; what is there stays.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
[ -f secrets/http_token ] || random > secrets/http_token
if [ ! -f secrets/valkey_password ]; then
  random | tr -d '\n' > secrets/valkey_password
  # Valkey knows the hash only.
  printf 'user default on #%s ~* &* +@all\n' "$(sha256sum secrets/valkey_password | cut -d ' ' -f 1)" > secrets/valkey_users
fi
# Containers read them as users of their own: the folder keeps others of this host out.
chmod 0444 secrets/*
