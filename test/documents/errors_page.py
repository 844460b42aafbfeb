"""docs/reference/errors.md: its statements, its parsers with hostile keys, and its services.

The parsers are compared with event_violations, on random documents whose keys and
values would forge lines, steer terminals or hide, were they not escaped.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from session import literal
from tools import Unavailable, npm_packages, python_packages

HERE = Path(__file__).resolve().parent
DOCUMENTS = 3000
SHOWN = 10

PIECES = ["\n", "\r\n", "\x1b[31m", "\u2028", "\u2029", "\x85", "\x9b", "\x7f", "\t", "\u202e", "\u2066", "\u200f", "\u200b", "\ufeff",
          "\U000e0041", ": ", ":", '"', "\\", "\\u2028", "\\n", "/", "~", "~0", "~...", "(document)", "(document): ", "/price: x", "and 3 more",
          "\nand 3 more", "a", "B", " ", "é", "ß", "漢", "😀", "\u200d", "0", "must be", "'", "%s"]

SCHEMA = {
    "type": ["object", "array", "number"],
    "additionalProperties": {"$ref": "#"},
    "items": {"$ref": "#"},
    "propertyNames": {"maxLength": 8},
    "pattern": "^x\n\u2028\x1b: $",
    "maximum": 5,
}

# what an error says, and the rows that it should say
SAID = """
CREATE FUNCTION said(document jsonb, OUT message text, OUT detail text, OUT rows json) LANGUAGE plpgsql AS $$
BEGIN
  rows := (SELECT coalesce(json_agg(json_build_array(v.instance_location, v.message)), '[]')
    FROM event_violations(document, 'hostile: "x"', 1) AS v);
  PERFORM check_event(document, 'hostile: "x"', 1);
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;
"""


def key(r):
    text = ""
    while True:
        piece = r.choice(PIECES)
        if len(text) + len(piece) > 24 or r.random() < 0.25:
            return text
        text += piece


def document(r, depth=0):
    what = r.random()
    if what < 0.3 or depth == 3:
        return r.choice([1, 7, True, None, key(r), key(r)])
    if what < 0.45:
        return [document(r, depth + 1) for _ in range(r.randrange(1, 4))]
    return {key(r): document(r, depth + 1) for _ in range(r.randrange(1, 5))}


def expected_of(rows):
    """What the parsers should find: each line once, the first ten, and how many more."""
    lines = list(dict.fromkeys(map(tuple, rows)))
    return [list(line) for line in lines[:SHOWN]], max(0, len(lines) - SHOWN)


def javascript_answers(block, samples):
    program = block + """
const samples = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(samples.map(([message, detail]) => violationsOf(message, detail))));
"""
    done = subprocess.run(["node", "--input-type=commonjs", "-e", program], input=json.dumps(samples), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-1500:])
    return [[answer["violations"], answer["more"]] for answer in json.loads(done.stdout)]


def parsers(check, database, page):
    r = random.Random(15)
    database.run(SAID)
    database.run(f"SELECT register_event_schema('hostile: \"x\"', 1, {literal(json.dumps(SCHEMA))})")
    documents = [document(r) for _ in range(DOCUMENTS)]
    script = "CREATE TEMP TABLE documents (n int GENERATED ALWAYS AS IDENTITY, document jsonb);\n"
    script += "".join(f"INSERT INTO documents (document) VALUES ({literal(json.dumps(d))});\n" for d in documents)
    script += "SELECT to_json(s) FROM documents, said(document) AS s ORDER BY n;"
    answers = [json.loads(line) for line in database.run(script)]
    refused = [answer for answer in answers if answer["message"] is not None]
    check(len(answers) == DOCUMENTS and len(refused) > DOCUMENTS / 2, "most documents are refused", (len(answers), len(refused)))
    check(all((answer["message"] is None) == (answer["rows"] == []) for answer in answers), "and only those with violations")

    names = {}
    exec(compile(page.block("def violations_of", "python"), "errors.md", "exec"), names)  # noqa: S102
    wrong = []
    for answer in refused:
        violations, more = names["violations_of"](answer["message"], answer["detail"])
        if ([list(v) for v in violations], more) != expected_of(answer["rows"]):
            wrong.append((answer, violations))
    check(wrong == [], "Python: the parser finds what event_violations says", wrong[:1])
    kinds = {len(expected_of(answer["rows"])[0]) for answer in refused}
    check({1, 2, SHOWN} <= kinds and any(expected_of(answer["rows"])[1] > 0 for answer in refused), "errors of all sizes were read", kinds)

    block = page.block("function violationsOf", "javascript")
    try:
        got = javascript_answers(block, [[answer["message"], answer["detail"]] for answer in refused])
    except (FileNotFoundError, PermissionError):  # the latter if PATH has folders of other users
        print("node is not installed: the parser in JavaScript was not run")
    else:
        wrong = [(answer, violations) for answer, violations in zip(refused, got) if violations != list(expected_of(answer["rows"]))]
        check(wrong == [], "JavaScript: the parser finds what event_violations says", wrong[:1])

    # nothing of the keys is in the texts as it is
    hostile = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
    texts = [text for answer in refused for text in (answer["message"], answer["detail"], *(row[1] for row in answer["rows"])) if text]
    check(not any(hostile.search(text) for text in texts) and not any("\n" in answer["message"] for answer in refused),
          "no message has a character that is to be escaped", [text for text in texts if hostile.search(text)][:1])


# ---------- the services ----------


def fastapi(check, database, page, body, answer):
    block = page.block("app = FastAPI()", "python")
    try:
        python = python_packages(HERE / "errors-requirements.txt")
    except Unavailable as error:
        compile(block, "errors.md", "exec")
        print(f"FastAPI is not available ({error}): its example was compiled, not run")
        return
    client = f"""
import sys
from fastapi.testclient import TestClient
client = TestClient(app)
first = client.post("/orders/1", json={body!r})
second = client.post("/orders/2", json={{"order_id": "6c84fb90-12c4-11e1-840d-7b25c5ee775a", "qty": 1}})
third = client.post("/orders/3", json={{"qty": 1, "a/b~": [1], "order_id": ["x"]}})
print(json.dumps([[r.status_code, r.json()] for r in (first, second, third)]))
"""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "service.py").write_text(block + client, encoding="utf-8")
        done = subprocess.run([str(python), "service.py"], cwd=folder, capture_output=True, text=True, check=False,
                              env={**os.environ, "PGDATABASE": database.name, "PYTHONDONTWRITEBYTECODE": "1"})
    if check(done.returncode == 0, "FastAPI: the example runs", done.stderr[-1500:]):
        first, second, third = json.loads(done.stdout)
        check(first == [422, answer], "FastAPI: it answers as on the page", first)
        check(second == [200, {"order": 2}], "FastAPI: it takes a valid event", second)
        check([error["loc"] for error in third[1]["detail"]] == [["body", "a/b~"], ["body", "order_id"]], "FastAPI: loc is made of keys", third)


def express(check, database, page, body, answer):
    block = page.block("app.use(express.json())", "javascript")
    program = block + f"""
const server = app.listen(0, async () => {{
  const post = async (order, body) => {{
    const response = await fetch(`http://localhost:${{server.address().port}}/orders/${{order}}`,
      {{ method: "POST", headers: {{ "Content-Type": "application/json" }}, body: JSON.stringify(body) }});
    return [response.status, await response.json()];
  }};
  console.log(JSON.stringify([await post(11, {json.dumps(body)}), await post(12, {{ order_id: "6c84fb90-12c4-11e1-840d-7b25c5ee775a", qty: 1 }})]));
  server.close();
  await pool.end();
}});
"""
    try:
        packages = npm_packages("express@5.3.0", "pg@8.23.1")
    except Unavailable as error:
        print(f"Express is not available ({error}): its example was not run")
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "node_modules").symlink_to(Path(packages) / "node_modules")
        (Path(folder) / "service.mjs").write_text(program, encoding="utf-8")
        done = subprocess.run(["node", "service.mjs"], cwd=folder, capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "PGDATABASE": database.name})
    if check(done.returncode == 0, "Express: the example runs", done.stderr[-1500:]):
        first, second = json.loads(done.stdout)
        check(first == [422, answer], "Express: it answers as on the page", first)
        check(second == [200, {"order": 12}], "Express: it takes a valid event", second)


# ---------- the page ----------


def said_by_psql(database, text):
    done = subprocess.run(["psql", "-X", "-q", "-d", database.name, "-P", "footer=off", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    lines = (re.sub(r"^psql:[^ ]* ", "", done.stderr, flags=re.MULTILINE) + done.stdout).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def errors_page(check, page, database):
    database.run(page.block("CREATE TABLE orders"))
    for statement, answer in (("INSERT INTO orders (id, data) VALUES (7", "CONTEXT:  row of table"), ("SET event_validate.error_format", "CONTEXT:  row of table \"orders\" with key (id)=(8)"),
                              ("SELECT instance_location, keyword, property", "/note             | additional"),
                              ("FROM jsonb_schema_violations", "/price            |")):
        said = said_by_psql(database, page.block(statement))
        check(said == page.block(answer, "").strip(), f"{statement}: psql prints what the page shows", said)
    page.block("detail     = violation", "abnf")
    # the suite drivers runs these
    for part, language in (("def problem_of", "python"), ("import psycopg\n\n\n", "python"), ("import asyncpg", "python"),
                           ("async function placeOrder", "javascript"), ("func placeOrder", "go"), ("class Orders", "java")):
        page.block(part, language)
    parsers(check, database, page)
    body = json.loads(re.search(r'For a body `(\{.*\})` it answers 422', page.text)[1])
    fastapi(check, database, page, body, json.loads(page.block('"loc"', "json")))
    express(check, database, page, body, json.loads(page.block('"pointer"', "json")))
    check(page.rest("sql", "python", "javascript", "go", "java", "json", "") == [], "every block of errors.md was used",
          page.rest("sql", "python", "javascript", "go", "java", "json", ""))


if __name__ == "__main__":
    sys.exit("test/documents/run runs it")
