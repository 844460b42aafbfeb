-- Revert trading:4.2.0-extensions from pg

SELECT trading_migration.alone();

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
