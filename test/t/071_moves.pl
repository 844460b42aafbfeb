# A database with everything of the extension in use, made with each released
# version and this library: it works before its update; the update runs while
# others write, on a server with a standby; and it comes back from a dump in each
# form.  (010_dump_restore.pl is about dumps of many kinds of names and roles.)
use strict;
use warnings;

use Catalogs;
use EventValidate;
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = dirname(__FILE__) . '/../moves';
my ($current) = slurp_file("$folder/../../event_validate.control") =~ /^default_version = '(.*)'/m;
my @released = map { /  event_validate--([0-9.]+)\.sql$/ ? $1 : () } split /\n/, slurp_file("$folder/../../install/frozen.sha256");
my ($everything, $inventory, $works) = map { slurp_file("$folder/$_.sql") } qw(everything inventory works);

my $node = new_node('moves', init => { allows_streaming => 1 });
my $dump = $node->backup_dir;
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;

# the claims of works.sql that do not hold
sub broken
{
	my ($on, $database) = @_;
	my ($status, $stdout, $stderr) = $on->psql($database, $works);

	return join "\n", "exit status $status", $stderr, grep { !/\|t(rue)?$/ } split /\n/, $stdout;
}

# Without the extension's own objects, which an update may add to: 070_versions.pl compares those.
sub contents { return join "\n", grep { !/^(member|event trigger)\|/ } split /\n/, $_[0]->safe_psql($_[1], $inventory) }

# a stream of transactions, each of which stores one event that is valid in a
# table with a check and one in a guarded table, and diverts one
append_to_file("$dump/writer.sql", q(
	BEGIN;
	INSERT INTO app.events (event_type, schema_version, data) VALUES ('order', 3, '{"id": 7, "quantity": 7, "currency": "WRT"}');
	INSERT INTO app.guarded (event_type, schema_version, data) VALUES ('order', 1, '{"id": 7, "qty": 7, "by": "writer"}');
	INSERT INTO app.guarded (event_type, schema_version, data) VALUES ('order', 1, '{"id": 7, "qty": -7, "by": "writer"}');
	SELECT public.upcast_event('{"id": 1, "qty": 2}', 'order', 1), count(*) FROM app.order_latest WHERE id < 9;
	COMMIT;));
my $written = q(SELECT count(*) FROM app.events WHERE data->>'currency' = 'WRT');

my $restored;
foreach my $version (@released)
{
	my $db = 'v' . $version =~ s/\W/_/gr;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->safe_psql($db, "CREATE EXTENSION event_validate VERSION '$version';\n$everything");
	is(broken($node, $db), "exit status 0\n", "$version with this library: everything works");
	my $before = contents($node, $db);
	cmp_ok(length($before), '>', 100000, "$version: an inventory");

	# update while others write
	my @writers = map { IPC::Run::start([ 'pgbench', '--no-vacuum', '--time', '600', '--client', '2', '--file', "$dump/writer.sql",
		$node->connstr($db) . ' application_name=writer' ], '<', '/dev/null', '>', "$dump/writer.$_.out", '2>', "$dump/writer.$_.err") } 1 .. 2;
	ok($node->poll_query_until($db, "SELECT ($written) >= 50"), "$version: there are writers");
	my $at = -s $node->logfile;
	$node->safe_psql($db, 'ALTER EXTENSION event_validate UPDATE');
	my $count = $node->safe_psql($db, $written);
	ok($node->poll_query_until($db, "SELECT ($written) >= $count + 50"), "$version, updated: the writers go on");
	is($node->safe_psql($db, q(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'writer')), '4', 'all of them');
	$_->kill_kill foreach @writers;
	$node->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'writer')) or die;
	is(join('', map { grep { !/^progress|^$|killed/i } split /^/, slurp_file("$dump/writer.$_.err") } 1 .. 2), '', 'without an error');
	unlike(substr(slurp_file($node->logfile), $at), qr/ERROR|PANIC|FATAL:(?!.*connection to client lost)/, 'nor one in the log');
	$count = $node->safe_psql($db, $written);
	is( $node->safe_psql($db, q(SELECT count(*) FROM app.guarded WHERE data->>'by' = 'writer' UNION ALL
			SELECT count(*) FROM event_quarantine WHERE "row" #>> '{data,by}' = 'writer')),
		"$count\n$count", 'each committed event is in its table or in the quarantine');
	is($node->safe_psql($db, q(SELECT extversion FROM pg_extension WHERE extname = 'event_validate')), $current, "$version is $current now");
	is(broken($node, $db), "exit status 0\n", "$version, updated: everything works");

	$node->safe_psql($db, q(DELETE FROM app.events WHERE data->>'currency' = 'WRT'; DELETE FROM app.guarded WHERE data->>'by' = 'writer';
		DELETE FROM event_schema.quarantine WHERE "row" #>> '{data,by}' = 'writer'));
	is(catalog_differences($before, contents($node, $db)), '', "$version, updated: everything is there");
	$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
	is(catalog_differences($before, contents($standby, $db)), '', "$version, updated: and on the standby");
	$restored = $before;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS everything');
	$node->safe_psql('postgres', "ALTER DATABASE $db RENAME TO everything");
}

# ---------- dumps ----------

sub run_quietly
{
	my ($name, @command) = @_;
	my ($stdout, $stderr);
	my $ok = IPC::Run::run(\@command, '<', '/dev/null', '>', \$stdout, '2>', \$stderr);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	# (DROP DATABASE IF EXISTS of pg_dumpall --clean)
	$stderr =~ s/^.*NOTICE:  database "\w+" does not exist, skipping\n//mg;
	ok($ok && $stderr eq '', $name) or diag $stderr;
	return;
}

# restores and compares
sub restored
{
	my ($name, $on, @commands) = @_;
	my $db = "copy_$name";

	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0") if $on == $node;
	$db = 'everything' if $on != $node;
	run_quietly("$name: $_->[0]", @$_) foreach map { [ map { s/DATABASE/$on->connstr($db)/re } @$_ ] } @commands;
	# (no restore of data alone refreshes a materialized view)
	$on->safe_psql($db, 'REFRESH MATERIALIZED VIEW app.versions');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(catalog_differences($restored, contents($on, $db)), '', "$name: everything is there");
	is(broken($on, $db), "exit status 0\n", "$name: everything works");
	$node->safe_psql('postgres', "DROP DATABASE $db") if $on == $node;
	return;
}

my $source = $node->connstr('everything');
my @psql = ('psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', 'DATABASE', '-f');
my @sql = (@psql[ 0 .. 8 ], '-c');
my @restore = ('pg_restore', '--exit-on-error', '-d', 'DATABASE');
run_quietly("pg_dump @$_", 'pg_dump', '-d', $source, @$_)
  foreach [ '-Fc', '-f', "$dump/custom" ], [ '-s', '-f', "$dump/schema.sql" ],
  [ '-a', '--disable-triggers', '-f', "$dump/data.sql" ], map { [ "--section=$_", '-f', "$dump/section.$_.sql" ] } qw(pre-data data post-data);
restored('custom', $node, [ @restore, '-j2', "$dump/custom" ]);
restored('clean', $node, [ @restore, '-1', "$dump/custom" ],
	# the quarantine and the originals are not dropped while they have rows
	[ @sql, 'DELETE FROM event_schema.quarantine; DELETE FROM event_schema.migrated_events' ],
	[ @restore, '--clean', '--if-exists', "$dump/custom" ]);
# a check that is not valid refuses the rows that it has not checked, and is added again after them
restored('schema_and_data', $node, [ @psql, "$dump/schema.sql" ], [ @sql, 'ALTER TABLE app.late DROP CONSTRAINT late_event_check' ],
	[ @psql, "$dump/data.sql" ], [ @sql, q(SELECT add_event_check('app.late')) ]);
restored('sections', $node, map { [ @psql, "$dump/section.$_.sql" ] } qw(pre-data data post-data));

my $other = new_node('other');
run_quietly('pg_dumpall --clean', 'pg_dumpall', '--clean', '--if-exists', '-f', "$dump/all.sql", '-d', $node->connstr('postgres'));
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
# (the role that restores it cannot be dropped)
my $all = slurp_file("$dump/all.sql") =~ s/^(DROP|CREATE) ROLE (IF EXISTS )?"?\Q$superuser\E"?;$//mgr;
append_to_file("$dump/all.new.sql", $all);
restored('pg_dumpall', $other, [ map { s/DATABASE/$other->connstr('postgres')/re } @psql, "$dump/all.new.sql" ]);

$_->stop foreach $standby, $other, $node;
done_testing();
