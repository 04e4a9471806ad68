#!/usr/bin/env bash
# prompty 2.1.0 (PyPI): the template kind decides whether values are escaped as HTML.
#
# Expected: a prompt is plain text; `a < b` reaches the model as it is, whatever language the template is written in.
# Seen: `kind: jinja2` inserts the value, `kind: mustache` writes `a &lt; b &amp;`. Nothing in the file says so.
# Why it matters: code, comparisons and quotations reach the model as entities after a change of one word in the head.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check prompty==2.1.0 Jinja2==3.1.6 chevron==0.14.0
cd "$folder"
for kind in jinja2 mustache; do
    printf -- '---\nname: p\nmodel: {id: m, provider: openai}\ninputs: [{name: x, kind: string, default: d}]\ntemplate: {format: {kind: %s}, parser: {kind: prompty}}\n---\nsystem:\nIs {{x}}?\n' "$kind" > "$kind.prompty"
done
venv/bin/python - <<'PYTHON'
import prompty

seen = {}
for kind in ("jinja2", "mustache"):
    (message,) = prompty.prepare(prompty.load(f"{kind}.prompty"), {"x": 'a < b & "c"'})
    seen[kind] = message.parts[0].value.strip()
    print(f"{kind:9} {seen[kind]}")
assert seen["jinja2"] == 'Is a < b & "c"?'
assert seen["mustache"] == "Is a &lt; b &amp; &quot;c&quot;?"
PYTHON
