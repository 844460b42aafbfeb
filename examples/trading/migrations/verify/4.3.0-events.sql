-- Verify trading:4.3.0-events on pg

BEGIN;

SELECT id, event_type, schema_version, data, recorded_at FROM discord_events WHERE false;
SELECT id, event_type, schema_version, data, recorded_at FROM market_events WHERE false;
SELECT id, event_type, schema_version, data, recorded_at FROM signal_events WHERE false;
SELECT id, event_type, schema_version, data, recorded_at FROM order_events WHERE false;
SELECT id, event_type, schema_version, data, recorded_at FROM system_events WHERE false;
SELECT id, event_type, schema_version, data, recorded_at FROM ingestion_events WHERE false;

-- All six checks are there and validated: else a division by zero.
SELECT 1 / (count(*) = 6)::int
FROM pg_catalog.pg_constraint
WHERE contype = 'c' AND convalidated
    AND conname IN ('discord_events_valid', 'market_events_valid', 'signal_events_valid',
        'order_events_valid', 'system_events_valid', 'ingestion_events_valid');

ROLLBACK;
