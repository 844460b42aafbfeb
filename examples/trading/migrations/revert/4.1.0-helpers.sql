-- Revert trading:4.1.0-helpers from pg

BEGIN;
SET LOCAL client_min_messages = warning;

DO $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(1414676804, 4); END $$;

DROP PROCEDURE IF EXISTS trading_migration.in_batches(regclass, text, bigint);
DROP PROCEDURE IF EXISTS trading_migration.briefly_each(text[], text);
DROP FUNCTION IF EXISTS trading_migration.watch(text, text, boolean);
DROP FUNCTION IF EXISTS trading_migration.briefly(text);
DROP FUNCTION IF EXISTS trading_migration.document(text);
DROP FUNCTION IF EXISTS trading_migration.log_change();
DROP FUNCTION IF EXISTS trading_migration.log_truncate();
DROP PROCEDURE IF EXISTS trading_migration.drop_unfinished();
DROP FUNCTION IF EXISTS trading_migration.alone();
DROP FUNCTION IF EXISTS trading_migration.row_hash(jsonb);
DROP TABLE IF EXISTS trading_migration.checksums, trading_migration.changed;
DROP SCHEMA IF EXISTS trading_migration;

COMMIT;
