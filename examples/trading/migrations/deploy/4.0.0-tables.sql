-- Deploy trading:4.0.0-tables to pg

-- The starting point: the application's tables today, with their
-- inconsistencies.  A database that has these tables already keeps them; the
-- verify script checks that they are the expected ones.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

DO $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1414676804, 4); END $$;

CREATE TABLE IF NOT EXISTS public.discord_channels (
    id         text PRIMARY KEY,
    guild_id   text,
    name       text,
    type       int,
    topic      text,
    updated_at timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.discord_messages (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text,
    channel_id text,
    author_id  text,
    content    text,
    created_at timestamptz,
    raw_event  jsonb
);

CREATE TABLE IF NOT EXISTS public.trade_setups (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticker            text,
    setup_date        date,
    source_message_id text,
    created_at        timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.parsed_levels (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    setup_id   bigint,
    level_type text,
    price      numeric
);

-- One event table for each slice, each with its own column names.

-- The gateway's names of events (MESSAGE_CREATE), and no version.
CREATE TABLE IF NOT EXISTS public.discord_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text,
    payload        jsonb,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

-- No type: most documents contain their kind.
CREATE TABLE IF NOT EXISTS public.market_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schema_version int,
    data           json,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

-- A document that is text, a version that is a word ("1", "v1").
CREATE TABLE IF NOT EXISTS public.signal_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text,
    version        text,
    event_data     text,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

-- Two documents, after an unfinished renaming: body is the older one.  Most
-- rows have one of them, some have both.
CREATE TABLE IF NOT EXISTS public.order_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text,
    schema_version int,
    data           jsonb,
    body           json,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

-- Neither type nor version.
CREATE TABLE IF NOT EXISTS public.system_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    metadata       jsonb,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.ingestion_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body           text,
    event_id       uuid DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz DEFAULT now()
);

COMMIT;
