#!/usr/bin/env bash
# langfuse 5.0.4 (PyPI): a prompt with a variable called `self` cannot be filled.
#
# Expected: any variable name of a stored prompt can be given to `compile(**variables)`.
# Seen: `self` collides with the method's own parameter: TypeError, before anything is filled. There is no other way to
#       give variables.
# Why it matters: prompts for role play and for reflection use the name, and JavaScript's client fills it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langfuse==5.0.4
"$folder/venv/bin/python" - <<'PYTHON'
from langfuse.model import Prompt_Text, TextPromptClient

prompt = Prompt_Text(name="p", version=1, prompt="You are {{self}}.", config={}, labels=[], tags=[], type="text")
try:
    TextPromptClient(prompt).compile(**{"self": "a pirate"})
except TypeError as error:
    print("TypeError:", error)
else:
    raise AssertionError("it was filled")
PYTHON
