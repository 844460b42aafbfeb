-- Verify trading:4.2.0-fill on pg

-- Whatever else there is to compare is compared by 4.2.0-switch, when the rows
-- are where they belong.

-- Whatever others have in the schema public, or in this role's search_path, matches no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT relation, id, how, original FROM trading_migration.outcome WHERE false;
SELECT relation, id, data, body, original FROM trading_migration.merge_conflicts WHERE false;
SELECT 1 / (count(original) = count(*))::int FROM trading_migration.outcome WHERE how IN ('conflict', 'no event');

ROLLBACK;
