#!/usr/bin/env bash
# promptlayer 1.5.16 (PyPI): one literal brace leaves the whole message unfilled, without an error.
#
# Expected: an f-string prompt with a JSON example in single braces raises, as Python's `str.format` does, or is filled.
# Seen: the local fill (the one that is used with a cache) returns the message as it was stored: `{name}` stands in what is
#       sent to the model. No exception, no log line.
# Why it matters: turning the cache on changes what a model is sent. A registry must refuse such a template when it is saved.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check promptlayer==1.5.16
"$folder/venv/bin/python" - <<'PYTHON'
from promptlayer.template_cache import render_response

def fill(text):
    message = {"role": "user", "content": [{"type": "text", "text": text}], "template_format": "f-string", "input_variables": ["name"]}
    stored = {"id": 1, "prompt_name": "p", "version": 1, "llm_kwargs": None, "metadata": None,
              "prompt_template": {"type": "chat", "messages": [message], "input_variables": ["name"]}}
    return render_response(stored, {"name": "Ann"})["prompt_template"]["messages"][0]["content"][0]["text"]

plain, braces = fill("Greet {name}."), fill('Greet {name}. Answer {"text": ""}.')
print(plain, "|", braces)
assert plain == "Greet Ann."
assert braces == 'Greet {name}. Answer {"text": ""}.'
PYTHON
