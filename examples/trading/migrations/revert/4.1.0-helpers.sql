-- Revert trading:4.1.0-helpers from pg

BEGIN;

DROP PROCEDURE trading_migration.in_batches(regclass, text, bigint);
DROP PROCEDURE trading_migration.briefly_each(text[], text);
DROP FUNCTION trading_migration.watch(text, text, boolean);
DROP FUNCTION trading_migration.briefly(text);
DROP FUNCTION trading_migration.document(text);
DROP FUNCTION trading_migration.log_change();
DROP FUNCTION trading_migration.row_hash(jsonb);
DROP TABLE trading_migration.checksums, trading_migration.changed;
DROP SCHEMA trading_migration;

COMMIT;
