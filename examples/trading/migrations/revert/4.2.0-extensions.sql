-- Revert trading:4.2.0-extensions from pg

-- Whatever others have in the schema public, or in this role's search_path, matches no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- A change that was stopped on its way is not known to the tool.
DO $$
BEGIN
    IF to_regclass('trading_migration.outcome') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.2.0-fill is half deployed',
            HINT = 'Deploy it to its end, and revert it then; or run its own script first: psql -f revert/4.2.0-fill.sql.';
    END IF;
END
$$;

BEGIN;

DROP FUNCTION IF EXISTS trading_migration.classify(text, text, int, jsonb);
DROP FUNCTION IF EXISTS trading_migration.upcast_legacy(text, jsonb);
DROP FUNCTION IF EXISTS trading_migration.version_number(text);

-- Whoever else uses the extensions keeps them, and whoever else owns them (a
-- superuser, who restored a dump).
DO $$
BEGIN
    DROP EXTENSION IF EXISTS trading_events;
    DROP EXTENSION IF EXISTS event_validate;
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    RAISE NOTICE 'the extensions stay: %', SQLERRM;
END
$$;

COMMIT;
