"""Documents for a model: a valid one, and copies with other values in some
places.  They are the same for every library, from cases.json."""

import json
import random
from pathlib import Path

HERE = Path(__file__).resolve().parent


def put(document, path, value):
    """A copy with the value at the path, or without that member if the value is ABSENT."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if not isinstance(document, (dict, list)) or isinstance(document, list) and not (isinstance(step, int) and step < len(document)):
        return document
    copy = list(document) if isinstance(document, list) else dict(document)
    if value is ABSENT and not rest:
        copy.pop(step, None) if isinstance(copy, dict) else copy.pop(step)
    else:
        if isinstance(copy, dict) and step not in copy and rest:
            return copy
        copy[step] = put(copy[step] if rest else None, rest, value)
    return copy


ABSENT = object()


def documents(name, count=150):
    """The texts of the documents for a model: the valid one, each change alone, and pairs of changes."""
    model = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))[name]
    rng = random.Random(name)
    changes = []
    for place, values in model["changes"].items():
        path = [int(step) if step.isdigit() else step for step in place.split(".")] if place else []
        changes += [(path, value) for value in values]
        if path and isinstance(path[-1], str):
            changes.append((path, ABSENT))
    found = [model["good"]]
    found += [put(model["good"], path, value) for path, value in changes]
    for _ in range(count):
        document = model["good"]
        for path, value in rng.sample(changes, 2):
            document = put(document, path, value)
        found.append(document)
    return list(dict.fromkeys(json.dumps(one) for one in found))
