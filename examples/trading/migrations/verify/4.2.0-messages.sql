-- Verify trading:4.2.0-messages on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;

SELECT id, message_id, channel_id, author_id, content, created_at, data, event_type, schema_version FROM public.discord_messages WHERE false;
SELECT id, message_id, channel_id, author_id, content, created_at, raw_event FROM legacy.discord_messages WHERE false;
SELECT 1 / (count(*) = 2)::int FROM pg_attribute
WHERE attrelid = 'public.discord_messages'::regclass AND attname IN ('event_type', 'schema_version') AND attnotnull AND NOT atthasdef;

ROLLBACK;
