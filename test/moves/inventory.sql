-- All that everything.sql has made, as text: it is the same after a move.  (No OIDs, and no server's own objects.)
SET search_path = public, app;
SET extra_float_digits = 1;
SET TimeZone = UTC;
SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proowner::regrole::text, p.proacl::text, obj_description(p.oid, 'pg_proc')
FROM pg_proc p WHERE p.pronamespace IN ('event_schema'::regnamespace, 'app'::regnamespace)
UNION ALL SELECT 'uri', function::text, kind, number::text, NULL, NULL FROM _event_validate.uri_index
UNION ALL SELECT 'schema', event_type, schema_version::text, function::text, options.options, title
	FROM event_schemas s, LATERAL (SELECT (to_jsonb(s) - 'function' - 'event_type' - 'schema_version')::text AS options) AS options
UNION ALL SELECT 'upcast', event_type, from_version::text, to_version::text, function::text, concat(calls, renames) FROM event_upcasts
-- (the types seen are from event_validation_stats, whose counters begin at zero)
UNION ALL SELECT 'enforcement', relation::text, (to_jsonb(e) - 'relation' - 'event_types_seen')::text, NULL, NULL, NULL FROM event_enforcement e
UNION ALL SELECT 'usage', relation::text, event_type, schema_version::text, events::text, registered::text FROM event_schema_usage()
UNION ALL SELECT 'trigger', tgrelid::regclass::text, replace(pg_get_triggerdef(t.oid), 'public.', ''), tgenabled::text, (tgparentid <> 0)::text, NULL FROM pg_trigger t WHERE NOT tgisinternal
UNION ALL SELECT 'constraint', conname, replace(pg_get_constraintdef(c.oid), 'public.', ''), convalidated::text, conrelid::regclass::text, contypid::regtype::text
	FROM pg_constraint c WHERE contype = 'c' AND connamespace = 'app'::regnamespace
UNION ALL SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum), attnum::text
	FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace IN ('app'::regnamespace, 'event_schema'::regnamespace) AND attnum > 0 AND relkind <> 't' AND NOT attisdropped
UNION ALL SELECT 'index', indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), 'public.', ''), indisvalid::text, NULL, NULL FROM pg_index WHERE indrelid::regclass::text ~ '^(app|event_schema)\.'
UNION ALL SELECT 'acl', relname, relacl::text, relowner::regrole::text, NULL, NULL FROM pg_class WHERE relnamespace = 'event_schema'::regnamespace AND relkind IN ('r', 'S', 'v')
UNION ALL SELECT 'member', pg_describe_object(classid, objid, objsubid), NULL, e.extnamespace::regnamespace::text, NULL, NULL
	FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = 'event_validate'
	-- (18 and later record no array types and row types)
	AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid AND (typcategory = 'A' OR typrelid <> 0))
UNION ALL SELECT 'event trigger', evtname, evtevent, evtenabled::text, evttags::text, NULL FROM pg_event_trigger
UNION ALL SELECT 'quarantine', q::text, NULL, NULL, NULL, NULL FROM event_schema.quarantine q
UNION ALL SELECT 'quarantine', relation_schema, relation_name, c::text, NULL, NULL FROM event_quarantine_counts c
UNION ALL SELECT 'original', m::text, NULL, NULL, NULL, NULL FROM event_schema.migrated_events m
UNION ALL SELECT 'row', 'events', e::text, validate_event(data, event_type, schema_version)::text, event_at_version(data, event_type, schema_version, 1)::text,
	upcast_event(data, event_type, schema_version)::text FROM events e WHERE event_type IN ('order', 'part', 'wide')
UNION ALL SELECT 'row', 'events', e::text, NULL, NULL, NULL FROM events e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM parts e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM guarded e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM guard_until e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM guard_enforce e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM guard_warn e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM guard_off e
UNION ALL SELECT 'row', tableoid::regclass::text, e::text, NULL, NULL, NULL FROM migrated e
UNION ALL SELECT 'row', 'late', e::text, NULL, NULL, NULL FROM late e
UNION ALL SELECT 'row', 'direct', e::text, NULL, NULL, NULL FROM direct e
UNION ALL SELECT 'row', 'valid', e::text, NULL, NULL, NULL FROM valid e
UNION ALL SELECT 'row', 'violations', e::text, NULL, NULL, NULL FROM violations e
UNION ALL SELECT 'row', 'versions', e::text, NULL, NULL, NULL FROM versions e
UNION ALL SELECT 'row', 'order_latest', e::text, NULL, NULL, NULL FROM order_latest e
UNION ALL SELECT 'row', 'order_first', e::text, NULL, NULL, NULL FROM order_first e
UNION ALL SELECT 'row', 'at_two', e::text, NULL, NULL, NULL FROM at_two e
UNION ALL SELECT 'dependency', pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype::text, NULL, NULL
	FROM pg_depend WHERE refclassid = 'pg_proc'::regclass AND refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace IN ('event_schema'::regnamespace, 'app'::regnamespace))
ORDER BY 1, 2, 3, 4, 5, 6;
