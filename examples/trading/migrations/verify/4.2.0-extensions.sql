-- Verify trading:4.2.0-extensions on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT 1 / (count(*) = 2)::int FROM pg_extension WHERE extname IN ('event_validate', 'trading_events');
SELECT 1 / (how = 'upcast' AND schema_version = 1 AND data ->> 'symbol' = 'SPY')::int
FROM trading_migration.classify('signal_events', NULL, NULL, '{"signal_id": "6a5c0b5e-6f2b-4a53-9a3e-0d7f9d1a2b3c", "symbol": "$spy",
    "action": "buy", "confidence": 0.5, "generated_at": "2024-06-17T13:30:00Z"}');
SELECT 1 / (how = 'no event')::int FROM trading_migration.classify('signal_events', NULL, NULL, '{"symbol": 1}');

ROLLBACK;
