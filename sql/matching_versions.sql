-- matching_event_versions: which registered versions a document satisfies.
SELECT register_event_schema('matching', version, definition, breaking => true) FROM (VALUES
  (0, 'true'),
  (2, '{"required": ["a"]}'),
  (10, '{"required": ["a", "b"]}'),
  (9, 'false')) AS s (version, definition);
SELECT register_event_schema('matching.other', 1, 'true');

\pset null NULL
SELECT data, matching_event_versions(data, 'matching') FROM (VALUES
  ('{}'::jsonb), ('{"a": 1}'), ('{"a": 1, "b": 2}'), ('null'), (NULL)) AS d (data);
SELECT matching_event_versions('{}', 'matching.other'), matching_event_versions('{}', 'matching.none'),
  matching_event_versions('{}', 'matchin'), matching_event_versions('{}', ''), matching_event_versions('{}', NULL);
\pset null ''

-- finding rows whose version was not recorded
SELECT data FROM (VALUES ('{"a": 1}'::jsonb), ('{"a": 1, "b": 2}')) AS d (data)
WHERE 10 = ANY (matching_event_versions(data, 'matching'));

-- changes of the same transaction count, and are rolled back with it
BEGIN;
SELECT drop_event_schema('matching', 2);
SELECT matching_event_versions('{"a": 1}', 'matching');
ROLLBACK;
SELECT matching_event_versions('{"a": 1}', 'matching');

SELECT drop_event_schema('matching', version) FROM unnest(ARRAY[0, 2, 9, 10]) AS version;
SELECT drop_event_schema('matching.other', 1);

-- a call site notices added and dropped versions, and other types
DO $$
DECLARE
	found text := '';
	type text;
BEGIN
	PERFORM register_event_schema('matching.kept', 1, 'true'), register_event_schema('matching.other', 7, 'true');
	FOR step IN 1..5 LOOP
		type := CASE step WHEN 2 THEN 'matching.other' ELSE 'matching.kept' END;
		found := concat_ws(' ', found, matching_event_versions('{}', type));
		IF step = 3 THEN
			PERFORM register_event_schema('matching.kept', 2, 'true');
		ELSIF step = 4 THEN
			PERFORM drop_event_schema('matching.kept', 1);
		END IF;
	END LOOP;
	RAISE NOTICE '%', found;
	PERFORM drop_event_schema('matching.kept', 2), drop_event_schema('matching.other', 7);
END
$$;
