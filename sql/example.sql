-- The example of the documentation, as printed.
SELECT register_event_schema('order.placed', 1, '{
  "type": "object",
  "required": ["order_id", "symbol", "qty"],
  "properties": {
    "order_id": {"type": "string", "format": "uuid"},
    "symbol":   {"type": "string", "pattern": "^[A-Z.]{1,8}$"},
    "qty":      {"type": "number", "exclusiveMinimum": 0}
  }
}');

CREATE TABLE events (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_type     text  NOT NULL,
  schema_version int   NOT NULL,
  data           jsonb NOT NULL,
  CHECK (check_event(data, event_type, schema_version))
);

INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1,
  '{"order_id": "a3bb189e-8bf9-3888-9912-ace4e6543002", "symbol": "BRK.B", "qty": 12.5}');
INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1,
  '{"order_id": "a3bb189e", "symbol": "brk.b", "qty": 0}');
INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 2, '{}');
INSERT INTO events (event_type, schema_version, data) VALUES ('order.filled', 1, '{}');
SELECT id, data FROM events;

-- the same schema, called as a function
SELECT event_schema."order.placed@1"(data) FROM events;
SELECT event_type, schema_version, dialect, deprecated, function FROM event_schemas WHERE event_type = 'order.placed';

-- a row needs the schema
SELECT drop_event_schema('order.placed', 1);
DROP TABLE events;
SELECT drop_event_schema('order.placed', 1);
