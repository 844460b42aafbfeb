# Event views as database objects: they survive every kind of dump and restore,
# and prevent dropping their schema.  And the messages about deprecated versions
# in the server's log.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('views');
my $dump = $node->backup_dir;
mkdir $dump;
my $db = new_database($node, 'views');

sub sql { return $node->safe_psql($db, @_); }

# Names that a dump sorts before their dependencies: the view before its table and
# its schema's function.
sql(q(
	CREATE SCHEMA "1st";
	CREATE TABLE zz_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, data jsonb NOT NULL);
	SELECT register_event_schema('z.common', 1, '{"not": {}, "$defs": {"instant": {"type": "string", "format": "date-time", "description": "when"}}}');
	SELECT register_event_schema('z', 1, '{"title": "Z", "properties": {"at": {"$ref": "event:z.common@1#/$defs/instant"}, "n": {"type": "integer"}, "odd \"''%": {"type": "string"}}}');
	SELECT add_event_check('zz_events');
	SELECT create_event_view('"1st"."a ''view"', 'zz_events', 'z');
	INSERT INTO zz_events (event_type, schema_version, data) VALUES ('z', 1, '{"at": "2024-06-16T13:30:00Z", "n": 5, "odd \"''%": "x"}');
	CREATE VIEW "0th" AS SELECT date_trunc('day', at, 'UTC') AS day, sum(n) AS n FROM "1st"."a 'view" GROUP BY 1;
	CREATE ROLE viewer;
	GRANT SELECT ON "1st"."a 'view" TO viewer));

my $state = q(
	SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) FROM pg_attribute
	WHERE attrelid = '"1st"."a ''view"'::regclass AND attnum > 0 ORDER BY attnum;
	SELECT obj_description('"1st"."a ''view"'::regclass), reloptions, relacl FROM pg_class WHERE oid = '"1st"."a ''view"'::regclass;
	SELECT pg_get_viewdef('"1st"."a ''view"');
	SELECT * FROM "1st"."a 'view";
	SELECT * FROM "0th";);
my $before = sql($state);
like($before, qr/security_invoker=true/, 'the view runs with the rights of its caller');

command_ok([ 'pg_dump', '--file', "$dump/plain.sql", '--dbname', $node->connstr($db) ], 'a plain dump');
command_ok([ 'pg_dump', '--format', 'directory', '--file', "$dump/directory", '--dbname', $node->connstr($db) ], 'a dump by directory');
$node->safe_psql('postgres', "CREATE DATABASE \"$_\" TEMPLATE template0") foreach ('plain', 'parallel', 'schema');
command_ok([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/plain.sql", '--dbname', $node->connstr('plain') ],
	'restored by psql');
command_ok([ 'pg_restore', '--exit-on-error', '--jobs', '2', '--dbname', $node->connstr('parallel'), "$dump/directory" ],
	'restored in parallel');
command_ok([ 'pg_restore', '--exit-on-error', '--schema-only', '--dbname', $node->connstr('schema'), "$dump/directory" ],
	'restored without data');
foreach my $restored ('plain', 'parallel')
{
	is($node->safe_psql($restored, $state), $before, "$restored: the view is as before");
	my @error = sql_error($node, $restored, q(SELECT drop_event_schema('z', 1)));
	is($error[0], '2BP01', "$restored: it prevents dropping its schema");
}
is($node->safe_psql('schema', 'SELECT count(*) FROM "0th"'), '0', 'a view of an empty table');

# a clean restore drops and creates all objects again
command_ok([ 'pg_restore', '--clean', '--if-exists', '--exit-on-error', '--dbname', $node->connstr('parallel'), "$dump/directory" ],
	'restored over itself');
is($node->safe_psql('parallel', $state), $before, 'and the contents are the same');

# replaced after a restore, the view keeps the places of its columns
$node->safe_psql('plain', q(
	SELECT register_event_schema('z', 2, '{"properties": {"first": {"type": "boolean"}, "at": {"$ref": "event:z.common@1#/$defs/instant"}, "n": {"type": "integer"}, "odd \"''%": {"type": "string"}}}');
	SELECT create_event_view('"1st"."a ''view"', 'zz_events', 'z')));
is($node->safe_psql('plain', q(SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '"1st"."a ''view"'::regclass AND attnum > 0)),
	q(id,event_type,schema_version,data,at,n,odd "'%,first), 'the new column is the last one');

# ---------- deprecated versions in the server's log ----------

sql(q(
	SELECT add_event_guard('zz_events', 'enforce');
	SELECT register_event_schema('z', 1, '{"title": "Z", "deprecated": true, "properties": {"at": {"$ref": "event:z.common@1#/$defs/instant"}, "n": {"type": "integer"}, "odd \"''%": {"type": "string"}}}')));
my $insert = q(INSERT INTO zz_events (event_type, schema_version, data) VALUES ('z', 1, '{}'););
my $log_start = -s $node->logfile;
my ($out, $err);
$node->psql($db, join("\n", ($insert) x 5), stdout => \$out, stderr => \$err, on_error_die => 1);
my @told = $err =~ /WARNING:  event schema "z\@1" is deprecated/g;
is(scalar @told, 5, 'the client gets a warning in each statement');
my $log = slurp_file($node->logfile, $log_start);
@told = $log =~ /WARNING:  event schema "z\@1" is deprecated/g;
is(scalar @told, 1, 'the log has one warning for a session');
$node->psql($db, $insert, stderr => \$err, on_error_die => 1);
$log = slurp_file($node->logfile, $log_start);
@told = $log =~ /WARNING:  event schema "z\@1" is deprecated/g;
is(scalar @told, 2, 'and another for the next one');

# "deprecated" survives a dump
command_ok([ 'pg_dump', '--file', "$dump/marked.sql", '--dbname', $node->connstr($db) ], 'a dump of a deprecated version');
$node->safe_psql('postgres', 'CREATE DATABASE marked TEMPLATE template0');
my $restored = run_log([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/marked.sql", '--dbname', $node->connstr('marked') ]);
ok($restored, 'its restore');
is($node->safe_psql('marked', q(SELECT deprecated FROM event_schemas WHERE event_type = 'z')), 't', 'the version is deprecated there, too');
like($node->safe_psql('marked', q(SELECT relation, schema_version, events, deprecated FROM event_schema_usage('z'))), qr/^zz_events\|1\|7\|t$/, 'event_schema_usage shows it');

$node->stop;
done_testing();
