#!/usr/bin/env bash
# Installs what the tests need, where it is missing. Says what to do where it cannot.
set -euo pipefail

# Debian keeps PostgreSQL's server beside the PATH, a folder for each version.
has_postgres() {
    command -v initdb > /dev/null && return
    compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null
}

missing=()
command -v redis-server > /dev/null || missing+=(redis-server)
has_postgres || missing+=(postgresql)
command -v setpriv > /dev/null || missing+=(util-linux)
command -v ip > /dev/null || [ -x /usr/sbin/ip ] || missing+=(iproute2)
command -v openssl > /dev/null || missing+=(openssl)
command -v curl > /dev/null || missing+=(curl)
command -v cc > /dev/null || missing+=(gcc libc6-dev)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get > /dev/null; then
    echo "The tests need: ${missing[*]} (names of Debian's packages)." >&2
    echo "This machine has no apt-get. Install them with its own package manager, then run 'make test' again." >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "The tests need: ${missing[*]}. Become root and run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing for the tests: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
# The tests start servers of their own; the packages must neither start one nor make a cluster for one.
clusters=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$clusters" ]; then
    "${as_root[@]}" mkdir -p "${clusters%/*}"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$clusters" > /dev/null
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
