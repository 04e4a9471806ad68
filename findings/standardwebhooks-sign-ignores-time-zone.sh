#!/usr/bin/env bash
# standardwebhooks 1.1.0 (PyPI): the same moment, signed in two time zones, has two signatures.
#
# Expected: `sign(id, timestamp, body)` takes an aware datetime as the moment it is.
# Seen: the zone is thrown away and the wall clock is taken for UTC. 12:00+05:00 is signed as 12:00 UTC, five hours late, so a
#       receiver that gets the right `webhook-timestamp` refuses the message.
# Why it matters: who tests a receiver with the official package and local times sees it refuse correct deliveries.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$folder/venv/bin/python" - <<'PYTHON'
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from standardwebhooks import Webhook

webhook = Webhook("whsec_" + b64encode(bytes(range(24))).decode())
there = datetime(2026, 11, 30, 12, tzinfo=timezone(timedelta(hours=5)))
here = there.astimezone(timezone.utc)
assert there == here
signed_there, signed_here = (webhook.sign("msg_1", moment, "{}") for moment in (there, here))
as_if_utc = webhook.sign("msg_1", there.replace(tzinfo=timezone.utc), "{}")
print(there.isoformat(), signed_there)
print(here.isoformat(), signed_here)
assert signed_there != signed_here, "the zone counts now"
assert signed_there == as_if_utc
PYTHON
