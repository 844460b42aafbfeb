-- Deploy trading:4.1.0-helpers to pg

-- What the migrations themselves need.  The application calls none of it; its
-- constraints call trading_migration.document.

BEGIN;

CREATE SCHEMA trading_migration;
GRANT USAGE ON SCHEMA trading_migration TO PUBLIC;
COMMENT ON SCHEMA trading_migration IS 'What the migrations of the trading database need, and what they wrote down.';

-- A lock that conflicts with writers waits for those that are at work, and
-- whoever comes later waits behind it.  So wait only for a moment, let the
-- others through, and try again.  Autovacuum gives way only to who waits longer
-- than deadlock_timeout: every fifth attempt does.
CREATE FUNCTION trading_migration.briefly(command text) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '400ms' SET client_min_messages = warning SET search_path = pg_catalog, public AS $$
DECLARE
    longer CONSTANT int := 200 + (SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout');
BEGIN
    -- what others commit before the lock is there has to be seen after it
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
            MESSAGE = format('migrations cannot run in isolation level "%s"', current_setting('transaction_isolation')),
            HINT = 'SET default_transaction_isolation = ''read committed''.';
    END IF;
    FOR attempt IN 1 .. 100 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', CASE WHEN attempt % 5 = 0 THEN longer ELSE 400 END::text, true);
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

-- A lock is kept until the transaction ends: so one for each table.
CREATE PROCEDURE trading_migration.briefly_each(relations text[], command text)
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

-- CALL only outside of a transaction.  $1 and $2 in the command are the first
-- and the last id of a batch.
CREATE PROCEDURE trading_migration.in_batches(relation regclass, command text, batch_size bigint DEFAULT 20000)
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
        -- over a gap in one step
        EXECUTE format('SELECT min(id) FROM %s WHERE id >= $1', relation) INTO first USING first + batch_size;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE trading_migration.in_batches(regclass, text, bigint) IS
    'runs a command for each range of ids of a table, and commits after each';

-- Not safe in parallel plans: whoever catches an error starts a subtransaction.
CREATE FUNCTION trading_migration.document(value text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
BEGIN
    RETURN value::pg_catalog.jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION trading_migration.document(text) IS 'the text as jsonb; NULL where jsonb cannot hold it';

-- What the application itself changed or deleted while rows are accounted for,
-- with a checksum of what there was.  The migrations' own changes are not
-- logged: their sessions say SET trading_migration.working = on.
CREATE TABLE trading_migration.changed (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release  text NOT NULL,
    relation text NOT NULL,
    id       text NOT NULL,
    hash     bigint
);
COMMENT ON TABLE trading_migration.changed IS 'Rows that the application inserted (no hash), updated or deleted while they were watched.';

-- What there was before a release: rows with ids up to up_to.
CREATE TABLE trading_migration.checksums (
    release  text NOT NULL,
    relation text NOT NULL,
    up_to    bigint,
    rows     bigint,
    hash     numeric,
    PRIMARY KEY (release, relation)
);
COMMENT ON TABLE trading_migration.checksums IS 'Counts and checksums of the tables before a release, which its verify script compares.';

-- The columns that 4.2.0 adds or renames do not count.
CREATE FUNCTION trading_migration.row_hash(value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT hashtextextended((CASE WHEN value ? 'message_id' AND value ? 'data'
        THEN (value - ARRAY['data', 'event_type', 'schema_version']) || jsonb_build_object('raw_event', value -> 'data')
        ELSE value END)::text, 0);
END;
COMMENT ON FUNCTION trading_migration.row_hash(jsonb) IS 'the checksum of a row';

CREATE FUNCTION trading_migration.log_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO trading_migration.changed (release, relation, id, hash)
    SELECT TG_ARGV[0], TG_ARGV[1], CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END,
        CASE WHEN TG_OP <> 'INSERT' THEN trading_migration.row_hash(to_jsonb(OLD)) END;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION trading_migration.log_change() IS 'trigger: logs that a row was changed, for a release (1st argument) and a table (2nd)';

-- From here on the table is watched.  The lock lets nobody write, so that no
-- row with a smaller id can come to light later.
CREATE FUNCTION trading_migration.watch(release text, relation text, ids_grow boolean DEFAULT true) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    SELECT trading_migration.briefly(format($$
        CREATE OR REPLACE TRIGGER zz_watch_%3$s AFTER UPDATE OR DELETE %4$s ON public.%2$I FOR EACH ROW
            WHEN (pg_catalog.current_setting('trading_migration.working', true) IS DISTINCT FROM 'on')
            EXECUTE FUNCTION trading_migration.log_change(%1$L, %2$L);
        DELETE FROM trading_migration.changed WHERE release = %1$L AND relation = %2$L;
        INSERT INTO trading_migration.checksums (release, relation, up_to)
        VALUES (%1$L, %2$L, %5$s)
        ON CONFLICT ON CONSTRAINT checksums_pkey DO UPDATE SET up_to = EXCLUDED.up_to, rows = NULL, hash = NULL
    $$, release, relation, replace(release, '.', '_'), CASE WHEN NOT ids_grow THEN 'OR INSERT' END,
        CASE WHEN ids_grow THEN format('(SELECT max(id) FROM public.%I)', relation) ELSE 'NULL' END));
END;
COMMENT ON FUNCTION trading_migration.watch(text, text, boolean) IS
    'logs what the application changes of a table from now on, and notes its greatest id; tables whose ids do not grow have their new rows logged';

COMMIT;
