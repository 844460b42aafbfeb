-- Revert trading:4.2.0-switch from pg

-- Restores the old tables, with new and changed rows in the old form.  A row
-- whose type and version the old form lacks, or whose event_id belongs to a
-- row that 4.2.0 had set aside, moves to kept_by_revert.rows, and is restored
-- by the next deployment.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- The tool does not know a change that was stopped.
DO $$
BEGIN
    IF to_regclass('legacy.discord_messages') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.2.0-messages is half deployed',
            HINT = 'Finish the deployment and then revert it, or run its own script first: psql -f revert/4.2.0-messages.sql.';
    END IF;
END
$$;

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

BEGIN;

DO $$
BEGIN
    IF to_regclass('before_4_2_0.ingestion_events') IS NULL AND to_regclass('legacy.ingestion_events') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the backup was released',
            HINT = 'A revert is impossible after trading_migration.release_backup().';
    END IF;
END
$$;

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

CREATE OR REPLACE FUNCTION trading_migration.give_back(relation text, first bigint, last bigint, ids bigint[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg('o.' || quote_ident(attname), ', ' ORDER BY attnum) INTO columns
    FROM pg_attribute WHERE attrelid = format('before_4_2_0.%I', relation)::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format($f$
        WITH new AS MATERIALIZED (
            SELECT n.id, to_jsonb(n) AS whole,
                (n.event_type, n.schema_version, n.data::text) IS NOT DISTINCT FROM (c.event_type, c.schema_version, c.data::text)
                    AND c.how <> 'no event' AS told
            FROM public.%1$I AS n JOIN legacy.%1$I AS o USING (id), LATERAL trading_migration.classify(%1$L, %4$s) AS c
            WHERE %3$s
        ), back AS (
            INSERT INTO before_4_2_0.%1$I (%5$s) OVERRIDING SYSTEM VALUE
            SELECT %2$s FROM legacy.%1$I AS o JOIN new ON new.id = o.id WHERE new.told ORDER BY o.id
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        INSERT INTO kept_by_revert.rows (release, relation, id, why, row)
        SELECT '4.2.0', %1$L, id, CASE WHEN told THEN 'another row has its event_id' ELSE 'the old form does not tell its type and version' END, whole
        FROM new
        -- (existing rows were restored before this was stopped)
        WHERE NOT told OR NOT EXISTS (SELECT FROM back WHERE back.id = new.id) AND NOT EXISTS (SELECT FROM before_4_2_0.%1$I AS b WHERE b.id = new.id)
        ON CONFLICT DO NOTHING
    $f$, relation, columns, CASE WHEN ids IS NULL THEN 'n.id BETWEEN $1 AND $2' ELSE 'n.id = ANY ($3)' END, CASE relation
        WHEN 'discord_events' THEN 'o.event_type, NULL, o.payload'
        WHEN 'market_events' THEN 'NULL, o.schema_version, trading_migration.document(o.data::text)'
        WHEN 'signal_events' THEN 'o.event_type, trading_migration.version_number(o.version), trading_migration.document(o.event_data)'
        WHEN 'order_events' THEN 'o.event_type, o.schema_version, o.data'
        WHEN 'system_events' THEN 'NULL, NULL, o.metadata'
        WHEN 'ingestion_events' THEN 'NULL, NULL, trading_migration.document(o.body)'
        END, replace(columns, 'o.', '')) USING first, last, ids;
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.give_back_changes(relation text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
BEGIN
    WITH taken AS (
        DELETE FROM trading_migration.changed AS c WHERE c.release = '4.2.0' AND c.relation = give_back_changes.relation RETURNING c.id
    )
    SELECT array_agg(DISTINCT id::bigint) INTO ids FROM taken;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    -- (recorded in the log of 4.1.0 too: the application changed these)
    PERFORM set_config('trading_migration.working', 'off', true);
    EXECUTE format('DELETE FROM before_4_2_0.%I WHERE id = ANY ($1)', relation) USING ids;
    PERFORM set_config('trading_migration.working', 'on', true);
    DELETE FROM kept_by_revert.rows AS k WHERE k.release = '4.2.0' AND k.relation = give_back_changes.relation AND k.id = ANY (ids);
    PERFORM trading_migration.give_back(relation, NULL, NULL, ids);
    RETURN cardinality(ids);
END
$$;

CREATE OR REPLACE FUNCTION trading_migration.switch_back(relation text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    greatest_id bigint;
BEGIN
    -- first the objects that only autovacuum uses; then the view and its
    -- table, in the order in which readers lock them
    EXECUTE format('LOCK TABLE before_4_2_0.%I IN ACCESS EXCLUSIVE MODE', relation);
    EXECUTE format('LOCK TABLE legacy.%I IN ACCESS EXCLUSIVE MODE', relation);
    PERFORM trading_migration.give_back_changes(relation);
    EXECUTE format('SELECT last_value FROM %s', pg_get_serial_sequence(format('public.%I', relation), 'id')) INTO greatest_id;
    PERFORM setval(pg_get_serial_sequence(format('before_4_2_0.%I', relation), 'id'), greatest_id);
    EXECUTE format('DROP VIEW legacy.%I', relation);
    EXECUTE format('DROP TABLE public.%I', relation);
    EXECUTE format('ALTER TABLE before_4_2_0.%I SET SCHEMA public', relation);
END
$$;

CREATE OR REPLACE PROCEDURE trading_migration.switch_back_table(relation text)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
    last bigint;
    kept bigint;
BEGIN
    IF to_regclass(format('before_4_2_0.%I', relation)) IS NULL THEN
        RETURN;
    END IF;
    -- from here on, each insert is logged
    PERFORM trading_migration.briefly(format('CREATE OR REPLACE TRIGGER zz_watch_4_2_0_insert AFTER INSERT ON public.%1$I FOR EACH ROW EXECUTE FUNCTION trading_migration.log_change(''4.2.0'', %1$L)',
        relation));
    COMMIT;
    -- try again: rows that an earlier revert set aside because another row had
    -- their event_id
    EXECUTE format($f$
        WITH back AS (
            INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE
            SELECT (jsonb_populate_record(NULL::public.%1$I, k.row)).* FROM kept_by_revert.rows AS k
            WHERE k.release = '4.2.0' AND k.relation = %1$L AND k.why = 'another row has its event_id'
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        DELETE FROM kept_by_revert.rows AS k USING back WHERE k.release = '4.2.0' AND k.relation = %1$L AND k.id = back.id
    $f$, relation);
    -- first deleted rows: another row may have the event_id now
    PERFORM trading_migration.give_back_changes(relation);
    COMMIT;
    SELECT up_to + 1 INTO first FROM trading_migration.checksums AS s WHERE s.release = '4.2.0' AND s.relation = switch_back_table.relation;
    EXECUTE format('SELECT max(id) FROM public.%I', relation) INTO last;
    LOOP
        EXECUTE format('SELECT min(id) FROM public.%I WHERE id BETWEEN $1 AND $2', relation) INTO first USING first, last;
        EXIT WHEN first IS NULL;
        PERFORM trading_migration.give_back(relation, first, CASE WHEN last - first < 10000 THEN last ELSE first + 9999 END);
        COMMIT;
        EXIT WHEN last - first < 10000;
        first := first + 10000;
    END LOOP;
    FOR round IN 1 .. 10 LOOP
        EXIT WHEN trading_migration.give_back_changes(relation) < 100;
        COMMIT;
    END LOOP;
    COMMIT;
    PERFORM trading_migration.briefly(format('SELECT trading_migration.switch_back(%L)', relation));
    COMMIT;
    SELECT count(*) INTO kept FROM kept_by_revert.rows AS k WHERE k.release = '4.2.0' AND k.relation = switch_back_table.relation;
    IF kept > 0 THEN
        RAISE NOTICE '%: % rows that the old table cannot hold are in kept_by_revert.rows', relation, kept;
    END IF;
END
$$;

COMMIT;

CALL trading_migration.switch_back_table('discord_events');
CALL trading_migration.switch_back_table('market_events');
CALL trading_migration.switch_back_table('signal_events');
CALL trading_migration.switch_back_table('order_events');
CALL trading_migration.switch_back_table('system_events');
CALL trading_migration.switch_back_table('ingestion_events');

BEGIN;
SET LOCAL client_min_messages = warning;

DROP PROCEDURE IF EXISTS trading_migration.switch_back_table(text);
DROP PROCEDURE IF EXISTS trading_migration.switch(text);
DROP FUNCTION IF EXISTS trading_migration.switch_table(text);
DROP FUNCTION IF EXISTS trading_migration.switch_back(text);
DROP FUNCTION IF EXISTS trading_migration.give_back_changes(text);
DROP FUNCTION IF EXISTS trading_migration.give_back(text, bigint, bigint, bigint[]);
DROP FUNCTION IF EXISTS trading_migration.create_legacy_view(text);
DROP FUNCTION IF EXISTS trading_migration.copy_privileges(regclass, regclass);
DROP FUNCTION IF EXISTS trading_migration.resolve(text, bigint, jsonb);
DROP FUNCTION IF EXISTS trading_migration.release_backup();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_discord_events();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_market_events();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_signal_events();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_order_events();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_system_events();
DROP FUNCTION IF EXISTS trading_migration.write_legacy_ingestion_events();
DROP SCHEMA IF EXISTS legacy;
DROP SCHEMA IF EXISTS before_4_2_0;
DELETE FROM trading_migration.checksums WHERE release = '4.2.0';

-- Drop the side table if it is empty.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM kept_by_revert.rows) THEN
        DROP TABLE kept_by_revert.rows;
        DROP SCHEMA IF EXISTS kept_by_revert;
    END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL;
END
$$;

COMMIT;
