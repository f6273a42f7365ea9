#!/bin/sh
# Makes the secrets of compose.yaml, each once: what is there stays.
set -eu
cd "$(dirname "$0")"
# The folder is closed to others. The files are not: each container reads its own as a user of its own.
mkdir -p secrets
chmod 0700 secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"; }
keep db-password "$(random)"
keep sql-url "postgres://msrp:$(cat secrets/db-password)@db/msrp"
keep admin-token "$(random)"
keep grafana-password "$(random)"
echo "In $(pwd)/secrets; Grafana's user admin has the password in grafana-password."
