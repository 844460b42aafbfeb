# The extension can be created, dropped, and created again.
use strict;
use warnings;

use EventValidate;
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
	'1.0',
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

my @error = sql_error($node, 'owned', 'CREATE EXTENSION event_validate',
	extra_params => [ '-U', 'stranger' ]);
isnt($error[0], undef, 'another role cannot install it');

# An existing schema of that name that belongs to another role is not used.
$node->safe_psql('postgres', 'CREATE DATABASE taken');
$node->safe_psql('taken', 'CREATE SCHEMA event_schema');
@error = sql_error($node, 'taken', 'CREATE EXTENSION event_validate');
like($error[1] // '', qr/event_schema/, 'an existing schema event_schema prevents the installation');
is( $node->safe_psql('taken', q(SELECT count(*) FROM pg_extension WHERE extname = 'event_validate')),
	'0', 'which leaves no extension');

$node->stop;
done_testing();
