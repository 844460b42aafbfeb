-- Revert trading:4.3.0-views from pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

BEGIN;
SET LOCAL client_min_messages = warning;

DROP VIEW IF EXISTS analytics.ingestion_batches;
DROP VIEW IF EXISTS analytics.system_log;
DROP VIEW IF EXISTS analytics.orders_filled;
DROP VIEW IF EXISTS analytics.orders_updated;
DROP VIEW IF EXISTS analytics.orders_placed;
DROP VIEW IF EXISTS analytics.signals;
DROP VIEW IF EXISTS analytics.book_deltas;
DROP VIEW IF EXISTS analytics.bars;
DROP VIEW IF EXISTS analytics.quotes;
DROP VIEW IF EXISTS analytics.trades;
DROP VIEW IF EXISTS analytics.channels_changed;
DROP VIEW IF EXISTS analytics.messages_deleted;
DROP VIEW IF EXISTS analytics.messages_updated;
DROP VIEW IF EXISTS analytics.messages_created;
DROP SCHEMA IF EXISTS analytics;

COMMIT;
