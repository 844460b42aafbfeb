"""A schema full of functions, operators and types that match a call better.

A role that may create objects in the extension's schema, or in a schema of another
role's search_path, can run code if a call is resolved to the wrong function: one
that fits the types of the arguments better, or one that is found first.  Here
mallory creates one of each known kind, for each function of the extension and each
function, operator and type of the server that its scripts name.  Each records that
it ran (by a sequence, which no subtransaction rolls back) and raises an error.
"""

import itertools
import re
from pathlib import Path

import psycopg

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
TRADING = TOP / "examples/trading/extension/trading_events--1.0.sql"
SCRIPTS = sorted(TOP.glob("install/*.sql"))
SOURCES = [*SCRIPTS, TRADING, TOP / "examples/trading/extension/events/upcasts.sql"]

# other types for a value, so that a call would need a cast or be a literal
INSTEAD = {
    "text": ("name", "varchar"), "name": ("text", "varchar"), "varchar": ("text", "name"),
    '"char"': ("text", "bpchar"), "bpchar": ("text",),
    "int2": ("int4", "int8"), "int4": ("int8", "int2", "text"), "int8": ("int4", "numeric"), "numeric": ("int8", "int4"),
    "oid": ("regclass", "int8", "regproc"), "regclass": ("oid", "text"), "regtype": ("oid", "text"),
    "regprocedure": ("oid", "text"), "regproc": ("oid",),
    "jsonb": ("json", "text"), "json": ("jsonb", "text"), "bool": ("text",),
    "text[]": ("name[]", "text", "varchar[]"), "name[]": ("text[]", "text"), "jsonb[]": ("text",), "int4[]": ("int8[]", "int2[]"),
    "regtype[]": ("oid[]",), '"char"[]': ("text[]",),
    "interval": ("text",), "timestamptz": ("text", "timestamp"), "record": ("anyelement",),
    "anyarray": ("text[]", "name[]", "int4[]", "regtype[]", "oid[]", "int2vector", '"char"[]'),
    "anyelement": ("text", "name", "int4", "oid", '"char"'),
    "anycompatiblearray": ("text[]", "name[]", "int4[]"), "anycompatible": ("text", "name", "int4"),
    "any": ("text", "jsonb", "int4", "name", "regclass", "tid", "varchar", "json", "int8"),
}
# the domains of arguments
DOMAINS = {"_event_validate.event_type": "text", "_event_validate.json": "json"}
PSEUDO = {"internal", "cstring", "any", "trigger", "event_trigger", "language_handler", "fdw_handler", "tsm_handler",
          "index_am_handler", "table_am_handler", "pg_ddl_command", "void", "record"}
BODY = """AS $trap$ BEGIN
    PERFORM pg_catalog.nextval('public.hits'::pg_catalog.regclass);
    RAISE WARNING 'trapped: {0}';
    RAISE EXCEPTION 'trapped: {0}' USING ERRCODE = 'TRAP0';
END $trap$"""

# Runs each command in a subtransaction of its own: which ones succeed.
MAKE = """CREATE FUNCTION pg_temp.make(commands pg_catalog.text[]) RETURNS pg_catalog.bool[] LANGUAGE plpgsql AS $make$
DECLARE
    command pg_catalog.text;
    made pg_catalog.bool[] := '{}';
BEGIN
    FOREACH command IN ARRAY commands LOOP
        BEGIN
            EXECUTE command;
            made := made || true;
        EXCEPTION WHEN OTHERS THEN
            made := made || false;
        END;
    END LOOP;
    RETURN made;
END $make$"""
BATCH = 500


def typed(name):
    """A type that pg_catalog has, with its schema."""
    element, array = (name[:-2], "[]") if name.endswith("[]") else (name, "")
    return f"pg_catalog.{element if element.startswith(chr(34)) else chr(34) + element + chr(34)}{array}"


def variants(types, limit=150):
    """Lists of types that a call might fit better than the declared ones; the declared ones too."""
    choices = [(t, *INSTEAD.get(t, ())) for t in types]
    if types.count("any") > 1:
        choices = [INSTEAD["any"][:4] if t == "any" else (t,) for t in types]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count <= limit:
        return list(itertools.product(*choices))
    lists = {tuple(types)}
    for places in itertools.combinations(range(len(types)), 2):
        for instead in itertools.product(*(choices[place] for place in places)):
            changed = list(types)
            for place, other in zip(places, instead):
                changed[place] = other
            lists.add(tuple(changed))
    return sorted(lists)


class Traps:
    """The objects that mallory creates; found() lists those that ran or are used."""

    def __init__(self, world):
        self.world = world
        self.admin = world.connect()
        self.mallory = world.connect("mallory")
        self.made = set()
        self.waiting = []
        self.admin.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        for session in (self.admin, self.mallory):
            session.execute("SET search_path = pg_catalog, pg_temp")
        # found() looks at thousands of rows, often: compiling its query takes longer than the query
        self.admin.execute("SET jit = off")
        self.mallory.execute("CREATE SEQUENCE public.hits; GRANT ALL ON SEQUENCE public.hits TO PUBLIC")
        self.mallory.execute(MAKE)
        self._control()
        # all traps have the same body, which the control shows to be right
        self.mallory.execute("SET check_function_bodies = off")
        self.names = set(re.findall(r"[a-z_0-9]+", " ".join(path.read_text(encoding="utf-8") for path in SOURCES)))

    def _control(self):
        """A trap is noticed when it runs."""
        assert self.run(self.trap("control", "", "pg_catalog.text")) == 1
        try:
            self.admin.execute("SELECT public.control()")
            raise AssertionError("no trap")
        except psycopg.Error as error:
            assert error.sqlstate == "TRAP0", error
        assert self.found() == ["a function of mallory's ran"], self.found()
        self.mallory.execute("DROP FUNCTION public.control(); SELECT pg_catalog.setval('public.hits', 1, false)")
        assert not self.found(), self.found()

    def signatures(self, condition):
        """(name, types, number of defaults, kind, result, whether it gives a set)"""
        return self.admin.execute(f"""
            SELECT p.proname, ARRAY(SELECT CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN
                    (SELECT CASE e.typname WHEN 'char' THEN '"char"' ELSE e.typname::text END FROM pg_type AS e WHERE e.oid = t.typelem) || '[]'
                    WHEN t.typname = 'char' THEN '"char"'
                   WHEN t.typtype = 'd' AND t.typnamespace = to_regnamespace('_event_validate') THEN '_event_validate.' || t.typname ELSE t.typname::text END
                FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, place) JOIN pg_type AS t ON t.oid = a.type ORDER BY a.place),
                p.pronargdefaults, p.prokind::text, CASE WHEN p.prorettype = 'record'::regtype OR p.proallargtypes IS NOT NULL
                    THEN 'record' ELSE format_type(p.prorettype, NULL) END, p.proretset
            FROM pg_proc AS p WHERE {condition}""").fetchall()

    def extension_functions(self):
        return self.signatures("""EXISTS (SELECT FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND e.extname IN ('event_validate', 'trading_events'))
            AND p.pronamespace IN ('public'::regnamespace, '_event_validate'::regnamespace)""")

    def internal_functions(self):
        """The names of those that are not in the extension's schema."""
        return {s[0] for s in self.signatures("p.pronamespace = '_event_validate'::regnamespace")}

    def server_functions(self):
        return [s for s in self.signatures("p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a')") if s[0] in self.names]

    # ---------- making

    def run(self, *commands):
        """Runs each command separately: an object that cannot be created is no trap.  Returns how many are made."""
        return sum(self.mallory.execute("SELECT pg_temp.make(%s)", [list(commands)]).fetchone()[0])

    def later(self, command, counts=True):
        """A command that make() runs with others: a statement for each would take five times as long."""
        self.waiting.append((command, counts))

    def make(self):
        """Runs the waiting commands; how many of those that count succeed."""
        made = 0
        for first in range(0, len(self.waiting), BATCH):
            batch = self.waiting[first:first + BATCH]
            outcomes = self.mallory.execute("SELECT pg_temp.make(%s)", [[command for command, _ in batch]]).fetchone()[0]
            made += sum(outcome and counts for outcome, (_, counts) in zip(outcomes, batch, strict=True))
        self.waiting = []
        return made

    def function(self, name, types, returns, counts=True):
        """Makes a function later; False if there is none with these types."""
        key = (name, tuple(types))
        if key in self.made or PSEUDO & {t.removesuffix("[]") for t in types}:
            return False
        self.made.add(key)
        self.later(self.trap(name, ", ".join(typed(t) for t in types), returns), counts)
        return True

    @staticmethod
    def trap(name, arguments, returns):
        """The command that creates a function."""
        return (f'CREATE FUNCTION public."{name}"({arguments}) RETURNS {returns} LANGUAGE plpgsql '
                + BODY.format(f"{name}({arguments})"))

    def functions(self, signatures, copies=True):
        """Better matches of functions; copies: of the same types too."""
        declared = set() if copies else {(s[0], tuple(s[1])) for s in signatures}
        for name, types, defaults, kind, result, is_set in signatures:
            # a better match than a domain is the type under it
            types = [DOMAINS.get(t, t) for t in types]
            shapes = [types[:len(types) - left] for left in range(defaults + 1)]
            if types[-1:] == ["any"] and name in ("concat", "concat_ws", "format", "jsonb_build_object"):
                shapes = [(types[:-1] + ["any"] * n)[:4] for n in range(4)]
            for shape in shapes:
                for chosen in variants(shape):
                    if (name, tuple(chosen)) in declared:
                        continue
                    returns = "SETOF pg_catalog.record" if result == "record" and is_set else \
                        result if result not in ("record", "language_handler", "event_trigger", "trigger") and not result.startswith("any") else "pg_catalog.text"
                    if kind == "a":
                        self.aggregate(name, chosen)
                    else:
                        self.function(name, chosen, returns)
        return self.make()

    def aggregate(self, name, types):
        if not types or PSEUDO & {t.removesuffix("[]") for t in types} or any(t.startswith("any") for t in types):
            return
        key = (name, tuple(types))
        if key in self.made:
            return
        self.made.add(key)
        step = f"step_{name}"
        self.function(step, ["text", *types], "pg_catalog.text", counts=False)
        self.later(f'CREATE AGGREGATE public."{name}"({", ".join(map(typed, types))}) '
                   f'(SFUNC = public."{step}", STYPE = pg_catalog.text, INITCOND = \'\')')

    def operators(self):
        """Every operator of the server that the scripts use, for each pair of types."""
        text = " ".join(path.read_text(encoding="utf-8") for path in SOURCES if path != TRADING)
        used = {o for o in ("=", "<>", "<", "<=", ">", ">=", "||", "+", "-", "->", "->>", "#>", "~", "!~", "~~", "@>", "?") if o in text}
        pairs = set()
        for name, left, right, result in self.admin.execute("""
                SELECT o.oprname, coalesce(l.typname, ''), r.typname, format_type(o.oprresult, NULL)
                FROM pg_operator AS o LEFT JOIN pg_type AS l ON l.oid = o.oprleft JOIN pg_type AS r ON r.oid = o.oprright
                WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND l.oid IS NOT NULL""").fetchall():
            sides = [{"char": '"char"'}.get(t, t[1:] + "[]" if t.startswith("_") else t) for t in (left, right)]
            if name not in used:
                continue
            for chosen in variants(sides):
                if (name, chosen) not in pairs and not all(t.startswith("any") for t in chosen[:1]) and chosen[0] in INSTEAD and chosen[1] in INSTEAD:
                    pairs.add((name, chosen))
                    self.operator(name, chosen, result if not result.startswith("any") else "pg_catalog.text")
        return self.make()

    def operator(self, name, types, result):
        function = f"operator_{name.encode().hex()}"
        if self.function(function, types, result, counts=False):
            self.later(f'CREATE OPERATOR public.{name} (LEFTARG = {typed(types[0])}, RIGHTARG = {typed(types[1])}, FUNCTION = public."{function}")')

    def types(self):
        """A domain of the name of each type of the server that the scripts name, whose check is a trap."""
        self.function("type_check", ["anyelement"], "pg_catalog.bool", counts=False)
        for name in sorted(t for t in INSTEAD if not t.endswith("[]") and not t.startswith("any") and t not in PSEUDO):
            self.later(f'CREATE DOMAIN public.{name if name.startswith(chr(34)) else chr(34) + name + chr(34)} AS {typed(name)} '
                       'CHECK (public.type_check(VALUE))')
        return self.make()

    # ---------- the outcome

    def ran(self):
        return self.admin.execute("SELECT is_called FROM public.hits").fetchone()[0]

    def found(self):
        """The traps that ran, and the objects that depend on traps."""
        problems = ["a function of mallory's ran"] if self.ran() else []
        problems += [f"{who} depends on {what}" for who, what in self.admin.execute("""
            WITH hers AS (SELECT s.classid, s.objid FROM pg_shdepend AS s
                WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.deptype = 'o'
                    AND s.refobjid = %s::regrole)
            SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
            FROM pg_depend AS d JOIN hers AS h ON h.classid = d.refclassid AND h.objid = d.refobjid
            WHERE NOT EXISTS (SELECT FROM hers AS o WHERE o.classid = d.classid AND o.objid = d.objid)
                AND NOT (d.classid = 'pg_constraint'::regclass
                    AND EXISTS (SELECT FROM pg_constraint AS c JOIN hers AS o ON o.objid = c.contypid WHERE c.oid = d.objid))
                AND NOT (d.classid = 'pg_type'::regclass
                    AND EXISTS (SELECT FROM pg_type AS t JOIN hers AS o ON o.objid = t.typelem WHERE t.oid = d.objid))
            """, [self.world.role("mallory")]).fetchall()]
        return problems
