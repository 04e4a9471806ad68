#!/usr/bin/env bash
# minijinja 3.1.0 beside Jinja2 3.1.6: text compared with a number has an answer.
#
# Expected: what Jinja2 does, an error: `{{ age >= 18 }}` with age = "17" cannot be decided.
# Seen: minijinja orders by kind first: every text is greater than every number, so the condition is true, also for "5".
#       `sort` puts all numbers before all texts in the same way.
# Why it matters: variables that come from a query string or a form are texts. The template takes the wrong branch, and nobody
#       is told.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check minijinja==3.1.0 Jinja2==3.1.6
"$folder/venv/bin/python" - <<'PYTHON'
import jinja2, minijinja

template = "{% if age >= 18 %}adult{% else %}minor{% endif %}"
seen = [minijinja.Environment().render_str(template, age=age) for age in ("5", "17", "abc")]
print("minijinja:", seen)
assert seen == ["adult", "adult", "adult"]
order = minijinja.Environment().render_str("{{ list|sort }}", list=[3, "1", 2])
print("sorted:", order)
assert order == "[2, 3, '1']"
for source in (template, "{{ list|sort }}"):
    try:
        jinja2.Environment().from_string(source).render(age="17", list=[3, "1", 2])
    except TypeError as error:
        print("Jinja2:", error)
    else:
        raise AssertionError("Jinja2 decided")
PYTHON
