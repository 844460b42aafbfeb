-- ---------- the catalogue of events ----------

CREATE FUNCTION event_schema_uri(event_type text, schema_version int DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_schema_uri' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_schema_uri(text, int) IS 'the URI of a version, as CloudEvents'' "dataschema": its $id, or event:TYPE@VERSION';

CREATE FUNCTION event_schema_properties(event_type text, schema_version int DEFAULT NULL,
	OUT path text, OUT condition text, OUT type text, OUT required boolean, OUT constraints text[], OUT title text,
	OUT description text, OUT default_value jsonb, OUT examples jsonb, OUT deprecated boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_event_schema_properties' LANGUAGE C STABLE ROWS 50;
COMMENT ON FUNCTION event_schema_properties(text, int) IS 'the properties of a version, with their types, constraints and descriptions';

CREATE FUNCTION event_schema_example(event_type text, schema_version int DEFAULT NULL) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'ev_event_schema_example' LANGUAGE C STABLE;
COMMENT ON FUNCTION event_schema_example(text, int) IS 'a valid event: from the examples of the schema, or made from it; NULL if none was found';

CREATE FUNCTION _event_validate.event_schema_page(event_type text, schema_version int, sites jsonb) RETURNS text
	AS 'MODULE_PATHNAME', 'ev_event_schema_page' LANGUAGE C STABLE;
COMMENT ON FUNCTION _event_validate.event_schema_page(text, int, jsonb) IS 'the page of event_schema_docs, with these rows of event_enforcement';

-- An expression for the type can be a constant, which names one type.
CREATE FUNCTION _event_validate.event_schema_sites(event_type text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT COALESCE(jsonb_agg(jsonb_build_object('relation', e.relation::text, 'kind', e.kind, 'name', e.name, 'mode', e.mode,
			'type', e.type_expr, 'version', e.version_expr)
		ORDER BY e.relation::text COLLATE "C", e.kind COLLATE "C", e.name, e.data_expr COLLATE "C"), '[]')
	FROM @extschema@.event_enforcement AS e
	WHERE e.relation IS NOT NULL
		AND (has_table_privilege(e.relation, 'SELECT, INSERT, UPDATE, DELETE') OR has_any_column_privilege(e.relation, 'SELECT, INSERT, UPDATE'))
		AND (e.types IS NULL OR event_schema_sites.event_type = ANY (e.types))
		AND (e.type_expr IS NULL OR e.type_expr !~ '^E?''' OR starts_with(e.type_expr, quote_literal(event_schema_sites.event_type) || '::'))
$$;
COMMENT ON FUNCTION _event_validate.event_schema_sites(text) IS 'the rows of event_enforcement about tables that the caller may use, for an event type';

CREATE FUNCTION event_schema_docs(event_type text, schema_version int DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT _event_validate.event_schema_page($1, $2, CASE WHEN $1 IS NOT NULL THEN _event_validate.event_schema_sites($1) END)
$$;
COMMENT ON FUNCTION event_schema_docs(text, int) IS 'a page about a version, or the latest one, in Markdown: properties, example, versions, changes, upcasts, where it is enforced';

CREATE FUNCTION _event_validate.schema_components(filter jsonb, dialect text, suffix text, simple_discriminator boolean,
	OUT name text, OUT event_type text, OUT schema_version int, OUT uri text, OUT title text, OUT description text,
	OUT deprecated boolean, OUT latest boolean, OUT is_event boolean, OUT dialect_name text, OUT dialect_uri text,
	OUT schema jsonb, OUT left_out text[], OUT example jsonb)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'ev_schema_components' LANGUAGE C STABLE STRICT ROWS 100;
COMMENT ON FUNCTION _event_validate.schema_components(jsonb, text, text, boolean) IS 'the registered schemas that a filter chooses, and those to which they refer, as components that refer to each other';

CREATE FUNCTION _event_validate.catalogue_option(name text, value text, VARIADIC known text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	IF value <> ALL (known) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown value "%s" of %s', value, name),
			HINT = format('The values are "%s".', array_to_string(known, '", "'));
	END IF;
	RETURN value;
END
$$;
COMMENT ON FUNCTION _event_validate.catalogue_option(text, text, text[]) IS 'the value of an option; raises an error unless it is one of those known';

-- CloudEvents 1.0: the attributes are headers "ce_..." of Kafka (binary), or members of the payload (structured).
CREATE FUNCTION _event_validate.cloud_event_attributes(prefix text, event_type text, uri text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_object('type', 'object',
		'required', jsonb_build_array(prefix || 'specversion', prefix || 'id', prefix || 'source', prefix || 'type', prefix || 'dataschema'),
		'properties', jsonb_build_object(
			prefix || 'specversion', jsonb_build_object('type', 'string', 'const', '1.0'),
			prefix || 'id', '{"type": "string", "minLength": 1}'::jsonb,
			prefix || 'source', '{"type": "string", "format": "uri-reference", "minLength": 1}'::jsonb,
			prefix || 'type', jsonb_build_object('type', 'string', 'const', event_type),
			prefix || 'dataschema', jsonb_build_object('type', 'string', 'format', 'uri', 'const', uri),
			prefix || 'time', '{"type": "string", "format": "date-time"}'::jsonb,
			prefix || 'subject', '{"type": "string", "minLength": 1}'::jsonb))
$$;
COMMENT ON FUNCTION _event_validate.cloud_event_attributes(text, text, text) IS 'the schema of the context attributes of CloudEvents';

CREATE FUNCTION _event_validate.cloud_event_example(mode text, event_type text, uri text, event jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE mode
		WHEN 'binary' THEN jsonb_build_object('payload', event, 'headers', jsonb_build_object('ce_specversion', '1.0', 'ce_id', '1',
			'ce_source', '/example', 'ce_type', event_type, 'ce_dataschema', uri))
		WHEN 'structured' THEN jsonb_build_object('payload', jsonb_build_object('specversion', '1.0', 'id', '1', 'source', '/example',
			'type', event_type, 'dataschema', uri, 'datacontenttype', 'application/json', 'data', event))
		ELSE jsonb_build_object('payload', event) END
$$;
COMMENT ON FUNCTION _event_validate.cloud_event_example(text, text, text, jsonb) IS 'the example of a message of AsyncAPI';

CREATE FUNCTION event_asyncapi(filter jsonb DEFAULT '{}', title text DEFAULT NULL, api_version text DEFAULT '1.0.0',
	dialect text DEFAULT 'draft-07', cloudevents text DEFAULT 'none', action text DEFAULT 'send') RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
	mode text;
	actions text[];
BEGIN
	PERFORM _event_validate.require_arguments('{filter,api_version,dialect,cloudevents,action}'::text[], filter, api_version, dialect, cloudevents, action);
	mode := _event_validate.catalogue_option('cloudevents', cloudevents, 'none', 'binary', 'structured');
	actions := CASE _event_validate.catalogue_option('action', action, 'send', 'receive', 'both')
		WHEN 'both' THEN '{send,receive}' ELSE ARRAY[action] END;
	RETURN (
		WITH component AS MATERIALIZED (
			SELECT c.*, 'application/schema+json;version=' || c.dialect_name AS schema_format,
				regexp_replace(left(c.event_type, 200), '[^A-Za-z0-9.-]', '_', 'g') AS type_name
			FROM _event_validate.schema_components(filter, dialect, '/schema', true) AS c),
		channel AS (
			SELECT e.event_type, e.type_name || CASE WHEN e.type_name <> e.event_type OR e.type_name ~ '_[0-9a-f]{16}$'
				THEN '_' || left(md5(e.event_type), 16) ELSE '' END AS key
			FROM (SELECT DISTINCT c.event_type, c.type_name FROM component AS c WHERE c.is_event) AS e),
		message AS (
			SELECT c.name, h.key AS channel, 'v' || c.schema_version AS version,
				jsonb_strip_nulls(jsonb_build_object('name', c.event_type, 'title', COALESCE(c.title, c.event_type || ' ' || c.schema_version),
					'contentType', CASE mode WHEN 'structured' THEN 'application/cloudevents+json' ELSE 'application/json' END,
					'x-schema-version', c.schema_version, 'x-dataschema', c.uri, 'x-deprecated', CASE WHEN c.deprecated THEN true END))
				|| CASE WHEN c.description IS NOT NULL THEN jsonb_build_object('description', c.description) ELSE '{}' END
				|| CASE mode WHEN 'structured' THEN jsonb_build_object('payload', jsonb_build_object('schemaFormat', c.schema_format, 'schema',
					jsonb_build_object('allOf', jsonb_build_array(_event_validate.cloud_event_attributes('', c.event_type, c.uri),
						jsonb_build_object('required', '["data"]'::jsonb, 'properties', jsonb_build_object(
							'datacontenttype', '{"const": "application/json"}'::jsonb,
							'data', jsonb_build_object('$ref', '#/components/schemas/' || c.name || '/schema')))))))
					ELSE jsonb_build_object('payload', jsonb_build_object('$ref', '#/components/schemas/' || c.name)) END
				|| CASE mode WHEN 'binary' THEN jsonb_build_object('headers', _event_validate.cloud_event_attributes('ce_', c.event_type, c.uri)) ELSE '{}' END
				|| CASE WHEN c.example IS NULL THEN '{}' ELSE jsonb_build_object('examples', jsonb_build_array(
					_event_validate.cloud_event_example(mode, c.event_type, c.uri, c.example))) END AS definition
			FROM component AS c JOIN channel AS h ON h.event_type = c.event_type WHERE c.is_event)
		SELECT jsonb_build_object('asyncapi', '3.0.0',
			'info', jsonb_build_object('title', COALESCE(title, 'Events of ' || current_database()), 'version', api_version),
			'defaultContentType', 'application/json',
			'channels', COALESCE((SELECT jsonb_object_agg(h.key, jsonb_build_object('address', h.event_type, 'messages',
					(SELECT jsonb_object_agg(m.version, jsonb_build_object('$ref', '#/components/messages/' || m.name)) FROM message AS m WHERE m.channel = h.key)))
				FROM channel AS h), '{}'),
			'operations', COALESCE((SELECT jsonb_object_agg(a.action || '.' || h.key, jsonb_build_object('action', a.action,
					'channel', jsonb_build_object('$ref', '#/channels/' || h.key)))
				FROM channel AS h, unnest(actions) AS a (action)), '{}'),
			'components', jsonb_build_object(
				'messages', COALESCE((SELECT jsonb_object_agg(m.name, m.definition) FROM message AS m), '{}'),
				'schemas', COALESCE((SELECT jsonb_object_agg(c.name, jsonb_build_object('schemaFormat', c.schema_format, 'schema',
						c.schema || CASE WHEN c.left_out = '{}' THEN '{}' ELSE jsonb_build_object('x-left-out', to_jsonb(c.left_out)) END))
					FROM component AS c), '{}'))));
END
$$;
COMMENT ON FUNCTION event_asyncapi(jsonb, text, text, text, text, text) IS 'the registered schemas as an AsyncAPI 3.0 document: channels, messages, operations, schemas';

CREATE FUNCTION event_openapi(filter jsonb DEFAULT '{}', title text DEFAULT NULL, api_version text DEFAULT '1.0.0',
	webhooks boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden CONSTANT boolean := _event_validate.hide_context();
BEGIN
	PERFORM _event_validate.require_arguments('{filter,api_version,webhooks}'::text[], filter, api_version, webhooks);
	RETURN (
		WITH component AS MATERIALIZED (
			SELECT c.* FROM _event_validate.schema_components(filter, 'own', '', false) AS c)
		SELECT jsonb_build_object('openapi', '3.1.0',
				'info', jsonb_build_object('title', COALESCE(title, 'Events of ' || current_database()), 'version', api_version),
				'jsonSchemaDialect', 'https://json-schema.org/draft/2020-12/schema',
				'components', jsonb_build_object('schemas', COALESCE((SELECT jsonb_object_agg(c.name,
					CASE c.dialect_name WHEN '2020-12' THEN '{}' ELSE jsonb_build_object('$schema', c.dialect_uri) END || c.schema
						|| CASE WHEN c.left_out = '{}' THEN '{}' ELSE jsonb_build_object('x-left-out', to_jsonb(c.left_out)) END)
					FROM component AS c), '{}')))
			|| CASE WHEN webhooks THEN jsonb_build_object('webhooks', COALESCE((SELECT jsonb_object_agg(c.name, jsonb_build_object('post',
					jsonb_strip_nulls(jsonb_build_object('operationId', c.name, 'summary', c.title, 'deprecated', CASE WHEN c.deprecated THEN true END))
					|| jsonb_build_object('requestBody', jsonb_build_object('required', true, 'content', jsonb_build_object('application/json',
							jsonb_build_object('schema', jsonb_build_object('$ref', '#/components/schemas/' || c.name))
							|| CASE WHEN c.example IS NULL THEN '{}' ELSE jsonb_build_object('example', c.example) END)),
						'responses', '{"2XX": {"description": "The event is accepted."}}'::jsonb)))
					FROM component AS c WHERE c.is_event), '{}')) ELSE '{}' END);
END
$$;
COMMENT ON FUNCTION event_openapi(jsonb, text, text, boolean) IS 'the registered schemas as components of an OpenAPI 3.1 document, also with a webhook for each';
