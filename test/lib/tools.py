"""Other programs to compare with: Python packages in a virtual environment, npm
packages in a folder of their own, Debian packages unpacked without being
installed, all kept in the user's cache folder.  Standard library only."""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path


class Unavailable(Exception):
    """The reason why a program is not available."""


def cache_folder():
    """The folder of the user, not of this run: scripts/test sets HOME."""
    try:
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        home = Path.home()
    if not os.access(home, os.W_OK):
        home = Path.home()
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "event_validate"


def _make(kind, wanted, command):
    """A folder in the cache, filled by the commands; it counts only if all of them succeed."""
    folder = cache_folder() / f"{kind}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if (folder / "complete").exists():
        return folder
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for arguments in command(folder):
            done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode != 0:
                lines = (done.stderr or done.stdout).strip().split("\n")
                # the cause comes last, but npm says it first
                cause = "; ".join(lines[:2]) if arguments[0] == "npm" else lines[-1]
                raise Unavailable(f"{Path(arguments[0]).name} says: {cause}")
        (folder / "complete").touch()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    finally:
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
    return folder


def python_packages(requirements):
    """The python of a virtual environment with the packages of a requirements.txt."""
    text = Path(requirements).read_text(encoding="utf-8")
    folder = _make("python", text + sys.version, lambda folder: [
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--requirement", str(Path(requirements).resolve())]])
    return folder / "venv/bin/python"


def python_source(package, checksum):
    """A folder with the unpacked source archive of a Python package (name==version), which must have this SHA-256."""
    # the pip of a virtual environment: the system may have none
    folder = _make("source", package, lambda folder: [
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [str(folder / "venv/bin/python"), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-binary", package.partition("==")[0], "--dest", str(folder), package],
        ["sh", "-c", "rm -rf venv && mkdir unpacked && tar -C unpacked -xzf *.tar.gz"]])
    (archive,) = folder.glob("*.tar.gz")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != checksum:
        shutil.rmtree(folder)
        raise ValueError(f"{archive.name} has another SHA-256 than {checksum}")
    (unpacked,) = folder.glob("unpacked/*")
    return unpacked


def run_in(requirements):
    """Starts this program again in that environment, unless it runs there already."""
    if os.environ.get("EV_ENVIRONMENT") != str(requirements):
        python = str(python_packages(requirements))
        os.environ["EV_ENVIRONMENT"] = str(requirements)
        sys.stdout.flush()
        os.execv(python, [python, *sys.argv])


def npm_packages(*packages):
    """A folder whose node_modules has these packages (name@version)."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("there is no node with npm")
    return _make("npm", "\n".join(packages), lambda folder: [
        ["npm", "install", "--prefix", str(folder), "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
         "--ignore-scripts", "--loglevel=error", *packages]])


def debian_programs(**packages):
    """{program: path} of program="package": where it is installed, or unpacked from Debian's package."""
    found = {program: shutil.which(program) for program in packages}
    wanted = sorted({packages[program] for program, path in found.items() if path is None})
    if wanted:
        folder = debian_files(*wanted)
        found.update({program: str(folder / "usr/bin" / program) for program, path in found.items() if path is None})
    return found


def debian_has(package):
    """Has this release of Debian the package?"""
    return shutil.which("apt-cache") is not None and subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


def debian_files(*packages):
    """A folder with the files of Debian packages, which are not installed."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("there is no apt-get")
    return _make("debian", "\n".join(packages), lambda folder: [
        ["apt-get", "download", "--quiet", *packages],
        ["sh", "-c", 'for package in *.deb; do dpkg-deb --extract "$package" . && rm "$package" || exit 1; done']])


def go_module(package):
    """A folder whose go.mod and go.sum require a package (path@version), and the variables with which go builds with it."""
    if not shutil.which("go"):
        raise Unavailable("there is no go")
    # go's own caches are kept beside it: a module once fetched is not fetched again
    environment = {"GOPATH": cache_folder() / "go", "GOCACHE": cache_folder() / "go-build", "GOFLAGS": "-mod=mod -modcacherw", "GOTOOLCHAIN": "local"}
    given = ["env", *(f"{name}={value}" for name, value in environment.items())]
    module = package.partition("@")[0]
    return _make("go", package, lambda folder: [
        [*given, "go", "mod", "init", "service"],
        [*given, "go", "get", package],
        ["sh", "-c", f'printf "package main\\n\\nimport _ \\"{module}\\"\\n\\nfunc main() {{}}\\n" >main.go'],
        [*given, "go", "build", "-o", "/dev/null", "."]]), environment


def go_program(package):
    """The path of a program that go builds (path@version)."""
    if not shutil.which("go"):
        raise Unavailable("there is no go")
    name = package.partition("@")[0].rsplit("/", 1)[-1]
    return _make("go-program", package, lambda folder: [
        ["env", f"GOPATH={cache_folder() / 'go'}", f"GOCACHE={cache_folder() / 'go-build'}", f"GOBIN={folder}", "GOFLAGS=-modcacherw",
         "GOTOOLCHAIN=local", "go", "install", package]]) / name


def maven_jars(*artifacts):
    """A folder with the jars of artifacts (group:name:version)."""
    for program in ("java", "javac", "mvn"):
        if not shutil.which(program):
            raise Unavailable(f"there is no {program}")
    return _make("maven", "\n".join(artifacts), lambda folder: [
        ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={folder / 'repository'}", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy",
         f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"] for artifact in artifacts])


_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>test</artifactId><version>1</version><packaging>pom</packaging><dependencies>%s</dependencies></project>
"""


def maven_classpath(*artifacts):
    """The same, with the jars that these need to run."""
    for program in ("java", "javac", "mvn"):
        if not shutil.which(program):
            raise Unavailable(f"there is no {program}")
    wanted = "".join("<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>" % tuple(artifact.split(":"))
                     for artifact in artifacts)

    def commands(folder):
        (folder / "pom.xml").write_text(_POM % wanted, encoding="utf-8")
        return [["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={folder / 'repository'}",
                 "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"],
                ["rm", "-rf", str(folder / "repository")]]
    return _make("classpath", wanted, commands)
