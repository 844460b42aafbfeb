-- Revert trading:4.1.0-helpers from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;
SET LOCAL client_min_messages = warning;

DO $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1414676804, 4); END $$;

-- The tool does not know a change that was stopped.
DO $$
BEGIN
    IF to_regnamespace('before_4_1_0') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.1.0-constraints is half deployed',
            HINT = 'Finish the deployment and then revert it, or run its own script first: psql -f revert/4.1.0-constraints.sql.';
    END IF;
END
$$;

DROP PROCEDURE IF EXISTS trading_migration.in_batches(regclass, text, bigint);
DROP PROCEDURE IF EXISTS trading_migration.briefly_each(text[], text);
DROP FUNCTION IF EXISTS trading_migration.watch(text, text, boolean);
DROP FUNCTION IF EXISTS trading_migration.briefly(text);
DROP FUNCTION IF EXISTS trading_migration.document(text);
DROP FUNCTION IF EXISTS trading_migration.log_change();
DROP FUNCTION IF EXISTS trading_migration.log_truncate();
DROP PROCEDURE IF EXISTS trading_migration.drop_unfinished();
DROP FUNCTION IF EXISTS trading_migration.alone();
DROP FUNCTION IF EXISTS trading_migration.row_hash(text, text, text);
DROP TABLE IF EXISTS trading_migration.checksums, trading_migration.changed;
DROP SCHEMA IF EXISTS trading_migration;

COMMIT;
