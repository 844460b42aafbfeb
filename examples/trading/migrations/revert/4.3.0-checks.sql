-- Revert trading:4.3.0-checks from pg

-- The guards only warn again, and the rules of structure of 4.1.0 are
-- restored.  A valid event that these do not allow (an order of several legs
-- has no symbol of its own) moves to kept_by_revert.rows, and is restored by
-- the next deployment.  Moved or repaired rows are restored.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

SELECT public.set_event_guard_mode('public.discord_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.market_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.signal_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.order_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.system_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.ingestion_events'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.set_event_guard_mode('public.discord_messages'::regclass, 'warn'::text, NULL::timestamptz);
SELECT public.drop_event_check('public.discord_events'::regclass, 'discord_events_valid'::text);
SELECT public.drop_event_check('public.market_events'::regclass, 'market_events_valid'::text);
SELECT public.drop_event_check('public.signal_events'::regclass, 'signal_events_valid'::text);
SELECT public.drop_event_check('public.order_events'::regclass, 'order_events_valid'::text);
SELECT public.drop_event_check('public.system_events'::regclass, 'system_events_valid'::text);
SELECT public.drop_event_check('public.ingestion_events'::regclass, 'ingestion_events_valid'::text);
SELECT public.drop_event_check('public.discord_messages'::regclass, 'discord_messages_valid'::text);

SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_events
        DROP CONSTRAINT IF EXISTS discord_events_structure,
        ADD CONSTRAINT discord_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND data ? 'id', false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.market_events
        DROP CONSTRAINT IF EXISTS market_events_structure,
        ADD CONSTRAINT market_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND (jsonb_typeof(data -> 'symbol') = 'string' OR jsonb_typeof(data -> 's') = 'string'), false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.signal_events
        DROP CONSTRAINT IF EXISTS signal_events_structure,
        ADD CONSTRAINT signal_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND jsonb_typeof(data -> 'symbol') = 'string' AND data ? 'action', false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.order_events
        DROP CONSTRAINT IF EXISTS order_events_structure,
        ADD CONSTRAINT order_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND (jsonb_typeof(data -> 'symbol') = 'string' OR jsonb_typeof(data -> 'order') = 'object' OR jsonb_typeof(data -> 's') = 'string'), false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.system_events
        DROP CONSTRAINT IF EXISTS system_events_structure,
        ADD CONSTRAINT system_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND data ? 'message', false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.ingestion_events
        DROP CONSTRAINT IF EXISTS ingestion_events_structure,
        ADD CONSTRAINT ingestion_events_structure CHECK (coalesce(jsonb_typeof(data) = 'object' AND data ?| ARRAY['batch_id', 'source'], false)) NOT VALID
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages
        DROP CONSTRAINT IF EXISTS discord_messages_structure,
        ADD CONSTRAINT discord_messages_structure CHECK (jsonb_typeof(data) = 'object' AND data ? 'id' AND data ? 'channel_id') NOT VALID
$$);

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS kept_by_revert;
CREATE TABLE IF NOT EXISTS kept_by_revert.rows (
    release  text        NOT NULL,
    relation text        NOT NULL,
    id       bigint      NOT NULL,
    why      text        NOT NULL,
    row      jsonb       NOT NULL,
    kept_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release, relation, id)
);
COMMENT ON TABLE kept_by_revert.rows IS 'Rows that an older release cannot hold: they come back when the release is deployed again.';

COMMIT;

BEGIN;
SET LOCAL event_bus.publish = off;
-- restored rows were stored before the guard existed
SET LOCAL client_min_messages = error;

DO $$
DECLARE
    relation text;
    structure text;
BEGIN
    -- done before, if this was stopped later
    IF to_regclass('before_4_3_0.discord_messages') IS NULL THEN
        RETURN;
    END IF;
    FOREACH relation IN ARRAY ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events', 'discord_messages'] LOOP
        SELECT pg_get_expr(conbin, conrelid) INTO STRICT structure
        FROM pg_constraint WHERE conrelid = format('public.%I', relation)::regclass AND conname = relation || '_structure';
        IF relation = 'discord_messages' THEN
            EXECUTE format($f$
                WITH other AS (
                    INSERT INTO kept_by_revert.rows (release, relation, id, why, row)
                    SELECT '4.3.0', 'discord_messages', id, 'structure; the row stays, with its channel written in', to_jsonb(e)
                    FROM public.discord_messages AS e WHERE NOT (%s)
                    ON CONFLICT DO NOTHING
                    RETURNING id
                )
                UPDATE public.discord_messages AS e SET data = e.data || jsonb_build_object('channel_id', e.channel_id)
                FROM other WHERE other.id = e.id
            $f$, structure);
        ELSE
            EXECUTE format($f$
                WITH other AS (
                    DELETE FROM public.%1$I WHERE NOT (%2$s) RETURNING *
                )
                INSERT INTO kept_by_revert.rows (release, relation, id, why, row)
                SELECT '4.3.0', %1$L, id, 'structure', to_jsonb(other) FROM other
            $f$, relation, structure);
        END IF;
        -- unchanged originals, unless they were changed since
        EXECUTE format($f$
            UPDATE public.%1$I AS e SET event_type = k.event_type, schema_version = k.schema_version, data = k.data
            FROM before_4_3_0.%1$I AS k
            WHERE k.id = e.id AND k.kept_as = 'repaired' AND e.data = k.repaired -> 'data'
                AND e.event_type = k.repaired ->> 'event_type' AND e.schema_version = (k.repaired ->> 'schema_version')::int
        $f$, relation);
        -- (an event that was moved may have been sent again, with the same
        -- event_id)
        EXECUTE format($f$
            WITH back AS (
                INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
                SELECT (jsonb_populate_record(NULL::public.%1$I, to_jsonb(k))).* FROM before_4_3_0.%1$I AS k WHERE k.kept_as = 'moved'
                ON CONFLICT DO NOTHING
                RETURNING id
            )
            INSERT INTO kept_by_revert.rows (release, relation, id, why, row)
            SELECT '4.3.0', %1$L, k.id, 'another row has its id or event_id', to_jsonb(k) - ARRAY['kept_why', 'kept_as', 'repaired', 'kept_at']
            FROM before_4_3_0.%1$I AS k WHERE k.kept_as = 'moved' AND NOT EXISTS (SELECT FROM back WHERE back.id = k.id)
            ON CONFLICT DO NOTHING
        $f$, relation);
        -- rows that an earlier revert set aside for this reason, if the other
        -- row no longer exists
        EXECUTE format($f$
            WITH back AS (
                INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
                SELECT (jsonb_populate_record(NULL::public.%1$I, k.row)).* FROM kept_by_revert.rows AS k
                WHERE k.release = '4.3.0' AND k.relation = %1$L AND k.why = 'another row has its id or event_id'
                ON CONFLICT DO NOTHING
                RETURNING id
            )
            DELETE FROM kept_by_revert.rows AS k USING back WHERE k.release = '4.3.0' AND k.relation = %1$L AND k.id = back.id
        $f$, relation);
    END LOOP;
END
$$;

DROP SCHEMA IF EXISTS before_4_3_0 CASCADE;
DROP FUNCTION IF EXISTS trading_migration.make_valid(text, bigint, bigint);
DROP TABLE IF EXISTS trading_migration.audit;

COMMIT;

ALTER TABLE public.discord_events VALIDATE CONSTRAINT discord_events_structure;
ALTER TABLE public.market_events VALIDATE CONSTRAINT market_events_structure;
ALTER TABLE public.signal_events VALIDATE CONSTRAINT signal_events_structure;
ALTER TABLE public.order_events VALIDATE CONSTRAINT order_events_structure;
ALTER TABLE public.system_events VALIDATE CONSTRAINT system_events_structure;
ALTER TABLE public.ingestion_events VALIDATE CONSTRAINT ingestion_events_structure;
ALTER TABLE public.discord_messages VALIDATE CONSTRAINT discord_messages_structure;

DO $$
DECLARE
    line text;
BEGIN
    FOR line IN SELECT format('%s: %s rows are in kept_by_revert.rows: %s', relation, count(*),
            CASE WHEN why LIKE 'structure%' THEN 'the rules of 4.1.0 do not allow them' ELSE why END)
        FROM kept_by_revert.rows WHERE release = '4.3.0' GROUP BY relation, why ORDER BY 1
    LOOP
        RAISE NOTICE '%', line;
    END LOOP;
END
$$;
