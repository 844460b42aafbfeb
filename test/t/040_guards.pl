# Guards under load: every row is in exactly one place, even if the server is
# killed, and is restored from a dump.  EV_GUARD_ROWS rows (100,000; use a
# million before a release), a tenth of them invalid.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $rows = $ENV{EV_GUARD_ROWS} || 100_000;
my $node = new_node('guards', conf => "fsync = off\nmax_wal_size = 2GB\nrestart_after_crash = on\nlog_statement = none\n");
my $db = new_database($node, 'guards');

my $began = time;

sub sql { return $node->safe_psql($db, @_); }

sql(q(
	SELECT register_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
	CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text, schema_version int, data jsonb);
	SELECT add_event_guard('events', 'quarantine');
	CREATE TABLE audited (id bigint PRIMARY KEY);
	-- every number that was sent, and where it is
	CREATE VIEW places AS
	SELECT (data ->> 'i')::bigint AS i, 'table' AS place FROM events
	UNION ALL SELECT ("row" #>> '{data,i}')::bigint, 'quarantine' FROM event_schema.quarantine WHERE NOT kept;
	CREATE VIEW summary AS
	SELECT (SELECT count(*) FROM events) AS stored, (SELECT count(*) FROM event_schema.quarantine) AS diverted,
		(SELECT count(DISTINCT i) FROM places) AS different, (SELECT count(*) FROM places) AS all_of_them));

# Rows from..to as a file for COPY; one of 10 is invalid, and half of these
# are valid under version 2 of the schema.
sub make_file
{
	my ($name, $from, $to) = @_;
	my $path = $node->basedir . "/$name";

	open my $file, '>', $path or die $!;
	for my $i ($from .. $to)
	{
		my $n = $i % 20 == 0 ? '"even"' : $i % 20 == 10 ? 'null' : $i;
		print $file "order\t1\t{\"i\": $i, \"n\": $n}\n";
	}
	close $file;
	return $path;
}

sub copy { return "COPY events (event_type, schema_version, data) FROM '$_[0]'"; }

# ---------- a load, and its replay ----------

my $file = make_file('load', 1, $rows);
my $start = time;
sql(copy($file));
note sprintf('%d rows copied in %.1f s', $rows, time - $start);
is(sql('TABLE summary'), join('|', $rows - $rows / 10, $rows / 10, $rows, $rows), 'table and quarantine have all rows');
is(sql(q(SELECT count(*) FROM places WHERE (place = 'quarantine') <> (i % 10 = 0))), '0', 'each in the right place');

# Version 1 cannot change, so a repair makes the events version 2.
sql(q(
	SELECT register_event_schema('order', 2, '{"type": "object", "required": ["n"], "properties": {"n": {"type": ["integer", "string"]}}}');
	CREATE FUNCTION to_2(event jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT jsonb_set(event, '{schema_version}', '2')$$));
my @replayed;
my $after = 'NULL';
$start = time;
while (1)
{
	my ($moved, $last) = split /\|/, sql(qq(SELECT replayed, last_id FROM replay_event_quarantine('events', repair => 'to_2(jsonb)', after_id => $after)));

	push @replayed, $moved;
	last unless $last;
	cmp_ok($moved, '<=', 10000, 'a replay moves at most max_rows');
	$after = $last;
}
note sprintf('%d rows replayed in %.1f s and %d calls', $rows / 20, time - $start, scalar @replayed);
is(sql('TABLE summary'), join('|', $rows - $rows / 20, $rows / 20, $rows, $rows), 'after a replay of half of them they still have all rows');
is(sql(q(SELECT count(*) FROM places WHERE (place = 'quarantine') <> (i % 20 = 10))), '0', 'each in the right place');
is(sql('SELECT count(DISTINCT id) = count(*) FROM events'), 't', 'ids are unique');

note sprintf('%.1f s', time - $began);
# ---------- two concurrent replays ----------

sql(q(
	DELETE FROM events;
	DELETE FROM event_schema.quarantine));
sql(copy(make_file('small', 1, 20000)));
my @outputs = ('', '');
my @runs = map
{
	my $i = $_;
	IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), '-c',
			q(SELECT replayed FROM replay_event_quarantine('events', repair => 'to_2(jsonb)', max_rows => 700)) ],
		'<', '/dev/null', '>', \$outputs[$i])
} 0, 1;
$_->finish foreach @runs;
cmp_ok($outputs[0] + $outputs[1], '<=', 1000, 'not more than there are');
is(sql('SELECT different = all_of_them AND all_of_them = 20000 FROM summary'), 't', 'no row is lost or doubled');

# ---------- switching modes under load ----------

# Four writers, and one whose transaction is open for two seconds: no writer
# waits for a second because of a switch.
my ($writers, $long) = ('', '');
my $script = $node->basedir . '/writer.sql';
open my $writer, '>', $script or die $!;
print $writer qq(INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{"n": 1}');\n);
close $writer;
sql('TRUNCATE events, event_schema.quarantine');
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-T', '5', '-L', '1000', '-f', $script, $node->connstr($db) ],
	'<', '/dev/null', '>', \$writers, '2>', \my $complaints);
sleep 0.5;
my $open = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr($db), '-c', 'BEGIN',
		'-c', q(INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{"n": 1}')), '-c', 'SELECT pg_sleep(2)', '-c', 'COMMIT' ],
	'<', '/dev/null', '>', \$long, '2>', \$long);
sleep 0.2;
my $slowest = 0;
foreach my $mode (qw(warn enforce quarantine off enforce quarantine))
{
	my $since = time;

	sql("SELECT set_event_guard_mode(NULL, '$mode')");
	$slowest = time - $since if time - $since > $slowest;
}
$open->finish;
$load->finish;
my ($done) = $writers =~ /transactions actually processed: (\d+)/;
my ($late) = $writers =~ /above the 1000.0 ms latency limit: (\d+)/;
note sprintf('%d rows written, the slowest switch took %.1f s', $done, $slowest);
cmp_ok($done, '>', 100, 'writers write while modes are switched');
is($late, '0', 'no writer waits for a second');
unlike($complaints, qr/ERROR|error/, 'no writer gets an error');
is(sql('SELECT count(*) FROM events'), $done + 1, 'every row is there');

note sprintf('%.1f s', time - $began);
# ---------- killed in the middle ----------

# Runs statements in a psql, and calls a function after some time.
sub interrupt
{
	my ($after, $statements, $interrupt) = @_;
	my $script = $node->basedir . '/script';
	my ($out, $err) = ('', '');

	open my $file, '>', $script or die $!;
	print $file $statements;
	close $file;
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), '-f', $script ],
		'<', '/dev/null', '>', \$out, '2>', \$err);

	sleep $after;
	$interrupt->();
	eval { $run->finish };
	return;
}

# The numbers of committed transactions are all in one place, the others in none;
# a batch is a transaction of a thousand numbers.
sub whole
{
	my ($name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(sql('SELECT different = all_of_them FROM summary'), 't', "$name: no row is in two places");
	is(sql(q(SELECT count(*) FROM (SELECT (i - 1) / 1000 FROM places GROUP BY 1 HAVING count(*) <> 1000) AS torn)),
		'0', "$name: and every transaction is whole");
	return;
}

my $batches = join '', map { copy(make_file("batch$_", $_ * 1000 + 1, ($_ + 1) * 1000)) . ";\n" } 20 .. 219;
my $replays = join '', map { "SELECT * FROM replay_event_quarantine('events', repair => 'to_2(jsonb)', max_rows => 37, after_id => (SELECT min(id) FROM event_schema.quarantine) + $_);\n" }
  map { 37 * ($_ - 1) - 1 } 1 .. 200;

# Kills an active backend; waits until the server has recovered.
sub kill_backend
{
	my $offset = -s $node->logfile;
	my ($pid) = split /\n/, sql(q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query ~ '^(COPY|SELECT . FROM replay)'));

	return 0 unless $pid && kill('KILL', $pid);
	for (1 .. 600)
	{
		last if slurp_file($node->logfile, $offset) =~ /terminated by signal 9.*ready to accept connections/s;
		sleep 0.1;
	}
	return 1;
}

sub kill_server
{
	$node->stop('immediate');
	$node->start;
	return;
}

# The moment of the kill is noted, not tested: on a slow machine it may be too early,
# on a fast one too late.
foreach my $after (0.1, 0.2)
{
	my $hit;

	sql('TRUNCATE events, event_schema.quarantine');
	interrupt($after, $batches, sub { $hit = kill_backend() });
	note 'committed: ' . sql('TABLE summary') . ($hit ? '' : ' (nothing to kill)');
	whole("a backend killed after $after s of loading");
	is(sql(q(SELECT count(*) FROM places WHERE (place = 'quarantine') <> (i % 10 = 0))), '0', 'each row in the right place');

	my $before = sql('SELECT all_of_them FROM summary');
	interrupt($after, $replays, sub { $hit = kill_backend() });
	note 'committed: ' . sql('TABLE summary') . ($hit ? '' : ' (nothing to kill)');
	is(sql('SELECT all_of_them FROM summary'), $before, "a backend killed after $after s of replaying: all are there");
	whole("a backend killed after $after s of replaying");
}

sql('TRUNCATE events, event_schema.quarantine');
interrupt(0.3, $batches, \&kill_server);
note 'committed: ' . sql('TABLE summary');
whole('the server killed while loading');
is(sql(q(SELECT count(*) FROM places WHERE (place = 'quarantine') <> (i % 10 = 0))), '0', 'each row in the right place');
my $before = sql('SELECT all_of_them FROM summary');
interrupt(0.3, $replays, \&kill_server);
note 'committed: ' . sql('TABLE summary');
is(sql('SELECT all_of_them FROM summary'), $before, 'the server killed while replaying: all are there');
whole('the server killed while replaying');

note sprintf('%.1f s', time - $began);
# ---------- dump and restore ----------

sql('TRUNCATE events, event_schema.quarantine');
sql(copy($node->basedir . '/small'));
sql(q(SELECT * FROM replay_event_quarantine('events', repair => 'to_2(jsonb)', max_rows => 300)));
sql(q(
	SELECT set_event_guard_mode('events', 'warn', '2999-01-01');
	SET client_min_messages = error;
	INSERT INTO events (event_type, schema_version, data) VALUES ('order', 1, '{"i": 20001, "n": "kept"}');
	CREATE TABLE parts (id int, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
	CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
	CREATE FUNCTION version_of(d jsonb) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT (d ->> 'v')::int$$;
	SELECT add_event_guard('parts', 'quarantine', $$data -> 'order'$$, version_expr => 'version_of(data)');
	INSERT INTO parts VALUES (1, 'order', NULL, '{"v": 1, "order": {"n": 1}}'), (2, 'order', NULL, '{"v": 7, "order": {}}')));
my $inventory = q(
	SELECT 'event', e::text FROM events e UNION ALL SELECT 'part', p::text FROM parts p
	UNION ALL SELECT 'quarantine', q::text FROM event_schema.quarantine q
	UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE tgfoid = 'guard_event'::regproc
	UNION ALL SELECT 'owner', relowner::regrole::text FROM pg_class WHERE relnamespace = 'event_schema'::regnamespace
	ORDER BY 1, 2);
my $original = sql($inventory);

sub quiet
{
	my ($name, @command) = @_;
	my ($stdout, $stderr);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(IPC::Run::run(\@command, '<', '/dev/null', '>', \$stdout, '2>', \$stderr), "$name: exit status");
	is($stderr, '', "$name: no messages");
	return;
}

sub restored
{
	my ($name, $database) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($node->safe_psql($database, $inventory) eq $original, "$name: all contents are there");
	is($node->safe_psql($database, q(
			SET client_min_messages = error;
			SELECT register_event_schema('order', 7, '{}', breaking => true) IS NOT NULL;
			SELECT replayed, remaining FROM replay_event_quarantine('parts');
			INSERT INTO parts VALUES (3, 'order', NULL, '{"v": 8, "order": {}}') RETURNING id;
			SELECT max(id) > 1000, count(*) FROM event_schema.quarantine WHERE relation_name = 'parts')),
		"t\n1|0\nt|1", "$name: replay and guard go on");
	return;
}

my $dump = $node->basedir . '/dump';
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE DATABASE plain TEMPLATE template0; CREATE DATABASE parallel TEMPLATE template0; CREATE DATABASE owned TEMPLATE template0 OWNER owner');
quiet('a plain dump', 'pg_dump', '-f', "$dump.sql", $node->connstr($db));
quiet('its restore', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $node->connstr('plain'), '-f', "$dump.sql");
restored('plain', 'plain');
quiet('a dump of a directory', 'pg_dump', '-Fd', '-j', '2', '-f', "$dump.dir", $node->connstr($db));
quiet('its restore, two at a time', 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('parallel'), "$dump.dir");
restored('parallel', 'parallel');
quiet('its restore by the database\'s owner', 'pg_restore', '-e', '--no-owner', '-d', $node->connstr('owned') . ' user=owner', "$dump.dir");
is($node->safe_psql('owned', 'SELECT count(*) FROM event_schema.quarantine'), sql('SELECT count(*) FROM event_schema.quarantine'),
	'by the owner: the quarantine is there');
# another role owns the tables now: the events wait until the quarantine's owner says that this is right
is($node->safe_psql('owned', q(
		SET client_min_messages = error;
		SELECT register_event_schema('order', 7, '{}', breaking => true) IS NOT NULL;
		SELECT replayed, remaining, problem ~ 'role "owner", which owns table "parts" now, does not have the rights' FROM replay_event_quarantine('parts');
		UPDATE event_schema.quarantine SET relation_owner = 'owner' WHERE relation_name = 'parts';
		SELECT replayed, remaining, problem IS NULL FROM replay_event_quarantine('parts'))),
	"t\n0|1|t\n1|0|t", 'by the owner: replay asks for the owner, and goes on');
# a restore of data alone fires the guards, unless --disable-triggers is given
$node->safe_psql('parallel', 'TRUNCATE events, parts, event_schema.quarantine');
quiet('a restore of the data alone', 'pg_restore', '-e', '-a', '--disable-triggers', '-d', $node->connstr('parallel'), "$dump.dir");
is($node->safe_psql('parallel', 'TABLE summary'), sql('TABLE summary'), 'data alone: every row is in its place');

note sprintf('%.1f s', time - $began);
# ---------- the log ----------

sub logged
{
	my ($name, $settings, $statements) = @_;
	my $offset = -s $node->logfile;

	$node->psql($db, "SET client_min_messages = error; $settings; $statements", on_error_stop => 0);
	return grep { /LOG:  event / } split /\n/, slurp_file($node->logfile, $offset);
}

my $insert = q(INSERT INTO events (event_type, schema_version, data) VALUES);
my $bad = qq($insert ('order', 1, '{"n": "x\\\\ny"}'));
sql(q(CREATE TABLE checked (data jsonb CHECK (check_event(data, 'order', 1)))));
is(scalar(logged('by default', 'SELECT 1', $bad)), 0, 'the log is silent by default');
my $on = 'SET event_validate.log_violations = on';
sql(q(SELECT set_event_guard_mode('events', 'quarantine')));
my @lines = logged('diverted', $on, $bad);
is(scalar @lines, 1, 'one line for an event that is diverted');
like($lines[0], qr/LOG:  event diverted: table "public\.events", type "order" version 1: \/n: must be integer/, 'which has the event and the reason');
sql(q(SELECT set_event_guard_mode('events', 'warn')));
like((logged('kept', $on, $bad))[0], qr/event kept: table "public\.events", type "order" version 1: /, 'one that is kept');
sql(q(SELECT set_event_guard_mode('events', 'enforce')));
like((logged('refused', $on, $bad))[0], qr/event refused: table "public\.events", type "order" version 1: /, 'one that is refused');
like((logged('unregistered', $on, "$insert ('none', 8, '{}')"))[0], qr/event refused: table "public\.events", type "none" version 8: not registered/, 'one without a schema');
like((logged('check', $on, q(INSERT INTO checked VALUES ('{}'))))[0], qr/event refused: type "order" version 1: \(document\): required property "n"/, 'one that a CHECK refuses');
like((logged('lines', $on, "$insert (E'a\\nLOG:  b', 8, '{}')"))[0], qr/type "a\\nLOG:  b" version 8/, 'a line feed in the type does not start a line');
sql(q(SELECT register_event_schema('keys', 1, '{"additionalProperties": {"type": "number"}}')));
@lines = logged('keys', $on, $insert . q{ ('keys', 1, jsonb_build_object(E'a\nLOG:  forged \x1b[31m' || U&'\2028\0085\202e', true))});
is(scalar @lines, 1, 'nor does one in a key');
like($lines[0], qr{version 1: "/a\\nLOG:  forged \\u001b\[31m\\u2028\\u0085\\u202e": must be number}, 'which is escaped, with all that is not to be seen');
sql(q(SELECT set_event_guard_mode('events', 'quarantine')));
my $many = qq($insert ('order', 1, '1'); ) x 50;
is(scalar(logged('many', "$on; SET event_validate.log_violations_rate = 5", "$many SELECT pg_sleep(1.1); $bad")), 6, 'log_violations_rate limits the lines of a second');
like((logged('many', "$on; SET event_validate.log_violations_rate = 5", "$many SELECT pg_sleep(1.1); $bad"))[-1],
	qr/\(45 events before this one not logged\)/, 'the other events are counted');
is(scalar(logged('all', "$on; SET event_validate.log_violations_rate = 0", $many)), 50, 'a rate of 0 logs all');
# the WARNINGs of kept events have the same rate; the session's end reports the rest
sql(q(SELECT set_event_guard_mode('events', 'warn')));
my $offset = -s $node->logfile;
$node->psql($db, "SET client_min_messages = error; SET event_validate.log_violations_rate = 5; $many");
my $log = slurp_file($node->logfile, $offset);
my $warnings = () = $log =~ /WARNING:  event "order" version 1 is not valid/g;
my ($rest) = $log =~ /LOG:  (\d+) events that are not valid were not logged by this session/;
cmp_ok($rest // 0, '>', 0, 'the rate applies to WARNINGs');
is($warnings + ($rest // 0), 50, 'the end of the session reports those that were left out');
sql(q(SELECT set_event_guard_mode('events', 'quarantine')));
my $bypass = 'SET event_validate.bypass_guard = on';
is_deeply([ map { s/.*LOG:  //r } logged('bypass', "$on; $bypass", "BEGIN; $bad, ('order', 1, '[]'); $bad; COMMIT; BEGIN; $bad; ROLLBACK") ],
	[ 'event guard of public.events bypassed by role "postgres" for 3 rows (committed)', 'event guard of public.events bypassed by role "postgres" for 1 rows (rolled back)' ],
	'rows that bypass a guard are counted');
is_deeply([ map { s/.*LOG:  //r } logged('bypass', "$on; $bypass", "BEGIN; $bad; SAVEPOINT a; $bad; SAVEPOINT b; $bad; RELEASE b; ROLLBACK TO a; $bad; SAVEPOINT c; $bad; RELEASE c; RELEASE a; COMMIT") ],
	[ 'event guard of public.events bypassed by role "postgres" for 2 rows (rolled back)', 'event guard of public.events bypassed by role "postgres" for 3 rows (committed)' ],
	'those of a subtransaction that is rolled back are told apart');
is((sql_error($node, $db, 'SET event_validate.log_violations = on', extra_params => [ '-U', 'owner' ]))[0],
	sql('SHOW shared_preload_libraries') =~ /event_validate/ ? '42501' : undef, '(a placeholder before the library is loaded)');
is((sql_error($node, $db, q(SELECT validate_event('{}', 'order', 1); SET event_validate.log_violations = on), extra_params => [ '-U', 'owner' ]))[0],
	'42501', 'only a superuser can set it');

done_testing();
