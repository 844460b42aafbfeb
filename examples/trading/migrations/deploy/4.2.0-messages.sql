-- Deploy trading:4.2.0-messages to pg
-- requires: 4.2.0-switch

-- The largest table is not rewritten: its column is renamed, type and version
-- are added with defaults, and only rows of another version are updated.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

BEGIN;

CREATE OR REPLACE FUNCTION trading_migration.write_legacy_discord_messages() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    c record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM public.discord_messages WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN OLD END;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.raw_event IS NOT DISTINCT FROM OLD.raw_event THEN
        SELECT m.event_type, m.schema_version, m.data INTO c FROM public.discord_messages AS m WHERE m.id = OLD.id;
    ELSE
        SELECT * INTO c FROM trading_migration.classify('discord_messages', NULL, NULL, NEW.raw_event);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE public.discord_messages
        SET message_id = NEW.message_id, channel_id = NEW.channel_id, author_id = NEW.author_id, content = NEW.content,
            created_at = NEW.created_at, data = c.data, event_type = c.event_type, schema_version = c.schema_version
        WHERE id = OLD.id;
        RETURN CASE WHEN FOUND THEN NEW END;
    END IF;
    IF NEW.id IS NULL AND has_column_privilege('public.discord_messages', 'id', 'SELECT') THEN
        INSERT INTO public.discord_messages (message_id, channel_id, author_id, content, created_at, data, event_type, schema_version)
        VALUES (NEW.message_id, NEW.channel_id, NEW.author_id, NEW.content, NEW.created_at, c.data, c.event_type, c.schema_version)
        RETURNING id INTO NEW.id;
    ELSIF NEW.id IS NULL THEN
        -- (RETURNING the id needs a privilege that a role with INSERT only
        -- lacks)
        INSERT INTO public.discord_messages (message_id, channel_id, author_id, content, created_at, data, event_type, schema_version)
        VALUES (NEW.message_id, NEW.channel_id, NEW.author_id, NEW.content, NEW.created_at, c.data, c.event_type, c.schema_version);
    ELSE
        INSERT INTO public.discord_messages (id, message_id, channel_id, author_id, content, created_at, data, event_type, schema_version)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.id, NEW.message_id, NEW.channel_id, NEW.author_id, NEW.content, NEW.created_at, c.data, c.event_type, c.schema_version);
    END IF;
    -- a guard may have diverted it
    RETURN CASE WHEN FOUND THEN NEW END;
END
$$;

-- The replacement for a message's document that is not an event, from its
-- columns.
CREATE OR REPLACE FUNCTION trading_migration.rebuilt(message_id text, channel_id text, author_id text, content text, created_at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT jsonb_build_object('id', message_id, 'channel_id', channel_id, 'author', jsonb_build_object('id', author_id),
        'content', content, 'timestamp', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
END;
COMMENT ON FUNCTION trading_migration.rebuilt(text, text, text, text, timestamptz) IS 'a message''s document from its columns: version 0';

CREATE OR REPLACE FUNCTION trading_migration.rename_message_column(relation text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('legacy.discord_messages') IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM public.standardize_event_column('public.discord_messages'::regclass, 'raw_event'::name, 'data'::name, NULL::text);
    ALTER TABLE public.discord_messages
        ADD COLUMN event_type text NOT NULL DEFAULT 'discord.message.create',
        ADD COLUMN schema_version int NOT NULL DEFAULT 1;
    CREATE VIEW legacy.discord_messages WITH (security_invoker) AS
        SELECT id, message_id, channel_id, author_id, content, created_at, data AS raw_event FROM public.discord_messages;
    COMMENT ON VIEW legacy.discord_messages IS 'discord_messages with the columns of before 4.2.0; written rows are classified as by the migration.';
    CREATE TRIGGER write_legacy INSTEAD OF INSERT OR UPDATE OR DELETE ON legacy.discord_messages
        FOR EACH ROW EXECUTE FUNCTION trading_migration.write_legacy_discord_messages();
    PERFORM trading_migration.copy_privileges('public.discord_messages', 'legacy.discord_messages');
END
$$;

COMMIT;

-- (it names the table, for briefly)
SELECT trading_migration.briefly('SELECT trading_migration.rename_message_column(''discord_messages'')');

CALL trading_migration.in_batches('public.discord_messages', $$
    WITH other AS MATERIALIZED (
        SELECT m.id, c.event_type, c.schema_version, c.how, m.data
        FROM public.discord_messages AS m, LATERAL trading_migration.classify('discord_messages', NULL, NULL, m.data) AS c
        WHERE m.id BETWEEN $1 AND $2 AND NOT public.validate_event(m.data, m.event_type, m.schema_version)
        FOR UPDATE OF m
    ), noted AS (
        INSERT INTO trading_migration.outcome (relation, id, how, original)
        SELECT 'discord_messages', id, CASE how WHEN 'no event' THEN 'rebuilt' ELSE 'relabelled' END, CASE how WHEN 'no event' THEN data::json END
        FROM other
        ON CONFLICT DO NOTHING
    )
    UPDATE public.discord_messages AS m
    SET event_type = o.event_type, schema_version = CASE o.how WHEN 'no event' THEN 0 ELSE o.schema_version END,
        data = CASE o.how WHEN 'no event' THEN trading_migration.rebuilt(m.message_id, m.channel_id, m.author_id, m.content, m.created_at) ELSE m.data END
    FROM other AS o
    WHERE o.id = m.id
$$);

SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages
        DROP CONSTRAINT IF EXISTS discord_messages_type,
        ADD CONSTRAINT discord_messages_type CHECK (event_type LIKE 'discord.message.%') NOT VALID
$$);
ALTER TABLE public.discord_messages VALIDATE CONSTRAINT discord_messages_type;

-- From here on, writers must give type and version.
SELECT trading_migration.briefly($$
    ALTER TABLE public.discord_messages ALTER event_type DROP DEFAULT, ALTER schema_version DROP DEFAULT
$$);

BEGIN;

DROP FUNCTION IF EXISTS trading_migration.rename_message_column(text);

-- rows that an earlier revert set aside: versions that the old form lacks
DO $$
BEGIN
    IF to_regclass('kept_by_revert.rows') IS NOT NULL THEN
        WITH back AS (
            DELETE FROM kept_by_revert.rows AS k WHERE k.release = '4.2.0' AND k.relation = 'discord_messages' RETURNING k.id, k.row
        )
        UPDATE public.discord_messages AS m
        SET event_type = back.row ->> 'event_type', schema_version = (back.row ->> 'schema_version')::int
        FROM back WHERE m.id = back.id AND md5(m.data::text) = back.row ->> 'md5';
    END IF;
END
$$;

COMMIT;

ANALYZE public.discord_messages;
