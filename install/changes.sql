-- ---------- evolution: what changed ----------

CREATE FUNCTION event_schema_changes(old jsonb, new jsonb, lenient boolean DEFAULT true, renames jsonb DEFAULT NULL,
	OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION event_schema_changes(jsonb, jsonb, boolean, jsonb) IS 'the changes between two schemas, and whether each is compatible';

CREATE FUNCTION event_schema_changes(event_type text, from_version int, definition text, lenient boolean DEFAULT true,
	renames jsonb DEFAULT NULL, OUT location text, OUT rule text, OUT backward text, OUT forward text, OUT message text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_changes_registered' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION event_schema_changes(text, int, text, boolean, jsonb) IS 'the changes between a registered version and a definition';

CREATE FUNCTION set_event_compatibility(event_type text, policy text, lenient boolean DEFAULT true,
	unknown text DEFAULT 'refuse') RETURNS void
	AS 'MODULE_PATHNAME', 'ev_set_event_compatibility' LANGUAGE C;
COMMENT ON FUNCTION set_event_compatibility(text, text, boolean, text) IS 'sets the compatibility policy for new versions of an event type, or the default of the database';

-- The arguments are those of register_event_schema; schema_version is the next one.
CREATE FUNCTION check_event_compatibility(event_type text, definition text,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, schema_version int DEFAULT NULL, renames jsonb DEFAULT NULL,
	OUT against int, OUT location text, OUT rule text, OUT verdict text, OUT message text, OUT direction text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_check_event_compatibility' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION check_event_compatibility(text, text, boolean, boolean, boolean, text[], text[], int, jsonb) IS 'what the compatibility policy says of a definition before it is registered: the reasons for which register_event_schema would refuse it';

CREATE FUNCTION check_event_compatibility(event_type text, definition jsonb,
	assert_format boolean DEFAULT true, breaking boolean DEFAULT false, strict boolean DEFAULT false,
	except_formats text[] DEFAULT NULL, accept text[] DEFAULT NULL, schema_version int DEFAULT NULL, renames jsonb DEFAULT NULL,
	OUT against int, OUT location text, OUT rule text, OUT verdict text, OUT message text, OUT direction text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_check_event_compatibility_jsonb' LANGUAGE C STABLE ROWS 10;
COMMENT ON FUNCTION check_event_compatibility(text, jsonb, boolean, boolean, boolean, text[], text[], int, jsonb) IS 'what the compatibility policy says of a definition, given as jsonb, before it is registered';
