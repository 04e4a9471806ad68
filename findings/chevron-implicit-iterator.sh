#!/usr/bin/env bash
# chevron 0.14.0 (Mustache for Python): a list of numbers or truth values loses items.
#
# Expected: `{{#list}}{{.}},{{/list}}` prints every item, as the Mustache specification says of the implicit iterator.
# Seen: an item 0 and an item that is an empty object are skipped without an error, as if they were not in the list. An item
#       that is `true` prints the whole input in place of the item, as Python prints it.
# Why it matters: scores, counts and flags in a prompt's list of examples vanish, or every variable of the prompt is
#       shown to the model. Prompts brought from such an application must be filled by the specification instead.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chevron==0.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import chevron

zero = chevron.render("{{#list}}{{.}},{{/list}}", {"list": [1, 0, 2]})
empty = chevron.render("{{#list}}({{n}}){{/list}}", {"list": [{"n": 1}, {}], "n": 9})
truth = chevron.render("{{#list}}{{.}}{{/list}}", {"list": [True]})
for name, seen in (("1, 0, 2", zero), ("{n: 1}, {} with n = 9 outside", empty), ("true", truth)):
    print(f"{name:32} {seen!r}")
assert zero == "1,2,", "expected by the specification: 1,0,2,"
assert empty == "(1)", "expected by the specification: (1)(9)"
assert truth == "{'list': [True]}", "expected: true or True"
PYTHON
