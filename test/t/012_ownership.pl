# Rights: a database's owner who is no superuser can do everything, others need
# grants, and no role's search_path or settings matter.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ownership');
my $superuser = $node->safe_psql('postgres', q(
	CREATE ROLE owner LOGIN;
	CREATE ROLE deployer LOGIN;
	CREATE ROLE app LOGIN;
	SELECT current_user));

sub as
{
	my ($role, $database, $sql) = @_;

	return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

sub refused
{
	my ($role, $database, $sql, $sqlstate, $message, $name) = @_;
	my @error = sql_error($node, $database, $sql, extra_params => [ '-U', $role ]);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($error[0], $sqlstate, "$name: $sqlstate");
	like($error[1] // '', $message, "$name: the message has the reason");
	return;
}

# ---------- the owner of a database ----------

my $db = 'owned';
$node->safe_psql('postgres', "CREATE DATABASE $db OWNER owner TEMPLATE template0");
refused('deployer', $db, 'CREATE EXTENSION event_validate', '42501', qr/permission denied/, 'another role cannot install it');
as('owner', $db, 'CREATE EXTENSION event_validate');
is( as('owner', $db, q(SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'event_schema')),
	'pg_database_owner', 'pg_database_owner owns event_schema');
is( as('owner', $db, q(SELECT register_event_schema('order', 1, '{"type": "object"}'))),
	'event_schema."order@1"(jsonb)', 'the owner can register a schema');
as('owner', $db, q(CREATE TABLE events (event_type text, schema_version int, data jsonb,
	CHECK (check_event(data, event_type, schema_version))); GRANT ALL ON events TO app));

# ---------- others ----------

refused('deployer', $db, q(SELECT register_event_schema('other', 1, '{}')),
	'42501', qr/permission denied for schema event_schema/, 'others cannot register an event schema');
refused('deployer', $db, q(SELECT register_schema('https://example.com/x', '{}')),
	'42501', qr/permission denied for schema event_schema/, 'others cannot register a document');
refused('deployer', $db, q(SELECT drop_event_schema('order', 1)),
	'42501', qr/must be owner of function/, 'others cannot drop one');
refused('deployer', $db, q(SELECT register_event_schema('order', 1, '{"type": "object", "title": "Mine"}')),
	'42501', qr/permission denied|must be owner/, 'others cannot change annotations');
is( as('deployer', $db, q(SELECT register_event_schema('order', 1, '{"type": "object"}'))),
	'event_schema."order@1"(jsonb)', 'everybody can repeat a registration, which changes nothing');

as('owner', $db, 'GRANT CREATE ON SCHEMA event_schema TO deployer');
is( as('deployer', $db, q(SELECT register_event_schema('other', 1, '{"$ref": "event:order@1"}'))),
	'event_schema."other@1"(jsonb)', 'a role with CREATE on event_schema can register');
is( as('deployer', $db, q(SELECT owner FROM event_schemas WHERE event_type = 'other')),
	'deployer', 'and owns the version');
as('owner', $db, q(SELECT drop_event_schema('other', 1)));
is(as('owner', $db, q(SELECT count(*) FROM event_schemas WHERE event_type = 'other')),
	'0', 'the database owner, who owns event_schema, can drop it');
as('deployer', $db, q(SELECT register_event_schema('other', 1, '{"$ref": "event:order@1"}')));

# An application needs rights only on the table.
as('app', $db, q(INSERT INTO events VALUES ('order', 1, '{}'), ('other', 1, '{}')));
refused('app', $db, q(INSERT INTO events VALUES ('other', 1, '[]')), '23514', qr/other/, 'an application\'s events are checked');
as('owner', $db, q(REVOKE ALL ON FUNCTION event_schema."order@1" FROM PUBLIC; REVOKE USAGE ON SCHEMA event_schema FROM PUBLIC));
as('app', $db, q(INSERT INTO events VALUES ('other', 1, '{}')));
is(as('app', $db, q(SELECT validate_event('{}', 'order', 1), validate_event('[]', 'order', 1))),
	't|f', 'validation needs no rights on the schema\'s function');
is(as('app', $db, q(SELECT string_agg(event_type || schema_version, ' ') FROM event_schemas)),
	'order1 other1', 'everybody can list the registered schemas');
is(as('app', $db, q(SELECT count(*) FROM event_schema_ddl())), '4', 'and their DDL');
as('owner', $db, q(GRANT USAGE ON SCHEMA event_schema TO PUBLIC));

# A drop checks rows that the dropping role cannot read.
as('owner', $db, q(CREATE SCHEMA private; CREATE TABLE private.events (LIKE events INCLUDING ALL);
	INSERT INTO private.events VALUES ('other', 1, '{}'); DELETE FROM events));
refused('deployer', $db, q(DROP FUNCTION event_schema."other@1"), '2BP01',
	qr/rows of table "private.events"/, 'rows in a table without SELECT');
as('owner', $db, 'TRUNCATE private.events');
as('deployer', $db, 'DROP FUNCTION event_schema."other@1"');
pass('without such rows the drop succeeds');

# ---------- search_path and settings ----------

# Objects with the names that the extension uses, first in search_path.
as('owner', $db, q(
	CREATE SCHEMA trap;
	CREATE FUNCTION trap.trap() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'trapped'; END$$;
	CREATE FUNCTION trap.eq(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.eq);
	CREATE FUNCTION trap.eq(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.eq);
	CREATE FUNCTION trap.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.eq);
	CREATE FUNCTION trap.check_event(jsonb, text, int, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE FUNCTION trap.validate_event(jsonb, text, int) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE FUNCTION trap.list_event_schemas() RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE FUNCTION trap.pg_event_trigger_ddl_commands() RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE FUNCTION trap.pg_event_trigger_dropped_objects() RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE FUNCTION trap.unnest(anyarray) RETURNS boolean LANGUAGE sql AS 'SELECT trap.trap()';
	CREATE DOMAIN trap.jsonb AS text;
	CREATE DOMAIN trap.bool AS text;
	CREATE DOMAIN trap.text AS int;
	CREATE TYPE trap.pg_proc AS (a int);
	CREATE TABLE trap.pg_depend (a int);
	CREATE TABLE trap.pg_class (a int);
	CREATE DOMAIN public.checked AS pg_catalog.jsonb CHECK (public.check_event(VALUE, VALUE->>'type', 1));
	CREATE TABLE public.checked_events (event_type pg_catalog.text, data pg_catalog.jsonb, more public.checked[],
		CHECK (public.check_event(data, event_type, 1)))));
my $standard_strings = $node->safe_psql($db, 'SHOW server_version_num') >= 190000;
my $count = 0;
foreach my $path (q(''), 'trap, pg_catalog', 'pg_temp, trap, pg_catalog, public', 'event_schema', '"$user"')
{
	# PostgreSQL 19 has no other strings than the standard's
	my @strings = $standard_strings ? () : ('standard_conforming_strings = off');
	foreach my $setting ('check_function_bodies = on', 'check_function_bodies = off', @strings,
		'row_security = off', 'default_transaction_isolation = serializable', q(IntervalStyle = 'iso_8601'), q(DateStyle = 'German'), 'quote_all_identifiers = on')
	{
		my $type = 'path\\' . ++$count . q(");
		my $quoted = $type =~ s/"/""/gr;
		my $literal = $type =~ s/\\/\\\\/gr;
		my $sql = qq(SET $setting; SET search_path = $path;
			SELECT public.register_event_schema(E'$literal', 1, E'{"type": "object", "title": "\\\\\\\\ ''"}'::pg_catalog.text);
			SELECT public.register_event_schema(E'$literal', 2, E'{"type": "object", "properties": {"a": {"\$ref": "event:order\@1"}}}'::pg_catalog.text);
			INSERT INTO public.checked_events VALUES (E'$literal', '{}', pg_catalog.array_append(NULL::public.checked[], pg_catalog.jsonb_build_object('type', E'$literal')::public.checked)););

		as('owner', $db, $sql);
		is( as('owner', $db, "SET search_path = $path; SELECT title FROM public.event_schemas WHERE event_type OPERATOR(pg_catalog.=) E'$literal' AND title IS NOT NULL"),
			q(\\ '), "registered with search_path $path, $setting");
		refused('owner', $db, qq(SET $setting; SET search_path = $path; SELECT public.register_event_schema(E'$literal', 3, '{"type": "objekt"}'::pg_catalog.text)),
			'22023', qr/objekt/, "compiled with search_path $path, $setting");
		refused('owner', $db, qq(SET $setting; SET search_path = $path; DROP FUNCTION event_schema."$quoted\@1"),
			'2BP01', qr/rows of table "public.checked_events"/, "kept with search_path $path, $setting");
		as('owner', $db, 'UPDATE public.checked_events SET more = NULL');
		refused('owner', $db, qq(SET $setting; SET search_path = $path; DROP FUNCTION event_schema."$quoted\@1"),
			'2BP01', qr/rows of table "public.checked_events"/, "kept by the table's column with search_path $path, $setting");
		as('owner', $db, 'DELETE FROM public.checked_events');
		as('owner', $db, qq(SET $setting; SET search_path = $path; SELECT public.drop_event_schema(E'$literal', 1); DROP FUNCTION event_schema."$quoted\@2"));
		is(as('owner', $db, "SET search_path = $path; SELECT pg_catalog.count(*) FROM public.event_schemas"),
			'1', "dropped with search_path $path, $setting");
	}
}
as('owner', $db, 'SET client_min_messages = error; DROP SCHEMA trap CASCADE; DROP TABLE public.checked_events');

refused('owner', $db, q(SET default_transaction_read_only = on; SELECT register_event_schema('ro', 1, '{}')),
	'25006', qr/cannot execute CREATE FUNCTION in a read-only transaction/, 'registering fails in a read-only transaction');
refused('owner', $db, q(SET default_transaction_read_only = on; SELECT drop_event_schema('order', 1)),
	'25006', qr/cannot execute DROP FUNCTION in a read-only transaction/, 'dropping fails in a read-only transaction');

# ---------- a dump, by a role that is no superuser ----------

# With schemas of several owners, only a superuser can give functions to others
# before these have CREATE on the schema, which a dump grants last.  That is so
# for every schema; without owners any role can restore the dump.
as('deployer', $db, q(SELECT register_event_schema('other', 2, '{"$ref": "event:order@1"}')));
as('app', $db, q(INSERT INTO events VALUES ('other', 2, '{}')));
$node->safe_psql('postgres', 'CREATE DATABASE restored OWNER owner TEMPLATE template0; CREATE DATABASE theirs TEMPLATE template0');
my $definitions = q(SELECT event_type, schema_version, definition, owner FROM event_schemas ORDER BY 1, 2);
foreach my $run (
	[ 'restored', 'owner', '--no-owner', $node->safe_psql($db, $definitions) =~ s/deployer/owner/gr ],
	[ 'theirs', $superuser, '--verbose', $node->safe_psql($db, $definitions) ])
{
	my ($database, $role, $option, $expected) = @$run;
	my $file = $node->basedir . "/$database.sql";
	my ($stdout, $stderr);

	ok(IPC::Run::run([ 'pg_dump', $option, '-f', $file, '-d', $node->connstr($db) . ' user=owner' ],
			'<', '/dev/null', '>', \$stdout, '2>', \$stderr), "pg_dump $option");
	ok(IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', $file, '-d', $node->connstr($database) . " user=$role" ],
			'<', '/dev/null', '>', \$stdout, '2>', \$stderr), "psql as $role");
	is($stderr, '', "psql as $role has no messages");
	is($node->safe_psql($database, $definitions), $expected, "restored as $role: the registered schemas");
	is($node->safe_psql($database, 'SELECT count(*) FROM events'), '1', "restored as $role: the rows");
	is( as('deployer', $database, q(SELECT register_event_schema('more', 1, '{}'))),
		'event_schema."more@1"(jsonb)', "restored as $role: the grant on event_schema");
}

# ---------- the end ----------

refused('deployer', $db, 'DROP EXTENSION event_validate CASCADE', '42501', qr/must be owner of extension/, 'others cannot drop the extension');
as('owner', $db, 'SET client_min_messages = error; DROP EXTENSION event_validate CASCADE');
is( as('owner', $db, q(SELECT count(*) FROM pg_namespace WHERE nspname = 'event_schema')),
	'0', 'the owner can drop it, with the schemas of others');
is(as('owner', $db, 'SELECT count(*) FROM events'), '1', 'the rows are kept');

$node->stop;
done_testing();
