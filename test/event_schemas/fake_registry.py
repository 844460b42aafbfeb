"""A schema registry in memory, with the parts of Confluent's REST interface, and of
Apicurio's of version 2 and 3, that event-schemas uses, as their documentation describes
them.  It checks what it gets as strictly as these do."""

import base64
import contextlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Answer(Exception):
    def __init__(self, status, body):
        self.status, self.body = status, body


def confluent_error(status, code, message):
    return Answer(status, {"error_code": code, "message": message})


class Store:
    """Subjects (or artifacts) with versions: {version: entry}."""

    def __init__(self, api, user=None):
        self.api, self.user = api, user
        self.subjects, self.policies, self.requests, self.identifiers = {}, {}, [], {}
        self.replies = {}  # path → (status, text): a registry that is out of order

    def add(self, subject, version, schema, references=(), kind="JSON"):
        """An entry with its identifier."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        number = self.identifiers.setdefault((text, kind, json.dumps(references)), len(self.identifiers) + 1)
        entry = {"version": version, "text": text, "references": list(references), "kind": kind, "id": number}
        self.subjects.setdefault(subject, {})[str(version)] = entry
        return entry

    # ---------- Confluent ----------

    def confluent(self, method, parts, query, body, headers):
        if method in ("POST", "PUT") and headers["Content-Type"] != "application/vnd.schemaregistry.v1+json":
            raise confluent_error(415, 415, "Unsupported Media Type")
        match method, parts:
            case "GET", ["subjects"]:
                return list(self.subjects)
            case "GET", ["subjects", subject, "versions"]:
                return [entry["version"] for entry in self.subject(subject).values()]
            case "GET", ["subjects", subject, "versions", version]:
                return self.shown(subject, self.subject(subject)[version])
            case "POST", ["subjects", subject, "versions"]:
                return self.register(subject, body)
            case "POST", ["subjects", subject]:
                for entry in self.subject(subject).values():
                    if json.loads(entry["text"]) == json.loads(body["schema"]) and entry["references"] == body.get("references", []):
                        return self.shown(subject, entry)
                raise confluent_error(404, 40403, "Schema not found")
            case "GET", ["config", subject]:
                if subject in self.policies:
                    return {"compatibilityLevel": self.policies[subject]}
                raise confluent_error(404, 40408, f"Subject '{subject}' does not have subject-level compatibility configured")
            case "PUT", ["config", subject]:
                self.policies[subject] = body["compatibility"]
                return body
        raise confluent_error(404, 404, "HTTP 404 Not Found")

    def subject(self, subject):
        if subject not in self.subjects:
            raise confluent_error(404, 40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    @staticmethod
    def shown(subject, entry):
        shown = {"subject": subject, "version": entry["version"], "id": entry["id"], "schema": entry["text"]}
        if entry["kind"] != "AVRO":  # that is left out
            shown["schemaType"] = entry["kind"]
        if entry["references"]:
            shown["references"] = entry["references"]
        return shown

    def register(self, subject, body):
        if body.get("schemaType") != "JSON":
            raise confluent_error(422, 42201, "Invalid schema")
        schema = json.loads(body["schema"])
        for one in body.get("references", []):
            if not isinstance(one["version"], int) or str(one["version"]) not in self.subjects.get(one["subject"], {}):
                raise confluent_error(422, 42201, f"Invalid schema: no schema reference found for subject \"{one['subject']}\" and version {one['version']}")
        names = {one["name"] for one in body.get("references", [])}
        for reference in re.findall(r'"\$ref": *"([^"#]+)', json.dumps(schema)):
            if reference not in names:
                raise confluent_error(422, 42201, f"Invalid schema: cannot resolve {reference}")
        if "incompatible" in json.dumps(schema):
            raise confluent_error(409, 409, "Schema being registered is incompatible with an earlier schema")
        versions = self.subjects.get(subject, {})
        return {"id": self.add(subject, max((entry["version"] for entry in versions.values()), default=0) + 1, body["schema"], body.get("references", []))["id"]}

    # ---------- Apicurio ----------

    def apicurio(self, method, parts, query, body, headers):
        if parts[:2] != ["apis", "registry"] or parts[2] != f"v{self.api}":
            raise Answer(404, {"message": "Not found", "error_code": 404})
        three, name = self.api == 3, "artifactId" if self.api == 3 else "id"
        match method, parts[3:]:
            case "GET", ["system", "info"]:
                return {"name": "Apicurio Registry", "version": f"{self.api}.0.0"}
            case "GET", ["search", "artifacts"]:
                found = [{name: subject, "groupId": "g", "artifactType" if three else "type": next(iter(versions.values()))["kind"]} for subject, versions in self.subjects.items()]
                return {"artifacts": self.page(found, query, three and "groupId" or "group"), "count": len(found)}
            case "GET", ["groups", "g", "artifacts", subject, "versions"]:
                found = [{"version": version, "globalId": entry["id"]} for version, entry in self.artifact(subject).items()]
                return {"versions": self.page(found, query)[::-1], "count": len(found)}
            case "GET", ["groups", "g", "artifacts", subject, "versions", version, "content"] if three:
                return Answer(200, self.artifact(subject)[version]["text"])
            case "GET", ["groups", "g", "artifacts", subject, "versions", version] if not three:
                return Answer(200, self.artifact(subject)[version]["text"])
            case "GET", ["groups", "g", "artifacts", subject, "versions", version, "references"] if three:
                return self.artifact(subject)[version]["references"]
            case "GET", ["groups", "g", "artifacts", subject, "versions", version, "meta"] if not three:
                return {"globalId": self.artifact(subject)[version]["id"]}
            case "GET", ["ids", "globalIds", number, "references"] if not three:
                return next(entry["references"] for versions in self.subjects.values() for entry in versions.values() if str(entry["id"]) == number)
            case "POST", ["groups", "g", "artifacts"]:
                subject = body["artifactId"] if three else headers["X-Registry-ArtifactId"]
                if not subject.isascii() or "%" in subject:
                    raise Answer(400, {"title": "Character % and non ASCII characters are not allowed in artifact IDs.", "status": 400})
                if subject in self.subjects:
                    raise Answer(409, {"message": f"An artifact with ID '{subject}' already exists.", "error_code": 409})
                return self.create(subject, body["firstVersion"] if three else body, body["artifactType"] if three else headers["X-Registry-ArtifactType"], headers)
            case "POST", ["groups", "g", "artifacts", subject, "versions"]:
                return self.create(subject, body, next(iter(self.artifact(subject).values()))["kind"], headers)
            case "GET", ["groups", "g", "artifacts", subject, "rules", "COMPATIBILITY"]:
                if subject not in self.policies:
                    raise Answer(404, {"message": "No rule named 'COMPATIBILITY' was found.", "error_code": 404})
                return {"config": self.policies[subject]}
            case ("POST", ["groups", "g", "artifacts", subject, "rules"]) | ("PUT", ["groups", "g", "artifacts", subject, "rules", "COMPATIBILITY"]):
                if (method == "POST") == (subject in self.policies) or body["ruleType" if three else "type"] != "COMPATIBILITY":
                    raise Answer(409, {"message": "A rule named 'COMPATIBILITY' already exists.", "error_code": 409})
                self.policies[subject] = body["config"]
                return Answer(204, "")
        raise Answer(404, {"message": "RESTEASY003210: Could not find resource", "error_code": 404})

    def artifact(self, subject):
        if subject not in self.subjects:
            raise Answer(404, {"message": f"No artifact with ID '{subject}' was found.", "error_code": 404})
        return self.subjects[subject]

    @staticmethod
    def page(found, query, group=None):
        if group is not None and query.get(group) != ["g"]:
            raise Answer(400, {"message": f"no {group}", "error_code": 400})
        offset = int(query["offset"][0])
        return found[offset:offset + min(2, int(query["limit"][0]))]  # small pages, to be asked for more

    def create(self, subject, body, kind, headers):
        content = body["content"] if self.api == 3 else body
        version = body["version"] if self.api == 3 else headers["X-Registry-Version"]
        if self.api == 2 and headers["Content-Type"] != "application/create.extended+json":
            raise Answer(415, {"message": "Unsupported", "error_code": 415})
        for one in content["references"]:
            if one["groupId"] != "g" or one["version"] not in self.subjects.get(one["artifactId"], {}):
                raise Answer(409, {"message": "a reference does not exist", "error_code": 409})
        if version in self.subjects.get(subject, {}):
            raise Answer(409, {"message": "the version exists", "error_code": 409})
        json.loads(content["content"])
        entry = self.add(subject, version, content["content"], content["references"], kind)
        entry["id"] = len(self.requests) + 1000
        return {"version": version, "globalId": entry["id"]}


def handler(store):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self):
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            content = self.rfile.read(length)
            store.requests.append((self.command, self.path, self.headers.get("Authorization")))
            try:
                if url.path in store.replies:
                    raise Answer(*store.replies[url.path])
                if store.user is not None and self.headers.get("Authorization") != "Basic " + base64.b64encode(store.user.encode()).decode():
                    raise Answer(401, {"error_code": 401, "message": "Unauthorized"})
                call = store.confluent if store.api == "confluent" else store.apicurio
                said = call(self.command, [unquote(part) for part in url.path.strip("/").split("/")], parse_qs(url.query), json.loads(content) if content else None, self.headers)
                if not isinstance(said, Answer):
                    said = Answer(200, said)
            except Answer as answer:
                said = answer
            text = (said.body if isinstance(said.body, str) else json.dumps(said.body)).encode()
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if 300 <= said.status < 400:
                self.send_header("Location", said.body)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = answer

    return Handler


@contextlib.contextmanager
def registry(api, user=None):
    """A registry that runs; its store has the attribute url."""
    store = Store(api, user)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(store))
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
