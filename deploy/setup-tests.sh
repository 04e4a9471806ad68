#!/usr/bin/env bash
# Installs what the tests need, where it is missing. Says what to do where it cannot.
set -euo pipefail

# Debian keeps PostgreSQL's server beside the PATH, a folder for each version.
has_postgres() {
    command -v initdb > /dev/null && return
    compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null
}

# Nor those for operators.
has() { command -v "$1" > /dev/null || [ -x "/usr/sbin/$1" ]; }

missing=()
command -v redis-server > /dev/null || missing+=(redis-server)
has_postgres || missing+=(postgresql)
command -v setpriv > /dev/null || missing+=(util-linux)
has ip || missing+=(iproute2)
has pgbouncer || missing+=(pgbouncer)
has nginx || missing+=(nginx-light)
has haproxy || missing+=(haproxy)
{ has prometheus && has promtool; } || missing+=(prometheus)
command -v openssl > /dev/null || missing+=(openssl)
command -v curl > /dev/null || missing+=(curl)
python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
command -v cc > /dev/null || missing+=(gcc libc6-dev)
[ ${#missing[@]} -eq 0 ] && exit 0

# The tests start servers of their own; the package must not make a cluster for one.
clusters=/etc/postgresql-common/createcluster.conf
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$clusters" ]; then
    "${as_root[@]}" mkdir -p "${clusters%/*}"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$clusters" > /dev/null
fi
exec "$(dirname "$0")/install-packages.sh" "${missing[@]}"
