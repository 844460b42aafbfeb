-- Verify trading:4.3.0-views on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT * FROM analytics.messages_created WHERE false;
SELECT * FROM analytics.messages_updated WHERE false;
SELECT * FROM analytics.messages_deleted WHERE false;
SELECT * FROM analytics.channels_changed WHERE false;
SELECT * FROM analytics.trades WHERE false;
SELECT * FROM analytics.quotes WHERE false;
SELECT * FROM analytics.bars WHERE false;
SELECT * FROM analytics.book_deltas WHERE false;
SELECT * FROM analytics.signals WHERE false;
SELECT * FROM analytics.orders_placed WHERE false;
SELECT * FROM analytics.orders_updated WHERE false;
SELECT * FROM analytics.orders_filled WHERE false;
SELECT * FROM analytics.system_log WHERE false;
SELECT * FROM analytics.ingestion_batches WHERE false;
SELECT symbol, price FROM analytics.trades WHERE false;

ROLLBACK;
