-- Deploy trading:4.3.0-events to pg
-- requires: 4.3.0-schemas

BEGIN;

-- Every slice stores its events in the same way.  The type says which slice
-- an event belongs to, the version which schema it was written by, and
-- check_event that it keeps to it.

CREATE TABLE discord_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT discord_events_type CHECK (event_type LIKE 'discord.%'),
    CONSTRAINT discord_events_valid CHECK (check_event(data, event_type, schema_version, 'discord_events_valid'))
);
COMMENT ON TABLE discord_events IS 'What the Discord reader received: messages, their changes and deletions, channels.';

-- Binance's own events are stored as they came over the wire, beside what
-- they are rendered as.
CREATE TABLE market_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT market_events_type CHECK (event_type LIKE 'market.%'
        OR event_type IN ('binance.trade', 'binance.agg_trade', 'binance.kline', 'binance.depth_update')),
    CONSTRAINT market_events_valid CHECK (check_event(data, event_type, schema_version, 'market_events_valid'))
);
COMMENT ON TABLE market_events IS 'Trades, quotes, bars and order book changes.';

CREATE TABLE signal_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signal_events_type CHECK (event_type LIKE 'trading.%'),
    CONSTRAINT signal_events_valid CHECK (check_event(data, event_type, schema_version, 'signal_events_valid'))
);
COMMENT ON TABLE signal_events IS 'What the strategies said.';

CREATE TABLE order_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_events_type CHECK (event_type LIKE 'order.%' OR event_type = 'binance.execution_report'),
    CONSTRAINT order_events_valid CHECK (check_event(data, event_type, schema_version, 'order_events_valid'))
);
COMMENT ON TABLE order_events IS 'Orders, what became of them, and their fills.';

CREATE TABLE system_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT system_events_type CHECK (event_type LIKE 'system.%'),
    CONSTRAINT system_events_valid CHECK (check_event(data, event_type, schema_version, 'system_events_valid'))
);
COMMENT ON TABLE system_events IS 'What the parts of the application say about themselves.';

CREATE TABLE ingestion_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ingestion_events_type CHECK (event_type LIKE 'ingestion.%'),
    CONSTRAINT ingestion_events_valid CHECK (check_event(data, event_type, schema_version, 'ingestion_events_valid'))
);
COMMENT ON TABLE ingestion_events IS 'How batches of records came in.';

-- Events by type and time.
CREATE INDEX discord_events_type_time ON discord_events (event_type, recorded_at);
CREATE INDEX market_events_type_time ON market_events (event_type, recorded_at);
CREATE INDEX signal_events_type_time ON signal_events (event_type, recorded_at);
CREATE INDEX order_events_type_time ON order_events (event_type, recorded_at);
CREATE INDEX system_events_type_time ON system_events (event_type, recorded_at);
CREATE INDEX ingestion_events_type_time ON ingestion_events (event_type, recorded_at);

COMMIT;
