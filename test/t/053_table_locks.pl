# Calls that lock several tables for a moment release them if the holder of one
# waits for another; other deadlocks are reported.  No setting of the session is
# changed afterwards, and no lock is left.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node(
	'locks', conf => q(
log_lock_waits = on
deadlock_timeout = 5s
));
my $db = new_database($node, 'locks');

$node->safe_psql(
	$db, q(
	SELECT register_event_schema('order', 1, '{"type": "object"}');
	CREATE TABLE first (event_type text, schema_version int, data jsonb);
	CREATE TABLE second (LIKE first);
	SELECT add_event_guard('first', 'enforce'), add_event_guard('second', 'enforce');
	CREATE PROCEDURE wait_for_locks(relation regclass, number int, have boolean) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..60000 LOOP
			EXIT WHEN (SELECT count(*) FROM pg_locks AS l WHERE l.relation = wait_for_locks.relation AND granted = have
				AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock')) >= number;
			PERFORM pg_sleep(0.001);
		END LOOP;
	END $$));

# Starts a session that runs statements; returns its handle and its output.
sub start_session
{
	my %session = (out => '', err => '');

	$session{handle} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-d', $node->connstr($db), map { ('-c', $_) } @_ ],
		'<', '/dev/null', '>', \$session{out}, '2>', \$session{err});
	return \%session;
}

sub holds
{
	my ($relation) = @_;
	return $node->poll_query_until($db,
		"SELECT EXISTS (SELECT FROM pg_locks WHERE relation = '$relation'::regclass AND mode = 'RowExclusiveLock' AND granted)");
}

# A writer of both tables, in the other order.
my $writer = start_session(
	q(BEGIN), q(INSERT INTO second VALUES ('order', 1, '{}')), q(CALL wait_for_locks('second', 1, false)),
	q(INSERT INTO first VALUES ('order', 1, '{}')), q(COMMIT));
holds('second');
is(join(' ', sql_error($node, $db, q(SELECT set_event_guard_mode(NULL, 'warn')))), '', 'all guards are switched while a writer locks in another order');
IPC::Run::finish($writer->{handle});
is($writer->{err}, '', 'the writer gets no error');

# Two transactions that have written, and wait for each other's tables.
my @both = map {
	start_session(
		q(BEGIN), q(INSERT INTO first VALUES ('order', 1, '{}')), q(CALL wait_for_locks('first', 2, true)),
		q(SELECT set_event_guard_mode('first', 'enforce')), q(SHOW lock_timeout), q(SHOW deadlock_timeout), q(SHOW log_lock_waits), q(COMMIT))
} 1 .. 2;
IPC::Run::finish($_->{handle}) foreach @both;
my @failed = grep { $_->{err} ne '' } @both;
is(scalar(@failed), 1, 'one of them fails');
like($failed[0]{err}, qr/ERROR:  40P01: /, 'with the error of a deadlock');
like((grep { $_->{err} eq '' } @both)[0]{out}, qr/^0\n5s\non\n/m, 'the other one has its settings as before');

# A cancelled call has waited several times; the log mentions it once.
my $before = -s $node->logfile;
my $open = start_session(q(BEGIN), q(INSERT INTO first VALUES ('order', 1, '{}')), q(SELECT pg_sleep(60)));
holds('first');
my ($out, $err) = ('', '');
$node->psql(
	$db, q(
	BEGIN;
	SAVEPOINT before;
	SET LOCAL statement_timeout = '1500ms';
	SELECT set_event_guard_mode(NULL, 'off');
	ROLLBACK TO before;
	SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'ShareRowExclusiveLock';
	SHOW lock_timeout; SHOW deadlock_timeout; SHOW log_lock_waits;),
	stdout => \$out, stderr => \$err, on_error_stop => 0);
like($err, qr/canceling statement due to statement timeout/, 'a waiting call can be cancelled');
is($out, "0\n0\n5s\non", 'it leaves no lock and no setting');
my $waits = () = substr(slurp_file($node->logfile), $before) =~ /still waiting for ShareRowExclusiveLock/g;
is($waits, 1, 'the log names the blocking process once');
IPC::Run::kill_kill($open->{handle});

$node->stop('immediate');
done_testing();
