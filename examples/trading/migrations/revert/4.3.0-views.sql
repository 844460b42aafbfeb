-- Revert trading:4.3.0-views from pg

BEGIN;

DROP VIEW analytics.ingestion_batches;
DROP VIEW analytics.system_log;
DROP VIEW analytics.orders_filled;
DROP VIEW analytics.orders_updated;
DROP VIEW analytics.orders_placed;
DROP VIEW analytics.signals;
DROP VIEW analytics.book_deltas;
DROP VIEW analytics.bars;
DROP VIEW analytics.quotes;
DROP VIEW analytics.trades;
DROP VIEW analytics.channels_changed;
DROP VIEW analytics.messages_deleted;
DROP VIEW analytics.messages_updated;
DROP VIEW analytics.messages_created;
DROP SCHEMA analytics;

COMMIT;
