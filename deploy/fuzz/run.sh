#!/usr/bin/env bash
# Asks a store of its own whatever its contract allows, and what it does not: `run.sh BINARY CASES`, so many for each route
# and phase. Fails if an answer is an error of ours, or one that the contract does not know. Streams that never end are left
# out, lines of JSON too, which it cannot make, and no worker runs, so that nothing is sent to anybody.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "${1:?which binary}") cases=${2:?how many cases for each route}
version=4.32.5 venv=target/fuzz/venv

# Without the network it cannot be had: whoever can do without it knows by this exit code.
unavailable=69
if ! "$venv/bin/schemathesis" --version 2> /dev/null | grep --quiet --fixed-strings "$version"; then
    rm -rf "$venv"
    if ! python3 -m venv "$venv" || ! "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"; then
        echo "schemathesis $version cannot be installed into $venv: look at the lines above" >&2
        exit "$unavailable"
    fi
fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
folder=$(mktemp -d) port=$(free_port) redis_port=$(free_port) pids=()
trap 'kill "${pids[@]}" 2> /dev/null || true; wait; rm -rf "$folder"' EXIT

redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$folder" > /dev/null &
pids+=($!)
export PROMPT_STORE_DB=$folder/store.db PROMPT_STORE_PORT=$port PROMPT_STORE_LOG=error
"$binary" seed > /dev/null
REDIS_URL=redis://127.0.0.1:$redis_port "$binary" > "$folder/log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
    "$binary" health > /dev/null 2>&1 && break
    sleep 0.1
done

"$venv/bin/python" deploy/fuzz/known.py "http://127.0.0.1:$port" > "$folder/schemathesis.toml"

# One worker: two that read a syntax tree at once confuse Python 3.11 (gh-106905), which then ends the run with an error of its own.
status=0
"$venv/bin/schemathesis" --config-file "$folder/schemathesis.toml" run "http://127.0.0.1:$port/api/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-operation-id followEvents --exclude-operation-id followBulkOperation --exclude-operation-id importPrompts \
    --max-examples "$cases" --workers 1 --request-timeout 20 --suppress-health-check all --no-color || status=$?
if grep --fixed-strings ' ERROR ' "$folder/log"; then
    echo 'the store complained of errors of its own' >&2
    status=1
fi
exit "$status"
