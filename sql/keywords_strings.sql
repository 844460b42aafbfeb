-- Strings: lengths are counted in code points; patterns are those of ECMA-262 and
-- not anchored; formats are asserted.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, schema jsonb, instance jsonb, expected boolean);
INSERT INTO cases (schema, instance, expected) VALUES
  ('{"minLength": 3}', '"abc"', true),
  ('{"minLength": 3}', '"ab"', false),
  ('{"minLength": 3}', '"äb"', false),
  ('{"maxLength": 2}', '"äö"', true),
  ('{"maxLength": 2}', '"äöü"', false),
  ('{"minLength": 1, "maxLength": 1}', '"\ud83d\ude00"', true),
  ('{"maxLength": 3}', '"😀😀😀"', true),
  ('{"minLength": 4}', '"😀😀😀"', false),
  -- a letter and a combining accent are two
  ('{"maxLength": 1}', '"e\u0301"', false),
  ('{"minLength": 2, "maxLength": 2}', '"e\u0301"', true),
  ('{"maxLength": 0}', '""', true),
  ('{"maxLength": 0}', '" "', false),
  -- pattern
  ('{"pattern": "b"}', '"abc"', true),
  ('{"pattern": "^b"}', '"abc"', false),
  ('{"pattern": "^b"}', '"a\nb"', false),
  ('{"pattern": "a$"}', '"a\n"', false),
  ('{"pattern": "^a.c$"}', '"a\nc"', false),
  ('{"pattern": "^a.c$"}', '"a😀c"', true),
  ('{"pattern": "^.{2}$"}', '"e\u0301"', true),
  ('{"pattern": "^\\w+$"}', '"abc_1"', true),
  ('{"pattern": "^\\w+$"}', '"ä"', false),
  ('{"pattern": "^\\d+$"}', '"12"', true),
  ('{"pattern": "^\\d+$"}', '"١٢"', false),
  ('{"pattern": "^\\s$"}', '"\u00a0"', true),
  ('{"pattern": "^\\p{Lu}\\p{Letter}*$"}', '"Österreich"', true),
  ('{"pattern": "^\\p{Lu}"}', '"österreich"', false),
  ('{"pattern": "^[A-Z]+$"}', '"abc"', false),
  ('{"pattern": "^[\\u0061-\\u007a]+$"}', '"abc"', true),
  ('{"pattern": "^[[:alpha:]]$"}', '"a"', false),
  ('{"pattern": "^(?!.*secret).*$"}', '"the secret"', false),
  ('{"pattern": "^(?!.*secret).*$"}', '"the other"', true),
  ('{"pattern": "(?<=a)b"}', '"ab"', true),
  ('{"pattern": "(?<=a)b"}', '"cb"', false),
  ('{"pattern": "^(a|b)\\1$"}', '"aa"', true),
  ('{"pattern": "^(a|b)\\1$"}', '"ab"', false),
  ('{"pattern": ""}', '"anything"', true),
  ('{"pattern": "^\\u0000$"}', '"a"', false),
  ('{"pattern": "^\\/\\-\\.$"}', '"/-."', true),
  ('{"pattern": "a"}', '12', true),
  -- literals: anywhere, at the start, at the end, the whole string, alternatives
  ('{"pattern": "aab"}', '"aaab"', true),
  ('{"pattern": "abab"}', '"abaabab"', true),
  ('{"pattern": "abab"}', '"abaabaabba"', false),
  ('{"pattern": "needle"}', '"needle"', true),
  ('{"pattern": "needle"}', '"needle in a haystack of hay"', true),
  ('{"pattern": "needle"}', '"a haystack of hay, needle"', true),
  ('{"pattern": "needle"}', '"a haystack of hay, need, needl"', false),
  ('{"pattern": "needle"}', '"a haystack of hay, Needle"', false),
  ('{"pattern": "needle"}', '"needl"', false),
  ('{"pattern": ".*needle.*"}', '"hay\nneedle\nhay"', true),
  ('{"pattern": "^.*needle"}', '"hay\nneedle"', false),
  ('{"pattern": "^needle"}', '"needles"', true),
  ('{"pattern": "^needle"}', '"a needle"', false),
  ('{"pattern": "\\.csv$"}', '"a.csv"', true),
  ('{"pattern": "\\.csv$"}', '"a.csv\n"', false),
  ('{"pattern": "\\.csv$"}', '"acsv"', false),
  ('{"pattern": "\\.csv$"}', '"csv"', false),
  ('{"pattern": "^näh$"}', '"näh"', true),
  ('{"pattern": "^näh$"}', '"nähe"', false),
  ('{"pattern": "è"}', '"éééééééééééééééé"', false),
  ('{"pattern": "è"}', '"ééééééééééééééèé"', true),
  ('{"pattern": "\\ud83d\\ude00{2}"}', '"😀😁😀😀😁"', true),
  ('{"pattern": "\\u{1f600}{2}"}', '"😀😁😀😁😀"', false),
  ('{"pattern": "halt|split"}', '"a stock is split two for one"', true),
  ('{"pattern": "halt|split"}', '"a stock is merged with another"', false),
  ('{"pattern": "^(?:buy|sell)$"}', '"sell"', true),
  ('{"pattern": "^(?:buy|sell)$"}', '"sells"', false),
  ('{"pattern": "^buy|sell$"}', '"buy and hold"', true),
  ('{"pattern": "^buy|sell$"}', '"hold, buy"', false),
  ('{"pattern": "[Nn]eedles?$"}', '"a Needle"', true),
  ('{"pattern": "[Nn]eedles?$"}', '"a needless"', false),
  ('{"pattern": "a||b"}', '""', true),
  -- format
  ('{"format": "date-time"}', '"2024-02-29T23:59:60Z"', true),
  ('{"format": "date-time"}', '"2024-02-29T12:00:00+01:00"', true),
  ('{"format": "date-time"}', '"2023-02-29T12:00:00Z"', false),
  ('{"format": "date-time"}', '"2024-02-29 12:00:00"', false),
  ('{"format": "date-time"}', '"2024-02-29T12:00:00"', false),
  ('{"format": "date"}', '"2024-02-30"', false),
  ('{"format": "time"}', '"12:00:00Z"', true),
  ('{"format": "duration"}', '"P1DT12H"', true),
  ('{"format": "duration"}', '"1 day"', false),
  ('{"format": "uuid"}', '"A3BB189E-8BF9-3888-9912-ACE4E6543002"', true),
  ('{"format": "uuid"}', '"a3bb189e8bf938889912ace4e6543002"', false),
  ('{"format": "email"}', '"a@example.com"', true),
  ('{"format": "email"}', '"a@"', false),
  ('{"format": "hostname"}', '"www.example.com"', true),
  ('{"format": "hostname"}', '"-a.example.com"', false),
  ('{"format": "idn-hostname"}', '"bücher.example"', true),
  ('{"format": "ipv4"}', '"192.0.2.1"', true),
  ('{"format": "ipv4"}', '"192.0.2.01"', false),
  ('{"format": "ipv6"}', '"2001:db8::1"', true),
  ('{"format": "ipv6"}', '"2001:db8::1::2"', false),
  ('{"format": "uri"}', '"https://example.com/a?b#c"', true),
  ('{"format": "uri"}', '"/a"', false),
  ('{"format": "uri-reference"}', '"/a"', true),
  ('{"format": "iri"}', '"https://example.com/ä"', true),
  ('{"format": "uri"}', '"https://example.com/ä"', false),
  ('{"format": "uri-template"}', '"/a/{b}"', true),
  ('{"format": "uri-template"}', '"/a/{b"', false),
  ('{"format": "json-pointer"}', '"/a~1b"', true),
  ('{"format": "json-pointer"}', '"/a~2"', false),
  ('{"format": "relative-json-pointer"}', '"1/a"', true),
  ('{"format": "regex"}', '"^a$"', true),
  ('{"format": "regex"}', '"("', false),
  ('{"format": "date"}', '12', true),
  -- an unknown format asserts nothing
  ('{"format": "stock-symbol"}', '"?"', true),
  -- format is an annotation in this dialect
  ('{"contentEncoding": "base64", "contentMediaType": "application/json"}', '"%"', true);

SELECT left(schema::text, 100) AS schema, left(instance::text, 40) AS instance,
  jsonb_matches_schema(schema, instance) AS matches
FROM cases ORDER BY n;

-- answers are as expected, and the same when all violations are collected
SELECT n, schema, instance, expected FROM cases
WHERE jsonb_matches_schema(schema, instance) IS DISTINCT FROM expected
  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) IS NOT DISTINCT FROM expected
ORDER BY n;

-- \s includes the byte order mark (which psql shows with different widths)
SELECT jsonb_matches_schema('{"pattern": "^\\s$"}', '"\ufeff"') AS matches;
-- a family of four, which psql shows with different widths, too, is seven code points
SELECT jsonb_matches_schema('{"minLength": 7, "maxLength": 7}', '"👨‍👩‍👧‍👦"') AS matches;
-- a literal in long strings, at any place, or absent; the string is
-- searched in parts of 64 kB
SELECT count(*) AS strings,
  count(*) FILTER (WHERE jsonb_matches_schema('{"pattern": "needle|pin"}', to_jsonb(hay || 'needle' || hay))) AS with_needle,
  count(*) FILTER (WHERE jsonb_matches_schema('{"pattern": "needle|pin"}', to_jsonb(hay || 'needlneedl' || hay))) AS without
FROM (SELECT repeat('n', n) FROM (SELECT generate_series(0, 50) UNION ALL SELECT generate_series(65520, 65540)) AS lengths(n)) AS hays(hay);
-- a pattern with look-around both ways that has too many places to scan for it
SELECT string_agg(jsonb_matches_schema('{"pattern": "^(?!.*(?<=[0-9]{2})-(?=[0-9]{2})).{1,4000}$"}', to_jsonb(string))::text, ' ' ORDER BY i) AS matches
FROM (VALUES (1, '1-34'), (2, '12-3'), (3, '12-34'), (4, ''), (5, repeat('-', 4000)), (6, repeat('-', 4001)), (7, repeat('-', 3995) || '12-34')) AS t (i, string);

-- a pattern with an expensive table gives the same answers before and after the table is
-- built, which it is after 64 kB of strings
SELECT n > 100 AS long, url, count(*), bool_and(matches) AS every, bool_or(matches) AS any
FROM (VALUES ('https://www.example.com/a?b=c#d'), ('a http://localhost.b, at the end'), ('https://www.example'), ('ftp://example.com'), ('')) AS urls(url),
  generate_series(1, 1000) n,
  LATERAL jsonb_matches_schema('{"pattern": "https?:\\/\\/(www\\.)?[-a-zA-Z0-9@:%._\\+~#=]{1,256}\\.[a-zA-Z0-9()]{1,6}\\b([-a-zA-Z0-9()@:%_\\+.~#?&//=]*)"}',
    to_jsonb(repeat(' ', n) || url)) AS matches
GROUP BY 1, 2 ORDER BY 2, 1;
-- so does one with lookaheads
SELECT n > 100 AS long, name, count(*), bool_and(matches) AS every, bool_or(matches) AS any
FROM (VALUES ('a.blf'), ('x{ConfigName}.BLF'), ('<.blf'), ('a.bl')) AS names(name), generate_series(1, 1000) n,
  LATERAL jsonb_matches_schema('{"pattern": "^(?!.*(\\{TriggerCondition\\}|\\{LoggingBlock\\}|\\{IncMeasurement\\}|\\{ConfigName\\}|\\{IncTrigger\\|[0-9]*\\}|[\"<>*?:/\\\\])).*\\.[bB][lL][fF]$"}',
    to_jsonb(repeat(' ', n) || name)) AS matches
GROUP BY 1, 2 ORDER BY 2, 1;
