-- validate_event: true or false for all arguments, never NULL and never
-- an error.
SELECT register_event_schema('truth', 1, '{"type": "object", "required": ["a"]}');
SELECT register_event_schema('truth', 2, 'true');
SELECT register_event_schema('truth', 3, 'false', breaking => true);

SELECT data, left(event_type, 20) AS event_type, schema_version,
  validate_event(data, event_type, schema_version)
FROM (VALUES
  ('{"a": 1}'::jsonb, 'truth'::text, 1),
  ('{}', 'truth', 1),
  ('[]', 'truth', 1),
  ('null', 'truth', 1),
  ('null', 'truth', 2),
  ('null', 'truth', 3),
  -- a NULL among the arguments
  (NULL, 'truth', 2),
  ('{}', NULL, 2),
  ('{}', 'truth', NULL),
  (NULL, NULL, NULL),
  -- not registered
  ('{}', 'truth', 4),
  ('{}', 'truth', -1),
  ('{}', 'truth', 2147483647),
  ('{}', 'truth', -2147483648),
  ('{}', 'falsehood', 1),
  ('{}', 'Truth', 2),
  ('{}', 'truth ', 2),
  ('{}', '', 2),
  ('{}', 'truth@2', 2),
  ('{}', E'truth\n', 2),
  ('{}', repeat('t', 100), 2),
  ('{}', repeat('truth', 100000), 2)) AS asked (data, event_type, schema_version)
\pset null NULL
\g
\pset null ''

-- a longer name is not the name to which it would be truncated
SELECT register_event_schema(repeat('n', 60), 1, 'true');
SELECT validate_event('1', repeat('n', 60), 1), validate_event('1', repeat('n', 61), 1),
  validate_event('1', repeat('n', 60), 11);
SELECT register_event_schema(repeat('n', 513), 1, 'true');

-- other functions with such a name are not run
CREATE FUNCTION pg_temp."truth@6"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
SELECT validate_event('1', 'truth', 6);

-- EXECUTE on the schema's function is not needed
CREATE ROLE regress_event_reader;
REVOKE EXECUTE ON FUNCTION event_schema."truth@2" FROM PUBLIC;
SET ROLE regress_event_reader;
SELECT validate_event('{}', 'truth', 2);
SELECT event_schema."truth@2"('{}');
RESET ROLE;
DROP ROLE regress_event_reader;

-- PostgreSQL rejects arguments of other types
\set VERBOSITY sqlstate
SELECT validate_event('{}'::text, 'truth', 2);
SELECT validate_event('{}', 'truth', 2::bigint);
SELECT validate_event('{', 'truth', 2);
\set VERBOSITY default

-- names beyond ASCII, with "@", and with characters that SQL quotes
SELECT register_event_schema('größe."x"''y''@', 0, '{"const": "ü"}');
SELECT validate_event('"ü"', 'größe."x"''y''@', 0), validate_event('"u"', 'größe."x"''y''@', 0);
SELECT event_type, schema_version, function FROM event_schemas WHERE event_type LIKE 'größe%';

SELECT drop_event_schema('größe."x"''y''@', 0);
SELECT drop_event_schema(repeat('n', 60), 1);
SELECT drop_event_schema('truth', version) FROM generate_series(1, 3) AS version;

-- a document in all storage forms: with a short header, compressed, out of line
SELECT register_event_schema('stored', 1, '{"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}');
CREATE TEMP TABLE stored (id int PRIMARY KEY, how text, data jsonb);
ALTER TABLE stored ALTER data SET STORAGE EXTERNAL;
INSERT INTO stored
SELECT n, 'with ' || length(text) || ' more', jsonb_build_object('id', n + 0.5 * (n % 2), 'more', text)
FROM generate_series(0, 9) AS n, repeat('x', (15 ^ (n / 2))::int) AS text;
ALTER TABLE stored ALTER data SET STORAGE EXTENDED;
INSERT INTO stored SELECT id + 10, how || ', compressed', data - 'none' FROM stored;
SELECT how, count(*) AS rows, bool_and(valid = (id % 2 = 0)) AS as_expected,
       bool_and(valid = validate_event(data, 'stored', 1)) AS the_same,
       bool_and(valid = validate_event(data || '{}', 'stored', 1)) AS the_same_inline
FROM stored, event_schema."stored@1"(data) AS valid GROUP BY how ORDER BY min(id);
SELECT count(*) FROM stored WHERE id % 2 = 0 AND check_event(data, 'stored', 1);
-- if only the type matters, the first slice is read
SELECT register_event_schema('stored', 2, '{"type": ["string", "object"]}');
INSERT INTO stored SELECT id + 100, how, data->'more' FROM stored;
INSERT INTO stored SELECT id + 200, how, jsonb_build_array(data->'more') FROM stored WHERE id < 100;
SELECT jsonb_typeof(data), count(*), bool_and(event_schema."stored@2"(data) = (jsonb_typeof(data) <> 'array')) AS as_expected,
       bool_and(validate_event(data, 'stored', 2) = event_schema."stored@2"(data)) AS the_same
FROM stored GROUP BY 1 ORDER BY 1;
SELECT drop_event_schema('stored', 2);
DROP TABLE stored;
SELECT drop_event_schema('stored', 1);
