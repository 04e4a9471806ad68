"""Makes a few of everything in a store, and writes a schemathesis.toml in which they stand: `known.py URL > FILE`.

With ids that are there, most cases go past the first look-up; the rest keeps asking for what is not.
"""

import json
import sys
import urllib.error
import urllib.request

STORE = sys.argv[1] + "/api/v1"
# So many of a hundred cases ask for something that is there.
KNOWN = 0.8
PROMPTS = 40


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(STORE + path, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def prompt(number):
    schema = {"name": {"type": "string", "required": True}}
    return {"category": "fuzz", "name": f"p{number}", "content": f"Hello {{{{name}}}}, {number}", "input_schema": schema}


def made():
    """The ids of what a room keeps, by the paths of the contract that ask for them."""
    prompts = [ask("POST", "/prompts", prompt(number))["id"] for number in range(PROMPTS)]
    for number, id in enumerate(prompts):
        ask("PUT", f"/prompts/{id}", {"content": f"Hello again, {number}"})
    pairs = list(zip(prompts[0::2], prompts[1::2]))
    relations = [{"target_prompt_id": to, "relationship_type": "references"} for _, to in pairs]
    yield "prompts", prompts
    yield "analytics/prompts", prompts
    yield "documents", prompts
    yield "relationships", [ask("POST", f"/prompts/{a}/relationships", to)["id"] for (a, _), to in zip(pairs, relations)]
    hooks = [{"name": f"h{number}", "url": "https://example.com/hook", "events": ["*"]} for number in range(20)]
    yield "webhooks", [ask("POST", "/webhooks", hook)["id"] for hook in hooks]
    tests = [ab_test(number, pair) for number, pair in enumerate(pairs)]
    yield "ab-tests", tests
    yield "keys", [ask("POST", "/keys", {"name": f"k{number}", "scopes": ["prompts:read"]})["id"] for number in range(20)]
    orders = [[{"category": "fuzz", "name": f"b{number}", "content": "b"}] for number in range(20)]
    yield "bulk/operations", [ask("POST", "/bulk/prompts", order)["id"] for order in orders]
    yield "jobs", [job["id"] for job in ask("GET", "/jobs?limit=100")["items"]]


def ab_test(number, pair):
    variants = [{"name": name, "prompt_id": id, "weight": 0.5} for name, id in zip("ab", pair)]
    return ask("POST", "/ab-tests", {"name": f"t{number}", "variants": variants})["id"]


def listed(values):
    return "[" + ", ".join(json.dumps(value) for value in values) + "]"


def main():
    for path, ids in made():
        name = path.replace("/", "-")
        print(f"[dictionaries.{name}]\nvalues = {listed(ids)}\n")
        print(f'[[operations]]\ninclude-path-regex = "^/api/v1/{path}/\\\\{{id"')
        print(f'parameters = {{ "path.id" = {{ dictionary = "{name}", probability = {KNOWN} }} }}\n')


main()
