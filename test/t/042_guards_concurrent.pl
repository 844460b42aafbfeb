# Concurrent guards, replays, switches of modes and dumps: each
# snapshot of the database has every row in exactly one place.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = new_node('concurrent', conf => "fsync = off\nmax_wal_size = 2GB\nwal_level = logical\nmax_wal_senders = 5\nmax_replication_slots = 5\nlog_statement = none\n");
my $db = new_database($node, 'concurrent');

sub sql { return $node->safe_psql($db, @_); }

# Starts a psql that runs statements.
sub start
{
	my ($out, @statements) = @_;

	return IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db), map { ('-c', $_) } @statements ],
		'<', '/dev/null', '>', $out, '2>', $out);
}

# Waits until a session is within a pg_sleep.
sub wait_for_sleeper
{
	return $node->poll_query_until($db, q(SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE '%pg_sleep%'));
}

sql(q(
	SELECT register_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
	SELECT register_event_schema('order', 2, '{"type": "object", "required": ["n"], "properties": {"n": {"type": ["integer", "string"]}}}');
	CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text, schema_version int, data jsonb);
	CREATE TABLE others (LIKE events INCLUDING ALL);
	CREATE TABLE sent (batch bigint PRIMARY KEY);
	SELECT add_event_guard('events', 'quarantine'), add_event_guard('others', 'quarantine');
	CREATE FUNCTION to_2(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT jsonb_set(event, '{schema_version}', '2')$$;
	-- one that leaves some as they are, in two ways, and one in a hundred is no row
	CREATE FUNCTION mend(event jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
	BEGIN
	  CASE (event #>> '{data,i}')::bigint % 100
	    WHEN 20 THEN RAISE EXCEPTION 'not this one';
	    WHEN 40 THEN RETURN NULL;
	    WHEN 60 THEN RETURN '[]';
	    ELSE RETURN to_2(event);
	  END CASE;
	END
	$$;
	CREATE SEQUENCE batches;
	-- a hundred events, ten of them not valid, five of these valid under version 2
	CREATE PROCEDURE send() LANGUAGE plpgsql AS $$
	DECLARE
	  batch bigint := nextval('batches');
	BEGIN
	  INSERT INTO sent VALUES (batch);
	  INSERT INTO events (event_type, schema_version, data) SELECT 'order', 1, jsonb_build_object('i', batch * 100 + i, 'n',
	    CASE WHEN i % 20 = 0 THEN '"even"' WHEN i % 10 = 0 THEN 'null' ELSE to_jsonb(i) END) FROM generate_series(0, 99) i;
	END
	$$;
	CREATE VIEW places AS
	SELECT (data ->> 'i')::bigint AS i FROM events UNION ALL SELECT ("row" #>> '{data,i}')::bigint FROM event_schema.quarantine WHERE NOT kept;
	CREATE VIEW whole AS SELECT 'all' AS whole FROM places
	HAVING count(*) = (SELECT 100 * count(*) FROM sent) AND count(DISTINCT i) = count(*)));

# ---------- dumps concurrent with loads, replays and switches ----------

my $modes = join ' ', map { "SELECT set_event_guard_mode(NULL, $_);" } q('warn'), q('quarantine', '2999-01-01'), q('off'), q('quarantine');
my %loads = (
	send => [ 'CALL send();', '-c', '2', '-R', '40' ],
	replay => [ q(SELECT * FROM replay_event_quarantine('events', repair => 'mend(jsonb)', max_rows => 15);), '-c', '3', '-R', '20' ],
	switch => [ $modes, '-R', '2' ]);
my (%running, %out, %err);
local $ENV{PGOPTIONS} = '-c client_min_messages=error';
foreach my $load (sort keys %loads)
{
	my ($script, @options) = @{ $loads{$load} };
	my $path = $node->basedir . "/$load.sql";

	open my $file, '>', $path or die $!;
	print $file "$script\n";
	close $file;
	$running{$load} = IPC::Run::start([ 'pgbench', '-n', '-T', '10', @options, '-f', $path, $node->connstr($db) ],
		'<', '/dev/null', '>', \$out{$load}, '2>', \$err{$load});
}
sleep 1.5;
my $base = $node->basedir . '/dump';
my %dumps = (plain => [ '-Fp' ], custom => [ '-Fc' ], parallel => [ '-Fd', '-j', '2' ]);
foreach my $dump (sort keys %dumps)
{
	my $stderr;

	ok(IPC::Run::run([ 'pg_dump', @{ $dumps{$dump} }, '-f', "$base.$dump", $node->connstr($db) ], '<', '/dev/null', '2>', \$stderr), "$dump: dumped under load");
	is($stderr, '', "$dump: without messages");
}
ok($running{$_}->pumpable, "still running: $_") foreach sort keys %loads;
foreach my $load (sort keys %loads)
{
	$running{$load}->finish;
	is($running{$load}->full_result(0), 0, "$load: no error") or diag $err{$load};
	like($out{$load}, qr/transactions actually processed: [1-9]/, "$load: some transactions");
	note $out{$load} =~ /(transactions actually processed: \d+)/, " $load: $err{$load}";
}
is(sql('TABLE whole'), 'all', 'every row is in one place');
foreach my $dump (sort keys %dumps)
{
	my ($stdout, $stderr);
	my @restore = $dump eq 'plain' ? ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr($dump), '-f', "$base.$dump")
	  : ('pg_restore', '-e', '-j', '2', '-d', $node->connstr($dump), "$base.$dump");

	$node->safe_psql('postgres', "CREATE DATABASE $dump TEMPLATE template0");
	ok(IPC::Run::run(\@restore, '<', '/dev/null', '>', \$stdout, '2>', \$stderr), "$dump: restored");
	is($stderr, '', "$dump: without messages");
	is($node->safe_psql($dump, 'TABLE whole'), 'all', "$dump: every row is in one place");
	cmp_ok($node->safe_psql($dump, 'SELECT count(*) FROM sent'), '>', 0, "$dump: there are some");
	is($node->safe_psql($dump, q(
			SET client_min_messages = error;
			SELECT bool_and(problem IS NULL) FROM set_event_guard_mode(NULL, 'quarantine');
			CALL send();
			SELECT replayed > 0 FROM replay_event_quarantine('events', repair => 'to_2(jsonb)');
			TABLE whole)), "t\nt\nall", "$dump: guards and replays go on");
	$node->safe_psql('postgres', "DROP DATABASE $dump");
}

# ---------- a switch of several tables, one of them in use ----------

# A transaction uses one table for three seconds: no writer of the
# other waits for a second meanwhile.
my $valid = q((event_type, schema_version, data) VALUES ('order', 1, '{"n": 1}'));
my $writer = $node->basedir . '/writer.sql';
open my $file, '>', $writer or die $!;
print $file "INSERT INTO events $valid;\n";
close $file;
my ($open_out, $switch_out, $writers_out, $writers_err) = ('', '', '', '');
my $open = start(\$open_out, 'BEGIN', "INSERT INTO others $valid", 'SELECT pg_sleep(3)', 'COMMIT');
wait_for_sleeper();
my $writers = IPC::Run::start([ 'pgbench', '-n', '-c', '2', '-T', '4', '-L', '1000', '-f', $writer, $node->connstr($db) ],
	'<', '/dev/null', '>', \$writers_out, '2>', \$writers_err);
sleep 0.3;
my $switch = start(\$switch_out, q(SELECT bool_and(problem IS NULL) FROM set_event_guard_mode(NULL, 'enforce')));
$_->finish foreach $open, $switch, $writers;
is($switch_out, "t\n", 'all tables are switched when all are free');
like($writers_out, qr/above the 1000\.0 ms latency limit: 0\//, 'no writer of another table waits for that');
is(sql(q(SELECT count(*) FROM pg_trigger WHERE tgfoid = 'guard_event'::regproc AND encode(tgargs, 'escape') = 'enforce\000')), '2', 'both are in the new mode');

# An error while it waits, in a block that catches it: exactly that block is rolled
# back.
$open = start(\$open_out, 'BEGIN', "INSERT INTO others $valid", 'SELECT pg_sleep(60)', 'COMMIT');
wait_for_sleeper();
sql('TRUNCATE sent');
like($node->safe_psql($db, q(
	SET statement_timeout = '700ms';
	DO $$
	BEGIN
	  INSERT INTO sent VALUES (1);
	  BEGIN
	    INSERT INTO sent VALUES (2);
	    PERFORM set_event_guard_mode('others', 'off');
	  EXCEPTION WHEN query_canceled THEN
	    INSERT INTO sent VALUES (3);
	  END;
	END
	$$;
	RESET statement_timeout;
	SELECT string_agg(batch::text, ' ' ORDER BY batch) FROM sent;)), qr/^1 3$/, 'the block that raised the error is rolled back');
is((sql_error($node, $db, q(SET lock_timeout = '100ms'; SELECT set_event_guard_mode('others', 'off'))))[0], '55P03', 'no lock within the lock_timeout');
sql(q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()));
$open->finish;

# ---------- a subscriber ----------

# If the guard fires for replicated rows, too, invalid ones are diverted, and the
# apply worker continues.
my $subscriber = new_database($node, 'subscriber');
$node->safe_psql(
	$subscriber, q(
	SELECT register_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
	CREATE TABLE published (schema_version int, note text, id bigint PRIMARY KEY, event_type text, data jsonb);
	SELECT add_event_guard('published', 'quarantine');
	ALTER TABLE published ENABLE ALWAYS TRIGGER zzz_event_guard;));
sql(q(
	CREATE TABLE published (id bigint PRIMARY KEY, event_type text, schema_version int, data jsonb);
	INSERT INTO published SELECT i, 'order', 1, jsonb_build_object('n', CASE WHEN i % 10 = 0 THEN '"x"' ELSE to_jsonb(i) END) FROM generate_series(1, 100) i;
	CREATE PUBLICATION events FOR TABLE published;
	SELECT pg_create_logical_replication_slot('events', 'pgoutput');
	INSERT INTO published SELECT i, 'order', 1, jsonb_build_object('n', CASE WHEN i % 10 = 0 THEN '"x"' ELSE to_jsonb(i) END) FROM generate_series(101, 200) i;));
(my $connection = $node->connstr($db)) =~ s/'/''/g;
$node->safe_psql($subscriber, sprintf(q(CREATE SUBSCRIPTION events CONNECTION '%s' PUBLICATION events WITH (create_slot = false, slot_name = 'events')), $connection));
my $together = q(SELECT (SELECT count(*) FROM published) || ' ' || (SELECT count(*) FROM event_schema.quarantine));
ok($node->poll_query_until($subscriber, $together, '180 20'), 'replicated rows are guarded, also those of the initial copy')
  or diag $node->safe_psql($subscriber, $together);
is($node->safe_psql($subscriber, q(SELECT count(DISTINCT i) FROM (SELECT id AS i FROM published UNION ALL SELECT ("row" ->> 'id')::bigint FROM event_schema.quarantine) AS places)), '200', 'every row is there');
$node->safe_psql($subscriber, q(
	SELECT register_event_schema('order', 2, '{}', breaking => true);
	CREATE FUNCTION to_2(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{schema_version}', '2')$$;
	SELECT * FROM replay_event_quarantine(repair => 'to_2(jsonb)')));
is($node->safe_psql($subscriber, $together), '200 0', 'they can be replayed there');
sql(q(DELETE FROM published WHERE id <= 150; UPDATE published SET data = '{"n": 0}' WHERE id = 160));
ok($node->poll_query_until($subscriber, q(SELECT count(*) || ' ' || count(*) FILTER (WHERE data = '{"n": 0}') FROM published), '50 1'), 'updates and deletes are replicated');
$node->safe_psql($subscriber, 'DROP SUBSCRIPTION events');

# ---------- memory ----------

# The peak memory of a replay does not grow with the number of large rows.
SKIP:
{
	skip 'no /proc/self/status', 1 unless -e '/proc/self/status';
	sql(q(
		TRUNCATE events, others, event_schema.quarantine;
		CREATE TABLE large (id int, event_type text, schema_version int, data jsonb, body text);
		SELECT add_event_guard('large', 'quarantine');
		INSERT INTO large SELECT i, 'order', 1, '{}', repeat('abcdefgh', 500000) FROM generate_series(1, 40) i;
		SELECT register_event_schema('order', 3, '{}', breaking => true);
		CREATE FUNCTION to_3(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{schema_version}', '3')$$));
	my $peak = q(SELECT 'peak ' || substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s+(\d+)'););
	my @peaks = sql(qq(
		SELECT * FROM replay_event_quarantine('large', repair => 'to_3(jsonb)', max_rows => 4);
		$peak
		SELECT * FROM replay_event_quarantine('large', repair => 'to_3(jsonb)');
		$peak)) =~ /^peak (\d+)$/mg;
	cmp_ok($peaks[1] - $peaks[0], '<', 40 * 1024 * ($ENV{EV_COSTS} // 1), "36 rows of 4 MB need no more memory than 4: $peaks[0] kB, $peaks[1] kB");
	is(sql(q(SELECT count(*), sum(length(body)) FROM large)), '40|160000000', 'all rows are there');
}

$node->stop;
done_testing();
