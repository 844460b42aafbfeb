-- Revert trading:4.3.0-schemas from pg
-- Made by make_migrations from events/*.json; change those and run it again.

BEGIN;

SELECT drop_event_schema('trading.signal', 1);
SELECT drop_event_schema('system.log', 1);
SELECT drop_event_schema('order.updated', 1);
SELECT drop_event_schema('order.placed', 1);
SELECT drop_event_schema('order.filled', 1);
SELECT drop_event_schema('order.common', 1);
SELECT drop_event_schema('market.data', 1);
SELECT drop_event_schema('market.trade', 1);
SELECT drop_event_schema('market.quote', 1);
SELECT drop_event_schema('market.book_delta', 1);
SELECT drop_event_schema('market.bar', 1);
SELECT drop_event_schema('market.common', 1);
SELECT drop_event_schema('ingestion.batch', 1);
SELECT drop_event_schema('discord.message.update', 1);
SELECT drop_event_schema('discord.message.delete', 1);
SELECT drop_event_schema('discord.message.create', 1);
SELECT drop_event_schema('discord.channel', 1);
SELECT drop_event_schema('discord.common', 1);
SELECT drop_event_schema('trading.common', 1);
SELECT drop_event_schema('binance.trade', 1);
SELECT drop_event_schema('binance.kline', 1);
SELECT drop_event_schema('binance.execution_report', 1);
SELECT drop_event_schema('binance.depth_update', 1);
SELECT drop_event_schema('binance.agg_trade', 1);
SELECT drop_event_schema('binance.common', 1);
DROP EXTENSION event_validate;

COMMIT;
