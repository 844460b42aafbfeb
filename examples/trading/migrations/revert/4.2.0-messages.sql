-- Revert trading:4.2.0-messages from pg

-- Restores the column's old name.  A message whose version the old form lacks
-- stays, since other rows refer to it; its version is kept in
-- kept_by_revert.rows, and restored by the next deployment.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

SELECT trading_migration.alone();

SET trading_migration.working = on;
SET timezone = 'UTC';
SET default_transaction_isolation = 'read committed';

BEGIN;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA IF NOT EXISTS kept_by_revert;
CREATE TABLE IF NOT EXISTS kept_by_revert.rows (
    release  text        NOT NULL,
    relation text        NOT NULL,
    id       bigint      NOT NULL,
    why      text        NOT NULL,
    row      jsonb       NOT NULL,
    kept_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release, relation, id)
);
COMMENT ON TABLE kept_by_revert.rows IS 'Rows that an older release cannot hold: they come back when the release is deployed again.';

COMMIT;

-- (only if this did not finish before; otherwise the old name is not a view)
DO $do$
BEGIN
    IF to_regclass('legacy.discord_messages') IS NULL THEN
        RETURN;
    END IF;
    CALL trading_migration.in_batches('public.discord_messages', $$
        INSERT INTO kept_by_revert.rows (release, relation, id, why, row)
        SELECT '4.2.0', 'discord_messages', m.id, 'the old form does not tell its type and version; the row stays',
            jsonb_build_object('event_type', m.event_type, 'schema_version', m.schema_version, 'md5', md5(m.data::text))
        FROM public.discord_messages AS m, LATERAL trading_migration.classify('discord_messages', NULL, NULL, m.data) AS c
        WHERE m.id BETWEEN $1 AND $2 AND (c.event_type, c.schema_version, c.data) IS DISTINCT FROM (m.event_type, m.schema_version, m.data)
        ON CONFLICT DO NOTHING
    $$);

    -- A rebuilt document becomes the old one again, unless it was changed
    -- since.
    UPDATE public.discord_messages AS m SET data = w.original::jsonb
    FROM trading_migration.outcome AS w
    WHERE w.relation = 'discord_messages' AND w.how = 'rebuilt' AND w.id = m.id
        AND m.data = trading_migration.rebuilt(m.message_id, m.channel_id, m.author_id, m.content, m.created_at);
    COMMIT;

    PERFORM trading_migration.briefly($$
        DROP VIEW legacy.discord_messages;
        ALTER TABLE public.discord_messages DROP COLUMN event_type, DROP COLUMN schema_version;
        ALTER TABLE public.discord_messages RENAME data TO raw_event
    $$);
END
$do$;

BEGIN;
SET LOCAL client_min_messages = warning;

DROP FUNCTION IF EXISTS trading_migration.rename_message_column(text);
DROP FUNCTION IF EXISTS trading_migration.write_legacy_discord_messages();
DROP FUNCTION IF EXISTS trading_migration.rebuilt(text, text, text, text, timestamptz);
DELETE FROM trading_migration.outcome WHERE relation = 'discord_messages';

RESET client_min_messages;

DO $$
DECLARE
    kept bigint := (SELECT count(*) FROM kept_by_revert.rows WHERE release = '4.2.0' AND relation = 'discord_messages');
BEGIN
    IF kept > 0 THEN
        RAISE NOTICE 'discord_messages: % rows stay, their versions are in kept_by_revert.rows', kept;
    ELSIF NOT EXISTS (SELECT FROM kept_by_revert.rows) THEN
        DROP TABLE kept_by_revert.rows;
        DROP SCHEMA kept_by_revert;
    END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL;
END
$$;

COMMIT;
