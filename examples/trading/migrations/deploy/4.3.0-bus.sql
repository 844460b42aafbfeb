-- Deploy trading:4.3.0-bus to pg
-- requires: 4.3.0-checks

-- The event bus: events that are inserted into an event table are announced
-- when the transaction commits.  Consumers read them in one order, without
-- loss or repetition. examples/trading/docs/bus.md describes it.
--
-- Each statement is independent and can be repeated: the file needs no
-- transaction, and the six tables are locked one after the other.

-- Objects of other roles in the schema public or in the search_path match no call here.
SET search_path = pg_catalog, pg_temp;

-- (not at the same time as another migration)
DO $$
BEGIN
    IF to_regprocedure('trading_migration.alone()') IS NOT NULL THEN
        PERFORM trading_migration.alone();
    END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS event_bus;
COMMENT ON SCHEMA event_bus IS 'The event bus: publications in their order, and the consumers'' positions.';

-- ---------- publications ----------

-- A publication contains the events that one INSERT or COPY stored, at most
-- 500 each; the payload stays in the event's table.  Neither ids nor
-- transaction ids have the order of commits.  So a publication gets its
-- position in the order only after it is visible as committed: writers append
-- to the outbox without waiting, and event_bus.advance(), in one session at a
-- time, moves the publications that its snapshot sees to the log.  No
-- transaction id is stored: the order survives pg_dump, pg_upgrade and a long
-- transaction.

CREATE TABLE IF NOT EXISTS event_bus.outbox (
    number       bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation     text           NOT NULL,
    ids          int8multirange NOT NULL,
    events       int            NOT NULL,
    published_at timestamptz    NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE event_bus.outbox IS 'Publications without a position in the order yet.';
COMMENT ON COLUMN event_bus.outbox.number IS 'Drawn when the rows were inserted: the order of publications that one snapshot sees.';
COMMENT ON COLUMN event_bus.outbox.relation IS 'The event table, with its schema, quoted if necessary.';
COMMENT ON COLUMN event_bus.outbox.ids IS 'The ids of the events.';
COMMENT ON COLUMN event_bus.outbox.events IS 'Number of ids.';

CREATE TABLE IF NOT EXISTS event_bus.log (
    position     bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number       bigint         NOT NULL,
    relation     text           NOT NULL,
    ids          int8multirange NOT NULL,
    events       int            NOT NULL,
    published_at timestamptz    NOT NULL
);
COMMENT ON TABLE event_bus.log IS 'Publications in the order in which every consumer reads them.';
COMMENT ON COLUMN event_bus.log.position IS 'The position in the order: assigned under a lock that is kept until the commit, so positions become visible in order.';

-- ---------- consumers' positions ----------

CREATE TABLE IF NOT EXISTS event_bus.consumers (
    name        text        PRIMARY KEY,
    number      int         GENERATED ALWAYS AS IDENTITY UNIQUE,
    position    bigint      NOT NULL,
    event       bigint      NOT NULL,
    relations   text[],
    event_types text[],
    in_flight   int         NOT NULL DEFAULT 0,
    attempts    int         NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    active_at   timestamptz
);
COMMENT ON TABLE event_bus.consumers IS 'Consumers, and the position of each: everything up to (position, event) is handled.';
COMMENT ON COLUMN event_bus.consumers.number IS 'The key of the advisory lock of its one active process.';
COMMENT ON COLUMN event_bus.consumers.event IS 'The id of the last handled event of the publication at that position.';
COMMENT ON COLUMN event_bus.consumers.relations IS 'The tables that it reads; NULL is all.';
COMMENT ON COLUMN event_bus.consumers.event_types IS 'The event types that it reads; NULL is all.';
COMMENT ON COLUMN event_bus.consumers.in_flight IS 'Number of events being handled; if it is not 0 at a start, a process died while handling them.';
COMMENT ON COLUMN event_bus.consumers.attempts IS 'Number of failed attempts for the next event.';

CREATE TABLE IF NOT EXISTS event_bus.dead_letters (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer       text        NOT NULL REFERENCES event_bus.consumers ON UPDATE CASCADE ON DELETE CASCADE,
    position       bigint      NOT NULL,
    relation       text        NOT NULL,
    event          bigint      NOT NULL,
    event_type     text,
    schema_version int,
    error          text        NOT NULL,
    detail         text,
    attempts       int         NOT NULL,
    failed_at      timestamptz NOT NULL DEFAULT now(),
    resolved_at    timestamptz,
    UNIQUE (consumer, position, event)
);
COMMENT ON TABLE event_bus.dead_letters IS 'Events that a consumer failed to handle and skipped.';
COMMENT ON COLUMN event_bus.dead_letters.event IS 'The id in the event''s table; the event itself stays there.';
COMMENT ON COLUMN event_bus.dead_letters.resolved_at IS 'Time at which it was handled after all, or given up; NULL: unresolved.';

-- ---------- publishing ----------

-- One call for a statement, so that a COPY of a million rows adds two thousand
-- rows to the outbox.  Runs as the bus's owner: a writer needs only INSERT on
-- the table.
CREATE OR REPLACE FUNCTION event_bus.publish() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- on; quiet: published without a notification; off: not published
    mode text := COALESCE(NULLIF(current_setting('event_bus.publish', true), ''), 'on');
    -- a transaction sends notifications for its first hundred events, one by
    -- one
    most CONSTANT int := 100;
    piece CONSTANT int := 500;
    done int;
    here int;
    first bigint;
    last bigint;
    kind text;
    version int;
BEGIN
    IF mode NOT IN ('on', 'quiet', 'off') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('invalid value for parameter "event_bus.publish": "%s"', mode),
            HINT = 'It is on, quiet (published without a notification) or off (not published).';
    END IF;
    IF mode = 'off' THEN
        RETURN NULL;
    END IF;

    SELECT count(*), min(p.id), max(p.id), min(p.event_type), min(p.schema_version)
    INTO here, first, last, kind, version
    FROM (SELECT id, event_type, schema_version FROM published LIMIT piece + 1) AS p;
    IF here = 0 THEN
        RETURN NULL;
    ELSIF here <= piece AND last - first = here - 1 THEN
        -- nearly always: one row, or a few with consecutive ids
        INSERT INTO event_bus.outbox (relation, ids, events)
        VALUES (format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), int8multirange(int8range(first, last + 1)), here);
    ELSE
        INSERT INTO event_bus.outbox (relation, ids, events)
        SELECT format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), range_agg(int8range(p.id, p.id + 1)), count(*)
        FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / piece AS number FROM published) AS p
        GROUP BY p.number
        ORDER BY p.number;
    END IF;

    -- A notification only wakes a listener: without one, nothing is lost.  A
    -- full queue would make the commits of writers fail.
    IF mode = 'quiet' OR pg_notification_queue_usage() > 0.5 THEN
        RETURN NULL;
    END IF;
    done := COALESCE(NULLIF(current_setting('event_bus.notified', true), '')::int, 0);
    IF done + here > most THEN
        -- equal notifications of a transaction are sent once
        PERFORM pg_notify('event_bus', json_build_object('table', TG_TABLE_NAME, 'more', true)::text);
        here := most + 1 - done;
    ELSIF here = 1 THEN
        -- a longer type has no schema; the payload must be shorter than 8000
        -- bytes
        PERFORM pg_notify('event_bus', json_build_object('id', first, 'table', TG_TABLE_NAME,
            'type', left(kind, 62), 'version', version)::text);
    ELSE
        PERFORM pg_notify('event_bus', json_build_object('id', id, 'table', TG_TABLE_NAME,
            'type', left(event_type, 62), 'version', schema_version)::text)
        FROM published
        ORDER BY id;
    END IF;
    IF here > 0 THEN
        PERFORM set_config('event_bus.notified', (done + here)::text, true);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION event_bus.publish() IS 'The trigger that publishes the rows that a statement inserted.';
REVOKE ALL ON FUNCTION event_bus.publish() FROM PUBLIC;

-- CREATE TRIGGER blocks writers while it waits: so in short attempts.
CREATE OR REPLACE FUNCTION event_bus.add_table(relation regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chosen text := current_setting('lock_timeout');
BEGIN
    FOR go IN 1..20 LOOP
        BEGIN
            IF chosen = '0' THEN
                PERFORM set_config('lock_timeout', '400ms', true);
            END IF;
            EXECUTE format('CREATE OR REPLACE TRIGGER zzz_event_bus AFTER INSERT ON %s'
                ' REFERENCING NEW TABLE AS published FOR EACH STATEMENT EXECUTE FUNCTION event_bus.publish()', relation);
            PERFORM set_config('lock_timeout', chosen, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF chosen <> '0' OR go = 20 THEN
                RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
                    MESSAGE = format('could not lock table %s', relation),
                    HINT = 'Try again when long transactions have ended.';
            END IF;
        END;
        PERFORM pg_sleep(0.1 * LEAST(go, 10));
    END LOOP;
END
$$;
COMMENT ON FUNCTION event_bus.add_table(regclass) IS 'Publishes rows that are inserted into a table from now on; it must have the columns of the six event tables.';

CREATE OR REPLACE FUNCTION event_bus.drop_table(relation regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chosen text := current_setting('lock_timeout');
BEGIN
    FOR go IN 1..20 LOOP
        BEGIN
            IF chosen = '0' THEN
                PERFORM set_config('lock_timeout', '400ms', true);
            END IF;
            EXECUTE format('DROP TRIGGER IF EXISTS zzz_event_bus ON %s', relation);
            PERFORM set_config('lock_timeout', chosen, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF chosen <> '0' OR go = 20 THEN
                RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
                    MESSAGE = format('could not lock table %s', relation),
                    HINT = 'Try again when long transactions have ended.';
            END IF;
        END;
        PERFORM pg_sleep(0.1 * LEAST(go, 10));
    END LOOP;
END
$$;
COMMENT ON FUNCTION event_bus.drop_table(regclass) IS 'Ends the publication of a table; existing publications stay.';

-- Publications and consumers refer to tables by name, as in dumps.
CREATE OR REPLACE FUNCTION event_bus.rename_table(old_name text, relation regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_name text := (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = rename_table.relation);
BEGIN
    UPDATE event_bus.outbox AS o SET relation = new_name WHERE o.relation = old_name;
    UPDATE event_bus.log AS l SET relation = new_name WHERE l.relation = old_name;
    UPDATE event_bus.consumers AS c SET relations = array_replace(c.relations, old_name, new_name) WHERE old_name = ANY (c.relations);
    UPDATE event_bus.dead_letters AS d SET relation = new_name WHERE d.relation = old_name;
END
$$;
COMMENT ON FUNCTION event_bus.rename_table(text, regclass) IS 'Updates the bus after a table was renamed; takes its old name, quoted as in the log, and the table.';

CREATE OR REPLACE FUNCTION event_bus.forget_table(name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = format('table %s exists', name),
            HINT = 'event_bus.drop_table() ends its publishing; consumers read what was published before.';
    END IF;
    DELETE FROM event_bus.outbox AS o WHERE o.relation = forget_table.name;
    DELETE FROM event_bus.log AS l WHERE l.relation = forget_table.name;
    UPDATE event_bus.consumers AS c SET relations = array_remove(c.relations, forget_table.name) WHERE forget_table.name = ANY (c.relations);
    UPDATE event_bus.dead_letters AS d SET resolved_at = now() WHERE d.relation = forget_table.name AND d.resolved_at IS NULL;
END
$$;
COMMENT ON FUNCTION event_bus.forget_table(text) IS 'Deletes the publications of a dropped table, and removes it from consumers.';

-- ---------- the order ----------

-- Publications that this snapshot sees have committed, and get the next
-- positions, in the order in which they were published; others get later ones.
-- A session that saw an event, or waited for its writer, publishes and commits
-- after it, so its own events come after it.
CREATE OR REPLACE FUNCTION event_bus.advance(max_publications int DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moved bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM event_bus.outbox) THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock('event_bus.log'::regclass::oid::int, 0);
    -- a statement of its own: its snapshot is newer than the lock
    WITH taken AS (
        DELETE FROM event_bus.outbox
        WHERE number = ANY (ARRAY(SELECT number FROM event_bus.outbox ORDER BY number LIMIT max_publications))
        RETURNING number, relation, ids, events, published_at)
    INSERT INTO event_bus.log (number, relation, ids, events, published_at)
    SELECT number, relation, ids, events, published_at FROM taken ORDER BY number;
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION event_bus.advance(int) IS 'Gives committed publications their positions in the order; returns their number.';

-- ---------- consumers ----------

CREATE OR REPLACE FUNCTION event_bus.add_consumer(consumer text, start text DEFAULT 'end',
    relations regclass[] DEFAULT NULL, event_types text[] DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first bigint := 0;
    names text[];
BEGIN
    IF consumer IS NULL OR start IS NULL OR start NOT IN ('start', 'end') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'a consumer needs a name, and starts at the "start" of the log or at its "end"';
    END IF;
    IF EXISTS (SELECT FROM event_bus.consumers WHERE name = consumer) THEN
        RETURN false;
    END IF;
    IF relations IS NOT NULL THEN
        names := ARRAY(SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE pg_class.oid = ANY (relations));
    END IF;
    IF start = 'end' THEN
        WHILE event_bus.advance() > 0 LOOP
        END LOOP;
        SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO first FROM event_bus.log_position_seq;
    END IF;
    INSERT INTO event_bus.consumers (name, position, event, relations, event_types)
    VALUES (consumer, first, 9223372036854775807, names, event_types)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION event_bus.add_consumer(text, text, regclass[], text[]) IS
    'Adds a consumer that reads new events ("end") or all events in the log ("start"); false if it exists already.';

-- The version to which the registered upcasts lead.
CREATE OR REPLACE FUNCTION event_bus.latest_version(event_type text, schema_version int) RETURNS int
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    latest int := schema_version;
    next int;
BEGIN
    LOOP
        SELECT max(split_part(proname, '>', -1)::int) INTO next
        FROM pg_proc
        WHERE pronamespace = to_regnamespace('event_schema')
            AND starts_with(proname::text, event_type || '@' || latest || '>')
            AND proname::text ~ '@[0-9]+>[0-9]+$';
        EXIT WHEN next IS NULL OR next <= latest;
        latest := next;
    END LOOP;
    RETURN latest;
END
$$;
COMMENT ON FUNCTION event_bus.latest_version(text, int) IS 'The version to which the registered upcasts lead.';

-- An event that cannot be upcast is a problem of this event, not of its batch.
CREATE OR REPLACE FUNCTION event_bus.upcast(INOUT data jsonb, event_type text, INOUT schema_version int,
    to_version int, OUT problem text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_version > schema_version THEN
        BEGIN
            data := public.upcast_event(data, event_type, schema_version, to_version);
            schema_version := to_version;
        EXCEPTION WHEN OTHERS THEN
            problem := SQLERRM;
        END;
    ELSIF to_version < schema_version THEN
        problem := format('version %s was asked for, and the event has version %s', to_version, schema_version);
    END IF;
END
$$;
COMMENT ON FUNCTION event_bus.upcast(jsonb, text, int, int) IS 'An event converted to another version, or the error of the upcast.';

CREATE OR REPLACE FUNCTION event_bus.load(positions bigint[], relations text[], ids bigint[],
    event_types text[] DEFAULT NULL, versions jsonb DEFAULT NULL)
RETURNS TABLE ("position" bigint, relation text, id bigint, event_type text, schema_version int, stored_version int,
    data jsonb, event_id uuid, correlation_id uuid, causation_id uuid, recorded_at timestamptz, problem text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    query text;
    gone text;
BEGIN
    SELECT string_agg(format(
            'SELECT w.position, w.relation, e.id, e.event_type, e.schema_version, e.data, e.event_id, e.correlation_id,'
            ' e.causation_id, e.recorded_at'
            ' FROM unnest($1, $2, $3) AS w(position, relation, id) JOIN %s AS e ON e.id = w.id'
            ' WHERE w.relation = %L AND ($4 IS NULL OR e.event_type = ANY ($4))', r.name, r.name), ' UNION ALL '),
        min(r.name) FILTER (WHERE to_regclass(r.name) IS NULL)
    INTO query, gone
    FROM (SELECT DISTINCT name FROM unnest(relations) AS name) AS r;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table',
            MESSAGE = format('events were published of table %s, which does not exist', gone),
            HINT = format('Where it was renamed: SELECT event_bus.rename_table(%1$L, ''NEW NAME''); where it was dropped: SELECT event_bus.forget_table(%1$L).', gone);
    END IF;
    IF query IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH event AS MATERIALIZED (%s), target AS MATERIALIZED ('
        ' SELECT k.event_type, k.schema_version,'
        ' COALESCE(($5 ->> k.event_type)::int, event_bus.latest_version(k.event_type, k.schema_version)) AS version'
        ' FROM (SELECT DISTINCT event_type, schema_version FROM event) AS k)'
        ' SELECT e.position, e.relation, e.id, e.event_type, COALESCE(u.schema_version, e.schema_version), e.schema_version,'
        ' CASE WHEN u IS NULL THEN e.data ELSE u.data END,'
        ' e.event_id, e.correlation_id, e.causation_id, e.recorded_at, u.problem'
        ' FROM event AS e JOIN target AS t ON t.event_type = e.event_type AND t.schema_version = e.schema_version'
        ' LEFT JOIN LATERAL event_bus.upcast(e.data, e.event_type, e.schema_version, t.version) AS u'
        ' ON t.version <> e.schema_version'
        ' ORDER BY e.position, e.id', query)
        USING positions, relations, ids, event_types, versions;
END
$$;
COMMENT ON FUNCTION event_bus.load(bigint[], text[], bigint[], text[], jsonb) IS
    'Published events, converted to the requested versions ({"TYPE": VERSION}), otherwise as far as upcasts are registered.';

-- The last row has no event_type: it gives the position up to which this batch
-- goes, with or without events for the consumer.
CREATE OR REPLACE FUNCTION event_bus.fetch(consumer text, max_events int DEFAULT 500, versions jsonb DEFAULT NULL)
RETURNS TABLE ("position" bigint, relation text, id bigint, event_type text, schema_version int, stored_version int,
    data jsonb, event_id uuid, correlation_id uuid, causation_id uuid, recorded_at timestamptz, problem text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    mine event_bus.consumers;
    last record;
    positions bigint[];
    names text[];
    numbers bigint[];
    end_position bigint;
    end_event bigint;
    gone text;
BEGIN
    SELECT * INTO mine FROM event_bus.consumers WHERE name = consumer FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('consumer "%s" does not exist', consumer),
            HINT = 'event_bus.add_consumer() adds one.';
    END IF;
    -- under another name its events would be skipped
    SELECT min(r.name) INTO gone FROM unnest(mine.relations) AS r(name) WHERE to_regclass(r.name) IS NULL;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table',
            MESSAGE = format('consumer "%s" reads table %s, which does not exist', consumer, gone),
            HINT = format('Where it was renamed: SELECT event_bus.rename_table(%1$L, ''NEW NAME''); where it was dropped: SELECT event_bus.forget_table(%1$L).', gone);
    END IF;

    -- whole publications until there are enough events
    SELECT b.position, b.ids INTO last
    FROM (
        SELECT l.position, l.ids, l.wanted, sum(l.wanted) OVER (ORDER BY l.position) AS upto
        FROM (
            SELECT position, ids, CASE WHEN mine.relations IS NULL OR relation = ANY (mine.relations) THEN events ELSE 0 END AS wanted
            FROM event_bus.log
            WHERE position >= mine.position AND (position > mine.position OR upper(ids) - 1 > mine.event)
            ORDER BY position
            LIMIT CASE WHEN mine.relations IS NULL THEN max_events ELSE GREATEST(max_events, 5000) END) AS l) AS b
    WHERE b.upto - b.wanted < max_events
    ORDER BY b.position DESC
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT array_agg(w.position), array_agg(w.relation), array_agg(w.id)
    INTO positions, names, numbers
    FROM (
        SELECT l.position, l.relation, i AS id
        FROM event_bus.log AS l, unnest(l.ids) AS r, generate_series(lower(r), upper(r) - 1) AS i
        WHERE l.position BETWEEN mine.position AND last.position
            AND (mine.relations IS NULL OR l.relation = ANY (mine.relations))
            AND (l.position > mine.position OR i > mine.event)
        ORDER BY l.position, i
        LIMIT max_events) AS w;
    end_position := last.position;
    end_event := upper(last.ids) - 1;
    IF cardinality(numbers) = max_events THEN
        end_position := positions[max_events];
        end_event := numbers[max_events];
    END IF;
    RETURN QUERY SELECT * FROM event_bus.load(positions, names, numbers, mine.event_types, versions);
    RETURN QUERY SELECT end_position, NULL::text, end_event, NULL::text, NULL::int, NULL::int, NULL::jsonb,
        NULL::uuid, NULL::uuid, NULL::uuid, NULL::timestamptz, NULL::text;
END
$$;
COMMENT ON FUNCTION event_bus.fetch(text, int, jsonb) IS
    'The next events of a consumer, in order, and a last row with the position up to which they go; locks the consumer until the transaction ends.';

CREATE OR REPLACE FUNCTION event_bus.acknowledge(consumer text, "position" bigint, event bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE event_bus.consumers AS c
    SET position = acknowledge.position, event = acknowledge.event, in_flight = 0, attempts = 0, active_at = clock_timestamp()
    WHERE c.name = consumer AND (c.position, c.event) <= (acknowledge.position, acknowledge.event);
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('consumer "%s" does not exist, or has handled more than that', consumer);
    END IF;
END
$$;
COMMENT ON FUNCTION event_bus.acknowledge(text, bigint, bigint) IS
    'Records the events that a consumer has handled: call it in the transaction that handled them, so that both commit or neither.';

CREATE OR REPLACE FUNCTION event_bus.fetch_dead_letters(consumer text, max_events int DEFAULT 500, versions jsonb DEFAULT NULL)
RETURNS TABLE ("position" bigint, relation text, id bigint, event_type text, schema_version int, stored_version int,
    data jsonb, event_id uuid, correlation_id uuid, causation_id uuid, recorded_at timestamptz, problem text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH dead AS (
        SELECT position, relation, event
        FROM event_bus.dead_letters AS d
        WHERE d.consumer = $1 AND resolved_at IS NULL
        ORDER BY position, event
        LIMIT max_events
        FOR UPDATE SKIP LOCKED)
    SELECT l.*
    FROM (SELECT array_agg(position) AS positions, array_agg(relation) AS relations, array_agg(event) AS ids FROM dead) AS a,
        event_bus.load(a.positions, a.relations, a.ids, NULL, versions) AS l
$$;
COMMENT ON FUNCTION event_bus.fetch_dead_letters(text, int, jsonb) IS
    'The unresolved dead letters of a consumer as events; locks them until the transaction ends.';

CREATE OR REPLACE FUNCTION event_bus.prune(keep interval DEFAULT '7 days') RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    WHILE event_bus.advance() > 0 LOOP
    END LOOP;
    DELETE FROM event_bus.log AS l
    WHERE l.published_at < now() - keep
        AND l.position < (SELECT COALESCE(min(c.position), 9223372036854775807) FROM event_bus.consumers AS c);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION event_bus.prune(interval) IS
    'Deletes older publications that every consumer has handled; returns their number.  The events themselves stay.';

-- ---------- monitoring ----------

CREATE OR REPLACE VIEW event_bus.lag WITH (security_invoker) AS
SELECT c.name AS consumer, b.publications AS publications_behind, b.events AS events_behind, now() - b.oldest AS oldest_waits,
    c.position, c.attempts, c.active_at,
    (SELECT count(*) FROM event_bus.dead_letters AS d WHERE d.consumer = c.name AND d.resolved_at IS NULL) AS dead_letters,
    (SELECT l.pid FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid = 'event_bus.consumers'::regclass AND l.objid = c.number::oid AND l.objsubid = 2 AND l.granted) AS active_pid
FROM event_bus.consumers AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS publications, COALESCE(sum(w.events), 0) AS events, min(w.published_at) AS oldest
    FROM (
        SELECT l.events, l.published_at, l.relation FROM event_bus.log AS l
        WHERE l.position >= c.position AND (l.position > c.position OR upper(l.ids) - 1 > c.event)
        UNION ALL
        SELECT o.events, o.published_at, o.relation FROM event_bus.outbox AS o) AS w
    WHERE c.relations IS NULL OR w.relation = ANY (c.relations)) AS b;
COMMENT ON VIEW event_bus.lag IS 'The number of events that each consumer has not read, and its backend (NULL: none).';

CREATE OR REPLACE VIEW event_bus.status WITH (security_invoker) AS
SELECT (SELECT count(*) FROM event_bus.outbox) AS outbox,
    (SELECT now() - min(published_at) FROM event_bus.outbox) AS outbox_oldest,
    (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'event_bus.outbox'::regclass) AS outbox_dead_rows,
    (SELECT count(*) FROM event_bus.log) AS log,
    (SELECT now() - min(published_at) FROM event_bus.log) AS log_oldest,
    pg_notification_queue_usage() AS notification_queue,
    (SELECT count(*) FROM event_bus.dead_letters WHERE resolved_at IS NULL) AS dead_letters,
    (SELECT max(now() - xact_start) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AS oldest_transaction;
COMMENT ON VIEW event_bus.status IS 'Waiting publications, and transactions that prevent the vacuuming of the outbox.';

-- ---------- correlation ----------

CREATE OR REPLACE VIEW event_bus.events WITH (security_invoker) AS
SELECT 'discord_events'::text AS relation, id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.discord_events
UNION ALL
SELECT 'market_events', id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.market_events
UNION ALL
SELECT 'signal_events', id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.signal_events
UNION ALL
SELECT 'order_events', id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.order_events
UNION ALL
SELECT 'system_events', id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.system_events
UNION ALL
SELECT 'ingestion_events', id, event_id, correlation_id, causation_id, event_type, schema_version, recorded_at, data FROM public.ingestion_events;
COMMENT ON VIEW event_bus.events IS 'The events of all slices.';

-- An event has at most one cause, so the events of a correlation are trees, or
-- cycles with trees.  In a cycle, the oldest event counts as a root.  Linear;
-- paths, which are as long as the tree is deep, are given up to a depth of a
-- thousand: those of a long chain would need quadratic space.
CREATE OR REPLACE FUNCTION public.event_tree(correlation_id uuid)
RETURNS TABLE (depth int, path uuid[], relation text, id bigint, event_type text, schema_version int, event_id uuid,
    causation_id uuid, recorded_at timestamptz, note text, data jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    names text[];          -- the events by age: table, id, and the number of the cause
    ids bigint[];
    causes int[];
    notes text[];
    seen int[];            -- by which walk upwards
    child int[];           -- the oldest effect, and the next one of the same cause
    sibling int[];
    stack int[] := '{}';
    deep int := 1;
    place int := 0;
    places int[];
    depths int[];
    branch uuid[] := '{}';
    here int;
    next int;
    first int;
    total int;
BEGIN
    WITH event AS MATERIALIZED (
        SELECT e.relation, e.id, e.event_id, e.causation_id,
            row_number() OVER (ORDER BY e.recorded_at, e.relation, e.id)::int AS number
        FROM event_bus.events AS e
        WHERE e.correlation_id = $1),
    cause AS (
        SELECT event_id, min(number) AS number FROM event GROUP BY event_id)
    SELECT array_agg(e.relation ORDER BY e.number), array_agg(e.id ORDER BY e.number),
        array_agg(COALESCE(c.number, 0) ORDER BY e.number),
        array_agg(CASE WHEN e.causation_id IS NOT NULL AND c.number IS NULL THEN 'the cause is missing' END ORDER BY e.number),
        count(*)
    INTO names, ids, causes, notes, total
    FROM event AS e LEFT JOIN cause AS c ON c.event_id = e.causation_id;

    -- cycles
    seen := array_fill(0, ARRAY[total]);
    FOR start IN 1..total LOOP
        here := start;
        WHILE here > 0 AND seen[here] = 0 LOOP
            seen[here] := start;
            here := causes[here];
        END LOOP;
        IF here > 0 AND seen[here] = start THEN
            first := here;
            next := causes[here];
            WHILE next <> here LOOP
                first := LEAST(first, next);
                next := causes[next];
            END LOOP;
            causes[first] := 0;
            notes[first] := 'caused by one of its own effects';
        END IF;
    END LOOP;

    -- effects of each cause, the oldest first; number 0 is the cause of the
    -- roots
    child := array_fill(0, ARRAY[total + 1], ARRAY[0]);
    sibling := array_fill(0, ARRAY[total]);
    places := sibling;
    depths := sibling;
    FOR i IN REVERSE total..1 LOOP
        sibling[i] := child[causes[i]];
        child[causes[i]] := i;
    END LOOP;

    -- depth first
    here := child[0];
    WHILE here > 0 LOOP
        place := place + 1;
        places[here] := place;
        depths[here] := deep - 1;
        IF child[here] > 0 THEN
            stack[deep] := here;
            deep := deep + 1;
            here := child[here];
        ELSE
            WHILE deep > 1 AND sibling[here] = 0 LOOP
                deep := deep - 1;
                here := stack[deep];
            END LOOP;
            here := sibling[here];
        END IF;
    END LOOP;

    FOR depth, relation, id, event_type, schema_version, event_id, causation_id, recorded_at, note, data IN
        SELECT t.depth, e.relation, e.id, e.event_type, e.schema_version, e.event_id, e.causation_id, e.recorded_at,
            -- not EXISTS, for which the planner might read all events at once
            CASE WHEN t.note = 'the cause is missing' AND (SELECT true FROM event_bus.events AS o WHERE o.event_id = e.causation_id LIMIT 1)
                THEN 'the cause has another correlation id' ELSE t.note END,
            e.data
        FROM event_bus.events AS e
        JOIN unnest(names, ids, places, depths, notes) AS t(relation, id, place, depth, note) ON t.relation = e.relation AND t.id = e.id
        WHERE e.correlation_id = $1
        ORDER BY t.place
    LOOP
        path := NULL;
        IF depth < 1000 THEN
            branch[depth + 1] := event_id;
            path := branch[1:depth + 1];
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION public.event_tree(uuid) IS 'The events of all slices that have a correlation id, each after its cause and before the next root.';

-- ---------- from here on, inserted events are published ----------

SELECT event_bus.add_table('public.discord_events');
SELECT event_bus.add_table('public.market_events');
SELECT event_bus.add_table('public.signal_events');
SELECT event_bus.add_table('public.order_events');
SELECT event_bus.add_table('public.system_events');
SELECT event_bus.add_table('public.ingestion_events');
