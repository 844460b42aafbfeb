-- Deploy trading:4.2.0-switch to pg
-- requires: 4.2.0-fill

-- One table after the other: new changes are copied; then, under a lock of
-- milliseconds, the rest of them.  The old table moves to the schema
-- before_4_2_0, and the new one replaces it, with a view that has the old
-- columns.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- (a revert drops the new tables)
DO $$
BEGIN
    IF to_regclass('legacy.ingestion_events') IS NULL AND to_regclass('trading_next.ingestion_events') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the new tables are not there',
            HINT = 'Revert 4.2.0-fill too, and deploy both.';
    END IF;
END
$$;

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

BEGIN;

CREATE SCHEMA IF NOT EXISTS before_4_2_0;
COMMENT ON SCHEMA before_4_2_0 IS 'The event tables as they were before migration 4.2.0: its backup, until trading_migration.release_backup() drops it.';

-- Clients that use the old columns set search_path = legacy, public; they may
-- do so before the view exists.
CREATE SCHEMA IF NOT EXISTS legacy;
COMMENT ON SCHEMA legacy IS 'The tables with the columns that they had before migration 4.2.0, as views to read and to write.';
GRANT USAGE ON SCHEMA legacy TO PUBLIC;

CREATE OR REPLACE FUNCTION trading_migration.copy_privileges(source regclass, target regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, target, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = source AND a.grantee <> c.relowner
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', target, pg_get_userbyid(c.relowner))
        FROM pg_class AS c WHERE c.oid = source AND c.relowner <> (SELECT relowner FROM pg_class WHERE oid = target)
    LOOP
        EXECUTE command;
    END LOOP;
END
$$;
COMMENT ON FUNCTION trading_migration.copy_privileges(regclass, regclass) IS 'gives a table the owner and the privileges of another one';

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_discord_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.discord_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.event_type, NEW.payload) IS NOT DISTINCT FROM (OLD.event_type, OLD.payload) THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.discord_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('discord_events', NEW.event_type, NULL, NEW.payload);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.discord_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.discord_events', 'id', 'SELECT') THEN
        INSERT INTO public.discord_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.discord_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.discord_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_market_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.market_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.schema_version, NEW.data::text) IS NOT DISTINCT FROM (OLD.schema_version, OLD.data::text) THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.market_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('market_events', NULL, NEW.schema_version, NEW.data::jsonb);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.market_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.market_events', 'id', 'SELECT') THEN
        INSERT INTO public.market_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.market_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.market_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_signal_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.signal_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.event_type, NEW.version, NEW.event_data) IS NOT DISTINCT FROM (OLD.event_type, OLD.version, OLD.event_data) THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.signal_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('signal_events', NEW.event_type, trading_migration.version_number(NEW.version), NEW.event_data::jsonb);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.signal_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.signal_events', 'id', 'SELECT') THEN
        INSERT INTO public.signal_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.signal_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.signal_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_order_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.order_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF NEW.data IS NOT NULL AND NEW.body IS NOT NULL AND NEW.data::text <> NEW.body::jsonb::text
        AND (TG_OP = 'INSERT' OR NEW.body::text IS DISTINCT FROM OLD.body::text) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'data and body disagree',
            HINT = 'Write data alone.', SCHEMA = 'public', TABLE = 'order_events', CONSTRAINT = 'order_events_one_document';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.event_type, NEW.schema_version, NEW.data, NEW.body::text) IS NOT DISTINCT FROM (OLD.event_type, OLD.schema_version, OLD.data, OLD.body::text) THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.order_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('order_events', NEW.event_type, NEW.schema_version, coalesce(NEW.data, NEW.body::jsonb));
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.order_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.order_events', 'id', 'SELECT') THEN
        INSERT INTO public.order_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.order_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.order_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_system_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.system_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.metadata IS NOT DISTINCT FROM OLD.metadata THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.system_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('system_events', NULL, NULL, NEW.metadata);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.system_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.system_events', 'id', 'SELECT') THEN
        INSERT INTO public.system_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.system_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.system_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_ingestion_events() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.ingestion_events WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.body IS NOT DISTINCT FROM OLD.body THEN
        SELECT n.event_type, n.schema_version, n.data INTO c FROM public.ingestion_events AS n WHERE n.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('ingestion_events', NULL, NULL, NEW.body::jsonb);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.ingestion_events
        SET event_type = c.event_type, schema_version = c.schema_version, data = c.data, event_id = NEW.event_id,
            correlation_id = NEW.correlation_id, causation_id = NEW.causation_id, recorded_at = NEW.recorded_at
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    NEW.event_id := coalesce(NEW.event_id, gen_random_uuid());
    NEW.recorded_at := coalesce(NEW.recorded_at, now());
    IF NEW.id IS NULL AND has_column_privilege('public.ingestion_events', 'id', 'SELECT') THEN
        INSERT INTO public.ingestion_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.ingestion_events (event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        VALUES (c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    ELSE
        INSERT INTO public.ingestion_events (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, c.event_type, c.schema_version, c.data, NEW.event_id, NEW.correlation_id, NEW.causation_id, NEW.recorded_at);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.create_legacy_view(relation text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE VIEW legacy.%1$I WITH (security_invoker) AS SELECT n.id, %2$s, n.event_id, n.correlation_id, n.causation_id, n.recorded_at FROM public.%1$I AS n',
        relation, CASE relation
            WHEN 'discord_events' THEN $columns$CASE n.event_type WHEN 'discord.message.create' THEN 'MESSAGE_CREATE' WHEN 'discord.message.update' THEN 'MESSAGE_UPDATE'
            WHEN 'discord.message.delete' THEN 'MESSAGE_DELETE' WHEN 'discord.channel' THEN 'CHANNEL_UPDATE' ELSE n.event_type END AS event_type,
        n.data AS payload$columns$
            WHEN 'market_events' THEN $columns$n.schema_version, n.data::json AS data$columns$
            WHEN 'signal_events' THEN $columns$n.event_type, n.schema_version::text AS version, n.data::text AS event_data$columns$
            WHEN 'order_events' THEN $columns$n.event_type, n.schema_version, n.data, NULL::json AS body$columns$
            WHEN 'system_events' THEN $columns$n.data AS metadata$columns$
            WHEN 'ingestion_events' THEN $columns$n.data::text AS body$columns$
        END);
    EXECUTE format('CREATE TRIGGER write_legacy INSTEAD OF INSERT OR UPDATE OR DELETE ON legacy.%1$I FOR EACH ROW EXECUTE FUNCTION trading_migration.write_legacy_%1$s()',
        relation);
    EXECUTE format('COMMENT ON VIEW legacy.%1$I IS %2$L', relation, format('%s with the columns of before 4.2.0; written rows are classified as by the migration.', relation));
    PERFORM trading_migration.copy_privileges(format('public.%I', relation)::regclass, format('legacy.%I', relation)::regclass);
END
$$;
COMMENT ON FUNCTION trading_migration.create_legacy_view(text) IS 'the view with the old columns of an event table';

-- From the switch on, the log contains rows of the backup that are changed,
-- and new rows with one of its ids; greater ids are recognized as new.
CREATE OR REPLACE FUNCTION trading_migration.switch_table(relation text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    greatest_id bigint;
BEGIN
    EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM trading_migration.catch_up(relation);
    EXECUTE format('SELECT last_value FROM %s', pg_get_serial_sequence(format('public.%I', relation), 'id')) INTO greatest_id;
    PERFORM setval(pg_get_serial_sequence(format('trading_next.%I', relation), 'id'), greatest_id);
    -- (a row may have been given an id that the sequence has not reached)
    EXECUTE format('SELECT greatest(max(id), $1) FROM trading_next.%I', relation) INTO greatest_id USING greatest_id;
    PERFORM trading_migration.copy_privileges(format('public.%I', relation)::regclass, format('trading_next.%I', relation)::regclass);
    EXECUTE format('DROP TRIGGER zz_watch_4_2_0 ON public.%I', relation);
    EXECUTE format('DROP TRIGGER zz_watch_4_2_0_truncate ON public.%I', relation);
    EXECUTE format('ALTER TABLE public.%I SET SCHEMA before_4_2_0', relation);
    EXECUTE format('ALTER TABLE trading_next.%I SET SCHEMA public', relation);
    EXECUTE format('ALTER TABLE public.%I RESET (autovacuum_enabled)', relation);
    PERFORM trading_migration.create_legacy_view(relation);
    EXECUTE format('CREATE TRIGGER zz_watch_4_2_0_insert AFTER INSERT ON public.%1$I FOR EACH ROW WHEN (NEW.id <= %2$s) EXECUTE FUNCTION trading_migration.log_change(''4.2.0'', %1$L)',
        relation, greatest_id);
    EXECUTE format('CREATE TRIGGER zz_watch_4_2_0 AFTER UPDATE OR DELETE ON public.%1$I FOR EACH ROW EXECUTE FUNCTION trading_migration.log_change(''4.2.0'', %1$L)',
        relation);
    EXECUTE format('CREATE TRIGGER zz_watch_4_2_0_truncate BEFORE TRUNCATE ON public.%1$I EXECUTE FUNCTION trading_migration.log_truncate(''4.2.0'', %1$L)',
        relation);
    INSERT INTO trading_migration.checksums (release, relation, up_to) VALUES ('4.2.0', relation, greatest_id)
    ON CONFLICT ON CONSTRAINT checksums_pkey DO UPDATE SET up_to = EXCLUDED.up_to;

    -- rows that an earlier revert set aside
    IF to_regclass('kept_by_revert.rows') IS NOT NULL THEN
        EXECUTE format($f$
            WITH back AS (
                INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
                SELECT (jsonb_populate_record(NULL::public.%1$I, k.row)).* FROM kept_by_revert.rows AS k
                WHERE k.release = '4.2.0' AND k.relation = %1$L
                -- an event that was stored again since then stays
                ON CONFLICT DO NOTHING
                RETURNING id
            )
            DELETE FROM kept_by_revert.rows AS k USING back WHERE k.release = '4.2.0' AND k.relation = %1$L AND k.id = back.id
        $f$, relation);
    END IF;
END
$$;
COMMENT ON FUNCTION trading_migration.switch_table(text) IS 'replaces an old event table by the new one';

CREATE OR REPLACE PROCEDURE trading_migration.switch(relation text)
LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass(format('before_4_2_0.%I', relation)) IS NOT NULL THEN
        RETURN;
    END IF;
    FOR round IN 1 .. 10 LOOP
        EXIT WHEN trading_migration.catch_up(relation) < 100;
        COMMIT;
    END LOOP;
    COMMIT;
    PERFORM trading_migration.briefly(format('SELECT trading_migration.switch_table(%L)', relation));
    COMMIT;
END
$$;

-- For a row that was set aside: stores the chosen document.
CREATE OR REPLACE FUNCTION trading_migration.resolve(relation text, id bigint, document jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept json;
BEGIN
    DELETE FROM trading_migration.outcome AS o
    WHERE o.relation = resolve.relation AND o.id = resolve.id AND o.how IN ('conflict', 'no event')
    RETURNING o.original INTO kept;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'no_data_found', MESSAGE = format('row %s of table %s is not set aside', id, relation);
    END IF;
    EXECUTE format($f$
        INSERT INTO public.%1$I (id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at)
        OVERRIDING SYSTEM VALUE
        SELECT $1, c.event_type, c.schema_version, c.data, ($2 ->> 'event_id')::uuid, ($2 ->> 'correlation_id')::uuid,
            ($2 ->> 'causation_id')::uuid, ($2 ->> 'recorded_at')::timestamptz
        FROM trading_migration.classify(%1$L, $2 ->> 'event_type', NULL, $3) AS c
    $f$, relation) USING id, kept, document;
END
$$;
COMMENT ON FUNCTION trading_migration.resolve(text, bigint, jsonb) IS
    'stores a row that 4.2.0 set aside, with the chosen document';

-- After this call, reverting is no longer possible.
CREATE OR REPLACE FUNCTION trading_migration.release_backup() RETURNS void
LANGUAGE plpgsql SET client_min_messages = warning SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'] LOOP
        PERFORM trading_migration.briefly(format('DROP TRIGGER IF EXISTS zz_watch_4_2_0 ON public.%1$I; DROP TRIGGER IF EXISTS zz_watch_4_2_0_insert ON public.%1$I; '
            'DROP TRIGGER IF EXISTS zz_watch_4_2_0_truncate ON public.%1$I',
            relation));
    END LOOP;
    PERFORM trading_migration.briefly(format('DROP TRIGGER IF EXISTS zz_watch_4_1_0 ON public.%1$I; DROP TRIGGER IF EXISTS zz_watch_4_1_0_truncate ON public.%1$I', t))
    FROM unnest(ARRAY['discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels']) AS t;
    DROP SCHEMA before_4_2_0 CASCADE;
    DELETE FROM trading_migration.changed;
    DELETE FROM trading_migration.checksums;
END
$$;
COMMENT ON FUNCTION trading_migration.release_backup() IS
    'drops the event tables of before 4.2.0, so that 4.2.0 cannot be reverted any more; rows that were set aside stay in trading_migration.outcome';

COMMIT;

CALL trading_migration.switch('discord_events');
CALL trading_migration.switch('market_events');
CALL trading_migration.switch('signal_events');
CALL trading_migration.switch('order_events');
CALL trading_migration.switch('system_events');
CALL trading_migration.switch('ingestion_events');

BEGIN;
DROP SCHEMA IF EXISTS trading_next;
DROP PROCEDURE trading_migration.switch(text);
DROP FUNCTION trading_migration.switch_table(text);
COMMIT;

-- Show the result.
DO $$
DECLARE
    line text;
BEGIN
    FOR line IN
        SELECT format('%s: %s rows %s', relation, count(*), CASE how WHEN 'conflict' THEN 'set aside: two documents that disagree'
            WHEN 'no event' THEN 'set aside: no event of this table' WHEN 'upcast' THEN 'upcast' ELSE 'kept as version 0' END)
        FROM trading_migration.outcome GROUP BY relation, how ORDER BY 1
    LOOP
        RAISE NOTICE '%', line;
    END LOOP;
END
$$;
