-- Revert trading:4.3.0-events from pg

BEGIN;

DROP TABLE ingestion_events, system_events, order_events, signal_events, market_events, discord_events;

COMMIT;
