#!/usr/bin/env bash
# Who may depend on whom: tests -> api -> worker -> shared, and shared knows no HTTP server.
set -euo pipefail

depends() { cargo tree --locked --edges normal --package "$1" --prefix none --format '{p}' | cut -d' ' -f1; }
refuse() {
    if depends "$1" | grep -qxE "$2"; then
        echo "$1 must not depend on: $(depends "$1" | grep -xE "$2" | sort -u | tr '\n' ' ')" >&2
        exit 1
    fi
}
refuse shared 'axum|axum-core|worker|api|tests'
refuse worker 'api|tests'
refuse api 'tests'
refuse api 'openssl-sys|aws-lc-sys|rusqlite'
echo "dependencies: as drawn in ARCHITECTURE.md"
