-- ---------- evolution: upcasts ----------

CREATE FUNCTION register_event_upcast(event_type text, from_version int, to_version int, upcast regprocedure)
	RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_upcast' LANGUAGE C;
COMMENT ON FUNCTION register_event_upcast(text, int, int, regprocedure) IS 'registers the function that converts events of a version to the next version';

CREATE FUNCTION register_event_downcast(event_type text, from_version int, to_version int, downcast regprocedure)
	RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_downcast' LANGUAGE C;
COMMENT ON FUNCTION register_event_downcast(text, int, int, regprocedure) IS 'registers the function that converts events of a version to the version before it';

CREATE FUNCTION register_event_rename(event_type text, from_version int, to_version int, renames jsonb,
	downcast boolean DEFAULT false) RETURNS regprocedure
	AS 'MODULE_PATHNAME', 'ev_register_event_rename' LANGUAGE C;
COMMENT ON FUNCTION register_event_rename(text, int, int, jsonb, boolean) IS 'registers the upcast that gives properties their names in the next version and, on request, the downcast that gives the old ones back';

CREATE FUNCTION event_rename(data jsonb, renames jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_rename' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION event_rename(jsonb, jsonb) IS 'a document in which properties have other names';

CREATE FUNCTION drop_event_upcast(event_type text, from_version int, to_version int) RETURNS void
	AS 'MODULE_PATHNAME', 'ev_drop_event_upcast' LANGUAGE C;
COMMENT ON FUNCTION drop_event_upcast(text, int, int) IS 'drops an upcast or a downcast; the function that it calls stays';

-- PARALLEL UNSAFE, because it runs users' functions, which may be unsafe.
CREATE FUNCTION upcast_event(data jsonb, event_type text, from_version int, to_version int DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_upcast_event' LANGUAGE C STABLE PARALLEL UNSAFE COST 200;
COMMENT ON FUNCTION upcast_event(jsonb, text, int, int) IS 'an event converted to another version, or to the latest, by each upcast or downcast in turn';

CREATE FUNCTION event_upcast_path(event_type text, from_version int, to_version int DEFAULT NULL) RETURNS regprocedure[]
	AS 'MODULE_PATHNAME', 'ev_event_upcast_path' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_upcast_path(text, int, int) IS 'the upcasts or downcasts from a version to another one, in their order';

CREATE FUNCTION _event_validate.event_upcasts(event_type text) RETURNS regprocedure[]
	AS 'MODULE_PATHNAME', 'ev_event_upcasts' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION _event_validate.event_upcasts(text) IS 'all upcasts and downcasts of an event type';


CREATE FUNCTION _event_validate.list_event_upcasts(OUT event_type text, OUT from_version int, OUT to_version int,
	OUT function regprocedure, OUT calls regprocedure, OUT renames jsonb, OUT owner name)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_list_event_upcasts' LANGUAGE C STABLE ROWS 100;
COMMENT ON FUNCTION _event_validate.list_event_upcasts() IS 'the rows of event_upcasts';

CREATE VIEW event_upcasts AS
	SELECT event_type, from_version, to_version, function, calls, renames, owner
	FROM _event_validate.list_event_upcasts();
COMMENT ON VIEW event_upcasts IS 'the upcasts and downcasts of event types: registered functions, and the renames of schemas';
GRANT SELECT ON event_upcasts TO PUBLIC;
