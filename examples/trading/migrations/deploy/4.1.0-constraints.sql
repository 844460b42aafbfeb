-- Deploy trading:4.1.0-constraints to pg
-- requires: 4.1.0-helpers

-- Not one transaction: each step commits, so that no lock is kept.  It can be
-- run again after it was stopped. docs/how-to/migration-guide.md has the reason for
-- each rule.
--
-- 1. Add the rules as NOT VALID: new rows keep to them from now on.
-- 2. Old rows that break a rule: repair them if others refer to them,
--    otherwise move them. before_4_1_0 keeps each original row, with the
--    reason.
-- 3. VALIDATE shows that the rules hold for every row, without blocking
--    readers and writers.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

-- Refuse to run after the next release has changed the tables: these columns no longer exist.
DO $$
BEGIN
    IF to_regclass('legacy.discord_events') IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the tables have the form of release 4.2.0 already',
            HINT = 'Continue with the next changes; if the tool does not know this one, record it: sqitch deploy --log-only, or alembic stamp.';
    END IF;
END
$$;

-- ---------- side tables ----------

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS before_4_1_0;
COMMENT ON SCHEMA before_4_1_0 IS 'Rows as they were before migration 4.1.0 repaired or moved them.';

DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels', 'discord_events',
        'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events']
    LOOP
        EXECUTE format($ddl$
            CREATE TABLE IF NOT EXISTS before_4_1_0.%1$I (
                LIKE public.%1$I,
                kept_why text NOT NULL,
                kept_as text NOT NULL CHECK (kept_as IN ('moved', 'repaired')),
                repaired jsonb,
                kept_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (id))$ddl$, relation);
    END LOOP;
END
$$;

COMMIT;

-- ---------- counts of the existing rows ----------

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';
-- sorts and indexes of large tables: raise the session's memory if it is lower
DO $$
BEGIN
    PERFORM set_config(s.name, greatest(s.setting::bigint, w.least)::text, false)
    FROM pg_settings AS s JOIN (VALUES ('work_mem', 65536), ('maintenance_work_mem', 262144)) AS w (name, least) USING (name);
END
$$;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['discord_channels', 'discord_messages', 'trade_setups', 'parsed_levels', 'discord_events',
        'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events']
    LOOP
        -- skip this if it was done before a stop: rows are repaired already
        IF NOT EXISTS (SELECT FROM trading_migration.checksums AS c WHERE c.release = '4.1.0' AND c.relation = t AND c.rows IS NOT NULL) THEN
            PERFORM trading_migration.watch('4.1.0', t, ids_grow => t <> 'discord_channels');
            COMMIT;
        END IF;
    END LOOP;
END
$$;

-- One snapshot for the rows and for the rows logged so far: these were changed
-- before, and do not count.  (A query alone may run in parallel.)
DO $$
DECLARE
    c record;
    seen bigint[];
    counted bigint;
    total numeric;
BEGIN
    FOR c IN SELECT * FROM trading_migration.checksums WHERE release = '4.1.0' AND rows IS NULL LOOP
        EXECUTE format($q$
            SELECT count(*), coalesce(sum(%3$s), 0),
                (SELECT array_agg(number) FROM trading_migration.changed WHERE release = '4.1.0' AND relation = %1$L)
            FROM public.%1$I AS t WHERE %2$s
        $q$, c.relation, CASE WHEN c.up_to IS NULL THEN 'true' ELSE format('id <= %s', c.up_to) END,
            trading_migration.row_hash(c.relation, 't')) INTO counted, total, seen;
        DELETE FROM trading_migration.changed WHERE number = ANY (seen);
        UPDATE trading_migration.checksums AS s SET rows = counted, hash = total
        WHERE s.release = '4.1.0' AND s.relation = c.relation;
        COMMIT;
    END LOOP;
END
$$;

-- ---------- 1. the rules ----------

SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_channels
        DROP CONSTRAINT IF EXISTS discord_channels_id_format,
        ADD CONSTRAINT discord_channels_id_format CHECK (id ~ '^[0-9]+$' AND char_length(id) <= 20) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_guild_id_format,
        ADD CONSTRAINT discord_channels_guild_id_format CHECK (guild_id ~ '^[0-9]+$' AND char_length(guild_id) <= 20) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_name_set,
        ADD CONSTRAINT discord_channels_name_set CHECK (name IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_name_length,
        ADD CONSTRAINT discord_channels_name_length CHECK (char_length(name) BETWEEN 1 AND 100) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_topic_length,
        ADD CONSTRAINT discord_channels_topic_length CHECK (char_length(topic) <= 4096) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_type_set,
        ADD CONSTRAINT discord_channels_type_set CHECK (type IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_channels_type_known,
        ADD CONSTRAINT discord_channels_type_known CHECK (type BETWEEN 0 AND 5 OR type BETWEEN 10 AND 16) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages
        DROP CONSTRAINT IF EXISTS discord_messages_essentials_set,
        ADD CONSTRAINT discord_messages_essentials_set CHECK (message_id IS NOT NULL AND channel_id IS NOT NULL
            AND author_id IS NOT NULL AND content IS NOT NULL AND created_at IS NOT NULL AND raw_event IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_messages_id_format,
        ADD CONSTRAINT discord_messages_id_format CHECK (message_id ~ '^[0-9]+$' AND char_length(message_id) <= 20
            AND channel_id ~ '^[0-9]+$' AND char_length(channel_id) <= 20
            AND author_id ~ '^[0-9]+$' AND char_length(author_id) <= 20) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_messages_content_length,
        ADD CONSTRAINT discord_messages_content_length CHECK (char_length(content) <= 4000) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_messages_structure,
        ADD CONSTRAINT discord_messages_structure CHECK (jsonb_typeof(raw_event) = 'object' AND raw_event ? 'id'
            AND raw_event ? 'channel_id') NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.trade_setups
        DROP CONSTRAINT IF EXISTS trade_setups_essentials_set,
        ADD CONSTRAINT trade_setups_essentials_set CHECK (ticker IS NOT NULL AND setup_date IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS trade_setups_ticker_format,
        ADD CONSTRAINT trade_setups_ticker_format CHECK (ticker ~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' AND char_length(ticker) <= 32) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.parsed_levels
        DROP CONSTRAINT IF EXISTS parsed_levels_essentials_set,
        ADD CONSTRAINT parsed_levels_essentials_set CHECK (setup_id IS NOT NULL AND level_type IS NOT NULL AND price IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS parsed_levels_type_known,
        ADD CONSTRAINT parsed_levels_type_known CHECK (level_type IN ('entry', 'stop', 'target', 'support', 'resistance')) NOT VALID,
        DROP CONSTRAINT IF EXISTS parsed_levels_price_positive,
        ADD CONSTRAINT parsed_levels_price_positive CHECK (price > 0 AND price < 'Infinity') NOT VALID,
        DROP CONSTRAINT IF EXISTS parsed_levels_setup,
        ADD CONSTRAINT parsed_levels_setup FOREIGN KEY (setup_id) REFERENCES public.trade_setups (id) ON DELETE CASCADE NOT VALID
$$);

-- A document is an object with the keys that the application needs. coalesce:
-- a missing key gives false, not unknown.  CASE: a document that jsonb cannot
-- hold (\u0000) is not examined.
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_events
        DROP CONSTRAINT IF EXISTS discord_events_essentials_set,
        ADD CONSTRAINT discord_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS discord_events_structure,
        ADD CONSTRAINT discord_events_structure CHECK (coalesce(
            jsonb_typeof(payload) = 'object' AND payload ? 'id', false)) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.market_events
        DROP CONSTRAINT IF EXISTS market_events_essentials_set,
        ADD CONSTRAINT market_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS market_events_structure,
        ADD CONSTRAINT market_events_structure CHECK (coalesce(CASE WHEN jsonb_typeof(trading_migration.document(data::text)) = 'object'
            THEN json_typeof(data -> 'symbol') = 'string' OR json_typeof(data -> 's') = 'string' END, false)) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.signal_events
        DROP CONSTRAINT IF EXISTS signal_events_essentials_set,
        ADD CONSTRAINT signal_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS signal_events_structure,
        ADD CONSTRAINT signal_events_structure CHECK (coalesce(
            jsonb_typeof(trading_migration.document(event_data) -> 'symbol') = 'string'
            AND trading_migration.document(event_data) ? 'action', false)) NOT VALID
$$);

-- If both documents exist, both must have this form; 4.2.0 compares them.
SELECT trading_migration.briefly($$
    ALTER TABLE public.order_events
        DROP CONSTRAINT IF EXISTS order_events_essentials_set,
        ADD CONSTRAINT order_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS order_events_structure,
        ADD CONSTRAINT order_events_structure CHECK (coalesce(
            (data IS NULL OR jsonb_typeof(data -> 'symbol') = 'string' OR jsonb_typeof(data -> 'order') = 'object'
                OR jsonb_typeof(data -> 's') = 'string')
            AND (body IS NULL OR trading_migration.document(body::text) IS NOT NULL AND (json_typeof(body -> 'symbol') = 'string'
                OR json_typeof(body -> 'order') = 'object' OR json_typeof(body -> 's') = 'string'))
            AND (data IS NOT NULL OR body IS NOT NULL), false)) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.system_events
        DROP CONSTRAINT IF EXISTS system_events_essentials_set,
        ADD CONSTRAINT system_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS system_events_structure,
        ADD CONSTRAINT system_events_structure CHECK (coalesce(
            jsonb_typeof(metadata) = 'object' AND metadata ? 'message', false)) NOT VALID
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.ingestion_events
        DROP CONSTRAINT IF EXISTS ingestion_events_essentials_set,
        ADD CONSTRAINT ingestion_events_essentials_set CHECK (event_id IS NOT NULL AND recorded_at IS NOT NULL) NOT VALID,
        DROP CONSTRAINT IF EXISTS ingestion_events_structure,
        ADD CONSTRAINT ingestion_events_structure CHECK (coalesce(
            jsonb_typeof(trading_migration.document(body)) = 'object'
            AND trading_migration.document(body) ?| ARRAY['batch_id', 'source'], false)) NOT VALID
$$);

-- ---------- 2. channels: repaired ----------

-- A direct message has no name at Discord; its channel gets one.  A guild id
-- that was stored as a rounded number is lost.
WITH broken AS (
    SELECT c AS original,
        coalesce(left(nullif(c.name, ''), 100), CASE WHEN c.type IN (1, 3) OR c.type IS NULL AND c.guild_id IS NULL
            THEN 'direct message ' ELSE 'unnamed channel ' END || c.id) AS name,
        left(c.topic, 4096) AS topic,
        CASE WHEN c.guild_id ~ '^[0-9]{1,20}$' THEN c.guild_id END AS guild_id,
        CASE WHEN c.type BETWEEN 0 AND 5 OR c.type BETWEEN 10 AND 16 THEN c.type
            WHEN c.guild_id IS NULL THEN 1 ELSE 0 END AS type,
        concat_ws('; ', CASE WHEN c.name IS NULL OR c.name = '' THEN 'no name' END,
            CASE WHEN char_length(c.name) > 100 THEN 'name too long' END,
            CASE WHEN char_length(c.topic) > 4096 THEN 'topic too long' END,
            CASE WHEN c.guild_id !~ '^[0-9]{1,20}$' THEN 'guild_id is no snowflake' END,
            CASE WHEN c.type IS NULL THEN 'no type' WHEN NOT (c.type BETWEEN 0 AND 5 OR c.type BETWEEN 10 AND 16)
                THEN 'unknown type' END) AS why
    FROM public.discord_channels AS c
    WHERE c.name IS NULL OR c.type IS NULL OR NOT (char_length(c.name) BETWEEN 1 AND 100) OR char_length(c.topic) > 4096
        OR c.guild_id !~ '^[0-9]{1,20}$' OR NOT (c.type BETWEEN 0 AND 5 OR c.type BETWEEN 10 AND 16)
    FOR UPDATE
), kept AS (
    INSERT INTO before_4_1_0.discord_channels (id, guild_id, name, type, topic, updated_at, kept_why, kept_as, repaired)
    SELECT (original).*, why, 'repaired',
        jsonb_build_object('name', name, 'topic', topic, 'guild_id', guild_id, 'type', type)
    FROM broken
    ON CONFLICT (id) DO NOTHING
)
UPDATE public.discord_channels AS c
SET name = b.name, topic = b.topic, guild_id = b.guild_id, type = b.type
FROM broken AS b
WHERE c.id = (b.original).id;

-- ---------- 2. messages: repaired, duplicates moved ----------

-- If a column is empty, its value is taken from the raw event; the time from
-- the snowflake; an unknown author or channel becomes 0.  A raw event that is
-- not one is rebuilt from the columns.  A message without any id is moved,
-- since no row can refer to it.
CALL trading_migration.in_batches('public.discord_messages', $$
    WITH broken AS (
        SELECT m AS original, f.*, CASE WHEN coalesce(jsonb_typeof(m.raw_event) = 'object' AND m.raw_event ?& ARRAY['id', 'channel_id'], false)
                THEN m.raw_event
            ELSE jsonb_build_object('id', f.message_id, 'channel_id', f.channel_id, 'author', jsonb_build_object('id', f.author_id),
                'content', f.content, 'timestamp', to_char(f.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) END AS raw_event,
            concat_ws('; ', CASE WHEN m.message_id IS DISTINCT FROM f.message_id THEN 'no message_id' END,
                CASE WHEN m.channel_id IS DISTINCT FROM f.channel_id THEN 'no channel_id' END,
                CASE WHEN m.author_id IS DISTINCT FROM f.author_id THEN 'no author_id' END,
                CASE WHEN m.content IS NULL THEN 'no content' WHEN m.content <> f.content THEN 'content too long' END,
                CASE WHEN m.created_at IS NULL THEN 'no created_at' END,
                CASE WHEN m.raw_event IS NULL THEN 'no raw event' WHEN jsonb_typeof(m.raw_event) <> 'object' THEN 'raw event is ' || jsonb_typeof(m.raw_event)
                    WHEN NOT m.raw_event ?& ARRAY['id', 'channel_id'] THEN 'half a raw event' END) AS why,
            i.message_id IS NULL AS gone
        FROM public.discord_messages AS m
        CROSS JOIN LATERAL (SELECT CASE WHEN m.message_id ~ '^[0-9]{1,20}$' THEN m.message_id
            WHEN m.raw_event ->> 'id' ~ '^[0-9]{1,20}$' THEN m.raw_event ->> 'id' END AS message_id) AS i
        CROSS JOIN LATERAL (SELECT i.message_id,
            CASE WHEN m.channel_id ~ '^[0-9]{1,20}$' THEN m.channel_id
                WHEN m.raw_event ->> 'channel_id' ~ '^[0-9]{1,20}$' THEN m.raw_event ->> 'channel_id' ELSE '0' END AS channel_id,
            CASE WHEN m.author_id ~ '^[0-9]{1,20}$' THEN m.author_id
                WHEN m.raw_event #>> '{author,id}' ~ '^[0-9]{1,20}$' THEN m.raw_event #>> '{author,id}' ELSE '0' END AS author_id,
            left(coalesce(m.content, m.raw_event ->> 'content', ''), 4000) AS content,
            coalesce(m.created_at, to_timestamp((div(i.message_id::numeric, 4194304) + 1420070400000) / 1000)) AS created_at) AS f
        WHERE m.id BETWEEN $1 AND $2 AND (m.message_id IS NULL OR m.channel_id IS NULL OR m.author_id IS NULL
            OR m.content IS NULL OR m.created_at IS NULL OR m.raw_event IS NULL
            OR m.message_id !~ '^[0-9]+$' OR m.channel_id !~ '^[0-9]+$' OR m.author_id !~ '^[0-9]+$'
            OR char_length(m.message_id) > 20 OR char_length(m.channel_id) > 20 OR char_length(m.author_id) > 20
            OR char_length(m.content) > 4000 OR jsonb_typeof(m.raw_event) <> 'object' OR NOT m.raw_event ?& ARRAY['id', 'channel_id'])
        FOR UPDATE OF m
    ), kept AS (
        INSERT INTO before_4_1_0.discord_messages
            (id, message_id, channel_id, author_id, content, created_at, raw_event, kept_why, kept_as, repaired)
        SELECT (b.original).*, CASE WHEN b.gone THEN 'no message_id' ELSE b.why END, CASE WHEN b.gone THEN 'moved' ELSE 'repaired' END,
            CASE WHEN NOT b.gone THEN jsonb_build_object('message_id', b.message_id, 'channel_id', b.channel_id,
                'author_id', b.author_id, 'content', b.content, 'created_at', b.created_at, 'raw_event', b.raw_event) END
        FROM broken AS b
        ON CONFLICT (id) DO UPDATE SET kept_why = EXCLUDED.kept_why, kept_as = 'moved' WHERE EXCLUDED.kept_as = 'moved'
    ), gone AS (
        DELETE FROM public.discord_messages AS m USING broken AS b WHERE m.id = (b.original).id AND b.gone
    )
    UPDATE public.discord_messages AS m
    SET message_id = b.message_id, channel_id = b.channel_id, author_id = b.author_id, content = b.content,
        created_at = b.created_at, raw_event = b.raw_event
    FROM broken AS b
    WHERE m.id = (b.original).id AND NOT b.gone
$$);

-- The first of several duplicates stays; the others are the same message,
-- delivered again.  (Found in one sort, deleted by their ids.)
WITH duplicates AS MATERIALIZED (
    SELECT id, first FROM (SELECT id, first_value(id) OVER (PARTITION BY message_id COLLATE "C" ORDER BY id) AS first FROM public.discord_messages) AS d
    WHERE id <> first
), gone AS (
    DELETE FROM public.discord_messages WHERE id = ANY (ARRAY(SELECT id FROM duplicates))
    RETURNING *
)
INSERT INTO before_4_1_0.discord_messages (id, message_id, channel_id, author_id, content, created_at, raw_event, kept_why, kept_as)
SELECT g.id, g.message_id, g.channel_id, g.author_id, g.content, g.created_at, g.raw_event, format('duplicate of row %s', d.first), 'moved'
FROM gone AS g JOIN duplicates AS d USING (id)
ON CONFLICT (id) DO UPDATE SET kept_why = before_4_1_0.discord_messages.kept_why || '; ' || EXCLUDED.kept_why, kept_as = 'moved';

SET client_min_messages = warning;

CALL trading_migration.drop_unfinished();
-- If a duplicate arrives meanwhile, this fails: run it again.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS discord_messages_message_id ON public.discord_messages (message_id);

RESET client_min_messages;

-- ---------- 2. setups: repaired ----------

SELECT trading_migration.briefly($$
    ALTER TABLE public.trade_setups
        DROP CONSTRAINT IF EXISTS trade_setups_source_message,
        ADD CONSTRAINT trade_setups_source_message FOREIGN KEY (source_message_id)
            REFERENCES public.discord_messages (message_id) ON DELETE SET NULL NOT VALID
$$);

CALL trading_migration.in_batches('public.trade_setups', $$
    WITH broken AS (
        SELECT s AS original,
            CASE WHEN f.ticker ~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' AND char_length(f.ticker) <= 32 THEN f.ticker ELSE 'UNKNOWN' END AS ticker,
            coalesce(s.setup_date, (s.created_at AT TIME ZONE 'UTC')::date, '1970-01-01') AS setup_date,
            CASE WHEN f.known THEN s.source_message_id END AS source_message_id,
            concat_ws('; ', CASE WHEN s.ticker IS NULL THEN 'no ticker' WHEN s.ticker ~ '^\s*\$' THEN 'ticker with $'
                    WHEN s.ticker IS DISTINCT FROM f.ticker THEN 'ticker in lower case'
                    WHEN s.ticker !~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' OR char_length(s.ticker) > 32 THEN 'no ticker' END,
                CASE WHEN s.setup_date IS NULL THEN 'no setup_date' END,
                CASE WHEN s.source_message_id IS NOT NULL AND NOT f.known THEN 'its message is gone' END) AS why
        FROM public.trade_setups AS s
        CROSS JOIN LATERAL (SELECT upper(ltrim(btrim(s.ticker), '$')) AS ticker,
            EXISTS (SELECT FROM public.discord_messages AS m WHERE m.message_id = s.source_message_id) AS known) AS f
        WHERE s.id BETWEEN $1 AND $2 AND (s.ticker IS NULL OR s.ticker !~ '^[A-Z0-9]+([./-][A-Z0-9]+)*$' OR char_length(s.ticker) > 32
            OR s.setup_date IS NULL OR s.source_message_id IS NOT NULL AND NOT f.known)
        FOR UPDATE OF s
    ), kept AS (
        INSERT INTO before_4_1_0.trade_setups (id, ticker, setup_date, source_message_id, created_at, kept_why, kept_as, repaired)
        SELECT (original).*, why, 'repaired',
            jsonb_build_object('ticker', ticker, 'setup_date', setup_date, 'source_message_id', source_message_id)
        FROM broken
        ON CONFLICT (id) DO NOTHING
    )
    UPDATE public.trade_setups AS s
    SET ticker = b.ticker, setup_date = b.setup_date, source_message_id = b.source_message_id
    FROM broken AS b
    WHERE s.id = (b.original).id
$$);

-- ---------- 2. levels: moved ----------

CALL trading_migration.in_batches('public.parsed_levels', $$
    WITH gone AS (
        DELETE FROM public.parsed_levels AS l
        WHERE l.id BETWEEN $1 AND $2 AND (l.setup_id IS NULL OR l.level_type IS NULL OR l.price IS NULL
            OR l.level_type NOT IN ('entry', 'stop', 'target', 'support', 'resistance') OR NOT (l.price > 0 AND l.price < 'Infinity')
            OR NOT EXISTS (SELECT FROM public.trade_setups AS s WHERE s.id = l.setup_id))
        RETURNING *
    )
    INSERT INTO before_4_1_0.parsed_levels (id, setup_id, level_type, price, kept_why, kept_as)
    SELECT id, setup_id, level_type, price,
        CASE WHEN price IS NULL THEN 'no price' WHEN NOT (price > 0 AND price < 'Infinity') THEN 'price not positive'
            WHEN level_type IS NULL THEN 'no type' WHEN level_type NOT IN ('entry', 'stop', 'target', 'support', 'resistance') THEN 'unknown type'
            ELSE 'no such setup' END, 'moved'
    FROM gone
$$);

-- ---------- 2. events: moved, envelopes repaired ----------

-- The same for each table: rows that break the rule of structure are moved (by
-- the rule's own expression); a missing event_id becomes one that is always
-- the same for this row; a missing time becomes that of the row before it;
-- later rows with an existing event_id are moved.
DO $$
DECLARE
    relation text;
    columns text;
    structure text;
    documents text;
BEGIN
    FOR relation, documents IN VALUES ('discord_events', 'payload::text'), ('market_events', 'data::text'), ('signal_events', 'event_data'),
        ('order_events', 'coalesce(data::text, body::text)'), ('system_events', 'metadata::text'), ('ingestion_events', 'body')
    LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = format('public.%I', relation)::regclass AND attnum > 0 AND NOT attisdropped;
        SELECT pg_get_expr(conbin, conrelid) INTO STRICT structure
        FROM pg_constraint WHERE conrelid = format('public.%I', relation)::regclass AND conname = relation || '_structure';
        EXECUTE format($f$
            CREATE OR REPLACE PROCEDURE trading_migration.repair_%1$s() LANGUAGE plpgsql AS $body$
            BEGIN
                CALL trading_migration.in_batches('public.%1$I', $command$
                    WITH broken AS (
                        SELECT e AS original, NOT (%3$s) AS gone, coalesce(e.event_id, md5('%1$s ' || e.id)::uuid) AS new_event_id,
                            coalesce(e.recorded_at, (SELECT b.recorded_at FROM public.%1$I AS b
                                WHERE b.id < e.id AND b.recorded_at IS NOT NULL ORDER BY b.id DESC LIMIT 1), now()) AS new_recorded_at
                        FROM public.%1$I AS e
                        WHERE e.id BETWEEN $1 AND $2 AND (e.event_id IS NULL OR e.recorded_at IS NULL OR NOT (%3$s))
                        FOR UPDATE OF e
                    ), moved AS (
                        INSERT INTO before_4_1_0.%1$I (%2$s, kept_why, kept_as)
                        SELECT %2$s, CASE WHEN %4$s IS NULL THEN 'no document'
                            WHEN trading_migration.document(%4$s) IS NULL THEN 'no JSON'
                            WHEN jsonb_typeof(trading_migration.document(%4$s)) <> 'object'
                                THEN 'the document is ' || jsonb_typeof(trading_migration.document(%4$s))
                            ELSE 'half a document' END, 'moved'
                        FROM (SELECT (b.original).* FROM broken AS b WHERE b.gone) AS o
                        ON CONFLICT (id) DO UPDATE SET kept_why = EXCLUDED.kept_why, kept_as = 'moved'
                    ), gone AS (
                        DELETE FROM public.%1$I AS e USING broken AS b WHERE e.id = (b.original).id AND b.gone
                    ), kept AS (
                        INSERT INTO before_4_1_0.%1$I (%2$s, kept_why, kept_as, repaired)
                        SELECT (b.original).*, concat_ws('; ', CASE WHEN (b.original).event_id IS NULL THEN 'no event_id' END,
                            CASE WHEN (b.original).recorded_at IS NULL THEN 'no recorded_at' END), 'repaired',
                            jsonb_build_object('event_id', b.new_event_id, 'recorded_at', b.new_recorded_at)
                        FROM broken AS b WHERE NOT b.gone
                        ON CONFLICT (id) DO NOTHING
                    )
                    UPDATE public.%1$I AS e SET event_id = b.new_event_id, recorded_at = b.new_recorded_at
                    FROM broken AS b WHERE e.id = (b.original).id AND NOT b.gone
                $command$);
                WITH duplicates AS MATERIALIZED (
                    SELECT id, first FROM (SELECT id, first_value(id) OVER (PARTITION BY event_id ORDER BY id) AS first FROM public.%1$I) AS d
                    WHERE id <> first
                ), gone AS (
                    DELETE FROM public.%1$I WHERE id = ANY (ARRAY(SELECT id FROM duplicates)) RETURNING *
                )
                INSERT INTO before_4_1_0.%1$I (%2$s, kept_why, kept_as)
                SELECT %2$s, format('duplicate of row %%s', first), 'moved' FROM gone JOIN duplicates USING (id)
                ON CONFLICT (id) DO UPDATE SET kept_why = before_4_1_0.%1$I.kept_why || '; ' || EXCLUDED.kept_why, kept_as = 'moved';
            END $body$
        $f$, relation, columns, structure, documents);
    END LOOP;
END
$$;
CALL trading_migration.repair_discord_events();
CALL trading_migration.repair_market_events();
CALL trading_migration.repair_signal_events();
CALL trading_migration.repair_order_events();
CALL trading_migration.repair_system_events();
CALL trading_migration.repair_ingestion_events();
DROP PROCEDURE trading_migration.repair_discord_events();
DROP PROCEDURE trading_migration.repair_market_events();
DROP PROCEDURE trading_migration.repair_signal_events();
DROP PROCEDURE trading_migration.repair_order_events();
DROP PROCEDURE trading_migration.repair_system_events();
DROP PROCEDURE trading_migration.repair_ingestion_events();

SET client_min_messages = warning;
CALL trading_migration.drop_unfinished();
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS discord_events_event_id ON public.discord_events (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS market_events_event_id ON public.market_events (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS signal_events_event_id ON public.signal_events (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS order_events_event_id ON public.order_events (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS system_events_event_id ON public.system_events (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ingestion_events_event_id ON public.ingestion_events (event_id);
RESET client_min_messages;

-- ---------- 3. validation ----------

-- One statement for each table is one scan, whatever the number of rules.
ALTER TABLE public.discord_channels
    VALIDATE CONSTRAINT discord_channels_id_format,
    VALIDATE CONSTRAINT discord_channels_guild_id_format,
    VALIDATE CONSTRAINT discord_channels_name_set,
    VALIDATE CONSTRAINT discord_channels_name_length,
    VALIDATE CONSTRAINT discord_channels_topic_length,
    VALIDATE CONSTRAINT discord_channels_type_set,
    VALIDATE CONSTRAINT discord_channels_type_known;
ALTER TABLE public.discord_messages
    VALIDATE CONSTRAINT discord_messages_essentials_set,
    VALIDATE CONSTRAINT discord_messages_id_format,
    VALIDATE CONSTRAINT discord_messages_content_length,
    VALIDATE CONSTRAINT discord_messages_structure;
ALTER TABLE public.trade_setups
    VALIDATE CONSTRAINT trade_setups_essentials_set,
    VALIDATE CONSTRAINT trade_setups_ticker_format,
    VALIDATE CONSTRAINT trade_setups_source_message;
ALTER TABLE public.parsed_levels
    VALIDATE CONSTRAINT parsed_levels_essentials_set,
    VALIDATE CONSTRAINT parsed_levels_type_known,
    VALIDATE CONSTRAINT parsed_levels_price_positive,
    VALIDATE CONSTRAINT parsed_levels_setup;
ALTER TABLE public.discord_events
    VALIDATE CONSTRAINT discord_events_essentials_set,
    VALIDATE CONSTRAINT discord_events_structure;
ALTER TABLE public.market_events
    VALIDATE CONSTRAINT market_events_essentials_set,
    VALIDATE CONSTRAINT market_events_structure;
ALTER TABLE public.signal_events
    VALIDATE CONSTRAINT signal_events_essentials_set,
    VALIDATE CONSTRAINT signal_events_structure;
ALTER TABLE public.order_events
    VALIDATE CONSTRAINT order_events_essentials_set,
    VALIDATE CONSTRAINT order_events_structure;
ALTER TABLE public.system_events
    VALIDATE CONSTRAINT system_events_essentials_set,
    VALIDATE CONSTRAINT system_events_structure;
ALTER TABLE public.ingestion_events
    VALIDATE CONSTRAINT ingestion_events_essentials_set,
    VALIDATE CONSTRAINT ingestion_events_structure;

-- SET NOT NULL uses a validated CHECK of the same, so nothing is scanned under
-- the lock.  Then the CHECK is no longer needed.
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_channels ALTER name SET NOT NULL, ALTER type SET NOT NULL;
    ALTER TABLE public.discord_channels DROP CONSTRAINT discord_channels_name_set, DROP CONSTRAINT discord_channels_type_set
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages ALTER message_id SET NOT NULL, ALTER channel_id SET NOT NULL, ALTER author_id SET NOT NULL,
        ALTER content SET NOT NULL, ALTER created_at SET NOT NULL, ALTER raw_event SET NOT NULL;
    ALTER TABLE public.discord_messages DROP CONSTRAINT discord_messages_essentials_set
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.trade_setups ALTER ticker SET NOT NULL, ALTER setup_date SET NOT NULL;
    ALTER TABLE public.trade_setups DROP CONSTRAINT trade_setups_essentials_set
$$);
SELECT trading_migration.briefly($$
    ALTER TABLE public.parsed_levels ALTER setup_id SET NOT NULL, ALTER level_type SET NOT NULL, ALTER price SET NOT NULL;
    ALTER TABLE public.parsed_levels DROP CONSTRAINT parsed_levels_essentials_set
$$);
CALL trading_migration.briefly_each(ARRAY['discord_events', 'market_events', 'signal_events', 'order_events', 'system_events', 'ingestion_events'], $$
    ALTER TABLE public.%1$I ALTER event_id SET NOT NULL, ALTER recorded_at SET NOT NULL;
    ALTER TABLE public.%1$I DROP CONSTRAINT %1$s_essentials_set
$$);

-- Show the result.
DO $$
DECLARE
    line text;
BEGIN
    FOR line IN
        SELECT format('%s: %s rows %s (%s)', relation, count(*), kept_as, regexp_replace(kept_why, ' [0-9]+$', ''))
        FROM (SELECT 'discord_channels', kept_as, kept_why FROM before_4_1_0.discord_channels
            UNION ALL SELECT 'discord_messages', kept_as, kept_why FROM before_4_1_0.discord_messages
            UNION ALL SELECT 'trade_setups', kept_as, kept_why FROM before_4_1_0.trade_setups
            UNION ALL SELECT 'parsed_levels', kept_as, kept_why FROM before_4_1_0.parsed_levels
            UNION ALL SELECT 'discord_events', kept_as, kept_why FROM before_4_1_0.discord_events
            UNION ALL SELECT 'market_events', kept_as, kept_why FROM before_4_1_0.market_events
            UNION ALL SELECT 'signal_events', kept_as, kept_why FROM before_4_1_0.signal_events
            UNION ALL SELECT 'order_events', kept_as, kept_why FROM before_4_1_0.order_events
            UNION ALL SELECT 'system_events', kept_as, kept_why FROM before_4_1_0.system_events
            UNION ALL SELECT 'ingestion_events', kept_as, kept_why FROM before_4_1_0.ingestion_events) AS k (relation, kept_as, kept_why)
        GROUP BY relation, kept_as, regexp_replace(kept_why, ' [0-9]+$', '') ORDER BY 1
    LOOP
        RAISE NOTICE '%', line;
    END LOOP;
END
$$;
