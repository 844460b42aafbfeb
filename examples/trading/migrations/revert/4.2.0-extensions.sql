-- Revert trading:4.2.0-extensions from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- The tool does not know a change that was stopped.
DO $$
BEGIN
    IF to_regclass('trading_migration.outcome') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'change 4.2.0-fill is half deployed',
            HINT = 'Finish the deployment and then revert it, or run its own script first: psql -f revert/4.2.0-fill.sql.';
    END IF;
END
$$;

BEGIN;

DROP FUNCTION IF EXISTS trading_migration.classify(text, text, int, jsonb);
DROP FUNCTION IF EXISTS trading_migration.upcast_legacy(text, jsonb);
DROP FUNCTION IF EXISTS trading_migration.version_number(text);

-- The extensions stay if other objects use them, or if another role owns them
-- (a superuser who restored a dump).
DO $$
BEGIN
    DROP EXTENSION IF EXISTS trading_events;
    DROP EXTENSION IF EXISTS event_validate;
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    RAISE NOTICE 'the extensions stay: %', SQLERRM;
END
$$;

COMMIT;
