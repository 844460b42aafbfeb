"""Client of the PostgreSQL extension event_validate; the command is event-schemas."""

__version__ = "1.0.0"
