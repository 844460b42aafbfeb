-- Deploy trading:4.3.0-checks to pg
-- requires: 4.3.0-guards

-- 1. The audit: record stored events that no schema allows.
-- 2. Prevent new ones: a check, NOT VALID, on each table.
-- 3. Invalid events that arrived since 4.2.0: classify them again, otherwise
--    move them to before_4_3_0.  (A message, to which others refer, is rebuilt
--    from its columns.)  The original row is kept with the reason.
-- 4. Validate the checks for every row.  The rules of structure of 4.1.0 are
--    weaker, and are dropped.  The guards stay, in enforce: one call diverts,
--    at 3 a.m.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

-- ---------- 1. ----------

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE TABLE IF NOT EXISTS trading_migration.audit (
    relation          text NOT NULL,
    event_type        text,
    schema_version    int,
    instance_location text,
    keyword           text,
    message           text,
    rows              bigint,
    violations        bigint,
    sample_ids        text[],
    audited_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trading_migration.audit IS 'The result of audit_events before the checks of 4.3.0.';
CREATE SCHEMA IF NOT EXISTS before_4_3_0;
COMMENT ON SCHEMA before_4_3_0 IS 'Rows as they were before migration 4.3.0 repaired or moved them.';

CREATE TABLE IF NOT EXISTS before_4_3_0.discord_events (
    LIKE public.discord_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.market_events (
    LIKE public.market_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.signal_events (
    LIKE public.signal_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.order_events (
    LIKE public.order_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.system_events (
    LIKE public.system_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.ingestion_events (
    LIKE public.ingestion_events,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS before_4_3_0.discord_messages (
    LIKE public.discord_messages,
    kept_why text NOT NULL,
    kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
    repaired jsonb,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);

COMMIT;

INSERT INTO trading_migration.audit SELECT 'discord_events', a.* FROM public.audit_events('public.discord_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'market_events', a.* FROM public.audit_events('public.market_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'signal_events', a.* FROM public.audit_events('public.signal_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'order_events', a.* FROM public.audit_events('public.order_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'system_events', a.* FROM public.audit_events('public.system_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'ingestion_events', a.* FROM public.audit_events('public.ingestion_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;
INSERT INTO trading_migration.audit SELECT 'discord_messages', a.* FROM public.audit_events('public.discord_messages'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 5) AS a;

-- ---------- 2. ----------

SELECT public.add_event_check('public.discord_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'discord_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.market_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'market_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.signal_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'signal_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.order_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'order_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.system_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'system_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.ingestion_events'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'ingestion_events_valid'::text, false, NULL::text[]);
SELECT public.add_event_check('public.discord_messages'::regclass, 'data'::text, 'event_type'::text, 'schema_version'::text, 'discord_messages_valid'::text, false, NULL::text[]);

-- ---------- 3. ----------

-- Back from the earlier side table, after a release was reverted: the rules of
-- structure did not allow these rows.
SELECT trading_migration.briefly('ALTER TABLE public.discord_events DROP CONSTRAINT IF EXISTS discord_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.market_events DROP CONSTRAINT IF EXISTS market_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.signal_events DROP CONSTRAINT IF EXISTS signal_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.order_events DROP CONSTRAINT IF EXISTS order_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.system_events DROP CONSTRAINT IF EXISTS system_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.ingestion_events DROP CONSTRAINT IF EXISTS ingestion_events_structure');
SELECT trading_migration.briefly('ALTER TABLE public.discord_messages DROP CONSTRAINT IF EXISTS discord_messages_structure');

CREATE OR REPLACE FUNCTION trading_migration.make_valid(relation text, first bigint, last bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_message CONSTANT boolean := relation = 'discord_messages';
BEGIN
    EXECUTE format($f$
        WITH broken AS MATERIALIZED (
            SELECT e.id, c.event_type, c.schema_version, c.data, c.how
            FROM public.%1$I AS e, LATERAL trading_migration.classify(%1$L, e.event_type, NULL, e.data) AS c
            WHERE e.id BETWEEN $1 AND $2 AND NOT public.validate_event(e.data, e.event_type, e.schema_version)
            FOR UPDATE OF e
        ), kept AS (
            INSERT INTO before_4_3_0.%1$I
            SELECT e.*, (SELECT concat_ws(' ', v.instance_location, v.message) FROM public.event_schemas AS s,
                    LATERAL public.event_violations(e.data, e.event_type, e.schema_version) AS v
                    WHERE s.event_type = e.event_type AND s.schema_version = e.schema_version LIMIT 1),
                CASE WHEN b.how = 'no event' AND NOT %2$L THEN 'moved' ELSE 'repaired' END,
                CASE WHEN b.how <> 'no event' OR %2$L THEN jsonb_build_object('event_type', b.event_type,
                    'schema_version', CASE b.how WHEN 'no event' THEN 0 ELSE b.schema_version END, 'data', %3$s) END
            FROM broken AS b JOIN public.%1$I AS e USING (id)
            ON CONFLICT (id) DO NOTHING
        ), gone AS (
            DELETE FROM public.%1$I AS e USING broken AS b WHERE e.id = b.id AND b.how = 'no event' AND NOT %2$L
        )
        UPDATE public.%1$I AS e SET event_type = b.event_type, schema_version = CASE b.how WHEN 'no event' THEN 0 ELSE b.schema_version END, data = %3$s
        FROM broken AS b WHERE e.id = b.id AND (b.how <> 'no event' OR %2$L)
    $f$, relation, is_message, CASE WHEN is_message
        THEN 'CASE b.how WHEN ''no event'' THEN trading_migration.rebuilt(e.message_id, e.channel_id, e.author_id, e.content, e.created_at) ELSE b.data END'
        ELSE 'b.data' END) USING first, last;
END
$$;

CALL trading_migration.in_batches('public.discord_events', $$SELECT trading_migration.make_valid('discord_events', $1, $2)$$);
CALL trading_migration.in_batches('public.market_events', $$SELECT trading_migration.make_valid('market_events', $1, $2)$$);
CALL trading_migration.in_batches('public.signal_events', $$SELECT trading_migration.make_valid('signal_events', $1, $2)$$);
CALL trading_migration.in_batches('public.order_events', $$SELECT trading_migration.make_valid('order_events', $1, $2)$$);
CALL trading_migration.in_batches('public.system_events', $$SELECT trading_migration.make_valid('system_events', $1, $2)$$);
CALL trading_migration.in_batches('public.ingestion_events', $$SELECT trading_migration.make_valid('ingestion_events', $1, $2)$$);
CALL trading_migration.in_batches('public.discord_messages', $$SELECT trading_migration.make_valid('discord_messages', $1, $2)$$);

DROP FUNCTION trading_migration.make_valid(text, bigint, bigint);

-- ---------- 4. ----------

SELECT public.validate_event_check('public.discord_events'::regclass, 'discord_events_valid'::text);
SELECT public.validate_event_check('public.market_events'::regclass, 'market_events_valid'::text);
SELECT public.validate_event_check('public.signal_events'::regclass, 'signal_events_valid'::text);
SELECT public.validate_event_check('public.order_events'::regclass, 'order_events_valid'::text);
SELECT public.validate_event_check('public.system_events'::regclass, 'system_events_valid'::text);
SELECT public.validate_event_check('public.ingestion_events'::regclass, 'ingestion_events_valid'::text);
SELECT public.validate_event_check('public.discord_messages'::regclass, 'discord_messages_valid'::text);

SELECT public.set_event_guard_mode('public.discord_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.market_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.signal_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.order_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.system_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.ingestion_events'::regclass, 'enforce'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.discord_messages'::regclass, 'enforce'::text, NULL::timestamptz);

-- Rows that an earlier revert set aside, because the rules of 4.1.0 did not
-- allow them.  Rows that are not valid, or that exist again under another id,
-- stay there.
BEGIN;

DO $$
DECLARE
    relation text;
BEGIN
    IF to_regclass('kept_by_revert.rows') IS NOT NULL THEN
        FOREACH relation IN ARRAY ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'] LOOP
            EXECUTE format($f$
                WITH back AS (
                    INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
                    SELECT r.* FROM kept_by_revert.rows AS k, LATERAL jsonb_populate_record(NULL::public.%1$I, k.row) AS r
                    WHERE k.release = '4.3.0' AND k.relation = %1$L AND public.validate_event(r.data, r.event_type, r.schema_version)
                    ON CONFLICT DO NOTHING
                    RETURNING id
                )
                DELETE FROM kept_by_revert.rows AS k USING back WHERE k.release = '4.3.0' AND k.relation = %1$L AND k.id = back.id
            $f$, relation);
        END LOOP;
        WITH back AS (
            DELETE FROM kept_by_revert.rows AS k WHERE k.release = '4.3.0' AND k.relation = 'discord_messages' RETURNING k.id, k.row
        )
        UPDATE public.discord_messages AS m SET data = back.row -> 'data'
        FROM back WHERE m.id = back.id AND m.data = (back.row -> 'data') || jsonb_build_object('channel_id', m.channel_id);
    END IF;
END
$$;

COMMIT;

-- Show the result.
DO $$
DECLARE
    line text;
BEGIN
    FOR line IN
        SELECT format('%s: %s rows %s', relation, count(*), kept_as) FROM (
            SELECT 'discord_events', kept_as FROM before_4_3_0.discord_events
            UNION ALL
            SELECT 'market_events', kept_as FROM before_4_3_0.market_events
            UNION ALL
            SELECT 'signal_events', kept_as FROM before_4_3_0.signal_events
            UNION ALL
            SELECT 'order_events', kept_as FROM before_4_3_0.order_events
            UNION ALL
            SELECT 'system_events', kept_as FROM before_4_3_0.system_events
            UNION ALL
            SELECT 'ingestion_events', kept_as FROM before_4_3_0.ingestion_events
            UNION ALL
            SELECT 'discord_messages', kept_as FROM before_4_3_0.discord_messages
        ) AS k (relation, kept_as) GROUP BY relation, kept_as ORDER BY 1
    LOOP
        RAISE NOTICE '%', line;
    END LOOP;
END
$$;
