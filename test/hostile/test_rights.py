"""What a role without rights may call."""


def test_register_without_create(world):
    world.refused("mallory", """SELECT register_event_schema('a', 1, '{}')""", "42501", "event_schema")
