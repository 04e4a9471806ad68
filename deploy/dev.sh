#!/usr/bin/env bash
# Serves, and starts again whenever a source changes. Needs nothing installed.
set -euo pipefail
stamp=$(mktemp)
server=
stop() { [ -z "$server" ] || { kill "$server" 2> /dev/null && wait "$server" 2> /dev/null; } || true; server=; }
trap 'stop; rm -f "$stamp"' EXIT
trap 'exit 0' INT TERM
while true; do
    touch "$stamp"
    if cargo build --package api; then
        stop
        "${CARGO_TARGET_DIR:-target}"/debug/prompt-store "$@" &
        server=$!
    fi
    until [ -n "$(find Cargo.toml api worker shared migrations -newer "$stamp" -type f -print -quit)" ]; do sleep 1; done
done
