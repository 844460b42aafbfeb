# Checks are added to, validated on and dropped from a table with writers at full
# load: writers fail only for invalid rows, and none waits for a second.
# EV_ROLLOUT_SECONDS is the duration.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{EV_ROLLOUT_SECONDS} || 12;
my $clients = 4;

my $node = new_node('rollout', conf => "shared_buffers = 16MB\nmax_wal_size = 4GB\nfsync = off\nautovacuum = off\n");
my $db = new_database($node, 'rollout');

$node->safe_psql(
	$db, q(
	SELECT register_event_schema('order', 1, '{"type": "object", "required": ["id", "symbol"],
	  "properties": {"id": {"type": "integer"}, "symbol": {"pattern": "^[A-Z]{1,5}$"}, "tags": {"items": {"type": "string"}}}}');
	CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text NOT NULL,
	  schema_version int NOT NULL, data jsonb NOT NULL);
	INSERT INTO events (event_type, schema_version, data)
	  SELECT 'order', 1, jsonb_build_object('id', i, 'symbol', CASE WHEN i % 1000 = 0 THEN 'lower' ELSE 'ABC' END)
	  FROM generate_series(1, 300000) AS i;
	CREATE TABLE refused (id bigint);
	ANALYZE events;
	-- a writer that expects nothing but that bad events are refused
	CREATE FUNCTION write(i bigint) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
	  INSERT INTO events (event_type, schema_version, data)
	    VALUES ('order', 1, jsonb_build_object('id', i, 'symbol', CASE WHEN i % 50 = 0 THEN 'bad' ELSE 'XYZ' END));
	EXCEPTION WHEN check_violation THEN
	  INSERT INTO refused VALUES (i);
	END
	$$;));

# ---------- under load ----------

my $script = $node->basedir . '/write.sql';
append_to_file($script, "\\set i random(1, 1000000)\nBEGIN;\nSELECT write(:i);\nSELECT write(:i + 1);\nCOMMIT;\n");
my $log = $node->basedir . '/latency';
my ($out, $err) = ('', '');
my $pgbench = IPC::Run::start(
	[ 'pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', 2, '-T', $seconds, '-l', "--log-prefix=$log",
	  '-f', $script, '-h', $node->host, '-p', $node->port, $db ],
	'<', \undef, '>', \$out, '2>', \$err);
my $end = time + $seconds - 1;
sleep 1;

my %took;

sub timed
{
	my ($name, $sql) = @_;
	my $start = time;
	my @error = sql_error($node, $db, $sql);
	push @{ $took{$name} }, time - $start;
	return @error;
}

is(scalar(timed('add', q(SELECT add_event_check('events')))), 0, 'a check is added');
my $checked_from = $node->safe_psql($db, 'SELECT max(id) FROM events');
my @error = timed('validate, refused', q(SELECT validate_event_check('events')));
is($error[0], '23514', 'validation fails for old rows');
like($error[2], qr{^DETAIL:\s+\d+: "order" version 1, /symbol, pattern: must match the pattern .* \(such as \d+, \d+, \d+\)}m, 'the error has the violations');

is($node->safe_psql($db, "SELECT count(*), min(violations) >= 300 FROM audit_events('events') WHERE keyword IS NOT NULL"), '1|t', 'an audit finds the one kind of violation');
is(scalar(timed('audit', q(SELECT * FROM audit_events('events')))), 0, 'an audit');
$node->safe_psql($db, q(UPDATE events SET data = jsonb_set(data, '{symbol}', '"ABC"') WHERE NOT validate_event(data, event_type, schema_version)));
is(scalar(timed('validate', q(SELECT validate_event_check('events')))), 0, 'after repair validation succeeds');
is($node->safe_psql($db, q(SELECT validated FROM _event_validate.event_checks('events'))), 't', 'the check is validated');

# an open transaction makes add_event_check wait, but not the
# writers
my $sleeper = IPC::Run::start(
	[ 'psql', '-X', '-q', '-h', $node->host, '-p', $node->port, '-d', $db,
	  '-c', 'BEGIN; LOCK TABLE events IN ROW EXCLUSIVE MODE; SELECT pg_sleep(2.5); COMMIT' ],
	'<', \undef, '>', \my $ignored, '2>', \my $ignored_too);
$node->poll_query_until($db, q(SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE%' AND wait_event = 'PgSleep'));
is(scalar(timed('drop, behind an open transaction', q(SELECT drop_event_check('events')))), 0, 'a check is dropped after the transaction ends');
$sleeper->finish;
cmp_ok($took{'drop, behind an open transaction'}[0], '>', 1, 'it has waited');
my $rounds = 0;
while (time < $end)
{
	my ($sql, $name) = $rounds++ % 2 ? ("drop_event_check('events')", 'drop') : ("add_event_check('events')", 'add');
	is(scalar(timed($name, "SELECT $sql")), 0, $name);
	sleep 0.2;
}
ok($pgbench->finish, 'no writer failed') or diag $err;
unlike($err, qr/error|aborted/i, 'no writer had an error');

my ($slowest, $transactions) = (0, 0);
foreach my $file (glob "$log.*")
{
	foreach my $line (split /\n/, slurp_file($file))
	{
		my $time = (split / /, $line)[2];
		$transactions++;
		$slowest = $time if $time > $slowest;
	}
}
cmp_ok($transactions, '>', 100 * $seconds / 12, "transactions of writers: $transactions");
cmp_ok($slowest, '<', 1_000_000, sprintf('the slowest took %.0f ms', $slowest / 1000));
cmp_ok($node->safe_psql($db, 'SELECT count(*) FROM refused'), '>', 0, 'invalid rows were rejected');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND conname LIKE 'events%')), $rounds % 2, 'the last call took effect');
foreach my $name (sort keys %took)
{
	my @times = sort { $a <=> $b } @{ $took{$name} };
	note sprintf '%s: %d times, at most %.0f ms', $name, scalar @times, 1000 * $times[-1];
}

# ---------- locks ----------

# The locks of each call.
$node->safe_psql($db, q(SELECT drop_event_check('events')));
my $locks = q(SELECT string_agg(DISTINCT mode, ', ' ORDER BY mode) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'events'::regclass);
is($node->safe_psql($db, "BEGIN; SELECT FROM audit_events('events'); $locks; ROLLBACK"), 'AccessShareLock', 'an audit only reads');
like($node->safe_psql($db, "BEGIN; SELECT FROM add_event_check('events'); $locks; ROLLBACK"), qr/AccessExclusiveLock/, 'adding takes an exclusive lock');
$node->safe_psql($db, "DELETE FROM events WHERE NOT validate_event(data, event_type, schema_version); SELECT add_event_check('events')");
is($node->safe_psql($db, "BEGIN; SELECT FROM validate_event_check('events'); $locks; ROLLBACK"), 'ShareUpdateExclusiveLock', 'validating allows others to read and write');
is($node->safe_psql($db, "SELECT drop_event_check('events')"), '', 'dropped');

# A lock that is not available: an error after some time; the session's
# lock_timeout applies, and is unchanged afterwards.
$sleeper = IPC::Run::start(
	[ 'psql', '-X', '-q', '-h', $node->host, '-p', $node->port, '-d', $db,
	  '-c', 'BEGIN; LOCK TABLE events IN ROW EXCLUSIVE MODE; SELECT pg_sleep(60); COMMIT' ],
	'<', \undef, '>', \$ignored, '2>', \$ignored_too);
$node->poll_query_until($db, q(SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE%' AND wait_event = 'PgSleep'));
my $start = time;
@error = sql_error($node, $db, q(SET lock_timeout = '200ms'; SELECT add_event_check('events')));
is($error[0], '55P03', 'no lock within the lock_timeout');
cmp_ok(time - $start, '<', 5, 'it applies once');
$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE%'));
$sleeper->finish;
is($node->safe_psql($db, q(BEGIN; SELECT FROM add_event_check('events'); SHOW lock_timeout; COMMIT)), '0', 'lock_timeout is unchanged');

# ---------- progress ----------

$node->safe_psql(
	$db, q(
	CREATE FUNCTION slow(jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN $1; END';
	CREATE TABLE few AS SELECT * FROM events LIMIT 1500;));
my $audit = IPC::Run::start(
	[ 'psql', '-X', '-q', '-h', $node->host, '-p', $node->port, '-d', $db, '-c', q(SELECT * FROM audit_events('few', 'slow(data)')) ],
	'<', \undef, '>', \$ignored, '2>', \$ignored_too);
ok($node->poll_query_until($db, q(SELECT count(*) > 0 FROM pg_stat_activity WHERE query ~ '^/\* [1-9][0-9]* rows checked, 0 not valid \*/ SELECT \* FROM audit_events' AND pid <> pg_backend_pid())),
	'an audit shows its progress');
$audit->finish;
is($node->safe_psql($db, q(SELECT count(*) FILTER (WHERE _event_validate.event_audit_filter(slow(data), event_type, schema_version)) FROM few; SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid())),
	"0\nSELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()", 'afterwards the query is shown as before');

# ---------- memory ----------

# The peak memory of an audit does not grow with the number of invalid rows.
SKIP:
{
	skip 'no /proc/self/status', 2 unless -e '/proc/self/status';
	my $peak = q(SELECT 'peak ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s+(\d+)'););
	my $stdout = $node->safe_psql(
		$db, qq(
		CREATE TABLE bad AS SELECT 'order' AS event_type, 1 AS schema_version,
		  jsonb_build_object('id', 'x', 'symbol', 'lower', 'tags', jsonb_build_array(i, i)) AS data FROM generate_series(1, 100000) AS i;
		ANALYZE bad;
		SET max_parallel_workers_per_gather = 0;
		SELECT count(*) FROM bad;
		CREATE TABLE fewer AS SELECT * FROM bad LIMIT 5000;
		ANALYZE fewer;
		SELECT FROM audit_events('fewer');
		$peak
		SELECT 'violations ' || violations, 'rows ' || rows FROM audit_events('bad') LIMIT 1;
		$peak));
	like($stdout, qr/^violations 400000\|rows 100000$/m, 'an audit of only invalid rows');
	my @peaks = $stdout =~ /^peak (\d+)$/mg;
	cmp_ok($peaks[1] - $peaks[0], '<', 40 * 1024 * ($ENV{EV_COSTS} // 1), "its memory does not grow with them: $peaks[0] kB, $peaks[1] kB");
	$node->safe_psql($db, 'DROP TABLE bad, fewer');
}

# ---------- dump and restore ----------

# A check that is not validated, with invalid rows: it is dumped after the rows.
$node->safe_psql(
	$db, q(
	SELECT drop_event_check('events');
	CREATE TABLE old (id int, event_type text, schema_version int, data jsonb);
	INSERT INTO old VALUES (1, 'order', 1, '{}'), (2, 'nobody', 9, '{}');
	SELECT add_event_check('old');
	DROP TABLE events, few;));
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $db, '-p', $node->port, '-h', $node->host ], 'a dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', 'restored', '-p', $node->port, '-h', $node->host ], 'restores');
is($node->safe_psql('restored', q(SELECT count(*), (SELECT validated FROM _event_validate.event_checks('old')) FROM old)), '2|f', 'with invalid rows, and the check as before');

$node->stop;
done_testing();
