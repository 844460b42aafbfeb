-- Deploy trading:4.2.0-fill to pg
-- requires: 4.2.0-extensions

-- Fills the new tables beside the old ones, which are read and written
-- meanwhile. 4.2.0-switch replaces the old tables, which are then the backup.
-- Nothing is rewritten under a lock.  It can be run again after it was
-- stopped.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- Refuse to run after the next release has changed the tables: these columns no longer exist.
DO $$
BEGIN
    IF to_regclass('legacy.discord_events') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the tables have the form of release 4.2.0 already',
            HINT = 'Continue with the next changes; if the tool does not know this one, record it: sqitch deploy --log-only, or alembic stamp.';
    END IF;
END
$$;

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

BEGIN;
SET LOCAL client_min_messages = warning;

DROP SCHEMA IF EXISTS trading_next CASCADE;
CREATE SCHEMA trading_next;
COMMENT ON SCHEMA trading_next IS 'The event tables of release 4.2.0 until they replace the old ones.';

-- Rows that were not simply copied, as long as the backup exists.
CREATE TABLE IF NOT EXISTS trading_migration.outcome (
    relation text   NOT NULL,
    id       bigint NOT NULL,
    how      text   NOT NULL CHECK (how IN ('upcast', 'version 0', 'conflict', 'no event', 'relabelled', 'rebuilt')),
    original json,
    PRIMARY KEY (relation, id)
);
COMMENT ON TABLE trading_migration.outcome IS
    'What 4.2.0 did with rows whose documents it did not simply copy; rows of conflict and no event are only here, complete, and in the backup.';
DELETE FROM trading_migration.outcome;
CREATE OR REPLACE VIEW trading_migration.merge_conflicts AS
    SELECT relation, id, original -> 'data' AS data, original -> 'body' AS body, original
    FROM trading_migration.outcome WHERE how = 'conflict';
COMMENT ON VIEW trading_migration.merge_conflicts IS
    'rows with two documents that disagree: trading_migration.resolve(table, id, document) stores the one that you choose';

-- No autovacuum here, since the switch would have to wait for it.

CREATE TABLE trading_next.discord_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT discord_events_type CHECK (event_type LIKE 'discord.%'),
    CONSTRAINT discord_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND data ? 'id', false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.discord_events IS 'Events of the Discord reader: messages, their changes and deletions, channels.';

CREATE TABLE trading_next.market_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT market_events_type CHECK (event_type LIKE 'market.%'
        OR event_type IN ('binance.trade', 'binance.agg_trade', 'binance.kline', 'binance.depth_update')),
    CONSTRAINT market_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND (jsonb_typeof(data -> 'symbol') = 'string' OR jsonb_typeof(data -> 's') = 'string'), false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.market_events IS 'Trades, quotes, bars and order book changes; Binance''s in their wire format.';

CREATE TABLE trading_next.signal_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signal_events_type CHECK (event_type LIKE 'trading.%'),
    CONSTRAINT signal_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND jsonb_typeof(data -> 'symbol') = 'string' AND data ? 'action', false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.signal_events IS 'Signals of the strategies.';

CREATE TABLE trading_next.order_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_events_type CHECK (event_type LIKE 'order.%' OR event_type = 'binance.execution_report'),
    CONSTRAINT order_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND (jsonb_typeof(data -> 'symbol') = 'string' OR jsonb_typeof(data -> 'order') = 'object'
            OR jsonb_typeof(data -> 's') = 'string'), false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.order_events IS 'Orders, their changes, and their fills.';

CREATE TABLE trading_next.system_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT system_events_type CHECK (event_type LIKE 'system.%'),
    CONSTRAINT system_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND data ? 'message', false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.system_events IS 'Log messages of the application''s components.';

CREATE TABLE trading_next.ingestion_events (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type     text        NOT NULL,
    schema_version int         NOT NULL,
    data           jsonb       NOT NULL,
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    correlation_id uuid,
    causation_id   uuid,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ingestion_events_type CHECK (event_type LIKE 'ingestion.%'),
    CONSTRAINT ingestion_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object'
        AND data ?| ARRAY['batch_id', 'source'], false))
) WITH (autovacuum_enabled = off);
COMMENT ON TABLE trading_next.ingestion_events IS 'Results of ingested batches of records.';

-- Converts each old row to the new one.  The views follow the old tables when
-- these are moved.
CREATE OR REPLACE VIEW trading_migration.upgraded_discord_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        c.how AS how, row_to_json(o) AS original
    FROM public.discord_events AS o, LATERAL trading_migration.classify('discord_events', o.event_type, NULL, o.payload) AS c;
CREATE OR REPLACE VIEW trading_migration.upgraded_market_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        c.how AS how, row_to_json(o) AS original
    FROM public.market_events AS o, LATERAL trading_migration.classify('market_events', NULL, o.schema_version, trading_migration.document(o.data::text)) AS c;
CREATE OR REPLACE VIEW trading_migration.upgraded_signal_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        c.how AS how, row_to_json(o) AS original
    FROM public.signal_events AS o, LATERAL trading_migration.classify('signal_events', o.event_type, trading_migration.version_number(o.version), trading_migration.document(o.event_data)) AS c;
CREATE OR REPLACE VIEW trading_migration.upgraded_order_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        CASE WHEN o.data::text <> trading_migration.document(o.body::text)::text THEN 'conflict' ELSE c.how END AS how, row_to_json(o) AS original
    FROM public.order_events AS o, LATERAL trading_migration.classify('order_events', o.event_type, o.schema_version, coalesce(o.data, trading_migration.document(o.body::text))) AS c;
CREATE OR REPLACE VIEW trading_migration.upgraded_system_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        c.how AS how, row_to_json(o) AS original
    FROM public.system_events AS o, LATERAL trading_migration.classify('system_events', NULL, NULL, o.metadata) AS c;
CREATE OR REPLACE VIEW trading_migration.upgraded_ingestion_events AS
    SELECT o.id, c.event_type, c.schema_version, c.data, o.event_id, o.correlation_id, o.causation_id, o.recorded_at,
        c.how AS how, row_to_json(o) AS original
    FROM public.ingestion_events AS o, LATERAL trading_migration.classify('ingestion_events', NULL, NULL, trading_migration.document(o.body)) AS c;

-- Copies rows.  The log of changes lists those to be copied again.
CREATE OR REPLACE FUNCTION trading_migration.take_over(relation text, first bigint, last bigint, ids bigint[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format($f$
        WITH upgraded AS MATERIALIZED (
            SELECT u.id, u.event_type, u.schema_version, u.data, u.event_id, u.correlation_id, u.causation_id, u.recorded_at, u.how,
                CASE WHEN u.how IN ('conflict', 'no event') THEN u.original END AS original
            FROM trading_migration.upgraded_%1$I AS u WHERE %2$s
        ), noted AS (
            INSERT INTO trading_migration.outcome (relation, id, how, original)
            SELECT %1$L, id, how, original FROM upgraded WHERE how NOT IN ('kept', 'classified')
            ON CONFLICT DO NOTHING
        )
        INSERT INTO trading_next.%1$I (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at
        FROM upgraded WHERE how NOT IN ('conflict', 'no event')
        ORDER BY id
        ON CONFLICT (id) DO NOTHING
    $f$, relation, CASE WHEN ids IS NULL THEN 'u.id BETWEEN $1 AND $2' ELSE 'u.id = ANY ($3)' END) USING first, last, ids;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.catch_up(relation text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
BEGIN
    WITH taken AS (
        DELETE FROM trading_migration.changed AS c WHERE c.release = '4.2.0' AND c.relation = catch_up.relation RETURNING c.id
    )
    SELECT array_agg(DISTINCT id::bigint) INTO ids FROM taken;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('DELETE FROM trading_next.%I WHERE id = ANY ($1)', relation) USING ids;
    DELETE FROM trading_migration.outcome AS o WHERE o.relation = catch_up.relation AND o.id = ANY (ids);
    PERFORM trading_migration.take_over(relation, NULL, NULL, ids);
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION trading_migration.take_over(text, bigint, bigint, bigint[]) IS 'copies rows of an old table into the new one';
COMMENT ON FUNCTION trading_migration.catch_up(text) IS 'copies the rows that the log lists as changed since; returns their number';

COMMIT;

-- From here on, the log contains the changes that the fill has not seen.
CALL trading_migration.briefly_each(ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'], $$
    CREATE OR REPLACE TRIGGER zz_watch_4_2_0 AFTER INSERT OR UPDATE OR DELETE ON public.%1$I FOR EACH ROW
        EXECUTE FUNCTION trading_migration.log_change('4.2.0', %1$L);
    CREATE OR REPLACE TRIGGER zz_watch_4_2_0_truncate BEFORE TRUNCATE ON public.%1$I
        EXECUTE FUNCTION trading_migration.log_truncate('4.2.0', %1$L);
    DELETE FROM trading_migration.changed WHERE release = '4.2.0' AND relation = %1$L
$$);

CALL trading_migration.in_batches('public.discord_events', $$SELECT trading_migration.take_over('discord_events', $1, $2)$$, 10000);
CALL trading_migration.in_batches('public.market_events', $$SELECT trading_migration.take_over('market_events', $1, $2)$$, 10000);
CALL trading_migration.in_batches('public.signal_events', $$SELECT trading_migration.take_over('signal_events', $1, $2)$$, 10000);
CALL trading_migration.in_batches('public.order_events', $$SELECT trading_migration.take_over('order_events', $1, $2)$$, 10000);
CALL trading_migration.in_batches('public.system_events', $$SELECT trading_migration.take_over('system_events', $1, $2)$$, 10000);
CALL trading_migration.in_batches('public.ingestion_events', $$SELECT trading_migration.take_over('ingestion_events', $1, $2)$$, 10000);

-- Rows deleted meanwhile: another row may have the event_id now.
SELECT trading_migration.catch_up(relation)
FROM unnest(ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events']) AS relation;

-- No session uses these tables yet, so none waits for their indexes.
CREATE UNIQUE INDEX discord_events_event_id ON trading_next.discord_events (event_id);
CREATE UNIQUE INDEX market_events_event_id ON trading_next.market_events (event_id);
CREATE UNIQUE INDEX signal_events_event_id ON trading_next.signal_events (event_id);
CREATE UNIQUE INDEX order_events_event_id ON trading_next.order_events (event_id);
CREATE UNIQUE INDEX system_events_event_id ON trading_next.system_events (event_id);
CREATE UNIQUE INDEX ingestion_events_event_id ON trading_next.ingestion_events (event_id);
CREATE INDEX discord_events_type_time ON trading_next.discord_events (event_type, recorded_at);
CREATE INDEX market_events_type_time ON trading_next.market_events (event_type, recorded_at);
CREATE INDEX signal_events_type_time ON trading_next.signal_events (event_type, recorded_at);
CREATE INDEX order_events_type_time ON trading_next.order_events (event_type, recorded_at);
CREATE INDEX system_events_type_time ON trading_next.system_events (event_type, recorded_at);
CREATE INDEX ingestion_events_type_time ON trading_next.ingestion_events (event_type, recorded_at);
CREATE INDEX discord_events_correlation ON trading_next.discord_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX market_events_correlation ON trading_next.market_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX signal_events_correlation ON trading_next.signal_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX order_events_correlation ON trading_next.order_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX system_events_correlation ON trading_next.system_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX ingestion_events_correlation ON trading_next.ingestion_events (correlation_id) WHERE correlation_id IS NOT NULL;
-- documents that are searched by content: data @> '{"symbol": "SPY"}'
CREATE INDEX market_events_data ON trading_next.market_events USING gin (data jsonb_path_ops);
CREATE INDEX signal_events_data ON trading_next.signal_events USING gin (data jsonb_path_ops);
CREATE INDEX order_events_data ON trading_next.order_events USING gin (data jsonb_path_ops);

VACUUM (ANALYZE) trading_next.discord_events;
VACUUM (ANALYZE) trading_next.market_events;
VACUUM (ANALYZE) trading_next.signal_events;
VACUUM (ANALYZE) trading_next.order_events;
VACUUM (ANALYZE) trading_next.system_events;
VACUUM (ANALYZE) trading_next.ingestion_events;
