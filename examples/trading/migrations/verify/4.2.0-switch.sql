-- Verify trading:4.2.0-switch on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;
SET LOCAL timezone = 'UTC';

SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.discord_events WHERE false;
SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.market_events WHERE false;
SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.signal_events WHERE false;
SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.order_events WHERE false;
SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.system_events WHERE false;
SELECT id, event_type, schema_version, data, event_id, correlation_id, causation_id, recorded_at FROM public.ingestion_events WHERE false;

DO $$
DECLARE
    t record;
    here record;
    there record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('discord_events', 'payload'),
        ('market_events', 'trading_migration.document(o.data::text)'),
        ('signal_events', 'trading_migration.document(o.event_data)'),
        ('order_events', 'coalesce(o.data, trading_migration.document(o.body::text))'),
        ('system_events', 'o.metadata'),
        ('ingestion_events', 'trading_migration.document(o.body)')) AS v (relation, document) LOOP
        IF to_regclass(format('legacy.%I', t.relation)) IS NULL THEN
            RAISE EXCEPTION 'view legacy.% is missing', t.relation;
        END IF;
        -- the backup was released: nothing to compare with
        CONTINUE WHEN to_regclass(format('before_4_2_0.%I', t.relation)) IS NULL;

        -- Each row of the backup is in the new table, or was set aside with a
        -- reason.  Documents are equal unless they were upcast, and envelopes
        -- are equal.  Rows that the application has changed since are ignored
        -- on both sides.
        EXECUTE format($q$
            SELECT count(*) AS rows, count(*) FILTER (WHERE w.how IS DISTINCT FROM 'upcast') AS same,
                coalesce(sum(hashtextextended(%2$s::text, o.id)) FILTER (WHERE w.how IS DISTINCT FROM 'upcast'), 0) AS documents,
                coalesce(sum(hashtextextended(concat_ws(' ', o.event_id, o.correlation_id, '-', o.causation_id, o.recorded_at), o.id)), 0) AS envelopes
            FROM before_4_2_0.%1$I AS o LEFT JOIN trading_migration.outcome AS w ON w.relation = %1$L AND w.id = o.id
            WHERE w.how IS DISTINCT FROM 'conflict' AND w.how IS DISTINCT FROM 'no event'
                AND o.id NOT IN (SELECT c.id::bigint FROM trading_migration.changed AS c WHERE c.release = '4.2.0' AND c.relation = %1$L)
        $q$, t.relation, t.document) INTO there;
        EXECUTE format($q$
            SELECT count(*) AS rows, count(*) FILTER (WHERE w.how IS DISTINCT FROM 'upcast') AS same,
                coalesce(sum(hashtextextended(n.data::text, n.id)) FILTER (WHERE w.how IS DISTINCT FROM 'upcast'), 0) AS documents,
                coalesce(sum(hashtextextended(concat_ws(' ', n.event_id, n.correlation_id, '-', n.causation_id, n.recorded_at), n.id)), 0) AS envelopes
            FROM public.%1$I AS n LEFT JOIN trading_migration.outcome AS w ON w.relation = %1$L AND w.id = n.id
            WHERE n.id <= (SELECT s.up_to FROM trading_migration.checksums AS s WHERE s.release = '4.2.0' AND s.relation = %1$L)
                AND n.id NOT IN (SELECT c.id::bigint FROM trading_migration.changed AS c WHERE c.release = '4.2.0' AND c.relation = %1$L)
        $q$, t.relation) INTO here;
        IF here <> there THEN
            RAISE EXCEPTION 'table % differs from its backup: % there, % here', t.relation, there, here;
        END IF;
    END LOOP;
END
$$;

-- Rows that were set aside are not in their table.
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.discord_events AS n USING (id)
WHERE w.relation = 'discord_events' AND w.how IN ('conflict', 'no event');
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.market_events AS n USING (id)
WHERE w.relation = 'market_events' AND w.how IN ('conflict', 'no event');
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.signal_events AS n USING (id)
WHERE w.relation = 'signal_events' AND w.how IN ('conflict', 'no event');
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.order_events AS n USING (id)
WHERE w.relation = 'order_events' AND w.how IN ('conflict', 'no event');
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.system_events AS n USING (id)
WHERE w.relation = 'system_events' AND w.how IN ('conflict', 'no event');
SELECT 1 / (count(*) = 0)::int FROM trading_migration.outcome AS w JOIN public.ingestion_events AS n USING (id)
WHERE w.relation = 'ingestion_events' AND w.how IN ('conflict', 'no event');

ROLLBACK;
