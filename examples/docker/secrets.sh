#!/bin/sh
# Makes the secrets of compose.yaml. Existing ones are kept.
set -eu
cd "$(dirname "$0")"
# Others cannot read the folder. The files in it are readable, because each container reads its file as a different user.
mkdir -p secrets
chmod 0700 secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"; }
keep db-password "$(random)"
keep sql-url "postgres://msrp:$(cat secrets/db-password)@db/msrp"
keep admin-token "$(random)"
keep grafana-password "$(random)"
echo "In $(pwd)/secrets; Grafana's user admin has the password in grafana-password."
