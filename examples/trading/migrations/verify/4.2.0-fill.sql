-- Verify trading:4.2.0-fill on pg

-- 4.2.0-switch compares the rows, when they are in their final tables.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT relation, id, how, original FROM trading_migration.outcome WHERE false;
SELECT relation, id, data, body, original FROM trading_migration.merge_conflicts WHERE false;
SELECT 1 / (count(original) = count(*))::int FROM trading_migration.outcome WHERE how IN ('conflict', 'no event');

ROLLBACK;
