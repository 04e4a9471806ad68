#!/usr/bin/env bash
# chevron 0.14.0 (Mustache for Python): a dotted name that the inner object does not have is taken from outside.
#
# Expected: within `{{#user}}`, `{{address.city}}` looks `address` up once, in the nearest object that has it, and the rest of
#       the name in there. Where that `address` has no `city`, nothing is printed. The Mustache specification tests
#       this ("Dotted Names - Context Precedence").
# Seen: the whole dotted name is looked up again in the outer objects, so another object's city is printed.
# Why it matters: one customer's prompt is filled with a value from somewhere else, without an error.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chevron==0.14.0 pystache==0.6.8
"$folder/venv/bin/python" - <<'PYTHON'
import chevron, pystache

template = "{{#user}}City: {{address.city}}{{/user}}"
values = {"user": {"address": {"street": "x"}}, "address": {"city": "Headquarters"}}
seen, other = chevron.render(template, values), pystache.render(template, values)
print(f"chevron {seen!r}, pystache {other!r}")
assert seen == "City: Headquarters"
assert other == "City: "
PYTHON
