#!/usr/bin/env bash
# Installs what the tests need, where it is missing. Says what to do where it cannot.
set -euo pipefail

missing=()
command -v redis-server > /dev/null || missing+=(redis-server)
command -v setpriv > /dev/null || missing+=(util-linux)
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
# The tests start servers of their own; the package must not start one.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" > /dev/null
