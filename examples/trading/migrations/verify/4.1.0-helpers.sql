-- Verify trading:4.1.0-helpers on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT 'trading_migration.briefly(text)'::regprocedure, 'trading_migration.document(text)'::regprocedure,
    'trading_migration.in_batches(regclass, text, bigint)'::regprocedure, 'trading_migration.briefly_each(text[], text)'::regprocedure;
SELECT 1 / (trading_migration.document('{"a": 1}') = '{"a": 1}' AND trading_migration.document('{"a":') IS NULL)::int;

ROLLBACK;
