# Policies of event types as database objects: they survive a dump, do
# not prevent a restore, and can be members of another extension,
# to whose versions they apply.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('evolution');
my $dump = $node->backup_dir;
mkdir $dump;
my $db = new_database($node, 'evolution');

sub sql { return $node->safe_psql($db, @_); }

sub refused
{
	my ($database, $sql, $pattern, $name) = @_;
	my @error = sql_error($node, $database, $sql);

	is($error[0], '22023', "$name is refused");
	like($error[2] // '', $pattern, 'the message has the reason');
	return;
}

# ---------- dump and restore ----------

# Version 3 is incompatible with version 2 under the present policy, but was
# compatible under the policy of its registration.
sql(q(
	SELECT register_event_schema('order', 1, '{"type": "integer"}');
	SELECT register_event_schema('order', 2, '{"type": "number"}');
	SELECT set_event_compatibility('order', 'none');
	SELECT register_event_schema('order', 3, '{"type": "string"}');
	SELECT register_event_schema('order', 4, '{"type": "null"}', breaking => true);
	SELECT set_event_compatibility('order', 'full_transitive', lenient => false);
	SELECT set_event_compatibility('it''s "odd" @', 'forward');
	SELECT register_event_schema('it''s "odd" @', 1, '{"type": "number"}');
	SELECT register_event_schema('it''s "odd" @', 2, '{"type": ["number", "null"]}', accept => '{"/type TYPE_WIDENED"}');
	SELECT set_event_compatibility('warns', 'backward', unknown => 'warn');
	SELECT set_event_compatibility(NULL, 'FULL', lenient => false)));
my $state = q(SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'event_schema'::regnamespace ORDER BY 1);
my $before = sql($state);

command_ok([ 'pg_dump', '--file', "$dump/plain.sql", '--dbname', $node->connstr($db) ], 'a plain dump');
command_ok([ 'pg_dump', '--format', 'directory', '--file', "$dump/directory", '--dbname', $node->connstr($db) ], 'a dump by directory');
$node->safe_psql('postgres', "CREATE DATABASE \"$_\" TEMPLATE template0") foreach ('plain', 'parallel');
command_ok([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/plain.sql", '--dbname', $node->connstr('plain') ],
	'restored by psql');
command_ok([ 'pg_restore', '--exit-on-error', '--jobs', '2', '--dbname', $node->connstr('parallel'), "$dump/directory" ],
	'restored in parallel');
foreach my $restored ('plain', 'parallel')
{
	is($node->safe_psql($restored, $state), $before, "$restored: versions and policies are as before");
	refused($restored, q(SELECT register_event_schema('order', 5, '{"type": ["null", "string"]}')),
		qr/TYPE_WIDENED.*full_transitive, strict/s, "$restored: a version that does not fit");
	refused($restored, q(SELECT register_event_schema('it''s "odd" @', 3, 'true')), qr/TYPE_WIDENED/, "$restored: an incompatible version of an odd type");
	is( $node->safe_psql($restored, q(SELECT accept, policy FROM event_schemas WHERE event_type LIKE 'it%' AND schema_version = 2)),
		'{"/type TYPE_WIDENED"}|forward',
		"$restored: what a version accepts");
	$node->safe_psql($restored, q(SELECT register_event_schema('other', 1, '{}')));
	is( $node->safe_psql($restored, q(SELECT policy, lenient, unknown FROM event_schemas WHERE event_type = 'other')),
		'full|f|refuse',
		"$restored: the policy of all other types");
}

# ---------- another extension ----------

my $share = ($ENV{EV_DESTDIR} // '') . `pg_config --sharedir`;
chomp $share;

SKIP:
{
	skip "cannot write to $share/extension", 10 unless -w "$share/extension";

	append_to_file("$share/extension/event_pack.control",
		"comment = 'schemas'\ndefault_version = '1.2'\nrequires = 'event_validate'\nrelocatable = false\nschema = public\n");
	append_to_file("$share/extension/event_pack--1.0.sql", q(
		SELECT set_event_compatibility('pack', 'full');
		SELECT register_event_schema('pack', 1, '{"type": "integer"}');
		CREATE FUNCTION event_schema."pack@2"(data jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE AS '{"type": "integer", "title": "Two"}';));
	append_to_file("$share/extension/event_pack--1.0--1.1.sql", q(
		SELECT register_event_schema('pack', 3, '{"type": "number"}');));
	append_to_file("$share/extension/event_pack--1.0--1.2.sql", q(
		SELECT register_event_schema('pack', 3, '{"type": "number"}', breaking => true);));

	sql(q(CREATE EXTENSION event_pack VERSION '1.0'));
	is( sql(q(SELECT count(*) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'event_pack') AND deptype = 'e')),
		'3', 'versions and policy are members of the extension');
	refused($db, q(SELECT register_event_schema('pack', 3, '{"type": "number"}')), qr/TYPE_WIDENED/, 'a user\'s incompatible version');
	refused($db, q(ALTER EXTENSION event_pack UPDATE TO '1.1'), qr/TYPE_WIDENED/, 'an update with an incompatible version');
	sql(q(ALTER EXTENSION event_pack UPDATE TO '1.2'));
	is(sql(q(SELECT validate_event('1.5', 'pack', 3))), 't', 'an update with #breaking is accepted');
	is( (sql_error($node, $db, 'DROP FUNCTION event_schema."pack@compatibility"()'))[0], '2BP01', 'the policy belongs to the extension');

	command_ok([ 'pg_dump', '--file', "$dump/pack.sql", '--dbname', $node->connstr($db) ], 'a dump with the extension');
	$node->safe_psql('postgres', 'CREATE DATABASE pack TEMPLATE template0');
	command_ok([ 'psql', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', '--quiet', '--file', "$dump/pack.sql", '--dbname', $node->connstr('pack') ],
		'restored');
	is($node->safe_psql('pack', $state), sql($state), 'with its versions and its policy');
	unlink glob "$share/extension/event_pack*";
}

done_testing();
