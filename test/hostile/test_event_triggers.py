"""Event triggers of users around the commands that calls run: they drop, rename, shadow, replace, and call back."""

import psycopg

# One event trigger function for all events.  my.place is the event at which it acts, once; my.action is what
# it runs.  The sequence counts, also if settings are rolled back.
ACT = """CREATE FUNCTION public.act() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('my.place', true) = TG_EVENT AND TG_TAG ~ current_setting('my.tag', true) THEN
        PERFORM set_config('my.place', '', false);
        PERFORM nextval('public.acts');
        EXECUTE current_setting('my.action');
    END IF; END $$"""
EVENTS = ("ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite")

START, END = EVENTS[:2]


def prepare(world):
    world.run(None, f"GRANT CREATE ON SCHEMA public TO \"{world.role('owner')}\"", "CREATE SEQUENCE public.acts START 2; SELECT nextval('public.acts')",
              "GRANT ALL ON SEQUENCE public.acts TO PUBLIC", ACT,
              *[f"CREATE EVENT TRIGGER act_{event} ON {event} EXECUTE FUNCTION public.act()" for event in EVENTS])
    world.run("owner",
              """SELECT register_event_schema('k', 1, '{"type": "object", "required": ["a"]}')""",
              """SELECT register_event_schema('k', 2, '{"type": "object", "required": ["b"]}', breaking => true)""",
              "CREATE TABLE ev (id int PRIMARY KEY, event_type text, schema_version int, data jsonb)", "CREATE TABLE other (LIKE ev INCLUDING ALL)",
              """CREATE TABLE legacy (id int PRIMARY KEY, event_type text, schema_version int, payload text DEFAULT '{"a": 1}')""",
              "CREATE FUNCTION up(e jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT e || '{\"b\": 1}'$$")


def act(session, place, action, tag="."):
    """Lets the event trigger act at the next command with this tag."""
    session.execute("SELECT set_config('my.place', %s, false), set_config('my.action', %s, false),"
                    " set_config('my.tag', %s, false)", (place, action, tag))


def acts(session):
    return session.execute("SELECT last_value FROM public.acts").fetchone()[0]


def error_of(session, call):
    """The error of a call during which the event trigger must have acted; NULL: none."""
    before = acts(session)
    try:
        session.execute(call)
    except psycopg.Error as error:
        return error
    assert acts(session) > before, f"the event trigger did not act: {call}"
    return None


def test_replaced_while_widened(world):
    """While a schema is widened, and allowed to be replaced for that, nothing else replaces it."""
    prepare(world)
    session = world.connect("owner")
    narrower = """CREATE OR REPLACE FUNCTION event_schema."k@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE
        AS '{"type": "string"}'"""
    for place in (START, END):
        act(session, place, narrower)
        error = error_of(session, """SELECT widen_event_schema('k', 1, '{"type": "object"}')""")
        assert error is not None and error.sqlstate == "42710", error
        assert world.run(None, """SELECT validate_event('{"a": 1}', 'k', 1), validate_event('""', 'k', 1)""") == [(True, False)]
    # wider than the document of the call, and proved to be wider than the one before
    act(session, START, """SELECT widen_event_schema('k', 1, '{"type": ["object", "array"]}')""")
    error = error_of(session, """SELECT widen_event_schema('k', 1, '{"type": "object"}')""")
    assert error is not None and error.sqlstate == "42710", error
    act(session, "no event", "")
    session.execute("""SELECT widen_event_schema('k', 1, '{"type": "object"}')""")
    assert world.run(None, "SELECT validate_event('{}', 'k', 1)") == [(True,)]


def test_created_while_registered(world):
    """What is created while a schema is registered is checked itself: its document, and the URIs that it takes."""
    prepare(world)
    world.run("owner", """SELECT register_schema('https://e.com/a', '{"$id": "https://e.com/b", "type": "string"}')""",
              """SELECT register_event_schema('user', 1, '{"$ref": "https://e.com/b"}')""")
    session = world.connect("owner")
    function = "FUNCTION event_schema.\"{}\"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE PARALLEL SAFE AS '{}'"
    calls = ("""SELECT register_event_schema('new', 1, '{"type": "object"}')""",
             """SELECT * FROM register_schemas('{"event:new@1": {"type": "object"}}')""")
    for call in calls:
        for place, action, sqlstate in (
                (START, "CREATE " + function.format("bad@1", '{"type": 1}'), "22023"),
                (END, "CREATE " + function.format("bad@1", '{"type": 1}'), "22023"),
                (END, "CREATE " + function.format("k@3", '{"type": "string"}'), "22023"),
                (END, "DROP FUNCTION event_schema.\"new@1\"(jsonb); CREATE " + function.format("new@1", '{"$id": "https://e.com/b"}'), "42710")):
            act(session, place, action)
            error = error_of(session, call)
            assert error is not None and error.sqlstate == sqlstate, f"{action}: {error.sqlstate if error else None} {error}"
    act(session, "no event", "")
    for call in calls:
        session.execute(call)


def test_table_renamed_or_shadowed(world):
    """A call says that it has added a check or a guard only if the table that it was given has it."""
    prepare(world)
    session = world.connect("owner")
    rename = "ALTER TABLE public.ev RENAME TO was; ALTER TABLE public.other RENAME TO ev"
    shadow = "CREATE TEMPORARY TABLE ev (event_type text, schema_version int, data jsonb)"
    is_guarded = "SELECT count(*) FROM event_enforcement WHERE relation = 'public.ev'::regclass"

    def try_call(call, place, action, tag):
        session.execute("BEGIN")
        act(session, place, action, tag)
        error = error_of(session, call)
        found = session.execute(is_guarded).fetchone()[0] if error is None else None
        session.execute("ROLLBACK")
        assert error is None or error.sqlstate == "55006", f"{call}: {error.sqlstate} {error}"
        return found

    assert try_call("SELECT add_event_check('ev')", START, rename, "ALTER TABLE") is None
    assert try_call("SELECT add_event_check('ev')", START, shadow, "ALTER TABLE") == 1
    assert try_call("SELECT add_event_guard('ev', 'enforce')", START, rename, "CREATE TRIGGER") is None
    assert try_call("SELECT add_event_guard('ev', 'enforce')", START, shadow, "CREATE TRIGGER") == 1
    # both have what the call changes
    for table in ("ev", "other"):
        session.execute(f"SELECT add_event_guard('{table}', 'warn'), add_event_check('{table}', constraint_name => 'c')")
        session.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER zzz_event_guard")
    assert try_call("SELECT add_event_guard('ev', 'enforce', data_expr => 'data')", START, rename, "CREATE TRIGGER") is None
    assert try_call("SELECT drop_event_guard('ev')", START, rename, "DROP TRIGGER") is None
    assert try_call("SELECT drop_event_check('ev', 'c')", START, shadow, "ALTER TABLE") == 1


def test_dropped_meanwhile(world):
    """What is dropped under a call is a clean error, not an internal one."""
    prepare(world)
    session = world.connect("owner")
    drop = "DROP TABLE public.ev, public.legacy"
    upcast = "SELECT register_event_{}cast('k', {}, 'up(jsonb)')"
    for call, action, sqlstate in (
            ("SELECT add_event_guard('ev', 'enforce')", "DROP TRIGGER zzz_event_guard ON public.ev", "55006"),
            ("SELECT add_event_guard('ev', 'enforce')", drop, "55006"),
            ("SELECT standardize_event_column('legacy', 'payload')", drop, "55006"),
            ("SELECT set_event_guard_mode('ev', 'warn')", drop, "42P01"),
            (upcast.format("up", "1, 2"), "DROP FUNCTION event_schema.\"k@1>2\"(jsonb)", "55006"),
            (upcast.format("down", "2, 1"), "DROP FUNCTION event_schema.\"k@2>1\"(jsonb)", "55006"),
            ("SELECT register_event_rename('k', 1, 2, '{\"/a\": \"/b\"}')", "DROP FUNCTION event_schema.\"k@1>2\"(jsonb)", "55006")):
        session.execute("BEGIN")
        session.execute("SET client_min_messages = error")
        if "mode" in call:
            # the switch creates the quarantine anew
            session.execute("SELECT add_event_guard('ev', 'enforce')")
            session.execute("DROP TABLE event_schema.quarantine")
        elif "guard" in call:
            session.execute("SELECT create_event_quarantine()")
        act(session, END, action)
        error = error_of(session, call)
        session.execute("ROLLBACK")
        assert error is not None and error.sqlstate == sqlstate, f"{call}: {error.sqlstate if error else None} {error}"


def test_dropped_while_merged(world):
    """merge_event_column, which commits between its steps, finds the table gone."""
    prepare(world)
    session = world.connect("owner")
    # at the end of the step that adds the constraint
    act(session, END, "DROP TABLE public.legacy2", "ALTER TABLE")
    world.run("owner", "CREATE TABLE legacy2 (id int PRIMARY KEY, payload jsonb, data jsonb)",
              "CREATE TRIGGER zzy_event_column_merge BEFORE INSERT OR UPDATE ON legacy2 FOR EACH ROW"
              " EXECUTE FUNCTION _event_validate.keep_event_columns('payload', 'data')",
              "ALTER TABLE legacy2 ENABLE ALWAYS TRIGGER zzy_event_column_merge")
    error = error_of(session, "CALL merge_event_column('legacy2', 'payload')")
    assert error is not None and error.sqlstate == "42P01", f"{error.sqlstate if error else None} {error}"
