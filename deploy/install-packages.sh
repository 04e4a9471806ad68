#!/usr/bin/env bash
# Installs Debian's packages of these names, or says what to do. Whatever they bring must not start by itself.
set -euo pipefail

if ! command -v apt-get > /dev/null; then
    echo "This needs: $* (names of Debian's packages)." >&2
    echo "This machine has no apt-get. Install them with its own package manager, then run it again." >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
        echo "This needs: $*. Become root and run: apt-get install $*" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing: $*"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "$@" > /dev/null
