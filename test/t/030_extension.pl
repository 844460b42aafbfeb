# The extension as a database object: its dependents, what remains after
# dropping it, its schema, templates, several databases and preloading.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('extension');
my $db = 'extension';
$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");

sub sql { return $node->safe_psql($db, @_); }

# All entries of the catalogs that a script could have left, by name, not only
# their number.
my $everything = q(
	SELECT 'function', oid::regprocedure::text FROM pg_proc
	UNION ALL SELECT 'relation', oid::regclass::text || ' ' || relkind::text FROM pg_class WHERE relpersistence <> 't'
	UNION ALL SELECT 'type', oid::regtype::text FROM pg_type
	UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
	UNION ALL SELECT 'language', lanname FROM pg_language
	UNION ALL SELECT 'event trigger', evtname FROM pg_event_trigger
	UNION ALL SELECT 'extension', extname FROM pg_extension
	UNION ALL SELECT 'operator', oid::regoperator::text FROM pg_operator
	UNION ALL SELECT 'cast', oid::text FROM pg_cast
	UNION ALL SELECT 'trigger', tgname FROM pg_trigger
	UNION ALL SELECT 'constraint', conname FROM pg_constraint
	UNION ALL SELECT 'rule', rulename FROM pg_rewrite
	UNION ALL SELECT 'default privilege', oid::text FROM pg_default_acl
	UNION ALL SELECT 'initial privilege', classoid::regclass || ' ' || count(*) FROM pg_init_privs GROUP BY classoid
	UNION ALL SELECT 'comment', classoid::regclass || ' ' || count(*) FROM pg_description GROUP BY classoid
	UNION ALL SELECT 'dependency', 'at all ' || count(*) FROM pg_depend
	UNION ALL SELECT 'shared dependency', 'here ' || count(*) FROM pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
	ORDER BY 1, 2);

# ---------- schemas in use prevent dropping the extension ----------

my $before = sql($everything);
sql('CREATE EXTENSION event_validate');
sql(q(
	SELECT register_event_schema('kept', 1, '{"type": "object"}');
	SELECT register_event_schema('kept', 2, '{"$ref": "event:kept@1", "required": ["a"]}', breaking => true);
	SELECT register_schema('https://example.com/kept', '{"type": "integer"}');
	CREATE TABLE events (event_type text, schema_version int, data jsonb,
	  CONSTRAINT events_check CHECK (check_event(data, event_type, schema_version)));
	INSERT INTO events VALUES ('kept', 1, '{}'), ('kept', 2, '{"a": 1}');
	CREATE TABLE direct (data jsonb CONSTRAINT direct_check CHECK (event_schema."kept@1"(data)));
	CREATE INDEX direct_index ON direct (event_schema."kept@2"(data));
	CREATE DOMAIN kept AS jsonb CHECK (event_schema."kept@1"(VALUE));
	CREATE VIEW valid_events AS SELECT * FROM events WHERE validate_event(data, event_type, schema_version)));

my @error = sql_error($node, $db, 'DROP EXTENSION event_validate');
is($error[0], '2BP01', 'DROP EXTENSION is refused while something depends on it');
foreach my $what ('constraint events_check on table events', 'view valid_events', 'function event_schema."kept@1"(jsonb)')
{
	like($error[2], qr/\Q$what\E depends on/, "it names $what");
}
@error = sql_error($node, $db, 'DROP SCHEMA event_schema CASCADE');
is($error[0], '2BP01', 'DROP SCHEMA event_schema is refused with CASCADE, too');
@error = sql_error($node, $db, 'DROP LANGUAGE jsonschema CASCADE');
is($error[0], '2BP01', 'and so is DROP LANGUAGE jsonschema');
@error = sql_error($node, $db, 'DROP FUNCTION check_event(jsonb, text, int, text) CASCADE');
is($error[0], '2BP01', 'and DROP FUNCTION of a member');
is(sql(q(SELECT count(*) FROM events WHERE validate_event(data, event_type, schema_version))), '2', 'nothing has changed');

# ---------- CASCADE leaves no object ----------

# Rows of a table with a check need their schemas; CASCADE drops the
# constraint, too, so that no row needs them any more.
my ($status, $stdout, $stderr) = $node->psql($db, 'DROP EXTENSION event_validate CASCADE');
is($status, 0, 'DROP EXTENSION ... CASCADE succeeds') or diag $stderr;
is(sql('SELECT count(*) FROM events'), '2', 'the rows are kept');
is( sql(q(SELECT count(*) FROM pg_constraint WHERE conname IN ('events_check', 'direct_check')
		  UNION ALL SELECT count(*) FROM pg_class WHERE relname IN ('direct_index', 'valid_events')
		  UNION ALL SELECT count(*) FROM pg_proc p WHERE NOT EXISTS (SELECT FROM pg_language l WHERE l.oid = p.prolang))),
	"0\n0\n0", 'dependent objects are dropped');
sql('DROP TABLE events, direct; DROP DOMAIN kept');
is(sql($everything), $before, 'the catalogs are as before CREATE EXTENSION');

# Once more, with registering and dropping; a session that has used the extension
# cannot call it after it is dropped.
sql('CREATE EXTENSION event_validate');
is( sql(q(SELECT register_event_schema('kept', 1, 'true');
		  SELECT validate_event('1', 'kept', 1))),
	qq(event_schema."kept\@1"(jsonb)\nt), 'it can be created again');
@error = sql_error($node, $db, q(
	SELECT validate_event('1', 'kept', 1);
	DROP EXTENSION event_validate CASCADE;
	SELECT validate_event('1', 'kept', 1)));
is($error[0], '42883', 'it can be dropped in a session that used it');
is(sql($everything), $before, 'again no object is left');

# dropped and created again in one session: answers change
is( sql(q(CREATE EXTENSION event_validate;
		  SELECT register_event_schema('kept', 1, '{"type": "integer"}');
		  SELECT validate_event('1', 'kept', 1), validate_event('"1"', 'kept', 1);
		  SET client_min_messages = warning;
		  DROP EXTENSION event_validate CASCADE;
		  CREATE EXTENSION event_validate;
		  SELECT validate_event('1', 'kept', 1);
		  SELECT register_event_schema('kept', 1, '{"type": "string"}');
		  SELECT validate_event('1', 'kept', 1), validate_event('"1"', 'kept', 1);
		  DROP EXTENSION event_validate CASCADE)),
	qq(event_schema."kept\@1"(jsonb)\nt|f\nf\nevent_schema."kept\@1"(jsonb)\nf|t),
	'the session has forgotten the previous schemas');

# a transaction that rolls everything back
is( sql(q(BEGIN;
		  CREATE EXTENSION event_validate;
		  SELECT register_event_schema('kept', 1, 'true') IS NOT NULL;
		  SELECT validate_event('1', 'kept', 1);
		  ROLLBACK;
		  SELECT count(*) FROM pg_namespace WHERE nspname = 'event_schema')),
	"t\nt\n0", 'CREATE EXTENSION can be rolled back');
is(sql($everything), $before, 'no object is left after that');

# ---------- in another schema ----------

sql(q(
	CREATE SCHEMA "Odd Schema";
	CREATE EXTENSION event_validate SCHEMA "Odd Schema";
	SET search_path = '';
	SELECT "Odd Schema".register_event_schema('odd', 1, '{"type": "object", "required": ["a"]}');
	CREATE TABLE public.events (data jsonb, CHECK ("Odd Schema".check_event(data, 'odd', 1)));
	INSERT INTO public.events VALUES ('{"a": 1}')));
is( sql(q(SET search_path = '';
		  SELECT "Odd Schema".validate_event('{}', 'odd', 1), "Odd Schema".validate_event('{"a": 1}', 'odd', 1),
		    event_schema."odd@1"('{"a": 1}'), (SELECT count(*) FROM "Odd Schema".event_schemas),
		    (SELECT count(*) FROM "Odd Schema".event_violations('{}', 'odd', 1)))),
	'f|t|t|1|1', 'it works in any schema');
@error = sql_error($node, $db, q(INSERT INTO events VALUES ('{}')));
is($error[0], '23514', 'checks reject invalid events');
@error = sql_error($node, $db, q(SELECT "Odd Schema".drop_event_schema('odd', 1)));
like($error[1] // '', qr/rows of table "public\.events"/, 'schemas that rows need are kept there, too');
is( sql(q(SELECT n.nspname, count(*) FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
		  JOIN pg_namespace n ON n.oid = p.pronamespace
		  WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_validate') AND n.nspname = 'event_schema'
		  GROUP BY 1)),
	'', 'no function of the extension is in event_schema');
@error = sql_error($node, $db, q(ALTER EXTENSION event_validate SET SCHEMA public));
isnt($error[0], undef, 'it cannot be moved afterwards');
sql('DROP TABLE events; SET client_min_messages = warning; DROP EXTENSION event_validate CASCADE; DROP SCHEMA "Odd Schema"');
is(sql($everything), $before, 'no object is left in that schema');

# ---------- an existing schema event_schema ----------

sql('CREATE SCHEMA event_schema; CREATE TABLE event_schema.mine (a int)');
@error = sql_error($node, $db, 'CREATE EXTENSION event_validate');
is($error[0], '42P06', 'an existing schema event_schema prevents CREATE EXTENSION');
like($error[2], qr/^HINT:\s+\S/m, 'with a hint');
like($error[1], qr/event_schema/, 'and a message that names it');
@error = sql_error($node, $db, 'CREATE EXTENSION event_validate SCHEMA event_schema');
is($error[0], '42P06', 'also as the schema of the extension');
sql('DROP SCHEMA event_schema CASCADE');
is(sql($everything), $before, 'no object is left');

# ---------- templates and several databases ----------

$node->safe_psql('template1', q(
	CREATE EXTENSION event_validate;
	SELECT register_event_schema('template', 1, '{"type": "integer"}')));
$node->safe_psql('postgres', 'CREATE DATABASE one; CREATE DATABASE two');
is($node->safe_psql($_, q(SELECT validate_event('1', 'template', 1), validate_event('"1"', 'template', 1))), 't|f', "$_ has the schemas of its template")
  for 'one', 'two';
$node->safe_psql('one', q(
	SELECT drop_event_schema('template', 1);
	SELECT register_event_schema('template', 1, '{"type": "string"}');
	SELECT register_event_schema('one.only', 1, 'true')));
is( join(
		' ',
		map { $node->safe_psql($_, q(SELECT validate_event('1', 'template', 1), validate_event('"1"', 'template', 1), validate_event('1', 'one.only', 1))) }
		  'template1', 'one', 'two'),
	't|f|f f|t|t t|f|f',
	'then each has its own schemas');
$node->safe_psql('postgres', 'CREATE DATABASE three TEMPLATE one');
is($node->safe_psql('three', q(SELECT validate_event('"1"', 'template', 1), (SELECT count(*) FROM event_schemas))), 't|2', 'a copy of a database has its schemas');

# ---------- shared_preload_libraries, and settings in a file ----------

# where the tested library is outside the server's folders, only one of these names leads to it
my $library = $node->safe_psql('postgres', 'SHOW dynamic_library_path') eq '$libdir' ? '$libdir/event_validate' : 'event_validate';
$node->append_conf('postgresql.conf', "shared_preload_libraries = '$library'");
$node->append_conf('postgresql.conf', 'event_validate.log_violations = off');
$node->append_conf('postgresql.conf', 'event_validate.show_values = off');
$node->restart;
my $shown = q(SELECT current_setting('event_validate.log_violations') || ' ' || current_setting('event_validate.show_values'));
is($node->safe_psql('postgres', $shown), 'off off', 'the file decides');
$node->adjust_conf('postgresql.conf', "event_validate.$_", undef) for qw(log_violations show_values);
$node->reload;
ok($node->poll_query_until('postgres', $shown, 'off on'), 'without these lines, the settings have their defaults again');
$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
foreach my $value ('on', '')
{
	local $ENV{PGOPTIONS} = "-c event_validate.show_values=$value";
	my ($exit, undef, $said) = $node->psql('postgres', 'SELECT 1', extra_params => [ '-U', 'stranger' ]);
	isnt($exit, 0, "a connection with the value \"$value\" of a role that may not give it");
	like($said, qr/permission denied to set parameter "event_validate.show_values"|invalid value/, 'is refused');
}

$node->stop;
done_testing();
