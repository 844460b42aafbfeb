"""Pages whose SQL runs in the order of the page, with the output that they print.

A block of SQL is run by psql.  If a block without a language follows it, this is what
psql must print, apart from the number of rows and empty lines.  If no such block
follows, or if that is a signature, the SQL must run without an error.  What a page
leaves to the reader (tables of the reader's, roles) is made by the statements in
BEFORE, where the block with that text comes.
"""

import os
import re
import subprocess
import sys

SIGNATURE = re.compile(r"^(?:CALL )?[a-z_]+\(|→")
# what the pages leave out of PostgreSQL's messages
LEFT_OUT = re.compile(r"^(?:LOCATION|SCHEMA NAME|TABLE NAME|COLUMN NAME|DATATYPE NAME|CONTEXT):|^LINE \d+: |^ *\^$")


def lines_of(text):
    """The lines that count: no empty ones, no numbers of rows, no prefixes of psql."""
    lines = []
    for line in text.split("\n"):
        line = re.sub(r"^psql:[^ ]* ", "", line).rstrip()
        if line and not re.fullmatch(r"\(\d+ rows?\)", line) and not LEFT_OUT.match(line):
            lines.append(line)
    return lines


def without_registrations(lines):
    """The same without the results of register_..., which some pages leave out."""
    kept = []
    skip = 0
    for line in lines:
        if re.fullmatch(r" *register_[a-z_]+", line):
            skip = 3
        if skip == 0:
            kept.append(line)
        skip = max(0, skip - 1)
    return kept


def psql(database, text, verbose=False):
    """What psql prints, in the order in which it does, as on a terminal."""
    before = "\\set VERBOSITY verbose\n" if verbose else "\\set SHOW_CONTEXT never\n"
    done = subprocess.run(["psql", "-X", "-q", "-d", database.name, "-f", "-"], input=before + text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, encoding="utf-8", check=False)
    return done.stdout


def masked(lines):
    """The lines without their numbers, and without the widths that follow from them."""
    return [re.sub(r"[\d.]+", "N", re.sub(r"\s+|-{2,}", " ", line)).strip() for line in lines]


class Printed:
    """A run of a page's blocks, in the order of the page.

    before: {text of a block: SQL that comes first}; filled: {what the page leaves to the reader: what this reader takes};
    varies: texts of blocks whose numbers are others each time; examples: texts of blocks for which the page shows the
    output of another server; elsewhere: headings of parts that other tests run; environment: for the blocks of shell."""

    def __init__(self, check, page, database, before=None, filled=None, varies=(), examples=(), elsewhere=(), environment=None):
        self.check, self.page, self.database = check, page, database
        self.before, self.filled = dict(before or {}), dict(filled or {})
        self.varies, self.examples = varies, examples
        self.elsewhere = elsewhere
        self.environment = {"PGDATABASE": database.name} if environment is None else environment
        self.unused = {*self.before, *varies, *examples, *elsewhere}

    def has(self, parts, text):
        found = {part for part in parts if part in text}
        self.unused -= found
        return bool(found)

    def shown(self, number):
        """The output that the page shows for a block; None if it shows none."""
        if number + 1 == len(self.page.blocks):
            return None
        language, text = self.page.blocks[number + 1]
        if language != "" or SIGNATURE.search(text) or not self.page.follows(number):
            return None
        self.page.used.add(number + 1)
        return text

    def prepare(self, text):
        for part in [part for part in self.before if part in text]:
            self.unused.discard(part)
            said = psql(self.database, self.before.pop(part))
            self.check("ERROR" not in said, f"{self.page.path}: what the reader has before {part!r}", said)

    def reader(self, text):
        for old, new in self.filled.items():
            text = re.sub(rf"(?<!\w){old}(?!\w)", new, text)
        return text

    def judge(self, text, said, shown):
        first = text.strip().split("\n")[0]
        if shown is None or self.has(self.examples, text):
            self.check("ERROR" not in said, f"{self.page.path}: {first}: no error", said)
        else:
            seen, expected = [lines_of(said), without_registrations(lines_of(said))], lines_of(self.reader(shown))
            if self.has(self.varies, text):
                seen, expected = [masked(lines) for lines in seen], masked(expected)
            self.check(expected in seen, f"{self.page.path}: {first}: psql prints what the page shows", said)

    def run(self, folder=None):
        """Runs the blocks of SQL, and, in a folder, those of shell."""
        for number, (language, text) in enumerate(self.page.blocks):
            if language != "sql" and (language != "sh" or folder is None):
                continue
            self.page.used.add(number)
            if (heading := self.page.heading(number)) in self.elsewhere:
                self.unused.discard(heading)
                continue
            self.prepare(text)
            shown = self.shown(number)
            if language == "sql":
                verbose = shown is not None and re.search(r"^(?:ERROR|WARNING|NOTICE):  [0-9A-Z]{5}: ", shown, re.MULTILINE) is not None
                said = psql(self.database, self.reader(text), verbose)
            else:
                done = subprocess.run(["bash", "-uo", "pipefail", "-c", self.reader(text)], cwd=folder, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                                      env={**os.environ, **self.environment})
                said = done.stdout
                self.check(done.returncode == 0 or shown is not None, f"{self.page.path}: {text.strip()}", said)
            self.judge(text, said, shown)
        self.check(not self.unused, f"{self.page.path}: the blocks with these texts are there", self.unused)


def printed_page(check, page, database, **options):
    """Runs the blocks of SQL of a page."""
    Printed(check, page, database, **options).run()


def printed_python(check, page, database):
    """Runs the programs of the page in Python, each in a process of its own, with the output that the block after it shows."""
    for number, (language, text) in enumerate(page.blocks):
        if language != "python":
            continue
        page.used.add(number)
        done = subprocess.run([sys.executable, "-c", text], env={**os.environ, "PGDATABASE": database.name}, capture_output=True, text=True, check=False)
        shown = ""
        if page.blocks[number + 1:] and page.blocks[number + 1][0] == "" and page.follows(number):
            page.used.add(number + 1)
            shown = page.blocks[number + 1][1]
        check(done.returncode == 0 and lines_of(done.stdout) == lines_of(shown), f"{page.path}: {text.strip().split(chr(10))[0]}: prints what the page shows", done)
