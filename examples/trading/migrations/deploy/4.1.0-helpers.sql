-- Deploy trading:4.1.0-helpers to pg

-- Functions for the migrations themselves.  The application calls none of
-- them; its constraints call trading_migration.document.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;
SET LOCAL client_min_messages = warning;

-- (the same as the function alone, below, for the other changes)
DO $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1414676804, 4); END $$;

-- The migrations move whole tables, and track changes by triggers: rows of
-- partitions or children would be missed.
DO $$
DECLARE
    names text;
BEGIN
    SELECT string_agg(oid::regclass::text, ', ') INTO names FROM pg_class
    WHERE (relkind <> 'r' OR relhassubclass AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid) OR relispartition)
        AND relnamespace = 'public'::regnamespace AND relname IN ('discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels',
            'discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events');
    IF names IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
            MESSAGE = format('these migrations cannot be run on partitioned tables, tables with children or views: %s', names),
            HINT = 'Copy their rows into plain tables of these names first, or adapt the migrations.';
    END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS trading_migration;
GRANT USAGE ON SCHEMA trading_migration TO PUBLIC;
COMMENT ON SCHEMA trading_migration IS 'Functions of the migrations of the trading database, and their records.';

-- Each change begins with this call, so that only one runs at a time: neither
-- two operators' changes, nor one of a tool that was killed while the server
-- still worked for it.  The lock ends with the session.
CREATE OR REPLACE FUNCTION trading_migration.alone() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other int;
BEGIN
    -- (the session of the previous change may not have ended yet)
    FOR attempt IN 1 .. 50 LOOP
        IF pg_try_advisory_lock(1414676804, 4) THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.1);
    END LOOP;
    SELECT l.pid INTO other FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid, l.objsubid) = (1414676804, 4, 2)
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
    RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = 'another migration of this database is at work',
        DETAIL = format('It is the server process %s.', coalesce(other::text, 'of a session that has just ended')),
        HINT = 'Wait until it has ended, or end it with pg_terminate_backend; then run this again.';
END
$$;
COMMENT ON FUNCTION trading_migration.alone() IS 'raises an error while another session migrates; until this session ends, no other one migrates';

-- A lock that conflicts with writers waits for running ones, and later
-- sessions queue behind it.  So wait only briefly, let the others through, and
-- try again.  Autovacuum gives way only to sessions that wait longer than
-- deadlock_timeout, but also to a lock that does not affect readers and
-- writers.  So a table in the command that is being vacuumed is locked in that
-- mode first.
CREATE OR REPLACE FUNCTION trading_migration.briefly(command text) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '400ms' SET client_min_messages = warning SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    longer CONSTANT text := 200 + (SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout');
    vacuumed text;
BEGIN
    -- see what others commit before the lock is available
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
            MESSAGE = format('migrations cannot run in isolation level "%s"', current_setting('transaction_isolation')),
            HINT = 'SET default_transaction_isolation = ''read committed''.';
    END IF;
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', longer, true);
            FOR vacuumed IN
                SELECT c.oid::regclass FROM pg_class AS c
                WHERE c.relkind = 'r' AND position(c.relname IN command) > 0
                    AND c.relnamespace IN (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname IN ('public', 'before_4_2_0', 'trading_next'))
                    AND EXISTS (SELECT FROM pg_locks AS l WHERE l.relation = c.oid AND l.mode = 'ShareUpdateExclusiveLock'
                        AND l.granted AND l.pid <> pg_backend_pid()
                        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
            LOOP
                EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', vacuumed);
            END LOOP;
            PERFORM set_config('lock_timeout', '400', true);
            EXECUTE command;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF attempt = 100 THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.1 + 0.4 * random());
    END LOOP;
END
$$;
COMMENT ON FUNCTION trading_migration.briefly(text) IS
    'runs DDL that needs a strong lock: waits 0.4 s for it, lets the others through, and tries again, up to 100 times';

-- A lock is kept until the transaction ends, so one transaction for each
-- table.
CREATE OR REPLACE PROCEDURE trading_migration.briefly_each(relations text[], command text)
LANGUAGE plpgsql AS $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY relations LOOP
        PERFORM trading_migration.briefly(format(command, relation));
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE trading_migration.briefly_each(text[], text) IS
    'runs DDL that needs a strong lock for each of these tables (%1$I in the command), and commits after each';

-- An index that CREATE INDEX CONCURRENTLY left unfinished is used by no query.
-- Only such indexes are dropped, so that CREATE INDEX ...  IF NOT EXISTS
-- builds them anew.
CREATE OR REPLACE PROCEDURE trading_migration.drop_unfinished()
LANGUAGE plpgsql AS $$
DECLARE
    unfinished text;
BEGIN
    FOR unfinished IN
        SELECT format('%I.%I', n.nspname, c.relname)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
            JOIN pg_class AS t ON t.oid = i.indrelid
        WHERE NOT i.indisvalid AND n.nspname = 'public' AND t.relname IN ('discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels',
            'discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events')
    LOOP
        PERFORM trading_migration.briefly(format('DROP INDEX %s', unfinished));
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE trading_migration.drop_unfinished() IS 'drops unfinished indexes of the application''s tables';

-- Call it outside of a transaction. $1 and $2 in the command are the first and
-- the last id of a batch.
CREATE OR REPLACE PROCEDURE trading_migration.in_batches(relation regclass, command text, batch_size bigint DEFAULT 20000)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
    last bigint;
BEGIN
    EXECUTE format('SELECT min(id), max(id) FROM %s', relation) INTO first, last;
    COMMIT;
    WHILE first <= last LOOP
        EXECUTE command USING first, CASE WHEN last - first < batch_size THEN last ELSE first + batch_size - 1 END;
        COMMIT;
        EXIT WHEN last - first < batch_size;
        -- skip a gap in one step
        EXECUTE format('SELECT min(id) FROM %s WHERE id >= $1', relation) INTO first USING first + batch_size;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE trading_migration.in_batches(regclass, text, bigint) IS
    'runs a command for each range of ids of a table, and commits after each';

-- Not safe in parallel plans: catching an error starts a subtransaction.
CREATE OR REPLACE FUNCTION trading_migration.document(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
    RETURN value::pg_catalog.jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION trading_migration.document(text) IS 'the text as jsonb; NULL if jsonb cannot store it';

-- Rows that the application itself changed or deleted while changes are
-- tracked, with a checksum of the original row.  The migrations' own changes
-- are not logged: their sessions SET trading_migration.working = on.
CREATE TABLE IF NOT EXISTS trading_migration.changed (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release  text NOT NULL,
    relation text NOT NULL,
    id       text NOT NULL,
    hash     bigint
);
COMMENT ON TABLE trading_migration.changed IS 'Rows that the application inserted (no hash), updated or deleted while they were watched.';

-- The rows before a release: those with ids up to up_to.
CREATE TABLE IF NOT EXISTS trading_migration.checksums (
    release  text NOT NULL,
    relation text NOT NULL,
    up_to    bigint,
    rows     bigint,
    hash     numeric,
    PRIMARY KEY (release, relation)
);
COMMENT ON TABLE trading_migration.checksums IS 'Counts and checksums of the tables before a release, which its verify script compares.';

-- The columns before 4.1.0, which its side tables have, without those that
-- 4.2.0 adds.  Documents and numbers count as written: 1 is not 1.0, and text
-- that is not jsonb has a checksum too.
CREATE OR REPLACE FUNCTION trading_migration.row_hash(relation text, source text, document text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('pg_catalog.hash_record_extended(ROW(%s), 0)', string_agg(
        CASE WHEN a.attname = 'raw_event' AND document IS NOT NULL THEN document
            WHEN a.atttypid IN ('text'::regtype, 'int'::regtype, 'bigint'::regtype, 'uuid'::regtype, 'timestamptz'::regtype, 'date'::regtype)
                THEN format('%s.%I', source, a.attname)
            ELSE format('%s.%I::text', source, a.attname) END, ', ' ORDER BY a.attnum))
    FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(format('before_4_1_0.%I', relation)) AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname NOT IN ('kept_why', 'kept_as', 'repaired', 'kept_at');
END;
COMMENT ON FUNCTION trading_migration.row_hash(text, text, text) IS
    'the expression for the checksum of a row (source) of a table, with a given one for the document of a message';

CREATE OR REPLACE FUNCTION trading_migration.log_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    expression text := TG_ARGV[2];
    hash bigint;
BEGIN
    -- (4.2.0 needs no checksums)
    IF TG_OP <> 'INSERT' AND expression IS NOT NULL THEN
        IF TG_ARGV[1] = 'discord_messages' AND to_regclass('legacy.discord_messages') IS NOT NULL THEN
            expression := replace(expression, '($1).raw_event', '($1).data');
        END IF;
        EXECUTE 'SELECT ' || expression USING OLD INTO hash;
    END IF;
    INSERT INTO trading_migration.changed (release, relation, id, hash)
    VALUES (TG_ARGV[0], TG_ARGV[1], CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END, hash);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION trading_migration.log_change() IS 'trigger: logs that a row was changed, for a release (1st argument) and a table (2nd), with the original row (3rd)';

-- To a trigger, TRUNCATE changes no rows: so each row is logged as deleted.
CREATE OR REPLACE FUNCTION trading_migration.log_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    -- an older snapshot would miss rows that were committed since
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
            MESSAGE = format('table "%s" cannot be truncated in isolation level "%s" while it is watched by a migration',
                TG_TABLE_NAME, current_setting('transaction_isolation')),
            HINT = 'Truncate it in isolation level read committed, or delete its rows.';
    END IF;
    EXECUTE format('INSERT INTO trading_migration.changed (release, relation, id, hash) SELECT %L, %L, t.id, %s FROM %I.%I AS t',
        TG_ARGV[0], TG_ARGV[1],
        CASE TG_ARGV[0] WHEN '4.1.0' THEN trading_migration.row_hash(TG_ARGV[1], 't', CASE WHEN TG_ARGV[1] = 'discord_messages'
            AND to_regclass('legacy.discord_messages') IS NOT NULL THEN 't.data::text' END) ELSE 'NULL' END, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION trading_migration.log_truncate() IS 'trigger before TRUNCATE: logs each row as deleted, for a release (1st argument) and a table (2nd)';

-- From here on, changes of the table are tracked.  The lock blocks writers, so
-- that no row with a smaller id can appear later.
CREATE OR REPLACE FUNCTION trading_migration.watch(release text, relation text, ids_grow boolean DEFAULT true) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT trading_migration.briefly(format($$
        CREATE OR REPLACE TRIGGER zz_watch_%3$s AFTER UPDATE OR DELETE %4$s ON public.%2$I FOR EACH ROW
            WHEN (pg_catalog.current_setting('trading_migration.working', true) IS DISTINCT FROM 'on')
            EXECUTE FUNCTION trading_migration.log_change(%1$L, %2$L, %6$L);
        CREATE OR REPLACE TRIGGER zz_watch_%3$s_truncate BEFORE TRUNCATE ON public.%2$I
            EXECUTE FUNCTION trading_migration.log_truncate(%1$L, %2$L);
        DELETE FROM trading_migration.changed WHERE release = %1$L AND relation = %2$L;
        INSERT INTO trading_migration.checksums (release, relation, up_to)
        VALUES (%1$L, %2$L, %5$s)
        ON CONFLICT ON CONSTRAINT checksums_pkey DO UPDATE SET up_to = EXCLUDED.up_to, rows = NULL, hash = NULL
    $$, release, relation, replace(release, '.', '_'), CASE WHEN NOT ids_grow THEN 'OR INSERT' END,
        CASE WHEN ids_grow THEN format('(SELECT max(id) FROM public.%I)', relation) ELSE 'NULL' END,
        trading_migration.row_hash(relation, '($1)')));
END;
COMMENT ON FUNCTION trading_migration.watch(text, text, boolean) IS
    'logs the application''s changes of a table from now on, and records its greatest id; for tables whose ids do not grow, logs new rows too';

COMMIT;
