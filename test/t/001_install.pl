# The extension can be created, dropped, and created again.
use strict;
use warnings;

use EventValidate;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('install');

my $objects = q(
	SELECT
	  (SELECT count(*) FROM pg_proc) AS functions,
	  (SELECT count(*) FROM pg_class) AS relations,
	  (SELECT count(*) FROM pg_type) AS types,
	  (SELECT count(*) FROM pg_namespace) AS schemas,
	  (SELECT count(*) FROM pg_language) AS languages,
	  (SELECT count(*) FROM pg_event_trigger) AS event_triggers);
my $before = $node->safe_psql('postgres', $objects);

$node->safe_psql('postgres', 'CREATE EXTENSION event_validate');
isnt($node->safe_psql('postgres', $objects), $before, 'CREATE EXTENSION creates');
is( $node->safe_psql(
		'postgres',
		q(SELECT extversion FROM pg_extension WHERE extname = 'event_validate')),
	slurp_file(dirname(__FILE__) . '/../../event_validate.control') =~ /^default_version = '(.*)'/m ? $1 : 'none',
	'the version is that of the control file');
is( $node->safe_psql(
		'postgres',
		q(SELECT DISTINCT p.probin FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		  WHERE l.lanname = 'c' AND p.probin LIKE '%event_validate%')),
	'$libdir/event_validate',
	'all its C functions are in one library');

$node->safe_psql('postgres', 'DROP EXTENSION event_validate');
is($node->safe_psql('postgres', $objects), $before, 'DROP EXTENSION leaves nothing');

$node->safe_psql('postgres', 'CREATE EXTENSION event_validate');
pass('it can be created again');

# An empty quarantine goes with the last guard.
$node->safe_psql(
	'postgres', q(
	CREATE TABLE events (event_type text, schema_version int, data jsonb);
	CREATE TABLE others (LIKE events);
	SELECT add_event_guard('events', 'quarantine'), add_event_guard('others', 'quarantine');
	INSERT INTO events VALUES ('none', 1, '{}');
	SELECT drop_event_guard('others')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM event_schema.quarantine'), '1', 'the quarantine stays while there is a guard');
$node->safe_psql('postgres', q(SELECT drop_event_guard('events')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM event_schema.quarantine'), '1', 'and while it holds events');
$node->safe_psql(
	'postgres', q(
	SELECT purge_event_quarantine('0');
	SELECT add_event_guard('events', 'quarantine');
	SELECT drop_event_guard('events');
	DROP EXTENSION event_validate;
	DROP TABLE events, others));
is($node->safe_psql('postgres', $objects), $before, 'DROP EXTENSION after the last guard leaves nothing');
$node->safe_psql('postgres', 'CREATE EXTENSION event_validate');

my ($sqlstate) =
  sql_error($node, 'postgres', 'CREATE EXTENSION event_validate');
is($sqlstate, '42710', 'it cannot be created twice');

# A database's owner can install it (it is trusted), in any schema, and can
# register schemas then.
$node->safe_psql(
	'postgres', q(
	CREATE ROLE owner LOGIN;
	CREATE DATABASE owned OWNER owner;
	CREATE ROLE stranger LOGIN));
$node->safe_psql(
	'owned', q(
	CREATE SCHEMA app;
	GRANT USAGE ON SCHEMA app TO stranger;
	CREATE EXTENSION event_validate SCHEMA app;
	SELECT app.register_event_schema('order', 1, '{"type": "object"}')),
	extra_params => [ '-U', 'owner' ]);
is( $node->safe_psql(
		'owned',
		q(SELECT app.validate_event('{}', 'order', 1), app.validate_event('[]', 'order', 1)),
		extra_params => [ '-U', 'stranger' ]),
	't|f',
	'a database owner installs it, and others use it');

# A role that may not drop the quarantine leaves it.
$node->safe_psql('owned', 'CREATE SCHEMA strange AUTHORIZATION stranger');
my $add_and_drop = q(
	SET client_min_messages = error;
	CREATE TABLE strange.events (event_type text, schema_version int, data jsonb);
	SELECT app.add_event_guard('strange.events', 'quarantine');
	SELECT app.drop_event_guard('strange.events');
	DROP TABLE strange.events);
my $has_quarantine = q(SELECT to_regclass('event_schema.quarantine') IS NOT NULL);
$node->safe_psql('owned', $add_and_drop, extra_params => [ '-U', 'stranger' ]);
is($node->safe_psql('owned', $has_quarantine), 't', 'a role that may not drop the quarantine leaves it');
$node->safe_psql('owned', "GRANT CREATE ON SCHEMA strange TO owner; GRANT USAGE ON SCHEMA strange TO owner");
$node->safe_psql('owned', $add_and_drop, extra_params => [ '-U', 'owner' ]);
is($node->safe_psql('owned', $has_quarantine), 'f', 'the owner of the database takes it along');

my @error = sql_error($node, 'owned', 'CREATE EXTENSION event_validate',
	extra_params => [ '-U', 'stranger' ]);
isnt($error[0], undef, 'another role cannot install it');

is( $node->safe_psql(
		'owned', q(
		SELECT n.nspname, r.rolsuper, has_schema_privilege('owner', n.oid, 'CREATE')
		FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = '_event_validate')),
	'_event_validate|t|f',
	'the internal schema is a superuser\'s all the same');

# A schema of such a name that exists already is not taken over.
$node->safe_psql('postgres', 'CREATE DATABASE taken');
for my $schema (qw(event_schema _event_validate))
{
	$node->safe_psql('taken', "CREATE SCHEMA $schema");
	@error = sql_error($node, 'taken', 'CREATE EXTENSION event_validate');
	is($error[0], '42P06', "another schema $schema stops it");
	like($error[1], qr/schema "$schema" already exists/, 'with an error that names it');
	$node->safe_psql('taken', "DROP SCHEMA $schema");
}
is( $node->safe_psql('taken', q(SELECT count(*) FROM pg_extension WHERE extname = 'event_validate')),
	'0', 'which leaves no extension');

# The extension's schema has the objects that the reference lists, argument by argument,
# and nothing else: the indented signatures, and the views, which are headings.
my $reference = slurp_file(dirname(__FILE__) . '/../../docs/reference/sql.md');
my @signatures = $reference =~ /^ {4}(?:CALL )?([a-z_]+\([^()]*\))/mg;
my @views = $reference =~ /^### (event_schemas|event_upcasts|event_quarantine|event_quarantine_counts|event_enforcement|event_progress|event_validation_(?:stats|stats_history|stats_daily|stats_info|failures))$/mg;
# A domain of the internal schema stands for its type.
my %present = map { $_ => 1 } split /\n/, $node->safe_psql(
	'owned', q(
	SELECT proname || '(' || coalesce(string_agg(format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), ', ' ORDER BY a.place), '') || ')'
	FROM pg_proc LEFT JOIN unnest(proargtypes) WITH ORDINALITY AS a (type, place) ON true LEFT JOIN pg_type AS t ON t.oid = a.type
	WHERE pronamespace = 'app'::regnamespace GROUP BY pg_proc.oid
	UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'app'::regnamespace));
my @listed = @views;
for my $signature (@signatures)
{
	$signature =~ s/\s+/ /g;
	$signature =~ s/ DEFAULT [^,)]*//g;
	push @listed, types_only($signature);
	ok($present{ $listed[-1] }, "$signature is there");
}
is( join("\n", sort @listed),
	join("\n", sort keys %present),
	'the reference lists the functions and views in the extension\'s schema');

# "name(type of argument, ...)" without the names of the arguments
sub types_only
{
	my ($signature) = @_;
	my ($name, $arguments) = $signature =~ /^([a-z_]+)\((.*)\)$/;
	my %long = (int => 'integer', timestamptz => 'timestamp with time zone');

	return "$name(" . join(', ', map { s/^\S+ //r =~ s/^(\w+)/$long{$1} \/\/ $1/er } split /, /, $arguments) . ')';
}

$node->stop;
done_testing();
