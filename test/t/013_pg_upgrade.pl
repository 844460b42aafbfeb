# pg_upgrade keeps schemas, tables and guards.  Both clusters have the same version
# here, so this tests the dump in binary upgrade mode.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_node('old');
my $new = new_node('new', start => 0);

new_database($old, 'upgraded');
$old->safe_psql(
	'upgraded', q(
	SELECT register_event_schema('zz', 1, '{"type": "object"}');
	SELECT register_event_schema('aa', 1, '{"$ref": "event:zz@1", "required": ["a"]}');
	SELECT register_schema('https://example.com/money', '{"type": "number"}');
	-- with a shortened type in the functions' names
	SELECT register_event_schema(repeat('long', 128), i, '{"$ref": "event:zz@1"}') FROM generate_series(1, 2) i;
	CREATE FUNCTION without_nulls(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT jsonb_strip_nulls($1)';
	SELECT register_event_upcast(repeat('long', 128), 1, 2, 'without_nulls(jsonb)');
	SELECT set_event_compatibility(repeat('long', 128), 'full');
	SELECT register_event_schema('zz.whole', 1, '{"$id": "https://example.com/whole", "$defs": {"part": {"$id": "part", "const": 1}}}');
	SELECT register_event_schema('aa.user', 1, '{"items": {"$ref": "https://example.com/part"}, "allOf": [{"$ref": "https://example.com/whole"}]}');
	CREATE ROLE registrar;
	GRANT CREATE ON SCHEMA event_schema TO registrar;
	CREATE DOMAIN checked AS jsonb CHECK (check_event(VALUE, 'zz', 1));
	CREATE TABLE events (event_type text, schema_version int, data jsonb, more checked DEFAULT '{}',
		CHECK (check_event(data, event_type, schema_version)), CHECK (event_schema."zz@1"(data)));
	INSERT INTO events SELECT t, 1, jsonb_build_object('a', i) FROM generate_series(1, 1000) i, unnest(ARRAY['aa', repeat('long', 128)]) t));
my $inventory = q(
	SELECT 'function', oid::regprocedure::text, prosrc, proowner::regrole::text FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace
	UNION ALL SELECT 'dependency', pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype::text
	FROM pg_depend WHERE refclassid IN ('pg_extension'::regclass, 'pg_proc'::regclass) AND refobjid >= 16384
	UNION ALL SELECT 'uri', function::text, kind, number::text FROM _event_validate.uri_index
	UNION ALL SELECT 'trigger', evtname, evtevent, evtenabled::text FROM pg_event_trigger
	UNION ALL SELECT 'schema', nspname, nspacl::text, nspowner::regrole::text FROM pg_namespace WHERE nspname = 'event_schema'
	UNION ALL SELECT 'rows', count(*)::text, sum((data->>'a')::int)::text, bool_and(validate_event(data, event_type, schema_version))::text FROM events
	UNION ALL SELECT 'types', event_type, schema_version::text, function::text FROM event_schemas
	UNION ALL SELECT 'upcast', upcast_event('{"a": 1, "b": null}', repeat('long', 128), 1)::text, NULL, NULL
	ORDER BY 1, 2, 3, 4);
my $before = $old->safe_psql('upgraded', $inventory);
$old->stop;

upgrade_node($old, $new);
is($new->safe_psql('upgraded', $inventory), $before, 'all contents are there');

my %refused = (
	q(INSERT INTO events VALUES ('aa', 1, '{}')) => '23514',
	q(INSERT INTO events VALUES ('zz', 1, '{}', '1')) => '23514',
	q(INSERT INTO events VALUES ('zz', 1, '1')) => '23514',
	q(INSERT INTO events VALUES (repeat('long', 128), 1, '1')) => '23514',
	q(SELECT register_event_schema(repeat('long', 128), 3, '{"type": "null"}')) => '22023',
	q(SELECT drop_event_schema(repeat('long', 128), 2)) => '2BP01',
	q(INSERT INTO events VALUES ('aa.user', 1, '[2]')) => '23514',
	q(SELECT register_event_schema('copy', 1, '{"$defs": {"part": {"$id": "https://example.com/part"}}}')) => '42710',
	q(DROP FUNCTION event_schema."aa@1") => '2BP01',
	q(ALTER FUNCTION event_schema."aa@1" RENAME TO "aa@2") => '0A000',
	q(CREATE OR REPLACE FUNCTION event_schema."aa@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "null"}') => '42710');
foreach my $statement (sort keys %refused)
{
	my @error = sql_error($new, 'upgraded', $statement);

	is($error[0], $refused{$statement}, "refused: $statement");
}
$new->safe_psql('upgraded', q(DROP TABLE events; DROP DOMAIN checked; DROP FUNCTION event_schema."https://example.com/money";
	DO $$ BEGIN EXECUTE 'DROP FUNCTION ' || (event_upcast_path(repeat('long', 128), 1, 2))[1]; END $$;
	SELECT drop_event_schema(repeat('long', 128), i) FROM generate_series(1, 2) i;
	DROP FUNCTION event_schema."longlonglonglonglo@RYhsQPFt4ugk9AAo-Go78w~compatibility";
	SELECT drop_event_schema('aa.user', 1); SELECT drop_event_schema('zz.whole', 1); SELECT drop_event_schema('aa', 1); SELECT drop_event_schema('zz', 1); DROP EXTENSION event_validate));
pass('all can be dropped');

$new->stop;
done_testing();
