# Upcasts as database objects: they survive a dump, pg_upgrade and a restore into
# the same database, and can be members of another extension; with the originals
# that migrate_events keeps.
use strict;
use warnings;

use EventValidate;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('upcasts');
my $dump = $node->backup_dir;
mkdir $dump;
my $db = new_database($node, 'upcasts');

sub sql { return $node->safe_psql($db, @_); }

# names that a dump sorts after event_schema, which depends on them: the function's schema
sql(q(
	CREATE SCHEMA "z odd";
	CREATE FUNCTION "z odd"."f ""x"""(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT $1 || '{"m": 1}'$$;
	CREATE FUNCTION "z odd".twice(e jsonb) RETURNS jsonb LANGUAGE sql STABLE BEGIN ATOMIC SELECT "z odd"."f ""x"""("z odd"."f ""x"""(e)); END;
	SELECT set_event_compatibility('it''s "odd" @', 'none');
	SELECT register_event_schema('it''s "odd" @', 1, '{"required": ["n"]}'), register_event_schema('it''s "odd" @', 2, '{"required": ["m"]}'),
		register_event_schema('it''s "odd" @', 10, '{"required": ["m", "n"]}');
	SELECT register_event_upcast('it''s "odd" @', 1, 2, '"z odd"."f ""x"""(jsonb)'), register_event_upcast('it''s "odd" @', 2, 10, '"z odd".twice(jsonb)');
	COMMENT ON FUNCTION event_schema."it's ""odd"" @@1>2" IS 'adds m';
	CREATE TABLE events (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, CHECK (check_event(data, event_type, schema_version)));
	INSERT INTO events SELECT i, 'it''s "odd" @', 1, '{"n": 1}' FROM generate_series(1, 10) AS i));
sql(q(CALL migrate_events('events', 'it''s "odd" @', 2, keep_original => true)));

my $inventory = q(
	SELECT 'function', proname, pg_get_functiondef(oid), provolatile::text || proparallel::text || COALESCE(obj_description(oid), '')
	FROM pg_proc WHERE pronamespace IN ('event_schema'::regnamespace, '"z odd"'::regnamespace)
	UNION ALL SELECT 'dependency', objid::regprocedure::text, refobjid::regprocedure::text, deptype::text
	FROM pg_depend WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_proc'::regclass
	UNION ALL SELECT 'original', row_name, row::text, "transaction"::text FROM event_schema.migrated_events
	UNION ALL SELECT 'event', id::text, upcast_event(data, event_type, schema_version)::text, schema_version::text FROM events
	ORDER BY 1, 2, 3, 4);
my $before = sql($inventory);
like($before, qr/dependency.*@\@2>10.*@\@2"/, 'an upcast depends on its versions');

# ---------- dump and restore ----------

command_ok([ 'pg_dump', '--file', "$dump/plain.sql", '--dbname', $node->connstr($db) ], 'a plain dump');
command_ok([ 'pg_dump', '--format', 'directory', '--file', "$dump/directory", '--dbname', $node->connstr($db) ], 'a dump by directory');
$node->safe_psql('postgres', "CREATE DATABASE \"$_\" TEMPLATE template0") foreach ('plain', 'parallel');
command_ok([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/plain.sql", '--dbname', $node->connstr('plain') ],
	'restored by psql');
command_ok([ 'pg_restore', '--exit-on-error', '--jobs', '2', '--dbname', $node->connstr('parallel'), "$dump/directory" ],
	'restored in parallel');
is($node->safe_psql($_, $inventory), $before, "$_: all contents are as before") foreach ('plain', 'parallel');
$node->safe_psql('plain', 'TRUNCATE event_schema.migrated_events');
command_ok([ 'pg_restore', '--exit-on-error', '--clean', '--if-exists', '--dbname', $node->connstr('plain'), "$dump/directory" ],
	'restored into the same database');
is($node->safe_psql('plain', $inventory), $before, 'clean: all contents are as before');

# dependencies that were not recorded, because the event triggers were disabled, are recorded by the command of the documentation
my ($record) = map { slurp_file($_) =~ /```sql\n(SELECT format\('ALTER FUNCTION %s COST.*?)```/s } glob(dirname(__FILE__) . '/../../docs/{*,*/*}.md');
$node->safe_psql('plain', q(DELETE FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid IN (SELECT function FROM event_upcasts) AND refobjid IN (SELECT function FROM event_schemas)));
isnt($node->safe_psql('plain', $inventory), $before, 'dependencies are missing');
$node->safe_psql('plain', $record);
is($node->safe_psql('plain', $inventory), $before, 'and are recorded');

# the DDL creates the same objects in an empty database
$node->safe_psql('postgres', 'CREATE DATABASE ddl');
$node->safe_psql('ddl', 'CREATE EXTENSION event_validate; CREATE SCHEMA "z odd"; ' . sql('SELECT event_schema_ddl()'));
my $functions = q(SELECT proname, pg_get_functiondef(oid), obj_description(oid) FROM pg_proc WHERE pronamespace IN ('event_schema'::regnamespace, '"z odd"'::regnamespace) ORDER BY 1, 2);
is($node->safe_psql('ddl', $functions), sql($functions), 'event_schema_ddl creates the same functions');

# ---------- dropping ----------

foreach my $drop (
	'DROP FUNCTION "z odd".twice', 'DROP SCHEMA "z odd"', q(SELECT drop_event_schema('it''s "odd" @', 10)),
	q(DROP FUNCTION event_schema."it's ""odd"" @@2"), 'DROP EXTENSION event_validate CASCADE')
{
	is((sql_error($node, $db, $drop))[0], '2BP01', "refused: $drop");
}
sql('TRUNCATE event_schema.migrated_events; DROP EXTENSION event_validate CASCADE');
pass('without originals the extension can be dropped with all upcasts');

# ---------- another extension ----------

my $share = ($ENV{EV_DESTDIR} // '') . `pg_config --sharedir`;
chomp $share;

SKIP:
{
	skip "cannot write to $share/extension", 6 unless -w "$share/extension";

	append_to_file("$share/extension/upcast_pack.control",
		"comment = 'upcasts'\ndefault_version = '1.0'\nrequires = 'event_validate'\nrelocatable = false\nschema = public\n");
	append_to_file("$share/extension/upcast_pack--1.0.sql", q(
		CREATE FUNCTION @extschema@.to_next(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1';
		SELECT register_event_schema('pack', v, 'true') FROM generate_series(1, 3) AS v;
		SELECT register_event_upcast('pack', 1, 2, '@extschema@.to_next(jsonb)');
		CREATE FUNCTION event_schema."pack@2>3"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT @extschema@.to_next(data); END;));

	my $pack = new_database($node, 'packed');
	$node->safe_psql($pack, 'CREATE EXTENSION upcast_pack');
	my $members = q(SELECT objid::regprocedure FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'upcast_pack') AND deptype = 'e' ORDER BY 1::text);
	my $listed = $node->safe_psql($pack, $members);
	is(scalar(split /\n/, $listed), 6, 'versions, upcasts and function are members');
	is($node->safe_psql($pack, q(SELECT upcast_event('7', 'pack', 1))), '7', 'and can be called');
	is((sql_error($node, $pack, 'DROP FUNCTION event_schema."pack@1>2"'))[0], '2BP01', 'they cannot be dropped separately');
	command_ok([ 'pg_dump', '--file', "$dump/pack.sql", '--dbname', $node->connstr($pack) ], 'a dump with the extension');
	$node->safe_psql('postgres', 'CREATE DATABASE unpacked TEMPLATE template0');
	command_ok([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/pack.sql", '--dbname', $node->connstr('unpacked') ],
		'restored');
	is($node->safe_psql('unpacked', $members), $listed, 'with its members');
	$node->safe_psql($pack, 'DROP EXTENSION upcast_pack');
	$node->safe_psql('postgres', "DROP DATABASE $_") foreach ('packed', 'unpacked');
	unlink glob "$share/extension/upcast_pack*";
}

# ---------- pg_upgrade ----------

my $new = new_node('upgraded', start => 0);
$node->safe_psql('postgres', "DROP DATABASE $_") foreach ('plain', 'ddl', 'upcasts');
$node->stop;
upgrade_node($node, $new);

is($new->safe_psql('parallel', $inventory), $before, 'all contents are there, also the dependencies on versions');
is((sql_error($new, 'parallel', q(SELECT drop_event_schema('it''s "odd" @', 10))))[0], '2BP01', 'a version with an upcast is not dropped');
is((sql_error($new, 'parallel', 'DROP FUNCTION "z odd".twice'))[0], '2BP01', 'nor is the upcast\'s function');
$new->safe_psql('parallel', q(SET client_min_messages = warning; TRUNCATE event_schema.migrated_events; DROP TABLE events;
	DROP FUNCTION event_schema."it's ""odd"" @@10" CASCADE));
is($new->safe_psql('parallel', 'SELECT from_version FROM event_upcasts'), '1', 'CASCADE drops an upcast with its version');
$new->stop;

done_testing();
