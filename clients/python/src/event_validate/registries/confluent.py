"""Confluent's Schema Registry, and others with the same REST interface (Karapace, Redpanda, Apicurio's ccompat)."""

from __future__ import annotations

from typing import Any

from event_validate.errors import Failure
from event_validate.registries.rest import Entry, Http, Reference, Refused, Registry, listed, part, string

_HEADERS = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


class Confluent(Registry):
    default_dialect = "http://json-schema.org/draft-07/schema#"

    def __init__(self, http: Http) -> None:
        self.http = http

    def subjects(self) -> list[str]:
        return sorted(map(str, listed(self.http.json("GET", "/subjects"))))

    def versions(self, subject: str) -> list[str]:
        return [str(version) for version in sorted(map(int, listed(self.http.json("GET", f"/subjects/{part(subject)}/versions"))))]

    def fetch(self, subject: str, version: str) -> Entry | None:
        said = self.http.json("GET", f"/subjects/{part(subject)}/versions/{part(version)}")
        text = str(said["schema"])
        # a version without a type is Avro
        if said.get("schemaType", "AVRO") != "JSON":
            return None
        references = tuple(Reference(string(one["name"]), string(one["subject"]), str(one["version"])) for one in said.get("references") or [])
        return Entry(subject, str(said["version"]), text, references)

    def policy(self, subject: str) -> str | None:
        try:
            said = self.http.json("GET", f"/config/{part(subject)}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return str(said.get("compatibilityLevel") or said.get("compatibility")).lower()

    @staticmethod
    def _body(entry: Entry) -> dict[str, Any]:
        body: dict[str, Any] = {"schemaType": "JSON", "schema": entry.text}
        if entry.references:
            body["references"] = [{"name": one.name, "subject": one.subject, "version": int(one.version)} for one in entry.references]
        return body

    def publish(self, entry: Entry) -> str:
        self.http.json("POST", f"/subjects/{part(entry.subject)}/versions", self._body(entry), headers=_HEADERS)
        version = self.find(entry)
        if version is None:
            raise Failure(f'the registry does not find "{entry.subject}" version {entry.version} after its registration')
        return version

    def find(self, entry: Entry) -> str | None:
        try:
            return str(self.http.json("POST", f"/subjects/{part(entry.subject)}", self._body(entry), headers=_HEADERS)["version"])
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def set_policy(self, subject: str, policy: str) -> None:
        self.http.json("PUT", f"/config/{part(subject)}", {"compatibility": policy.upper()}, headers=_HEADERS)
