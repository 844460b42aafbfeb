-- Settings of a session do not change answers.
SELECT register_event_schema('settings', 1, '{
  "type": "object",
  "required": ["at", "day", "took", "n", "name", "Größe", "İd"],
  "properties": {
    "at": {"format": "date-time"}, "day": {"format": "date"}, "took": {"format": "duration"},
    "n": {"type": "number", "multipleOf": 0.1, "maximum": 1e20}, "name": {"pattern": "^\\w+ (?=[a-zäöüß]+$)\\S+$", "maxLength": 9},
    "Größe": {"enum": ["groß", "klein"]}, "İd": {"pattern": "^[i]$"}
  },
  "additionalProperties": false
}');
CREATE TEMP TABLE documents (n int, data jsonb);
INSERT INTO documents VALUES
  (1, '{"at": "2024-02-29T12:00:00.123456+01:00", "day": "2024-02-29", "took": "P1Y2M", "n": 17.2, "name": "abc größe", "Größe": "groß", "İd": "i"}'),
  (2, '{"at": "29.02.2024 12:00", "day": "29/02/2024", "took": "1 year", "n": 17.25, "name": "abc GRÖSSE", "Größe": "GROSS", "İd": "I"}'),
  (3, '{"at": "2024-02-29T12:00:00Z", "day": "2024-02-29", "took": "PT1H", "n": 1.0000000000000001e20, "name": "abc größe\n", "größe": "groß", "id": "ı"}');
-- the answers of one run as one value, for comparison
CREATE FUNCTION pg_temp.answers() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(d.n || ' ' || public.validate_event(d.data, 'settings', 1) || ' ' ||
    coalesce((SELECT string_agg(concat_ws('|', v.instance_location, v.keyword, v.message), E'\n')
      FROM public.event_violations(d.data, 'settings', 1) AS v), ''), E'\n' ORDER BY d.n)
  FROM pg_temp.documents AS d
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.answers() AS answers \gset
\echo :answers

-- with each setting, and all those before it, and with the program compiled anew
CREATE FUNCTION pg_temp.under(name text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answers text;
BEGIN
  -- these two are always on since PostgreSQL 19
  IF name NOT IN ('standard_conforming_strings', 'escape_string_warning') OR current_setting('server_version_num')::int < 190000 THEN
    PERFORM set_config(name, value, true);
  END IF;
  -- a changed annotation makes it compiled anew
  PERFORM public.register_event_schema('settings', 1,
    (SELECT definition::jsonb || jsonb_build_object('$comment', name || value) FROM public.event_schemas WHERE event_type = 'settings'));
  answers := pg_temp.answers();
  RETURN answers;
END
$$;
SELECT s.name, s.value, pg_temp.under(s.name, s.value) = :'answers' AS same
FROM (VALUES
  (1, 'DateStyle', 'SQL, DMY'), (2, 'DateStyle', 'German'), (3, 'TimeZone', 'Asia/Kathmandu'), (4, 'IntervalStyle', 'sql_standard'),
  (5, 'extra_float_digits', '-15'), (6, 'standard_conforming_strings', 'off'), (7, 'backslash_quote', 'off'), (8, 'bytea_output', 'escape'),
  (13, 'search_path', ''), (14, 'search_path', 'pg_temp, pg_catalog'), (15, 'default_text_search_config', 'german'),
  (16, 'xmloption', 'document'), (17, 'array_nulls', 'off'), (18, 'quote_all_identifiers', 'on'), (19, 'check_function_bodies', 'off'),
  (20, 'jit_above_cost', '0'), (21, 'work_mem', '64kB'), (22, 'row_security', 'off'), (23, 'default_transaction_read_only', 'off'),
  (24, 'max_stack_depth', '100kB'), (25, 'escape_string_warning', 'off'), (26, 'transform_null_equals', 'on'))
  AS s (n, name, value) ORDER BY s.n;

-- another client encoding
SET client_encoding = LATIN1;
SELECT validate_event(data, 'settings', 1) FROM documents ORDER BY n;
RESET client_encoding;
SELECT drop_event_schema('settings', 1);
