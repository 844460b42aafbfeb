"""import and export, with registries as Confluent and Apicurio document them."""

import json
import os
import uuid
from pathlib import Path

from command import check, database, example, expect, write
from fake_registry import registry

ADDRESS = {"$id": "https://example.com/address.json", "type": "object", "properties": {"street": {"type": "string", "format": "uuid"}, "size": {"multipleOf": 0.01}}}
CUSTOMER = {"$id": "https://example.com/customer.json", "properties": {
    "home": {"$ref": "address.json"}, "street": {"$ref": "https://example.com/address.json#/properties/street"}, "const": {"const": {"$ref": "address.json"}}}}


def content(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def filled(store):
    store.add("address-value", 1, ADDRESS)
    store.add("address-value", 3, json.dumps(ADDRESS).replace("0.01", "0.010"))  # 2 was deleted
    store.add("customer-value", 1, CUSTOMER, [{"name": "https://example.com/address.json", "subject": "address-value", "version": 3}])
    store.add("odd/ü", 1, {"$schema": "https://json-schema.org/draft/2019-09/schema", "$ref": "adr#/properties/street"}, [{"name": "adr", "subject": "address-value", "version": 1}])
    store.add("trades-value", 1, {"type": "record", "name": "t", "fields": []}, kind="AVRO")
    store.policies["customer-value"] = "FULL_TRANSITIVE"


def test_import_confluent():
    with registry("confluent") as store, database("es_import"):
        filled(store)
        expect(0, "import", store.url, "events", "--strip=-value", says=["trades-value version 1: note: is no JSON Schema", "events/address@3.json: written"])
        check(sorted(os.listdir("events")) == ["address@1.json", "address@3.json", "customer@1.json", "customer@options.json", "odd%2F%C3%BC@1.json"], "the files", os.listdir("events"))
        customer = content("events/customer@1.json")
        check(customer["$schema"] == "http://json-schema.org/draft-07/schema#" and customer["properties"] == {
            "home": {"$ref": "event:address@3"}, "street": {"$ref": "event:address@3#/properties/street"}, "const": CUSTOMER["properties"]["const"]}, "references are ours, and data is left alone", customer)
        check(content("events/odd%2F%C3%BC@1.json") == {"$schema": "https://json-schema.org/draft/2019-09/schema", "$ref": "event:address@1#/properties/street"}, "its dialect stays")
        check(content("events/customer@options.json") == {"policy": "full_transitive"}, "the policy")
        check("0.010" in Path("events/address@3.json").read_text(encoding="utf-8"), "numbers stay as they were written")
        expect(0, "import", store.url, "events", "--strip=-value", says="0 files written")
        expect(0, "check", "events")
        expect(0, "push", "events")
        expect(0, "import", store.url, "some", "--subject", "cust*", "--no-assert-format", "--dialect", "https://json-schema.org/draft/2020-12/schema", says='refers to "address-value" version 3, which is not imported')
        check("$schema" not in content("some/customer-value@1.json") and content("some/customer-value@options.json")["assert_format"] is False, "other dialect and formats")
        store.add("broken", 1, "{")
        expect(1, "import", store.url, "more", says=["broken version 1:1:2: error: is not JSON", "nothing is written"])
        check(not os.path.exists("more"), "nothing is written")
        store.subjects["address-value"]["1"]["text"] = "{}"
        del store.subjects["broken"]
        expect(1, "import", store.url, "events", "--strip=-value", says="address@1.json: differs")


def test_import_subjects():
    """Subjects that become one type, and subjects of no type."""
    with registry("confluent") as store:
        store.add("a", 1, {})
        store.add("a-value", 2, {})
        expect(1, "import", store.url, "events", "--strip=-value", says=['a-value: error: becomes "a", as "a" does', "nothing is written"])
        check(not os.path.exists("events"), "nothing is written")
        expect(0, "import", store.url, "events", "--strip=-value", "--subject", "a-value", says="a@2.json: written")
        store.subjects.clear()
        store.add("", 1, {})
        expect(1, "import", store.url, "more", says=['"": error: a type must have a name', "nothing is written"])
        store.subjects.clear()
        store.add("odd", 1, '{"const": "\\ud800"}')
        expect(1, "import", store.url, "more", says="odd version 1:1:12: error: is not JSON")
        store.subjects.clear()
        store.add("odd", 1, '{"$ref": "http://[x#/a"}', [{"name": "b", "subject": "b", "version": 1}])
        expect(0, "import", store.url, "more", says="odd@1.json: written")
        store.add("odder", 1, '{"$ref": "x"}', [{"name": {}, "subject": {}, "version": 1}])
        expect(2, "import", store.url, "most", says="is not what the REST interface documents")
        check(not os.path.exists("most"), "nothing is written")


def test_import_from_a_hostile_registry():
    """What it says controls no terminal, and its subjects lead to no file outside of the folder."""
    with registry("confluent") as store:
        store.add("\x1b[2Jred\u202e", 1, {}, kind="AVRO")
        store.add("../../up\x1b]0;x\x07", 1, {"type": "object"})
        output = expect(0, "import", store.url, "events", says="\\u001b[2Jred\\u202e version 1: note")
        check(not [one for one in output.all if not one.isprintable() and one != "\n"], "nothing controls the terminal", output)
        check(os.listdir("events") == ["%2E.%2F..%2Fup%1B%5D0%3Bx%07@1.json"] and os.listdir(".") == ["events"], "the file is in the folder", os.listdir("events"))


def test_export_confluent():
    example()
    for name in ("staff/department@1.json", "staff/people%2Fhead%20of%20%22x%22@1.json"):
        os.remove(f"events/{name}")
    write("events/lines@5.json", {"items": {"$ref": "event:order.placed@2"}, "not": {"$ref": "order.placed@1"}})
    with registry("confluent") as store:
        expect(0, "export", "events", store.url, "--dry-run", "--append=-value", says="order.placed@2: would be registered")
        check(all(method == "POST" and not path.endswith("/versions") for method, path, _ in store.requests) and store.subjects == {}, "a dry run only asks", store.requests)
        expect(0, "export", "events", store.url, "--append=-value", "--policies", says=["order.placed@2: registered", '"lines@5" is version 1 in the registry'])
        check(store.subjects["lines-value"]["1"]["references"] == [{"name": "event:order.placed@2", "subject": "order.placed-value", "version": 2}, {"name": "order.placed@1", "subject": "order.placed-value", "version": 1}]
              and json.loads(store.subjects["lines-value"]["1"]["text"])["$schema"].endswith("2020-12/schema"), "references and the dialect", store.subjects["lines-value"])
        check(store.policies == {"order.placed-value": "FULL_TRANSITIVE"}, "policies", store.policies)
        expect(0, "export", "events", store.url, "--append=-value", says="8 schemas unchanged")
        expect(0, "import", store.url, "again", "--strip=-value")
        with database("es_export"):
            os.rename("again/lines@1.json", "again/lines@5.json")
            write("again/order.placed@options.json", content("events/order.placed@options.json"))
            expect(0, "diff", "events", "again", says_not="**")
        write("events/a@1.json", {"$ref": "event:b@1"})
        write("events/b@1.json", {"$ref": "event:a@1"})
        write("events/lost@1.json", {"$ref": "event:nowhere@1"})
        write("events/c@1.json", {"const": "incompatible"})
        write("events/c@2.json", {})
        write("events/d@1.json", {"$ref": "event:c@1"})
        expect(1, "export", "events", store.url, "--append=-value", says=["a@1.json:1: error: is in a circle", 'lost@1.json:1: error: refers to "event:nowhere@1", which is not among the files', "c@1.json:1: error: the registry refuses it", "incompatible with an earlier schema (409)",
                                                                       'c@2.json:1: error: is not exported, because "c@1" is not', 'd@1.json:1: error: refers to "event:c@1", which could not be exported'])


def round_trip(store, kind, group):
    """What is exported to Apicurio is imported again."""
    example()
    for name in ("staff/department@1.json", "staff/people%2Fhead%20of%20%22x%22@1.json"):
        os.remove(f"events/{name}")
    os.rename("events/%C3%84%24%C3%9F%40@0.json", "events/a%40@0.json")
    write("events/line%2Fx@7.json", {"$schema": "http://json-schema.org/draft-07/schema#", "items": {"$ref": "event:order.placed@2"}})
    options = ["--kind", kind, "--group", group]
    said = expect(0, "export", "events", store, *options, "--policies", says="line/x@7: registered")
    expect(0, "export", "events", store, *options, "--policies", says=f"{said.out.count(': registered')} schemas unchanged")
    expect(0, "import", store, "again", *options)
    check(content("again/order.placed@options.json") == {"policy": "full_transitive"}, "the policy")
    write("again/order.placed@options.json", content("events/order.placed@options.json"))
    with database("es_apicurio"):
        expect(0, "diff", "events", "again", "--format", "json", says=['"added": []', '"removed": []', '"full": "compatible"'])


def test_apicurio():
    for version in (2, 3):
        with registry(version) as store:
            store.add("avro", "1", {}, kind="AVRO")
            os.mkdir(str(version))
            os.chdir(str(version))
            round_trip(store.url, f"apicurio{version}", "g")
            write("ascii/%C3%84@1.json", {})
            expect(1, "export", "ascii", store.url, "--kind", f"apicurio{version}", "--group", "g", says="ASCII")
            store.add("semver", "1.0.0", {})
            store.add("semver", "1.1.0", {"type": "object"})
            store.subjects["semver"]["1.1.0"]["id"] = 10**9
            expect(0, "import", store.url, "words", "--kind", "apicurio", "--group", "g", "--subject", "semver", says=["semver version 1.1.0: note: becomes version 2", "words/semver@2.json: written"])
            os.chdir("..")


def test_real_apicurio():
    url = os.environ.get("EV_APICURIO_URL")
    if not url:
        print("a real Apicurio Registry: skipped: EV_APICURIO_URL is not set")
        return
    round_trip(url, "apicurio3" if "3" in os.environ.get("EV_APICURIO_VERSION", "3") else "apicurio2", f"g{uuid.uuid4()}")


def test_registry_failures():
    """Registries that want a password, are something else, or out of order."""
    write("events/a@1.json", "{}")
    with registry("confluent", "me:s3cr3t/:@") as store:
        host = store.url.removeprefix("http://")
        expect(2, "import", store.url, "x", says="401: Unauthorized")
        expect(2, "import", f"http://me:wr0ng@{host}", "x", says="401", says_not="wr0ng")
        expect(0, "import", f"http://me:s3cr3t%2F%3A%40@{host}", "x", says_not="s3cr3t")
        expect(0, "import", store.url, "x", "--user", "me", EVENT_SCHEMAS_REGISTRY_PASSWORD="s3cr3t/:@")
        expect(2, "import", store.url, "x", EVENT_SCHEMAS_REGISTRY_TOKEN="t0ken", says_not="t0ken")
        check(store.requests[-1][2] == "Bearer t0ken", "the token is sent", store.requests[-1])
        expect(2, "import", store.url, "x", EVENT_SCHEMAS_REGISTRY_TOKEN="t0ken\n", says="401", says_not="t0ken")
        check(store.requests[-1][2] == "Bearer t0ken", "the token is sent without the end of its line", store.requests[-1])
        for token in ("t0ken\nt0ken", "t0kén"):
            asked = len(store.requests)
            expect(2, "import", store.url, "x", EVENT_SCHEMAS_REGISTRY_TOKEN=token, says="only printable characters of ASCII", says_not="t0k")
            check(len(store.requests) == asked, "a token of other characters is not sent")
        with registry("confluent") as other:
            store.replies["/subjects"] = (302, f"{other.url}/subjects")
            expect(0, "import", store.url, "x", "--user", "me", EVENT_SCHEMAS_REGISTRY_PASSWORD="s3cr3t/:@")
            check([request[2] for request in other.requests] == [None], "the password does not go to where a redirection leads", other.requests)
        for reply in ((200, "<html>"), (200, '{"a": 1}'), (500, "<html>out of order</html>"), (503, ""), (200, "[1"), (200, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"))):
            store.replies["/subjects"] = reply
            expect(2, "import", store.url, "x", "--user", "me", EVENT_SCHEMAS_REGISTRY_PASSWORD="s3cr3t/:@")
        for reply in ((200, "{}"), (200, "[7, {}]"), (200, "null"), (200, '"x"')):
            store.replies.clear()
            store.add("a", 1, {})
            for path in ("/subjects/a/versions", "/subjects/a/versions/1", "/subjects/a"):
                store.replies = {path: reply}
                expect(2, "import" if path != "/subjects/a" else "export", *([store.url, "x"] if path != "/subjects/a" else ["events", store.url]), "--user", "me", EVENT_SCHEMAS_REGISTRY_PASSWORD="s3cr3t/:@")
        store.replies = {"/apis/registry/v3/system/info": (404, "")}
        expect(2, "import", store.url, "x", "--kind", "apicurio", "--user", "me", EVENT_SCHEMAS_REGISTRY_PASSWORD="s3cr3t/:@", says="has no Apicurio Registry")
