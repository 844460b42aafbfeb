-- Verify trading:4.3.0-bus on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

-- Each table publishes; otherwise this is a division by zero.
SELECT 1 / (count(*) = 6)::int
FROM pg_catalog.pg_trigger
WHERE tgname = 'zzz_event_bus' AND tgenabled = 'O' AND tgfoid = 'event_bus.publish()'::pg_catalog.regprocedure
    AND tgrelid IN ('public.discord_events'::pg_catalog.regclass, 'public.market_events'::pg_catalog.regclass, 'public.signal_events'::pg_catalog.regclass,
        'public.order_events'::pg_catalog.regclass, 'public.system_events'::pg_catalog.regclass, 'public.ingestion_events'::pg_catalog.regclass);

SELECT number, relation, ids, events, published_at FROM event_bus.outbox WHERE false;
SELECT position, number, relation, ids, events, published_at FROM event_bus.log WHERE false;
SELECT name, position, event, relations, event_types, in_flight, attempts FROM event_bus.consumers WHERE false;
SELECT consumer, position, relation, event, error, resolved_at FROM event_bus.dead_letters WHERE false;
SELECT consumer, publications_behind, events_behind, oldest_waits, dead_letters, active_pid FROM event_bus.lag;
SELECT outbox, notification_queue, dead_letters, oldest_transaction FROM event_bus.status;
SELECT depth, path, relation, id, event_id, note FROM public.event_tree('00000000-0000-0000-0000-000000000000');
