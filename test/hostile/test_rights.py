"""The calls that a role may make (test_roles.py has all), and code that it cannot make others run."""

import psycopg

# a function that keeps who ran it, whatever is rolled back
SPY = """CREATE SEQUENCE spied; GRANT ALL ON SEQUENCE spied TO PUBLIC;
    CREATE FUNCTION public.spy(type text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN PERFORM setval(''public.spied'', current_user::regrole::oid::bigint); RETURN type; END'"""
TYPES = "SELECT register_event_schema('mine', n, '{}') FROM generate_series(1, 2) AS n"
DROP = "SELECT drop_event_schema('mine', 1)"
USAGE = "SELECT relation::text, events FROM event_schema_usage() WHERE schema_version = 1"


def prepare(world):
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC", f"GRANT CREATE ON SCHEMA event_schema TO {world.role('mallory')}")
    world.run("mallory", TYPES, SPY)


def spied(world):
    return world.run(None, "SELECT last_value::oid::regrole::text FROM spied WHERE is_called")


def test_register_without_create(world):
    world.refused("mallory", """SELECT register_event_schema('a', 1, '{}')""", "42501", "event_schema")


def test_trigger_is_no_right_of_the_owner(world):
    """Expressions of a guard that another role may have added do not run as the table's owner, here a superuser."""
    prepare(world)
    world.run(None, "CREATE TABLE ev (event_type text, schema_version int, data jsonb)", "INSERT INTO ev VALUES ('mine', 1, '{}')",
              f"GRANT SELECT, TRIGGER ON ev TO {world.role('mallory')}")
    for expression in ("public.spy(event_type)", "query_to_xml('SELECT public.spy(''x'')', true, true, '')::text",
                       "event_type || table_to_xml('pg_class', true, true, '')::text"):
        world.run("mallory", f"SELECT add_event_guard('ev', 'off', type_expr => $x${expression}$x$)")
        world.refused("mallory", DROP, "2BP01", "public.ev", "not known", "TRIGGER")
        world.refused(None, DROP, "2BP01", "public.ev", "not known", "TRIGGER")
        assert world.run("mallory", USAGE) == [(None, None)]
    assert not spied(world)
    # expressions that only compute run, and so does the owner's guard once no other role may add one
    world.run("mallory", "SELECT add_event_guard('ev', 'off', type_expr => 'lower(event_type) COLLATE \"C\"')")
    world.refused("mallory", DROP, "2BP01", "rows of table", "public.ev")
    assert world.run("mallory", USAGE) == [("ev", 1)]
    world.run(None, f"REVOKE TRIGGER ON ev FROM {world.role('mallory')}", "SELECT add_event_guard('ev', 'off', type_expr => 'public.spy(event_type)')")
    world.refused("mallory", DROP, "2BP01", "rows of table", "public.ev")
    assert spied(world) == [(world.role(None),)]
    # on a parent it is on the partitions
    world.run(None, "CREATE TABLE parent (event_type text, schema_version int, data jsonb) PARTITION BY LIST (event_type)",
              "DROP TABLE ev", "CREATE TABLE ev PARTITION OF parent DEFAULT", "INSERT INTO ev VALUES ('mine', 1, '{}')",
              "SELECT setval('spied', 1, false)", "SELECT add_event_guard('parent', 'off', type_expr => 'public.spy(event_type)')",
              f"GRANT TRIGGER ON parent TO {world.role('alice')}")
    world.refused("mallory", DROP, "2BP01", "public.ev", "not known")
    assert not spied(world)


def test_guards_of_partitions(world):
    """A role switches and replaces a guard on partitions only if it may have triggers there, as with CREATE TRIGGER."""
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    world.run("alice", "CREATE TABLE parent (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id)",
              "CREATE TABLE part PARTITION OF parent FOR VALUES FROM (0) TO (10)", "SELECT add_event_guard('parent', 'enforce')")
    world.run(None, f"ALTER TABLE part OWNER TO {world.role('bob')}")
    modes = "SELECT tgargs FROM pg_trigger WHERE tgname = 'zzz_event_guard'"
    for command in ("SELECT set_event_guard_mode('parent', 'off')", "SELECT add_event_guard('parent', 'warn')"):
        world.refused("alice", command, "42501", "part")
    assert world.run("alice", modes) == [(b"enforce\0",)] * 2
    world.run("bob", f"GRANT TRIGGER ON part TO {world.role('alice')}")
    for mode, command in (("off", "SELECT set_event_guard_mode('parent', 'off')"), ("warn", "SELECT add_event_guard('parent', 'warn')")):
        world.run("alice", command)
        assert world.run("alice", modes) == [(mode.encode() + b"\0",)] * 2


def test_domain_is_no_right_of_the_tables_owner(world):
    """The checks of a column's type, which another role owns, do not run as the table's owner."""
    prepare(world)
    world.run("mallory", "CREATE DOMAIN event AS jsonb CONSTRAINT plain CHECK (check_event(VALUE, VALUE ->> 'type', schema_version => 1))")
    world.run(None, "CREATE TABLE ev (data event)", """INSERT INTO ev VALUES ('{"type": "mine"}')""", f"GRANT SELECT ON ev TO {world.role('mallory')}")
    world.refused("mallory", DROP, "2BP01", "rows of table", "public.ev")
    assert world.run("mallory", USAGE) == [("ev", 1)]
    world.run("mallory", "ALTER DOMAIN event ADD CONSTRAINT spying CHECK (check_event(VALUE, public.spy(VALUE ->> 'type'), 1)) NOT VALID",
              "ALTER DOMAIN event DROP CONSTRAINT plain")
    world.refused("mallory", DROP, "2BP01", "public.ev", "not known")
    assert world.run("mallory", USAGE) == [(None, None)]
    assert not spied(world)


def test_type_of_an_enum_is_read(world):
    prepare(world)
    world.run("alice", "CREATE TYPE kind AS ENUM ('mine')", "CREATE TABLE ev (kind kind, schema_version int, data jsonb)",
              "INSERT INTO ev VALUES ('mine', 1, '{}')", "GRANT TRIGGER ON ev TO PUBLIC", "SELECT add_event_guard('ev', 'off', type_expr => 'kind::text')")
    world.refused("mallory", DROP, "2BP01", "rows of table", "public.ev")


def test_whether_the_quarantine_has_rows(world):
    """is not shown to a role that may not drop it, and its command does not wait for the lock."""
    world.run(None, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    world.run("alice", "CREATE TABLE ev (event_type text, schema_version int, data jsonb)", "SELECT add_event_guard('ev', 'quarantine')",
              "INSERT INTO ev VALUES ('none', 1, '{}')")
    session = world.connect()
    session.execute("BEGIN; LOCK TABLE event_schema.quarantine")
    for command in ("DROP EXTENSION event_validate CASCADE", "DROP EXTENSION plpgsql CASCADE", "DROP LANGUAGE plpgsql CASCADE",
                    "DROP SCHEMA public CASCADE", f"DROP OWNED BY {world.role('owner')} CASCADE", "DROP TABLE event_schema.quarantine"):
        for role in ("mallory", "alice"):
            world.refused(role, command, "42501")


def test_old_row_of_a_check(world):
    """check_event in a CHECK quotes an old row to a role that may update another column, unless show_values is off."""
    world.run("owner", """SELECT register_event_schema('order', 1, '{"properties": {"qty": {"type": "integer"}},
              "additionalProperties": {"type": "string"}}')""")
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}", "GRANT USAGE ON SCHEMA alice TO PUBLIC")
    world.run("alice", "CREATE TABLE alice.t (id int, note text, event_type text, schema_version int, data jsonb)",
              """INSERT INTO alice.t VALUES (1, '', 'order', 1, '{"qty": "secret", "hidden": 1}')""",
              "ALTER TABLE alice.t ADD CHECK (check_event(data, event_type, schema_version)) NOT VALID",
              "GRANT SELECT (id), UPDATE (note) ON alice.t TO PUBLIC")
    update = "UPDATE alice.t SET note = 'x' WHERE id = 1"
    world.refused("mallory", update, "23514", "secret")
    world.run(None, f"ALTER DATABASE {world.database} SET event_validate.show_values = off",
              f"ALTER DATABASE {world.database} SET event_validate.log_violations = on")
    error = world.refused("mallory", update, "23514", '"/properties/qty/type"', '"/additionalProperties/type"')
    assert "secret" not in str(error) and "hidden" not in str(error), error
    # only superusers, and roles to which they grant it, can set it
    for first in ("SELECT 1", "SELECT check_event('{}', 'order', 1)"):  # before and after the library is loaded
        session = world.connect("mallory")
        session.execute(first)
        sqlstates = []
        for command in ("SET event_validate.show_values = on", update):
            try:
                session.execute(command)
                sqlstates.append(None)  # until the library is loaded, it takes any value, and drops it then
            except psycopg.Error as raised:
                assert "secret" not in str(raised), raised
                sqlstates.append(raised.sqlstate)
        assert sqlstates == [None if first == "SELECT 1" and not world.is_preloaded() else "42501", "23514"], sqlstates
        session.close()
    # the answers are the same
    session = world.connect("mallory")
    assert session.execute("""SELECT validate_event('{"qty": "a"}', 'order', 1), validate_event('{"qty": 1}', 'order', 1),
        (SELECT message FROM event_violations('{"qty": "a"}', 'order', 1))""").fetchone()[:2] == (False, True)
    # guards, upcasts and their warnings too
    world.run("alice", "ALTER TABLE alice.t DROP CONSTRAINT t_check", "SELECT add_event_guard('alice.t', 'enforce')",
              "GRANT INSERT ON alice.t TO PUBLIC")
    insert = """INSERT INTO alice.t VALUES (2, '', 'order', 1, '{"qty": "secret"}')"""
    error = world.refused("mallory", insert, "23514", '"/properties/qty/type"')
    assert "secret" not in str(error), error
    world.run("alice", "SELECT set_event_guard_mode('alice.t', 'warn')")
    said = []
    session.add_notice_handler(lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}"))
    session.execute(insert)
    assert said and not any("secret" in line for line in said), said


def test_event_of_a_default(world):
    """The error of a guard shows no event to a sender who can have given none, and may not read it."""
    bob = f'"{world.role("bob")}"'
    world.run("owner", """SELECT register_event_schema('order', 1, '{"properties": {"s": {"type": "integer"}}}')""",
              "CREATE SCHEMA a", f'GRANT ALL ON SCHEMA a TO "{world.role("alice")}"', "GRANT USAGE ON SCHEMA a TO PUBLIC")
    world.run("alice", """CREATE TABLE a.t (id int, event_type text DEFAULT 'order', schema_version int DEFAULT 1,
        data jsonb DEFAULT '{"s": "secret"}') PARTITION BY LIST (id)""", "CREATE TABLE a.p PARTITION OF a.t DEFAULT",
              "CREATE VIEW a.id_view AS SELECT id FROM a.t", "CREATE VIEW a.event_view AS SELECT id, data FROM a.p",
              "CREATE VIEW a.upper_view AS SELECT * FROM a.event_view")

    def error(mode, guard, target, columns="id", values="1"):
        """What the error or the WARNING says."""
        world.run("alice", f"SELECT add_event_guard('a.t', '{mode}'{guard})")
        said = []
        session = world.connect("bob")
        session.add_notice_handler(lambda notice: said.append(notice.message_primary))
        try:
            session.execute(f"INSERT INTO {target} ({columns}) VALUES ({values})")
        except psycopg.Error as failure:
            said.append(f"{failure} {failure.diag.message_detail}")
        world.run("alice", "SELECT drop_event_guard('a.t')")
        return " ".join(said)

    for guard in ("", ", data_expr => $$data || '{}'$$"):
        for mode in ("enforce", "quarantine", "warn"):
            for grant, target in (("INSERT (id) ON a.t", "a.t"), ("INSERT (id) ON a.p", "a.p"), ("INSERT ON a.id_view", "a.id_view")):
                world.run("alice", f"GRANT {grant} TO {bob}")
                # mode quarantine diverts the row, where its sender could have inserted it
                assert "secret" not in error(mode, guard, target), (guard, mode, target)
                world.run("alice", f"GRANT SELECT ON a.t TO {bob}")
                assert mode == "quarantine" or "secret" in error(mode, guard, target), (guard, mode, target)
                world.run("alice", f"REVOKE {grant} FROM {bob}", f"REVOKE SELECT ON a.t FROM {bob}")
    # views of roles that may not give the event themselves, also the sender's own, are no way to give one
    world.run(None, "CREATE SCHEMA b", "GRANT ALL ON SCHEMA b TO PUBLIC")
    world.run("bob", "CREATE VIEW b.own AS SELECT * FROM a.t", "CREATE VIEW b.upper AS SELECT * FROM b.own")
    world.run("mallory", "CREATE VIEW b.other AS SELECT * FROM a.t", "GRANT ALL ON b.other TO PUBLIC")
    world.run("alice", f"GRANT INSERT (id) ON a.t TO {bob}")
    for mode in ("enforce", "warn"):
        assert "secret" not in error(mode, "", "a.t"), mode
    if world.run(None, "SELECT current_setting('server_version_num')::int >= 150000")[0][0]:
        world.run("alice", "CREATE VIEW a.invoker_view WITH (security_invoker = on) AS SELECT * FROM a.t",
                  f"GRANT INSERT ON a.invoker_view TO {bob}")
        assert "secret" not in error("enforce", "", "a.t")
        # nor through another one over a view that the sender may not use
        world.run("alice", f"REVOKE ALL ON a.invoker_view FROM {bob}", "GRANT SELECT ON a.event_view TO PUBLIC")
        world.run("mallory", "CREATE VIEW b.invoker WITH (security_invoker = true) AS SELECT * FROM a.event_view",
                  "GRANT ALL ON b.invoker TO PUBLIC")
        assert "secret" not in error("enforce", "", "a.t")
    world.run("alice", f"REVOKE INSERT (id) ON a.t FROM {bob}")
    # what the sender gives is shown
    for grant, target in (("INSERT (id, data) ON a.t", "a.t"), ("INSERT ON a.t", "a.t"), ("INSERT ON a.event_view", "a.event_view"),
                          ("INSERT ON a.upper_view", "a.upper_view")):
        world.run("alice", f"GRANT {grant} TO {bob}")
        assert "given" in error("enforce", "", target, "id, data", """1, '{"s": "given"}'"""), target
        world.run("alice", f"REVOKE {grant} FROM {bob}")


def test_settings_of_a_connection(world):
    """If a client gives a setting without the right, the database's value does not apply: then less is shown, and more is logged."""
    world.run("owner", """SELECT register_event_schema('order', 1, '{"properties": {"qty": {"type": "integer"}}}')""")
    names = ("show_values", "log_violations", "bypass_guard")
    options = "-c event_validate.show_values=on -c event_validate.log_violations=off -c event_validate.bypass_guard=on"
    # DISCARD ALL and the like go back to no other value
    commands = ("SELECT 1", "RESET event_validate.show_values", "RESET ALL", "DISCARD ALL")
    call = "SELECT check_event('{\"qty\": \"secret\"}', 'order', 1)"
    empty = " ".join(f"-c event_validate.{name}=" for name in names)
    for database, given, expected in (("", "", "on off off"), ("", options, "off all off"), ("", empty, "off all off"),
                                      ("off", "", "off all off"), ("off", options, "off all off"), ("off", empty, "off all off")):
        if database:
            world.run(None, f"ALTER DATABASE {world.database} SET event_validate.show_values = off",
                      f"ALTER DATABASE {world.database} SET event_validate.log_violations = on")
        if given and world.is_preloaded():
            # then the setting is known before the client gives it
            try:
                world.connect("mallory", options=given)
                raise AssertionError("not refused")
            except psycopg.OperationalError as raised:
                assert "permission denied to set parameter" in str(raised) or "invalid value for parameter" in str(raised), raised
            continue
        session = world.connect("mallory", options=given)
        for command in commands:
            try:
                session.execute(command)
            except psycopg.errors.InsufficientPrivilege:
                pass
            try:
                session.execute(call)
                raise AssertionError("not refused")
            except psycopg.errors.CheckViolation as raised:
                assert ("secret" in str(raised)) == (expected == "on off off"), raised
            assert " ".join(session.execute(f"SHOW event_validate.{name}").fetchone()[0] for name in names) == expected
    # roles that may set it
    session = world.connect(None, options="-c event_validate.show_values=on")
    try:
        session.execute(call)
        raise AssertionError("not refused")
    except psycopg.errors.CheckViolation as raised:
        assert "secret" in str(raised), raised


def test_stored_events_without_values(world):
    """With show_values off, messages about stored events name keywords, and neither values, properties nor keys."""
    world.run(None, f"CREATE SCHEMA alice AUTHORIZATION {world.role('alice')}")
    world.run("owner", """SELECT register_event_schema('order', 1, '{}')""",
              """SELECT register_event_schema('order', 2, '{"additionalProperties": {"type": "integer"}}', breaking => true)""",
              """CREATE FUNCTION public.same(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT data'""",
              "SELECT register_event_upcast('order', 1, 2, 'public.same(jsonb)')")
    world.run("alice", "CREATE TABLE alice.t (id text PRIMARY KEY, event_type text, schema_version int, data jsonb)",
              """INSERT INTO alice.t VALUES ('secret1', 'order', 1, '{"secret2": "secret3"}'), ('secret4', 'order', 2, '{"secret5": "secret6"}'),
              ('secret7', 'order', 3, '{}')""")

    def messages():
        session = world.connect("alice")
        said = []
        session.add_notice_handler(lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}"))
        session.execute("SELECT add_event_check('alice.t', constraint_name => 'valid')")
        try:
            session.execute("SELECT validate_event_check('alice.t')")
        except psycopg.errors.CheckViolation as error:
            said.append(f"{error.diag.message_primary} {error.diag.message_detail}")
        session.execute("SELECT drop_event_check('alice.t')")
        session.execute("CALL migrate_events('alice.t', 'order', 2)")
        session.execute("SELECT event_bigint(data, 'secret2') FROM alice.t")
        return [line.replace("secret2\" of an event", "...\" of an event") for line in said]  # the query has this name

    quoted = "\n".join(messages())
    for number in range(1, 8):
        assert f"secret{number}" in quoted, (number, quoted)
    world.run(None, f"ALTER DATABASE {world.database} SET event_validate.show_values = off")
    said = messages()
    assert "secret" not in "\n".join(said), said
    assert said == [
        'rows of table alice.t violate check constraint "valid" (rows: 2, violations: 2) '
        '1: "order" version 2, does not match keyword "type"\n1: "order" version 3, cannot be checked',
        'events "order" of table t: 0 migrated to version 2 None',
        'events "order" of table t: 1 are not migrated 1: version 1, does not match keyword "/additionalProperties/type"',
        'property "..." of an event is not a valid bigint and is shown as null Further values in this query are not reported.'], said
