# The extension installs, goes, and comes back.
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
	'the version that the control file names');
is( $node->safe_psql(
		'postgres',
		q(SELECT DISTINCT p.probin FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
		  WHERE l.lanname = 'c' AND p.probin LIKE '%event_validate%')),
	'$libdir/event_validate',
	'its functions are those of one library');

$node->safe_psql('postgres', 'DROP EXTENSION event_validate');
is($node->safe_psql('postgres', $objects), $before, 'DROP EXTENSION leaves nothing');

$node->safe_psql('postgres', 'CREATE EXTENSION event_validate');
pass('and it can be created again');

my ($sqlstate) =
  sql_error($node, 'postgres', 'CREATE EXTENSION event_validate');
is($sqlstate, '42710', 'but not twice');

$node->stop;
done_testing();
