"""Types with invisible or confusing characters."""

# bidirectional controls and marks, zero width, invisible, not assigned, private use, separators
UNSEEN = [
    "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e", "\u200b", "\u200c", "\u200d",
    "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2060", "\u2061",
    "\u2064", "\u2065", "\u2066", "\u2067", "\u2068", "\u2069", "\u206a", "\u3164", "\ufe00", "\ufe0f", "\ufeff",
    "\uffa0", "\ufff0", "\ufff9", "\ufffb", "\ufffe", "\uffff", "\u0085", "\u009f", "\u0378", "\u2fe0", "\ue000",
    "\U000110bd", "\U0001bca0", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e0100", "\U000f0000", "\U0010fffd",
    "\U0010ffff", "\U000cffff", "\x01", "\x1f", "\x7f",
]
SEEN = ["order", "große.bestellung", "заказ", "注文", "παραγγελία", "طلب", "𝄞", "🛒", "e\u0301", "a b", "a\u00a0b", "注\u3000文"]


def test_unseen_characters(world):
    session = world.connect("owner")
    session.execute("CREATE FUNCTION pg_temp.unchanged(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1'")
    for character in UNSEEN:
        for event_type in (character, f"or{character}der", f"order{character}"):
            for command, sqlstate in (
                    ("SELECT register_event_schema(%s, 1, '{}')", "22023"),
                    ("SELECT set_event_compatibility(%s, 'none')", "22023"),
                    ("SELECT register_event_upcast(%s, 1, 2, 'pg_temp.unchanged(jsonb)')", "22023")):
                try:
                    session.execute(command, (event_type,))
                except Exception as error:  # pylint: disable=broad-except
                    assert error.sqlstate == sqlstate, f"{event_type!a}: {error}"
                else:
                    raise AssertionError(f"{event_type!a} is not refused")
            for setting in ("on", "off"):
                for name in (f"{event_type}@1", f"{event_type}@compatibility"):
                    session.execute(f"SET check_function_bodies = {setting}")
                    try:
                        if name.endswith("@1"):
                            session.execute(f'CREATE FUNCTION event_schema."{name}"(data jsonb) RETURNS boolean '
                                            "LANGUAGE jsonschema AS '{}'")
                        else:
                            session.execute(f'CREATE FUNCTION event_schema."{name}"() RETURNS text LANGUAGE sql '
                                            "AS $$SELECT 'none'$$")
                    except Exception as error:  # pylint: disable=broad-except
                        assert error.sqlstate in ("42602", "42P17"), f"{name!a}: {error}"
                    else:
                        raise AssertionError(f"{name!a} is not refused")
            row = session.execute("SELECT validate_event('1', %s, 1)", (event_type,)).fetchone()
            assert row == (False,)


def test_seen_characters(world):
    session = world.connect("owner")
    for event_type in SEEN:
        session.execute("SELECT register_event_schema(%s, 1, '{}')", (event_type,))
        assert session.execute("SELECT validate_event('1', %s, 1)", (event_type,)).fetchone() == (True,)
    assert session.execute("SELECT count(*) FROM event_schemas").fetchone() == (len(SEEN),)


def test_other_encodings(world):
    """Characters count, not bytes: 0xAD and 0x80 are invisible in LATIN1, not in WIN1251."""
    for encoding, event_type, refused in (
            ("LATIN1", b"or\xadder", True), ("LATIN1", b"or\x80der", True), ("LATIN1", b"gro\xdfe", False),
            ("WIN1251", b"\xe7\xe0\xea\xe0\xe7", False), ("WIN1251", b"or\xadder", True),
            ("SQL_ASCII", "or\u200bder".encode(), True), ("SQL_ASCII", b"or\xffder", False), ("SQL_ASCII", "große".encode(), False)):
        name = f"{world.database}_{encoding.lower()}"
        admin = world.server.admin
        if not admin.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchall():
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
            session = world.server._connect(name, None)  # pylint: disable=protected-access
            session.execute("CREATE EXTENSION event_validate")
        else:
            session = world.server._connect(name, None)  # pylint: disable=protected-access
        try:
            session.execute(f"SELECT register_event_schema(convert_from('\\x{event_type.hex()}', '{encoding}'), 1, '{{}}')")
        except Exception as error:  # pylint: disable=broad-except
            assert refused and error.sqlstate == "22023", f"{encoding} {event_type}: {error}"
        else:
            assert not refused, f"{encoding} {event_type} is not refused"
        finally:
            session.close()
    for encoding in ("latin1", "win1251", "sql_ascii"):
        world.server.admin.execute(f"DROP DATABASE {world.database}_{encoding} WITH (FORCE)")
