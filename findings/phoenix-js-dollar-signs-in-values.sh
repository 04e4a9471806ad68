#!/usr/bin/env bash
# @arizeai/phoenix-client 6.14.2 (npm): dollar signs in a value change the filled prompt.
#
# Expected: a value is inserted as it is: `US$$5` stays `US$$5`, as in Phoenix's Python client.
# Seen: values go through JavaScript's replacement patterns. `$$` becomes one dollar sign, and `$&` becomes the placeholder
#       itself, so the braces are back in the filled text.
# Why it matters: prices, shell and regular expressions are everyday values of prompts, and nothing says that they were changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check arize-phoenix-client==3.5.0
(cd "$folder" && npm init --yes > /dev/null && npm install --silent --no-fund --no-audit @arizeai/phoenix-client@6.14.2)
cat > "$folder/fill.mjs" <<'JAVASCRIPT'
import { formatPromptMessages } from "./node_modules/@arizeai/phoenix-client/dist/esm/utils/formatPromptMessages.js";

const fill = (content, variables) => formatPromptMessages("MUSTACHE", [{ role: "user", content }], variables)[0].content;
console.log(fill("Price: {{price}}", { price: "US$$5" }));
console.log(fill("Explain {{code}}.", { code: "s/x/[$&]/" }));
JAVASCRIPT
javascript=$(cd "$folder" && node fill.mjs)
python=$("$folder/venv/bin/python" -c '
from phoenix.client.utils.template_formatters import MustacheBaseTemplateFormatter as Mustache
print(Mustache().format("Price: {{price}}", variables={"price": "US$$5"}))
print(Mustache().format("Explain {{code}}.", variables={"code": "s/x/[$&]/"}))')
printf 'JavaScript:\n%s\nPython:\n%s\n' "$javascript" "$python"
[ "$javascript" = $'Price: US$5\nExplain s/x/[{{code}}]/.' ]
[ "$python" = $'Price: US$$5\nExplain s/x/[$&]/.' ]
