"""Apicurio Registry, by its own REST interface, version 2 or 3."""

from __future__ import annotations

import json
from typing import Any

from event_validate.errors import Failure
from event_validate.jsontext import loads, same
from event_validate.registries.rest import Entry, Http, Reference, Refused, Registry, part, string

PAGE = 100
_JSON = {"Content-Type": "application/json"}


def detect(http: Http) -> int:
    """The newest version of the interface that the server has, 3 or 2."""
    for version in (3, 2):
        try:
            http.json("GET", f"/apis/registry/v{version}/system/info")
        except Refused as refused:
            if refused.status in (404, 405):
                continue
            raise
        return version
    raise Failure(f"{http.url} has no Apicurio Registry of version 2 or 3", "The URL is that of the server, without /apis/registry/v3.")


class Apicurio(Registry):
    """The artifacts of a group; their identifiers are the subjects."""

    def __init__(self, http: Http, group: str, version: int | None = None) -> None:
        self.http, self.group = http, group
        self.api = version or detect(http)
        self.top = f"/apis/registry/v{self.api}"
        self.types: dict[str, str] = {}

    def _artifacts(self) -> str:
        return f"{self.top}/groups/{part(self.group)}/artifacts"

    def _artifact(self, subject: str) -> str:
        return f"{self._artifacts()}/{part(subject)}"

    def _pages(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            said = self.http.json("GET", path, query={**query, "limit": str(PAGE), "offset": str(len(found))})
            found += said[key]
            if not said[key] or len(found) >= said["count"]:
                return found

    def subjects(self) -> list[str]:
        group = "groupId" if self.api == 3 else "group"
        for artifact in self._pages(f"{self.top}/search/artifacts", "artifacts", **{group: self.group}):
            self.types[artifact.get("artifactId") or artifact["id"]] = artifact.get("artifactType") or artifact.get("type") or ""
        return sorted(self.types)

    def versions(self, subject: str) -> list[str]:
        found = self._pages(f"{self._artifact(subject)}/versions", "versions")
        return [str(one["version"]) for one in sorted(found, key=lambda one: int(one["globalId"]))]

    def fetch(self, subject: str, version: str) -> Entry | None:
        if not self.types:
            self.subjects()
        if self.types.get(subject) != "JSON":
            return None
        path = f"{self._artifact(subject)}/versions/{part(version)}"
        text = self.http.request("GET", f"{path}/content" if self.api == 3 else path)
        if self.api == 3:
            said = self.http.json("GET", f"{path}/references")
        else:
            said = self.http.json("GET", f"{self.top}/ids/globalIds/{self.http.json('GET', f'{path}/meta')['globalId']}/references")
        return Entry(subject, version, text, tuple(Reference(string(one["name"]), string(one["artifactId"]), str(one["version"])) for one in said or []))

    def policy(self, subject: str) -> str | None:
        try:
            return str(self.http.json("GET", f"{self._artifact(subject)}/rules/COMPATIBILITY")["config"]).lower()
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def set_policy(self, subject: str, policy: str) -> None:
        rule = {"ruleType" if self.api == 3 else "type": "COMPATIBILITY", "config": policy.upper()}
        if self.policy(subject) is None:
            self.http.request("POST", f"{self._artifact(subject)}/rules", rule, headers=_JSON)
        else:
            self.http.request("PUT", f"{self._artifact(subject)}/rules/COMPATIBILITY", rule, headers=_JSON)

    def find(self, entry: Entry) -> str | None:
        try:
            versions = self.versions(entry.subject)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        for version in versions:
            there = self.fetch(entry.subject, version)
            if there is not None and same(loads(there.text), loads(entry.text)):
                return version
        return None

    def publish(self, entry: Entry) -> str:
        references = [{"groupId": self.group, "artifactId": one.subject, "version": one.version, "name": one.name} for one in entry.references]
        exists = True
        try:
            self.versions(entry.subject)
        except Refused as refused:
            if refused.status != 404:
                raise
            exists = False
        self.types[entry.subject] = "JSON"
        if self.api == 3:
            version = {"version": entry.version, "content": {"content": entry.text, "contentType": "application/json", "references": references}}
            if exists:
                self.http.json("POST", f"{self._artifact(entry.subject)}/versions", version, headers=_JSON)
            else:
                self.http.json("POST", self._artifacts(), {"artifactId": entry.subject, "artifactType": "JSON", "firstVersion": version}, headers=_JSON)
        else:
            headers = {"Content-Type": "application/create.extended+json", "X-Registry-Version": entry.version, "X-Registry-ArtifactType": "JSON"}
            body = json.dumps({"content": entry.text, "references": references})
            if exists:
                self.http.json("POST", f"{self._artifact(entry.subject)}/versions", body, headers=headers)
            else:
                self.http.json("POST", self._artifacts(), body, headers={**headers, "X-Registry-ArtifactId": entry.subject})
        return entry.version
