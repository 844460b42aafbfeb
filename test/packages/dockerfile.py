#!/usr/bin/env python3
"""Writes the instructions of a Dockerfile as shell scripts, to run without docker.

    dockerfile.py DOCKERFILE FOLDER

FOLDER/STAGE has the commands of a stage ("last" for the last one), for bash -euxo
pipefail on a system that stands for the image of its FROM.  The build context is in
/context, and what other stages made in /exchange/stages/STAGE.  FOLDER/STAGE.taken
lists the folders that other stages copy from this one.  An instruction that this
program does not know is an error.
"""

import fnmatch
import re
import shlex
import sys
from pathlib import Path


def instructions(text):
    """(name, arguments) of each instruction, without comments; continued lines are joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, arguments = line.strip().partition(" ")
            yield name.upper(), arguments.strip()


def ignored(path, patterns):
    """Is a path of the context left out?  The last pattern that fits decides."""
    left_out = False
    for pattern in patterns:
        keep = pattern.startswith("!")
        # a pattern that fits a folder fits what is in it
        parts = path.split("/")
        if any(fnmatch.fnmatch("/".join(parts[:n]), pattern.lstrip("!")) for n in range(1, len(parts) + 1)):
            left_out = not keep
    return left_out


def stages(text):
    """[(name, image, [commands], {copied from: [folders]})]"""
    arguments, made = {}, []
    for name, value in instructions(text):
        if name == "ARG" and not made:
            key, _, default = value.partition("=")
            arguments[key] = default
        elif name == "FROM":
            image, *alias = re.split(r"\s+AS\s+", value, flags=re.IGNORECASE)
            made.append((alias[0] if alias else f"stage{len(made)}", re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], image), [], {}))
        elif name == "RUN":
            made[-1][2].append(value)
        elif name == "COPY":
            options = [word for word in shlex.split(value) if word.startswith("--")]
            *sources, target = [word for word in shlex.split(value) if not word.startswith("--")]
            stage = next((option.partition("=")[2] for option in options if option.startswith("--from=")), None)
            root = f"/exchange/stages/{stage}" if stage else "/context"
            if stage is not None and stage not in [other[0] for other in made[:-1]]:
                raise ValueError(f"COPY from the stage {stage}, which is not made before")
            for source in sources:
                path = "/" + source.strip("./")
                if stage:
                    made[-1][3].setdefault(stage, []).append(path)
                made[-1][2].append(f"mkdir -p {shlex.quote(target)} && cp -a {shlex.quote(root + path.rstrip('/') + '/.')} {shlex.quote(target)}")
        else:
            raise ValueError(f"{name} {value}: this program does not know the instruction")
    if not made:
        raise ValueError("there is no FROM")
    return made


def main():
    dockerfile, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    made = stages(dockerfile.read_text(encoding="utf-8"))
    ignore = Path(f"{dockerfile}.dockerignore")
    patterns = []
    if ignore.exists():
        patterns = [line.strip() for line in ignore.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    top = dockerfile.resolve().parents[2]
    left_out = sorted(path.name for path in top.iterdir() if ignored(path.name, patterns))
    for number, (name, _, commands, _) in enumerate(made):
        script = folder / ("last" if number == len(made) - 1 else name)
        # the context has only what .dockerignore lets in
        script.write_text("".join(f"rm -rf {shlex.quote('/context/' + each)}\n" for each in left_out if each != "packaging") + "\n".join(commands) + "\n", encoding="utf-8")
        taken = [path for other in made for stage, paths in other[3].items() if stage == name for path in paths]
        Path(f"{script}.taken").write_text("".join(path + "\n" for path in taken), encoding="utf-8")


if __name__ == "__main__":
    main()
