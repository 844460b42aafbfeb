# Published schemas are kept: every DDL command that would change, move or drop a
# registered schema is refused, and other commands are not.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('keeping');
my $db = new_database($node, 'keeping');

sub sql { return $node->safe_psql($db, @_); }

# Checks that the statement (the last one of the script) fails with this error.
sub refused
{
	my ($sql, $sqlstate, $message, $name, %options) = @_;
	my @error = sql_error($node, $db, $sql, %options);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$name =~ s/\s/ /g;
	is($error[0], $sqlstate, "$name: refused with $sqlstate");
	like($error[2] // '', $message, "$name: the message has the reason");
	return $error[2];
}

# The attributes of all functions in event_schema.
sub registered
{
	return sql(
		q(SELECT p.oid::regprocedure, p.prosrc, p.proisstrict, p.prosecdef, p.proconfig, l.lanname
		  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		  WHERE p.pronamespace = 'event_schema'::regnamespace ORDER BY p.proname));
}

# ---------- what CREATE FUNCTION accepts ----------

my $create = 'CREATE FUNCTION event_schema."new@1"';
my %definitions = (
	'STRICT' => ["$create(data jsonb) RETURNS boolean LANGUAGE jsonschema STRICT AS '{}'", qr/cannot be STRICT/],
	'SECURITY DEFINER' =>
	  ["$create(data jsonb) RETURNS boolean LANGUAGE jsonschema SECURITY DEFINER AS '{}'", qr/cannot have SECURITY DEFINER/],
	'SET' =>
	  ["$create(data jsonb) RETURNS boolean LANGUAGE jsonschema SET work_mem = '1MB' AS '{}'", qr/cannot have a SET clause/],
	'SETOF' => ["$create(data jsonb) RETURNS SETOF boolean LANGUAGE jsonschema AS '{}'", qr/returns a set/],
	'another result' => ["$create(data jsonb) RETURNS text LANGUAGE jsonschema AS '{}'", qr/returns text/],
	'json' => ["$create(data json) RETURNS boolean LANGUAGE jsonschema AS '{}'", qr/other arguments/],
	'no argument' => ["$create() RETURNS boolean LANGUAGE jsonschema AS '{}'", qr/other arguments/],
	'two arguments' => ["$create(a jsonb, b jsonb) RETURNS boolean LANGUAGE jsonschema AS '{}'", qr/other arguments/],
	'OUT' => ["$create(data jsonb, OUT answer boolean) LANGUAGE jsonschema AS '{}'", qr/other arguments/],
	'INOUT' => ["$create(INOUT data jsonb) LANGUAGE jsonschema AS '{}'", qr/returns jsonb/],
	'VARIADIC' => ["$create(VARIADIC data jsonb[]) RETURNS boolean LANGUAGE jsonschema AS '{}'", qr/other arguments/],
	'a default' => ["$create(data jsonb DEFAULT '{}') RETURNS boolean LANGUAGE jsonschema AS '{}'", qr/has a default/],
	'a procedure' => [qq(CREATE PROCEDURE event_schema."new\@1"(data jsonb) LANGUAGE jsonschema AS '{}'), qr/not a plain function/],
	'a window function' => ["$create(data jsonb) RETURNS boolean LANGUAGE jsonschema WINDOW AS '{}'", qr/not a plain function/]);
foreach my $bodies ('on', 'off')
{
	foreach my $name (sort keys %definitions)
	{
		my ($sql, $message) = @{ $definitions{$name} };

		refused("SET check_function_bodies = $bodies;\n$sql", '42P13', $message, "$name, check_function_bodies $bodies");
	}
}
refused(
	q(CREATE FUNCTION public.anywhere(data jsonb) RETURNS boolean LANGUAGE jsonschema STRICT AS '{}'),
	'42P13', qr/cannot be STRICT/, 'STRICT outside event_schema');

my $long = 'x' x 61;
my %names = (
	'order@01' => qr/without leading zeros, but is "01"/,
	'order@' => qr/The text after "@" must be a version/,
	'order@-1' => qr/but is "-1"/,
	'order@1.0' => qr/but is "1.0"/,
	'order@2147483648' => qr/but is "2147483648"/,
	'order@99999999999999999999' => qr/but is "99999999999999999999"/,
	'order@1>2' => qr/name of an upcast or of a policy/,
	'order@compatibility' => qr/name of an upcast or of a policy/,
	'@1' => qr/event type before "@" is empty/,
	'order' => qr/neither TYPE\@VERSION nor an absolute URI/,
	"a\tb\@1" => qr/control character/,
	"a\nb\@1" => qr/control character/,
	"$long\@1" => qr/63 bytes, and more than 62/,
	"$long\@12" => qr/63 bytes, and more than 62/,
	'https://example.com/a#b' => qr/without a fragment/,
	'https://example.com/a b' => qr/no space/);
foreach my $name (sort keys %names)
{
	foreach my $bodies ('on', 'off')
	{
		refused(
			qq(SET check_function_bodies = $bodies;
			CREATE FUNCTION event_schema."$name"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{}'),
			'42602', $names{$name}, "name \"$name\", check_function_bodies $bodies");
	}
}
is(registered(), '', 'no refused function exists');

refused(
	qq($create(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"properties": {"a": {"type": "text"}}}'),
	'22023', qr{at "/properties/a/type"}, 'no valid schema');
refused(qq($create(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": '),
	'22023', qr/not JSON/, 'no JSON');
refused(
	qq(SET check_function_bodies = off;
	$create(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": '),
	'22023', qr/not JSON/, 'no JSON, check_function_bodies off');
refused(
	qq($create(data jsonb) RETURNS boolean LANGUAGE jsonschema AS E'#assert_formats off\\n{}'),
	'22023', qr/#assert_formats off/, 'an unknown pragma');
refused(
	qq($create(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"\$ref": "event:missing\@1"}'),
	'22023', qr/event:missing\@1/, 'a reference to a missing schema');

# ---------- CREATE OR REPLACE ----------

# A large document, so that its body is stored out of line.
my $enum = join(',', map { '"' . unpack('H*', pack('N', $_ * 2654435761 % 2**32)) x 4 . '"' } 1 .. 2000);
my $replace = 'CREATE OR REPLACE FUNCTION event_schema."order@1"(data jsonb) RETURNS boolean IMMUTABLE LANGUAGE jsonschema AS';
sql(qq(SELECT register_event_schema('order', 1, '{"type": "object", "properties": {"a": {"enum": [$enum]}}}')));
is(sql(q(SELECT pg_column_size(prosrc) > 2000 FROM pg_proc WHERE proname = 'order@1')), 't', 'a body out of line');
my $before = registered();

foreach my $bodies ('on', 'off')
{
	foreach my $body (
		'{"type": "array"}', 'false',
		qq({"type": "object", "properties": {"a": {"enum": [1]}}}),
		qq(#assert_format off\n{"type": "array"}),
		qq({"type": "object", "properties": {"title": {"enum": [$enum]}}}))
	{
		refused("SET check_function_bodies = $bodies;\n$replace '$body'",
			'42710', qr/"order\@1" is published.*HINT.*register_event_schema.*widen_event_schema/s,
			'another document (' . substr($body, 0, 30) . " ...), check_function_bodies $bodies");
	}
}
refused(
	qq(BEGIN;
	SELECT register_event_schema('fresh', 1, '{"type": "object"}');
	CREATE OR REPLACE FUNCTION event_schema."fresh\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "array"}'),
	'42710', qr/is published/, 'another document, in the transaction that registered the first');
refused(
	q(DO $$
	BEGIN
		CREATE OR REPLACE FUNCTION event_schema."fresh@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
		CREATE OR REPLACE FUNCTION event_schema."fresh@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'false';
	END $$),
	'42710', qr/is published/, 'another document, in a DO block');
refused(
	q(SELECT register_event_schema('fresh', 1, d) FROM (VALUES ('true'), ('false')) v(d)),
	'42710', qr/is published/, 'another document, in one statement');
refused(
	qq(BEGIN ISOLATION LEVEL REPEATABLE READ;
	SELECT 1;
	$replace '{"type": "array"}'),
	'42710', qr/is published/, 'another document, in REPEATABLE READ');
is(registered(), $before, 'the schema is unchanged');

sql(qq($replace '{"title": "An order", "type": "object", "properties": {"a": {"enum": [$enum], "description": "?"}}}'));
is( sql(q(SELECT title FROM event_schemas WHERE event_type = 'order')),
	'An order', 'annotations can be replaced');
sql(qq(SET check_function_bodies = off; $replace '{"type": "object", "properties": {"a": {"enum": [$enum]}}}'));
is(sql(q(SELECT title IS NULL FROM event_schemas WHERE event_type = 'order')), 't', 'annotations can be removed');
sql(q(CREATE FUNCTION public.mine(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'true';
	CREATE OR REPLACE FUNCTION public.mine(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'false'));
is(sql(q(SELECT public.mine('{}'))), 'f', 'functions outside event_schema can be replaced');

# ---------- ALTER, and other languages ----------

sql(q(CREATE SCHEMA other;
	CREATE FUNCTION other."moved@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{}'));
$before = registered();
my $function = 'event_schema."order@1"(jsonb)';
foreach my $kind ('FUNCTION', 'ROUTINE')
{
	refused(qq(ALTER $kind $function RENAME TO "order\@2"), '0A000', qr/cannot rename function "order\@1"/, "ALTER $kind RENAME");
	refused(qq(ALTER $kind $function SET SCHEMA other), '0A000', qr/cannot move function "order\@1" out of/, "ALTER $kind SET SCHEMA");
	refused(qq(SET search_path = event_schema; ALTER $kind "order\@1" SET SCHEMA other),
		'0A000', qr/out of/, "ALTER $kind SET SCHEMA, by search_path");
	refused(qq(ALTER $kind other."moved\@1" SET SCHEMA event_schema), '0A000', qr/into/, "ALTER $kind SET SCHEMA event_schema");
	refused(qq(ALTER $kind $function STRICT), '42P13', qr/cannot be STRICT/, "ALTER $kind STRICT");
	refused(qq(ALTER $kind $function SECURITY DEFINER), '42P13', qr/cannot have SECURITY DEFINER/, "ALTER $kind SECURITY DEFINER");
	refused(qq(ALTER $kind $function SET work_mem = '1MB'), '42P13', qr/cannot have a SET clause/, "ALTER $kind SET");
	refused(qq(ALTER $kind $function IMMUTABLE RETURNS NULL ON NULL INPUT), '42P13', qr/STRICT/, "ALTER $kind RETURNS NULL ON NULL INPUT");
}
refused(q(ALTER FUNCTION other."moved@1" STRICT), '42P13', qr/STRICT/, 'ALTER FUNCTION STRICT, elsewhere');
refused(q(DO $$BEGIN EXECUTE 'ALTER FUNCTION event_schema."order@1" RENAME TO "order@2"'; END$$),
	'0A000', qr/cannot rename/, 'RENAME in a DO block');
refused(qq(BEGIN; ALTER FUNCTION $function COST 5; ALTER FUNCTION $function RENAME TO "order\@2"),
	'0A000', qr/cannot rename/, 'RENAME after another ALTER');
foreach my $language ("sql AS 'SELECT true'", "plpgsql AS 'BEGIN RETURN true; END'", "internal AS 'jsonb_in'")
{
	refused(qq(CREATE OR REPLACE FUNCTION event_schema."order\@1"(data jsonb) RETURNS boolean LANGUAGE $language),
		'42P13', qr/cannot change the language of function "order\@1"/, "REPLACE LANGUAGE $language");
	refused(qq(CREATE FUNCTION event_schema."other\@1"(data jsonb) RETURNS boolean LANGUAGE $language),
		'42P17', qr/cannot be in schema event_schema/, "CREATE LANGUAGE $language");
}
refused(q(CREATE OR REPLACE FUNCTION event_schema."order@1"(data jsonb) RETURNS boolean BEGIN ATOMIC SELECT true; END),
	'42P13', qr/cannot change the language/, 'REPLACE with a body of SQL');
refused(q(CREATE FUNCTION event_schema."order@1"(data text) RETURNS boolean LANGUAGE sql AS 'SELECT true'),
	'42P17', qr/cannot be in schema event_schema/, 'an overloaded function');
refused(q(CREATE AGGREGATE event_schema."order@1"(text) (SFUNC = textcat, STYPE = text)),
	'42P17', qr/cannot be in schema event_schema/, 'an aggregate');
refused(q(CREATE PROCEDURE event_schema.p() LANGUAGE sql AS 'SELECT 1'),
	'42P17', qr/cannot be in schema event_schema/, 'a procedure');
refused('ALTER SCHEMA event_schema RENAME TO schemas', '0A000', qr/cannot rename schema/, 'ALTER SCHEMA RENAME');
refused('ALTER LANGUAGE jsonschema RENAME TO js', '0A000', qr/cannot rename language/, 'ALTER LANGUAGE RENAME');
refused('ALTER EXTENSION event_validate DROP SCHEMA event_schema', '0A000', qr/cannot change members/, 'ALTER EXTENSION DROP');
refused("ALTER EXTENSION event_validate ADD FUNCTION $function", '0A000', qr/cannot change members/, 'ALTER EXTENSION ADD');
refused('DROP SCHEMA event_schema CASCADE', '2BP01', qr/extension event_validate requires it/, 'DROP SCHEMA CASCADE');
refused('DROP LANGUAGE jsonschema CASCADE', '2BP01', qr/extension event_validate requires it/, 'DROP LANGUAGE CASCADE');
refused('DROP EXTENSION event_validate', '2BP01', qr/function event_schema."order\@1"\(jsonb\) depends/, 'DROP EXTENSION');
is(registered(), $before, 'all functions are unchanged');

# Other commands are allowed.
sql(qq(CREATE ROLE app;
	ALTER FUNCTION $function COST 7;
	ALTER FUNCTION $function OWNER TO app;
	ALTER FUNCTION $function OWNER TO CURRENT_USER;
	ALTER FUNCTION $function STABLE;
	ALTER FUNCTION $function IMMUTABLE;
	COMMENT ON FUNCTION $function IS 'An order';
	REVOKE EXECUTE ON FUNCTION $function FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION $function TO app;
	CREATE FUNCTION other.f() RETURNS int STRICT LANGUAGE sql AS 'SELECT 1';
	ALTER FUNCTION other.f() SECURITY DEFINER;
	ALTER FUNCTION other.f() SET work_mem = '1MB';
	ALTER FUNCTION other.f() RENAME TO g;
	ALTER FUNCTION other.g() SET SCHEMA public;
	CREATE OR REPLACE FUNCTION public.g() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 2; END';
	CREATE AGGREGATE other.a(text) (SFUNC = textcat, STYPE = text);
	CREATE PROCEDURE other.p() LANGUAGE sql AS 'SELECT 1';
	ALTER SCHEMA other RENAME TO another;
	ALTER EXTENSION plpgsql DROP FUNCTION plpgsql_inline_handler(internal);
	ALTER EXTENSION plpgsql ADD FUNCTION plpgsql_inline_handler(internal);
	ALTER FUNCTION another."moved\@1" RENAME TO "moved\@2";
	DROP FUNCTION public.g();
	DROP SCHEMA another CASCADE));
pass('other commands are allowed');
sql(q(CREATE FUNCTION public.up(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1';
	SELECT register_event_schema('lifted', 1, 'true'), register_event_schema('lifted', 2, 'true');
	CREATE FUNCTION event_schema."lifted@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql
		BEGIN ATOMIC SELECT public.up(data); END;
	CREATE FUNCTION event_schema."order@compatibility"() RETURNS text LANGUAGE sql AS $$SELECT 'full'$$));
pass('upcasts and policies can be in event_schema');

# ---------- dependencies ----------

sql(q(SELECT register_event_schema('common', 1, '{"$defs": {"id": {"type": "integer"}}}');
	SELECT register_schema('https://example.com/money', '{"type": "number"}');
	SELECT register_event_schema('user', 1, '{"properties": {
		"id": {"$ref": "event:common@1#/$defs/id"}, "id2": {"$ref": "event:common@1#/$defs/id"},
		"price": {"$ref": "https://example.com/money"}}}')));
refused(q(SELECT drop_event_schema('common', 1)), '2BP01',
	qr/function event_schema."user\@1"\(jsonb\) depends on function event_schema."common\@1"\(jsonb\)/, 'a schema with references to it');
refused(q(DROP FUNCTION event_schema."https://example.com/money"), '2BP01', qr/"user\@1"\(jsonb\) depends on/, 'a document with references to it');
my $dependencies = q(SELECT count(*) FROM pg_depend WHERE classid = 'pg_proc'::regclass
	AND objid = 'event_schema."user@1"'::regproc AND refclassid = 'pg_proc'::regclass);
is(sql($dependencies), '2', 'one dependency for each function');
sql(q(SELECT _event_validate.jsonschema_validator('event_schema."user@1"'::regproc)));
is(sql($dependencies), '2', 'no further ones when the validator is called again');
sql(q(SET check_function_bodies = off;
	CREATE FUNCTION event_schema."user@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS
		'{"allOf": [{"$ref": "event:user@1"}, {"$ref": "event:later@1"}]}';
	CREATE FUNCTION event_schema."later@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS
		'{"properties": {"next": {"$ref": "event:user@2"}}}'));
refused(q(DROP FUNCTION event_schema."user@1"), '2BP01', qr/"user\@2"\(jsonb\) depends on/, 'a schema with references to it, restored');
sql(q(CREATE OR REPLACE FUNCTION event_schema."user@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS
		'{"allOf": [{"$ref": "event:user@1"}, {"$ref": "event:later@1"}], "title": "circle"}'));
refused(qq(DROP FUNCTION event_schema."$_"), '2BP01', qr/user\@2.*later\@1|later\@1.*user\@2/s, "one schema of a cycle, $_") foreach ('later@1', 'user@2');
sql(q(DROP FUNCTION event_schema."user@2", event_schema."later@1"));
pass('schemas of a cycle can be dropped together');
is( sql(q(SELECT event_schema_ddl('user') LIMIT 1 OFFSET 3)) =~ /"user\@1"/ ? 1 : 0,
	1, 'event_schema_ddl has dependencies first');

# A name that must be percent-encoded in a URI.
sql(q(SELECT register_event_schema('50% of <a> #1?', 1, '{"type": "object"}');
	SELECT register_event_schema('50% of <a> #1?', 2, '{"$ref": "event:50%25%20of%20%3Ca%3E%20%231%3F@1", "properties": {"a": {"$ref": "event:50%25%20of%20%3Ca%3E%20%231%3F@2"}}}')));
is( sql(q(SELECT validate_event(d, '50% of <a> #1?', 2) FROM (VALUES ('{"a": {}}'::jsonb), ('{"a": 1}'), ('1')) v(d))),
	"t\nf\nf", 'a reference to a name with percent signs and spaces, and to itself');
refused(q(SELECT drop_event_schema('50% of <a> #1?', 1)), '2BP01', qr/depends on function/, 'which is a dependency');

# A reference by $id keeps its target when other documents are registered.
sql(q(SELECT register_event_schema('base', 1, '{"$id": "https://example.com/base.json", "type": "object"}');
	SELECT register_event_schema('base', 2, '{"$id": "https://example.com/base.json", "type": "array"}', breaking => true);
	SELECT drop_event_schema('base', 2);
	SELECT register_event_schema('derived', 1, '{"$ref": "https://example.com/base.json"}')));
foreach my $other (
	q(SELECT register_event_schema('base', 2, '{"$id": "https://example.com/base.json", "type": "array"}')),
	q(SELECT register_schema('https://example.com/base.json', '{"type": "array"}')),
	q(SELECT register_schema('https://example.com/x.json', '{"$id": "base.json", "type": "array"}')),
	q(CREATE FUNCTION event_schema."https://example.com/base.json"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"type": "array"}'))
{
	refused($other, '42710', qr/would take over the URI "https:\/\/example.com\/base.json".*"base\@1", and "derived\@1" refers/s, "taken over: $other");
}
is( sql(q(SELECT validate_event('{}', 'derived', 1), validate_event('[]', 'derived', 1))),
	't|f', 'the reference has the same target');

# ---------- DROP, by the place of the rows ----------

# Each: the commands that create the table, an INSERT of an event of type T version 1
# that needs the schema, and the command after which it can be dropped.  T is
# replaced by a type for the case.
my $check = 'CHECK (check_event(data, event_type, schema_version))';
my $columns = 'event_type text, schema_version int, data jsonb';
my $values = q('T', 1, '{}');
my @cases = (
	[ 'a table', "CREATE TABLE T ($columns, $check)", "INSERT INTO T VALUES ($values)", 'DELETE FROM T' ],
	[
		'a table whose constraint goes', "CREATE TABLE T ($columns, CONSTRAINT c $check)",
		"INSERT INTO T VALUES ($values)", 'ALTER TABLE T DROP CONSTRAINT c'
	],
	[ 'a table that is truncated', "CREATE TABLE T ($columns, $check)", "INSERT INTO T VALUES ($values)", 'TRUNCATE T' ],
	[
		'a column constraint', 'CREATE TABLE T (event_type text, schema_version int, data jsonb CHECK (check_event(data, event_type, schema_version)))',
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'names that need quotes', qq(CREATE SCHEMA "The T, ""quoted"".schema"; CREATE TABLE "The T, ""quoted"".schema"."täble's" ("Type" text, "version.x" int, "select" jsonb, CHECK (check_event("select", "Type", "version.x")))),
		qq(INSERT INTO "The T, ""quoted"".schema"."täble's" VALUES ($values)), qq(DELETE FROM "The T, ""quoted"".schema"."täble's")
	],
	[
		'a NOT VALID constraint', "CREATE TABLE T ($columns); INSERT INTO T VALUES ($values); ALTER TABLE T ADD $check NOT VALID",
		'SELECT 1', 'DELETE FROM T'
	],
	[ 'an unlogged table', "CREATE UNLOGGED TABLE T ($columns, $check)", "INSERT INTO T VALUES ($values)", 'DELETE FROM T' ],
	[
		'validate_event', "CREATE TABLE T ($columns, CHECK (validate_event(data, event_type, schema_version)))",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'arguments by name', "CREATE TABLE T ($columns, CHECK (check_event(constraint_name => 'c', schema_version => schema_version, data => data, event_type => event_type)))",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'a constraint name', "CREATE TABLE T ($columns, CHECK (check_event(data, event_type, schema_version, 'c')))",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'type and version in the document', q[CREATE TABLE T (data jsonb, CHECK (check_event(data, data->>'type', (data->>'version')::int)))],
		q(INSERT INTO T VALUES ('{"type": "T", "version": 1}')), 'DELETE FROM T'
	],
	[
		'constants', q[CREATE TABLE T (data jsonb, CHECK (check_event(data, 'T', 1)))],
		q(INSERT INTO T VALUES ('{}')), 'DELETE FROM T'
	],
	[
		'a constant type', q[CREATE TABLE T (v smallint, data jsonb, CHECK (check_event(data, 'T'::varchar, v)))],
		q(INSERT INTO T VALUES (1, '{}')), 'UPDATE T SET v = 2'
	],
	[
		'varchar and smallint', 'CREATE TABLE T (event_type varchar(60), schema_version smallint, data jsonb, ' . $check . ')',
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'an enum', q[CREATE TYPE T_enum AS ENUM ('T', 'other'); CREATE TABLE T (event_type T_enum, data jsonb, CHECK (check_event(data, event_type::text, 1)))],
		q(INSERT INTO T VALUES ('T', '{}')), 'DELETE FROM T'
	],
	[
		'a function of the user', q[CREATE FUNCTION T_kind(jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT $1->>'kind'$$; CREATE TABLE T (data jsonb, CHECK (check_event(data, T_kind(data), 1)))],
		q(INSERT INTO T VALUES ('{"kind": "T"}')), 'DELETE FROM T'
	],
	[
		'a whole row', q[CREATE TABLE T (event_type text, data jsonb); CREATE FUNCTION T_kind(T) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.event_type'; ALTER TABLE T ADD CHECK (check_event(data, T_kind(T), 1))],
		q(INSERT INTO T VALUES ('T', '{}')), 'DELETE FROM T'
	],
	[
		'an OR, where it applies', q[CREATE TABLE T (kind text, data jsonb, CHECK (kind <> 'x' OR check_event(data, 'T', 1)))],
		q(INSERT INTO T VALUES ('y', '{}'), ('x', '{}')), q(DELETE FROM T WHERE kind = 'x')
	],
	[
		'a CASE', q[CREATE TABLE T (kind text, data jsonb, CHECK (CASE kind WHEN 'x' THEN check_event(data, 'T', 1) WHEN 'y' THEN check_event(data, 'T', 2) ELSE true END))],
		q(INSERT INTO T VALUES ('z', '{}'), ('y', '{}'), ('x', '{}')), q(DELETE FROM T WHERE kind = 'x')
	],
	[
		'an AND', "CREATE TABLE T ($columns, CHECK (event_type <> '' AND check_event(data, event_type, schema_version) AND schema_version > 0))",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'one of two calls', q[CREATE TABLE T (a jsonb, b jsonb, t text, CHECK (check_event(a, 'T', 2) AND check_event(b, t, 1)))],
		q(INSERT INTO T VALUES ('{}', '{}', 'T')), 'DELETE FROM T'
	],
	[
		'a collation that is not deterministic', qq(CREATE COLLATION T_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		SELECT register_event_schema(upper('T'), 1, '{}');
		CREATE TABLE T (event_type text COLLATE T_ci, schema_version int, data jsonb, $check)),
		"INSERT INTO T VALUES ($values), (upper('T'), 1, '{}')", q(DELETE FROM T WHERE event_type COLLATE "C" = 'T')
	],
	[
		'a generated column', q[CREATE TABLE T (data jsonb, kind text GENERATED ALWAYS AS (data->>'kind') STORED, CHECK (check_event(data, kind, 1)))],
		q(INSERT INTO T VALUES ('{"kind": "T"}')), 'DELETE FROM T'
	],
	[
		'partitions', "CREATE TABLE T ($columns, $check) PARTITION BY LIST (event_type); CREATE TABLE T_1 PARTITION OF T DEFAULT",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'a constraint of one partition', "CREATE TABLE T ($columns) PARTITION BY LIST (event_type); CREATE TABLE T_1 PARTITION OF T DEFAULT; ALTER TABLE T_1 ADD $check",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	],
	[
		'an attached partition, and detached', "CREATE TABLE T ($columns, CONSTRAINT c $check) PARTITION BY LIST (event_type); CREATE TABLE T_1 ($columns, CONSTRAINT c $check); ALTER TABLE T ATTACH PARTITION T_1 DEFAULT",
		"INSERT INTO T VALUES ($values)", 'ALTER TABLE T DETACH PARTITION T_1; DROP TABLE T_1'
	],
	[
		'inheritance', "CREATE TABLE T ($columns, $check); CREATE TABLE T_1 (more int) INHERITS (T)",
		"INSERT INTO T_1 VALUES ($values)", 'DELETE FROM T'
	],
	[
		'NO INHERIT', "CREATE TABLE T ($columns, CHECK (check_event(data, event_type, schema_version)) NO INHERIT); CREATE TABLE T_1 () INHERITS (T); INSERT INTO T_1 VALUES ($values)",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM ONLY T'
	],
	[
		'a domain', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, 'T', 1)); CREATE TABLE T (data T_d)],
		q(INSERT INTO T VALUES ('{}')), 'DELETE FROM T'
	],
	[
		'a domain, dropped', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, 'T', 1)); CREATE TABLE T (data T_d)],
		q(INSERT INTO T VALUES ('{}')), 'DROP DOMAIN T_d CASCADE'
	],
	[
		'a domain with the type in the document', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, VALUE->>'type', (VALUE->>'version')::int)); CREATE TABLE T (value T_d, other text)],
		q(INSERT INTO T VALUES ('{"type": "T", "version": 1}')), 'DELETE FROM T'
	],
	[
		'a domain that allows null', q[CREATE DOMAIN T_d AS jsonb CHECK (VALUE IS NULL OR check_event(VALUE, 'T', 1)); CREATE TABLE T (data T_d)],
		q(INSERT INTO T VALUES ('{}'), (NULL)), 'DELETE FROM T WHERE data IS NOT NULL'
	],
	[
		'a domain over the domain', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, 'T', 1)); CREATE DOMAIN T_e AS T_d; CREATE DOMAIN T_f AS T_e; CREATE TABLE T (data T_f)],
		q(INSERT INTO T VALUES ('{}')), 'DELETE FROM T'
	],
	[
		'an array of the domain', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, VALUE->>'type', 1)); CREATE TABLE T (data T_d[])],
		q(INSERT INTO T VALUES (ARRAY['{"type": "T"}']::T_d[])), 'DELETE FROM T'
	],
	[
		'a composite type with the domain', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, VALUE->>'type', 1)); CREATE TYPE T_c AS (a int, "b c" T_d); CREATE TABLE T (data T_c)],
		q(INSERT INTO T VALUES (ROW(1, '{"type": "T"}'))), 'DELETE FROM T'
	],
	[
		'an array of composites with arrays of the domain', q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, VALUE->>'type', 1)); CREATE TYPE T_c AS (a int, b T_d[]); CREATE DOMAIN T_e AS T_c[]; CREATE TABLE T (data T_e)],
		q(INSERT INTO T VALUES (ARRAY[ROW(1, ARRAY['{"type": "T"}'])::T_c])), 'DELETE FROM T'
	],
	[
		q(a table's rows in another table), q[CREATE DOMAIN T_d AS jsonb CHECK (check_event(VALUE, 'T', 1)); CREATE TABLE T_0 (a int, d T_d); CREATE TABLE T (data T_0)],
		q(INSERT INTO T VALUES (ROW(1, '{}'))), 'DELETE FROM T'
	],
	[
		'FORCE ROW LEVEL SECURITY', "CREATE ROLE T_owner; CREATE TABLE T ($columns, $check); ALTER TABLE T ENABLE ROW LEVEL SECURITY; ALTER TABLE T FORCE ROW LEVEL SECURITY; INSERT INTO T VALUES ($values); ALTER TABLE T OWNER TO T_owner",
		'SELECT 1', 'DELETE FROM T'
	],
	[
		'an index', "CREATE TABLE T ($columns, $check); CREATE INDEX ON T (event_type, schema_version)",
		"INSERT INTO T VALUES ($values)", 'DELETE FROM T'
	]);

my $icu = sql(q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i')) > 0;
my $number = 0;
foreach my $case (@cases)
{
	my ($name, $make, $insert, $release) = @$case;
	my $type = 'case' . ++$number;
	my @statements = ($make, $insert, $release);

	next if $name =~ /deterministic/ && !$icu;
	s/\bT(?=\b|_)/$type/g foreach @statements;
	s/'T'/'$type'/g foreach @statements;

	sql(qq(SELECT register_event_schema('$type', v, '{}') FROM generate_series(1, 2) v; $statements[0]));
	sql(qq(DROP FUNCTION event_schema."$type\@1"; SELECT register_event_schema('$type', 1, '{}')))
	  if $statements[1] ne 'SELECT 1';
	sql($statements[1]);

	my $text = refused(qq(DROP FUNCTION event_schema."$type\@1"),
		'2BP01', qr/cannot drop event schema "$type\@1" because rows of table ".*" carry/, $name);
	refused(qq(DROP ROUTINE event_schema."$type\@1" CASCADE), '2BP01', qr/cannot drop event schema/, "$name, CASCADE")
	  if $number == 1;
	refused(qq(SELECT drop_event_schema('$type', 1)), '2BP01', qr/cannot drop event schema/, "$name, drop_event_schema")
	  if $number == 1;
	sql($statements[2]);
	sql(qq(SELECT drop_event_schema('$type', 1)));
	is( sql(qq(SELECT count(*) FROM pg_proc WHERE proname = '$type\@1')),
		'0', "$name: dropped when no row needs it");
}

# Several commands and orders of drops.
sql(qq(CREATE TABLE events ($columns, $check);
	SELECT register_event_schema('a', v, '{}') FROM generate_series(1, 3) v;
	INSERT INTO events VALUES ('a', 2, '{}')));
sql('DROP FUNCTION event_schema."a@1"');
refused('DROP FUNCTION event_schema."a@3", event_schema."a@2"',
	'2BP01', qr/event schema "a\@2" because rows of table "public.events"/, 'one of two');
sql('BEGIN; DROP FUNCTION event_schema."a@3"; ROLLBACK');
refused(
	q(CREATE EXTENSION hstore; ALTER FUNCTION event_schema."a@2" DEPENDS ON EXTENSION hstore; DROP EXTENSION hstore),
	'2BP01', qr/"a\@2"/, 'DROP EXTENSION of another one')
  if sql(q(SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore')) > 0;
sql(q(CREATE ROLE registrar; GRANT CREATE ON SCHEMA event_schema TO registrar;
	SELECT register_event_schema('a', 4, '{}'); ALTER FUNCTION event_schema."a@4" OWNER TO registrar));
sql(q(INSERT INTO events VALUES ('a', 4, '{}')));
refused('DROP OWNED BY registrar', '2BP01', qr/"a\@4"/, 'DROP OWNED');
sql(q(DELETE FROM events WHERE schema_version = 4; DROP OWNED BY registrar));
is(sql(q(SELECT count(*) FROM pg_proc WHERE proname = 'a@4')), '0', 'DROP OWNED drops a schema that no row needs');
sql(q(SELECT register_event_schema('b', 1, '{}'); SELECT register_event_schema('a', 5, '{"$ref": "event:b@1"}');
	INSERT INTO events VALUES ('a', 5, '{}')));
refused('DROP FUNCTION event_schema."b@1" CASCADE', '2BP01', qr/"a\@5"/, 'DROP CASCADE of a document that it refers to');
sql(q(CREATE SCHEMA gone; CREATE TABLE gone.events (LIKE events INCLUDING ALL);
	SELECT register_event_schema('c', 1, '{}'); INSERT INTO gone.events VALUES ('c', 1, '{}')));
refused('DROP FUNCTION event_schema."c@1"', '2BP01', qr/"gone.events"/, 'rows in another schema');
sql(q(BEGIN; DROP TABLE gone.events; DROP FUNCTION event_schema."c@1"; COMMIT));
pass('the table is dropped in the same transaction');

# Temporary tables: our own count, those of other sessions cannot be read.
refused(
	qq(CREATE TEMPORARY TABLE mine ($columns, $check); INSERT INTO mine VALUES ('a', 3, '{}');
	DROP FUNCTION event_schema."a\@3"),
	'2BP01', qr/"pg_temp_\d+.mine"/, 'a temporary table');
my $session = IPC::Run::start(
	[
		'psql', '-X', '-q', '-d', $node->connstr($db),
		'-c', "CREATE TEMPORARY TABLE mine ($columns, $check)",
		'-c', q(INSERT INTO mine VALUES ('a', 3, '{}')),
		'-c', 'CREATE TABLE ready ()',
		'-c', 'SELECT pg_sleep(600)'
	],
	'<', '/dev/null', '>', '/dev/null', '2>', '/dev/null');
$node->poll_query_until($db, q(SELECT to_regclass('ready') IS NOT NULL));
sql('DROP FUNCTION event_schema."a@3"');
pass('a temporary table of another session is skipped');
sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()));
$session->finish;

# ---------- rights of the drop's checks ----------

# The table's owner wrote the expression, so it runs with the owner's rights even
# if a superuser drops the schema, and cannot have lasting effects.
sql(q(CREATE ROLE mallory LOGIN; GRANT CREATE ON SCHEMA public TO mallory; SELECT register_event_schema('m', 1, '{}')));
sql(q(CREATE TABLE seen (who text, secret boolean); GRANT ALL ON seen TO PUBLIC));
$node->safe_psql(
	$db, q(
	CREATE FUNCTION spy(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN
		IF current_user <> 'mallory' THEN
			RAISE EXCEPTION 'running as %', current_user;
		END IF;
		IF pg_has_role(current_user, 'pg_read_all_data', 'usage') THEN
			RAISE EXCEPTION 'too many rights';
		END IF;
		RETURN $1;
	END $$;
	CREATE TABLE trap (event_type text, data jsonb, CHECK (check_event(data, spy(event_type), 1)));
	INSERT INTO trap VALUES ('m', '{}')),
	extra_params => [ '-U', 'mallory' ]);
refused('DROP FUNCTION event_schema."m@1"', '2BP01', qr/"public.trap" carry/, 'the expression runs as the owner');
$node->safe_psql(
	$db, q(
	CREATE OR REPLACE FUNCTION spy(text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		EXECUTE 'SET ROLE postgres';
		RETURN $1;
	END $$),
	extra_params => [ '-U', 'mallory' ]);
refused('DROP FUNCTION event_schema."m@1"', '42501', qr/security-restricted operation.*while looking for rows of table "public.trap"/s,
	'and cannot gain rights');
$node->safe_psql($db, 'DROP TABLE trap', extra_params => [ '-U', 'mallory' ]);
sql('DROP FUNCTION event_schema."m@1"');
is(sql(q(SELECT current_user = session_user)), 't', 'the session has its own user again');

# Errors for unknown versions and types.
refused(q(SELECT drop_event_schema('a', 9)), '42704', qr/"a" version 9 is not registered.*Registered versions of "a": 2, 5\./s, 'an unknown version');
refused(q(SELECT drop_event_schema('nothing', 9)), '42704', qr/No version of "nothing" is registered/, 'an unknown type');

# ---------- the extension is dropped ----------

sql('DROP EXTENSION event_validate CASCADE');
is( sql(q(SELECT (SELECT count(*) FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = pronamespace WHERE n.oid IS NULL)
		+ (SELECT count(*) FROM pg_namespace WHERE nspname = 'event_schema')
		+ (SELECT count(*) FROM pg_language WHERE lanname = 'jsonschema')
		+ (SELECT count(*) FROM pg_event_trigger))),
	'0', 'DROP EXTENSION CASCADE takes all with it, whatever the rows');
is(sql('SELECT count(*) FROM events'), '2', 'the rows are kept');
sql('CREATE EXTENSION event_validate');
pass('it can be created again');

$node->stop;
done_testing();
