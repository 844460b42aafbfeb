-- A schema of a trading system, a valid order, and its violations after a single
-- change: exactly the expected one is reported.
SELECT register_event_schema('trade.order', 1, '{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Order",
  "type": "object",
  "additionalProperties": false,
  "required": ["id", "account", "symbol", "side", "kind", "quantity", "placed_at", "origin"],
  "properties": {
    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "account": {"type": "string", "minLength": 4, "maxLength": 12},
    "symbol": {"type": "string", "pattern": "^[A-Z]{1,5}(\\.[A-Z])?$"},
    "side": {"enum": ["buy", "sell"]},
    "kind": {"enum": ["market", "limit", "stop"]},
    "quantity": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.001},
    "limit": {"type": "number", "minimum": 0},
    "placed_at": {"type": "string", "format": "date-time"},
    "notes": {"type": "array", "maxItems": 3, "uniqueItems": true, "items": {"type": "string", "minLength": 1, "maxLength": 8}},
    "origin": {
      "type": "object",
      "additionalProperties": false,
      "required": ["source"],
      "properties": {
        "source": {"enum": ["api", "web"]},
        "delay": {"type": "integer", "minimum": 0},
        "paper": {"type": "boolean"}
      }
    }
  },
  "if": {"properties": {"kind": {"const": "limit"}}},
  "then": {"required": ["limit"]}
}');

-- a change: a path and the new value; NULL removes the member
CREATE TEMP TABLE changes (n int GENERATED ALWAYS AS IDENTITY, path text[], value jsonb, violation text);
INSERT INTO changes (path, value, violation) VALUES
  ('{}', NULL, NULL),
  ('{limit}', NULL, ' required'),
  ('{kind}', '"market"', NULL),
  ('{kind}', '"Limit"', '/kind enum'),
  ('{kind}', '["limit"]', '/kind enum'),
  ('{id}', NULL, ' required'),
  ('{id}', '"d7a1b9c8-fb0f-44d5-ad90-494a55a5c76"', '/id pattern'),
  ('{id}', '"D7A1B9C8-fb0f-44d5-ad90-494a55a5c762"', '/id pattern'),
  ('{id}', '"d7a1b9c8-fb0f-44d5-ad90-494a55a5c762\n"', '/id pattern'),
  ('{id}', '7', '/id type'),
  ('{account}', '"ACC"', '/account minLength'),
  ('{account}', '"ÄÖÜß"', NULL),
  ('{account}', '"ÄÖÜ"', '/account minLength'),
  ('{account}', '"ACCOUNT-12345"', '/account maxLength'),
  ('{account}', '"ÄÖÜÄÖÜÄÖÜÄÖÜ"', NULL),
  ('{account}', 'null', '/account type'),
  ('{symbol}', '"BRK.B"', NULL),
  ('{symbol}', '"BRK.BB"', '/symbol pattern'),
  ('{symbol}', '"brk"', '/symbol pattern'),
  ('{symbol}', '""', '/symbol pattern'),
  ('{symbol}', '"АAPL"', '/symbol pattern'),  -- its first letter is Cyrillic
  ('{side}', '"hold"', '/side enum'),
  ('{quantity}', '0', '/quantity exclusiveMinimum'),
  ('{quantity}', '-1', '/quantity exclusiveMinimum'),
  ('{quantity}', '0.001', NULL),
  ('{quantity}', '0.0015', '/quantity multipleOf'),
  ('{quantity}', '1e12', NULL),
  ('{quantity}', '"1"', '/quantity type'),
  ('{quantity}', 'true', '/quantity type'),
  ('{limit}', '0', NULL),
  ('{limit}', '-0.01', '/limit minimum'),
  ('{limit}', 'null', '/limit type'),
  ('{placed_at}', '"2024-06-16T12:05:17Z"', NULL),
  ('{placed_at}', '"2024-06-16t12:05:17.123456789-04:00"', NULL),
  ('{placed_at}', '"2024-06-16 12:05:17Z"', '/placed_at format'),
  ('{placed_at}', '"2024-06-31T12:05:17Z"', '/placed_at format'),
  ('{placed_at}', '"2024-06-16T24:05:17Z"', '/placed_at format'),
  ('{placed_at}', '"2024-06-16T12:05:17"', '/placed_at format'),
  ('{placed_at}', '1718539517', '/placed_at type'),
  ('{notes}', '[]', NULL),
  ('{notes}', '["a", "überwach"]', NULL),
  ('{notes}', '["a", "b", "c", "d"]', '/notes maxItems'),
  ('{notes}', '["a", "b", "a"]', '/notes uniqueItems'),
  ('{notes}', '["a", ""]', '/notes/1 minLength'),
  ('{notes}', '["a", "überwacht"]', '/notes/1 maxLength'),
  ('{notes}', '["a", 1]', '/notes/1 type'),
  ('{notes}', '{"0": "a"}', '/notes type'),
  ('{notes}', 'null', '/notes type'),
  ('{extra}', '1', '/extra additionalProperties'),
  ('{Side}', '"buy"', '/Side additionalProperties'),
  ('{""}', '1', '/ additionalProperties'),
  ('{origin}', '{}', '/origin required'),
  ('{origin}', '[]', '/origin type'),
  ('{origin}', NULL, ' required'),
  ('{origin,source}', '"API"', '/origin/source enum'),
  ('{origin,delay}', '1.5', '/origin/delay type'),
  ('{origin,delay}', '1.0', NULL),
  ('{origin,delay}', '-1', '/origin/delay minimum'),
  ('{origin,delay}', '12345678901234567890', NULL),
  ('{origin,paper}', '0', '/origin/paper type'),
  ('{origin,more}', '1', '/origin/more additionalProperties');

CREATE TEMP TABLE orders AS
SELECT n, violation, CASE WHEN path = '{}' THEN o WHEN value IS NULL THEN o #- path ELSE jsonb_set(o, path, value) END AS data
FROM changes, (VALUES ('{"id": "d7a1b9c8-fb0f-44d5-ad90-494a55a5c762", "account": "ACC-1397", "symbol": "XLF", "side": "sell",
  "kind": "limit", "quantity": 1468, "limit": 101.25, "placed_at": "2024-06-16T12:05:17.226Z", "notes": ["swing"],
  "origin": {"source": "api", "delay": 165598, "paper": false}}'::jsonb)) AS valid (o);

SELECT count(*) FILTER (WHERE violation IS NULL) AS valid, count(violation) AS invalid FROM orders;
-- all functions give the same answers
SELECT n, data, violation FROM orders WHERE validate_event(data, 'trade.order', 1) IS DISTINCT FROM (violation IS NULL);
SELECT n, data, violation FROM orders WHERE event_schema."trade.order@1"(data) IS DISTINCT FROM (violation IS NULL);
SELECT n, data, violation FROM orders WHERE (matching_event_versions(data, 'trade.order') = '{1}') IS DISTINCT FROM (violation IS NULL);
SELECT n, o.violation, v.*
FROM orders AS o LEFT JOIN LATERAL event_violations(o.data, 'trade.order', 1) AS v ON true
WHERE v.instance_location || ' ' || v.keyword IS DISTINCT FROM o.violation;

-- a table accepts exactly the valid ones
CREATE TABLE order_events (n int, data jsonb CHECK (check_event(data, 'trade.order', 1)));
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN SELECT * FROM orders LOOP
    BEGIN
      INSERT INTO order_events VALUES (o.n, o.data);
    EXCEPTION WHEN check_violation THEN
      CONTINUE;
    END;
  END LOOP;
END
$$;
SELECT array_agg(n ORDER BY n) = (SELECT array_agg(n ORDER BY n) FROM orders WHERE violation IS NULL) AS same FROM order_events;
DROP TABLE order_events;
SELECT drop_event_schema('trade.order', 1);
