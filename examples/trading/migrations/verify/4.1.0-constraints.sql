-- Verify trading:4.1.0-constraints on pg

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

BEGIN;
SET LOCAL timezone = 'UTC';

-- Constraints of 4.1.0 that later releases have not replaced are validated.
DO $$
DECLARE
    names text;
BEGIN
    SELECT string_agg(format('%s of %s', conname, conrelid::regclass), ', ') INTO names
    FROM pg_constraint
    WHERE NOT convalidated AND conrelid IN ('public.discord_channels'::regclass, 'public.discord_messages'::regclass,
        'public.trade_setups'::regclass, 'public.parsed_levels'::regclass);
    IF names IS NOT NULL THEN
        RAISE EXCEPTION 'not validated: %', names;
    END IF;
    IF EXISTS (SELECT FROM pg_index WHERE NOT indisvalid AND indrelid IN (SELECT format('public.%I', relation)::regclass
        FROM trading_migration.checksums WHERE release = '4.1.0')) THEN
        RAISE EXCEPTION 'an index is not valid';
    END IF;
END
$$;
SELECT 1 / count(*) FROM pg_constraint WHERE conrelid = 'public.discord_channels'::regclass AND conname = 'discord_channels_name_length';
SELECT 1 / count(*) FROM pg_constraint WHERE conrelid = 'public.discord_messages'::regclass AND conname = 'discord_messages_content_length';
SELECT 1 / count(*) FROM pg_constraint WHERE conrelid = 'public.trade_setups'::regclass AND conname = 'trade_setups_ticker_format';
SELECT 1 / count(*) FROM pg_constraint WHERE conrelid = 'public.parsed_levels'::regclass AND conname = 'parsed_levels_setup';
SELECT 1 / (count(*) = 6)::int FROM pg_attribute
WHERE attnotnull AND attname IN ('message_id', 'channel_id', 'author_id', 'content', 'created_at', 'raw_event', 'data')
    AND attrelid = 'public.discord_messages'::regclass;

-- Every original row exists, or is kept with the reason: the number and the
-- checksum are the same.  Rows that the application has changed since count
-- with their original values.
DO $$
DECLARE
    c record;
    place text;
    rows bigint;
    hash numeric;
BEGIN
    FOR c IN SELECT * FROM trading_migration.checksums WHERE release = '4.1.0' LOOP
        -- 4.2.0 keeps the old event tables until they are released, and
        -- changes the form of messages
        place := coalesce(to_regclass(format('before_4_2_0.%I', c.relation)), to_regclass(format('public.%I', c.relation)))::text;
        CONTINUE WHEN to_regclass(format('legacy.%I', c.relation)) IS NOT NULL AND place NOT LIKE 'before_4_2_0.%' AND c.relation LIKE '%events';
        EXECUTE format($q$
            WITH changed AS (
                SELECT DISTINCT ON (id) id, hash FROM trading_migration.changed WHERE release = '4.1.0' AND relation = %1$L ORDER BY id, number
            ), all_rows AS (
                SELECT %5$s AS hash FROM %2$s AS t
                WHERE %3$s AND NOT EXISTS (SELECT FROM changed WHERE changed.id = t.id::text)
                    AND NOT EXISTS (SELECT FROM before_4_1_0.%1$I AS k WHERE k.id = t.id)
                UNION ALL
                SELECT %6$s FROM before_4_1_0.%1$I AS k
                WHERE %3$s AND NOT EXISTS (SELECT FROM changed WHERE changed.id = k.id::text AND changed.hash IS NULL)
                UNION ALL
                SELECT changed.hash FROM changed
                WHERE changed.hash IS NOT NULL AND %4$s AND NOT EXISTS (SELECT FROM before_4_1_0.%1$I AS k WHERE k.id::text = changed.id)
            )
            SELECT count(*), coalesce(sum(hash), 0) FROM all_rows
        $q$, c.relation, place, CASE WHEN c.up_to IS NULL THEN 'true' ELSE format('id <= %s', c.up_to) END,
            CASE WHEN c.up_to IS NULL THEN 'true' ELSE format('id::bigint <= %s', c.up_to) END,
            -- documents that 4.2.0 rebuilt count as the original ones
            trading_migration.row_hash(c.relation, 't', CASE WHEN c.relation = 'discord_messages' AND to_regclass('legacy.discord_messages') IS NOT NULL THEN
                $x$coalesce((SELECT w.original::jsonb FROM trading_migration.outcome AS w
                    WHERE w.relation = 'discord_messages' AND w.how = 'rebuilt' AND w.id = t.id), t.data)::text$x$ END),
            trading_migration.row_hash(c.relation, 'k'))
        INTO rows, hash;
        IF rows <> c.rows OR hash <> c.hash THEN
            RAISE EXCEPTION 'table % had % rows with checksum %, and % rows with checksum % were found',
                c.relation, c.rows, c.hash, rows, hash;
        END IF;
    END LOOP;
END
$$;

-- Moved rows are no longer in their table.
SELECT 1 / (count(*) = 0)::int FROM before_4_1_0.discord_messages AS k JOIN public.discord_messages AS t USING (id) WHERE k.kept_as = 'moved';
SELECT 1 / (count(*) = 0)::int FROM before_4_1_0.parsed_levels AS k JOIN public.parsed_levels AS t USING (id) WHERE k.kept_as = 'moved';

ROLLBACK;
