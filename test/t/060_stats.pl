# Statistics of validations: exact, also for what was rolled back; kept over a
# restart and an immediate shutdown, lost by a crash; bounded; each server its own;
# rights.  EV_STATS_EVENTS
# events (20,000), a tenth of them invalid, each in its own transaction.
use strict;
use warnings;

use EventValidate;
use File::Basename;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $events = $ENV{EV_STATS_EVENTS} || 20_000;
my $clients = 8;
# Debian's extension_destdir finds a library only below $libdir
my $library = ($ENV{EV_SERVER_CONF} || '') =~ /extension_destdir/ ? '$libdir/event_validate' : 'event_validate';
my $node = new_node(
	'stats',
	init => { allows_streaming => 1 },
	conf => "shared_preload_libraries = ''\nfsync = off\nlog_statement = none\nlog_min_messages = fatal\nlogging_collector = on\nlog_destination = 'stderr,jsonlog'\nrestart_after_crash = on\nevent_validate.stats_max = 200\nmax_prepared_transactions = 1\n");
my $db = new_database($node, 'stats');

sub sql { return $node->safe_psql($db, @_); }

# Runs the same statements in some sessions, without output, past errors.
sub run_sessions
{
	my ($server, @statements) = @_;
	my $path = $server->basedir . '/statements.sql';
	my @running;

	unlink $path;
	append_to_file($path, join '', map { "$_;\n" } @statements);
	push @running, IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=terse', '-d', $server->connstr($db), '-f', $path ], '>', '/dev/null', '2>', '/dev/null')
	  for 1 .. $clients;
	$_->finish for @running;
	return;
}

# ---------- not preloaded ----------

sql(q(
	SELECT register_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "tags": {"items": {"type": "string"}}}}');
	CREATE TABLE checked (data jsonb CHECK (check_event(data, 'order', 1)));
	CREATE DOMAIN order_data AS jsonb CHECK (event_schema."order@1"(VALUE));
	CREATE TABLE typed (data order_data);
	CREATE TABLE guarded (event_type text, schema_version int, data jsonb);
	SELECT add_event_guard('guarded', 'enforce');
	CREATE ROLE producer LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor;
	GRANT INSERT ON checked TO producer;
	INSERT INTO checked VALUES ('{"n": 1}')));

for my $statement ('SELECT * FROM event_validation_stats', 'SELECT * FROM event_validation_stats_history', 'SELECT * FROM event_validation_stats_daily',
	'SELECT * FROM event_validation_failures', 'SELECT * FROM event_validation_stats_info', 'SELECT event_validation_stats_reset()')
{
	my @error = sql_error($node, $db, $statement);
	is($error[0], '55000', "$statement: not preloaded");
	like($error[2], qr/HINT:.*shared_preload_libraries = 'event_validate'/, 'with a hint');
}
my @error = sql_error($node, $db, "LOAD '$library'; SELECT * FROM event_validation_stats");
is($error[0], '55000', 'a loaded library is not a preloaded one');

$node->append_conf('postgresql.conf', "shared_preload_libraries = '$library'");
$node->restart;
is(sql('SELECT count(*) FROM event_validation_stats'), '0', 'nothing is counted yet');

# ---------- exact ----------

my $each = int($events / $clients / 3 / 20) * 20;
my @inserts;
for my $i (1 .. $each)
{
	# one of ten has no property n, and some of these have a wrong tag
	my $data = $i % 10 ? qq({"n": $i}) : $i % 20 ? '{}' : qq({"tags": ["a", "b", $i], "n": 1});

	push @inserts, "INSERT INTO checked VALUES ('$data')", "INSERT INTO typed VALUES ('$data')", "INSERT INTO guarded VALUES ('order', 1, '$data')";
}
run_sessions($node, @inserts);
my $total = $each * $clients;
my $counts = q(SELECT coalesce(relation::text, '-'), sum(valid), sum(invalid), sum(valid) + sum(invalid)
	FROM event_validation_stats WHERE event_type = 'order' AND schema_version = 1 GROUP BY 1 ORDER BY 1);
my $expected = join "\n", map { join '|', $_->[0], $_->[1] * $total * 9 / 10, $_->[1] * $total / 10, $_->[1] * $total } [ '-', 2 ], [ 'guarded', 1 ];
is(sql($counts), $expected, "all of $total events each by CHECK, domain and guard are counted, though invalid ones were rolled back");
is(sql(q(SELECT count(*) FROM checked)) + sql(q(SELECT count(*) FROM typed)) + sql('SELECT count(*) FROM guarded'), $total * 27 / 10 + 1, 'of which the valid ones are stored');
is( sql(q(SELECT sum(valid), sum(invalid) FROM event_validation_stats_history WHERE event_type = 'order' AND database = current_database())),
	join('|', $total * 27 / 10, $total * 3 / 10), 'the hours have them all');
is( sql(q(SELECT sum(valid), sum(invalid), bool_and(day BETWEEN (now() AT TIME ZONE 'UTC')::date - 1 AND (now() AT TIME ZONE 'UTC')::date)
	FROM event_validation_stats_daily WHERE event_type = 'order' AND database = current_database())),
	join('|', $total * 27 / 10, $total * 3 / 10, 't'), 'and so do the days');
my $failures = q(SELECT reason, instance_location, keyword, sum(events) FROM event_validation_failures WHERE event_type = 'order' GROUP BY 1, 2, 3 ORDER BY 2);
is(sql($failures), join("\n", map { join '|', 'keyword', @$_, $total * 3 / 20 } [ '', 'required' ], [ '/tags/*', 'type' ]), 'what was wrong is counted, indexes folded');
is(sql(q(SELECT count(*) FROM event_validation_failures WHERE sample IS NOT NULL)), '0', 'no event is quoted');
is(sql(q(SELECT count(*) FROM event_validation_stats WHERE first_invalid_at <= last_invalid_at AND since <= first_invalid_at AND timed = 0 AND total_time = 0)),
	'2', 'with the first and the last time, and no measured one');

# ---------- all ways, and each fate ----------

sql('SELECT event_validation_stats_reset()');
is(sql('SELECT count(*) FROM event_validation_stats'), '0', 'a reset removes all');
sql(q(
	SET event_validate.track_timing = on;
	SET event_validate.track_samples = on;
	SELECT validate_event('{"n": 1}', 'order', 1), validate_event('{"n": "secret"}', 'order', 1), validate_event('{}'::json, 'order', 1);
	SELECT validate_event(NULL, 'order', 1), validate_event('{}', 'unknown', 1), event_schema."order@1"(NULL);
	SELECT check_event('{"n": 1}'::json, 'order', 1);
	SELECT jsonb_matches_schema('{"type": "null"}'::jsonb, '1'::jsonb), json_matches_schema('{"type": "null"}', 'null');
	SELECT * FROM event_violations('{}', 'order', 1); SELECT event_report('{}', 'order', 1); SELECT matching_event_versions('{}', 'order');
	SELECT * FROM audit_events('guarded')));
is(sql(q(SELECT event_type, schema_version, valid, invalid, timed, total_time > 0 FROM event_validation_stats ORDER BY 1, 2)),
	"order|1|2|4|4|t\nunknown|1|0|1|0|f\n||1|1|2|t", 'each way of validating counts, those that explain do not');
is(sql(q(SELECT reason, instance_location, keyword, events, sample FROM event_validation_failures WHERE event_type = 'order' ORDER BY 1, 2)),
	"keyword||required|1|(document): required property \"n\" is missing\nkeyword|/n|type|1|/n: must be integer, but is string \"secret\"\nnull|||2|",
	'samples are kept on demand');

# a policy and a view validate rows that they hide
sql('SELECT event_validation_stats_reset()');
sql(q(
	SET event_validate.track_samples = on;
	CREATE ROLE reader; CREATE TABLE hidden (owner text, data jsonb, type text);
	INSERT INTO hidden VALUES ('alice', '{"n": "secret"}', 'order'), ('alice', '{}', 'secret');
	CREATE VIEW visible WITH (security_barrier) AS SELECT * FROM hidden WHERE validate_event(data, type, 1) AND jsonb_matches_schema('{"required": ["n"]}', data);
	CREATE TABLE policed AS TABLE hidden;
	ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
	CREATE POLICY valid ON policed USING (validate_event(data, type, 1) AND jsonb_matches_schema('{"type": "null"}', data));
	GRANT SELECT ON visible, policed TO reader;
	SET ROLE reader;
	TABLE visible; TABLE policed));
is(sql(q(SET ROLE reader; SELECT DISTINCT event_type, schema_version, reason, keyword, sample FROM event_validation_failures ORDER BY 1, 2, 3)),
	"order|1|keyword|type|\n||not registered||", 'what hides rows does not show them in the statistics');
is(sql(q(SET ROLE reader; SELECT DISTINCT event_type, schema_version FROM event_validation_stats UNION
	SELECT event_type, schema_version FROM event_validation_stats_history UNION SELECT event_type, schema_version FROM event_validation_stats_daily ORDER BY 1)),
	"order|1\n|", 'only the names of registered types');
is(sql(q(SELECT DISTINCT event_type, sample FROM event_validation_failures WHERE role = 'reader' ORDER BY 1)),
	"order|/n: must be integer, but is string \"secret\"\nsecret|", 'pg_read_all_stats sees all');
sql('DROP VIEW visible; DROP TABLE hidden, policed; DROP ROLE reader');

sql('SELECT event_validation_stats_reset()');
sql(q(
	SELECT set_event_guard_mode('guarded', 'quarantine');
	INSERT INTO guarded VALUES ('order', 1, '{}'), ('late', 1, '{}'), (NULL, 1, '{}'), ('order', 1, '{"n": 1}');
	SELECT set_event_guard_mode('guarded', 'warn');
	INSERT INTO guarded VALUES ('order', 1, '{}');
	SELECT register_event_schema('late', 1, '{}');
	SELECT * FROM replay_event_quarantine('guarded', dry_run => true);
	SELECT * FROM replay_event_quarantine('guarded');
	SET event_validate.bypass_guard = on;
	INSERT INTO guarded VALUES ('order', 1, '{}'), ('order', 1, '{"n": 1}')));
is( sql(q(SELECT event_type, schema_version, valid, invalid, warned, quarantined, replayed, bypassed FROM event_validation_stats
	WHERE relation = 'guarded'::regclass ORDER BY 1, 2)),
	"late|1|0|1|0|1|1|0\norder|1|1|2|1|1|0|0\n|1|0|1|0|1|0|0\n||0|0|0|0|0|2", 'what became of the events of a guard');

# ---------- the server log ----------

sub logged_json
{
	my ($setting) = @_;
	my $file = (sort glob($node->data_dir . '/log/*.json'))[-1];
	my $before = -s $file;

	$node->psql($db, qq(SET log_min_messages = log; SET event_validate.log_violations = $setting;
		INSERT INTO guarded VALUES ('order', 1, '{"n": "say \\"a\\""}');
		INSERT INTO checked VALUES ('{"n": "b"}'); DO 'BEGIN RAISE LOG ''the end''; END'), on_error_stop => 0);
	# another process writes the file
	for (1 .. 100)
	{
		last if substr(slurp_file($file), $before) =~ /"the end"/;
		sleep(0.1);
	}
	return map { my $line = decode_json($_); $line->{message} =~ /^event / ? decode_json($line->{detail}) : () } split /\n/, substr(slurp_file($file), $before);
}

# the guard warns
is_deeply([ logged_json('off') ], [], 'no event is logged by default');
is_deeply([ logged_json('refused') ],
	[ { fate => 'refused', schema => undef, table => undef, event_type => 'order', schema_version => 1, violations => '/n: must be integer, but is string "b"', left_out => 0 } ],
	'those that are refused, in JSON');
my @logged = logged_json(q('all'));
is(scalar @logged, 2, 'and all');
is_deeply($logged[0],
	{ fate => 'kept', schema => 'public', table => 'guarded', event_type => 'order', schema_version => 1, violations => '/n: must be integer, but is string "say \"a\""', left_out => 0 },
	'with the table of the guard');
sql('GRANT SET ON PARAMETER event_validate.log_violations TO producer');
is(sql(q(SELECT validate_event('{"n": 1}', 'order', 1); SET event_validate.log_violations = on; SHOW event_validate.log_violations), extra_params => [ '-U', 'producer' ]),
	"t\nall", 'a role with the right to set it sets it; on is all');

# ---------- within a long statement, and prepared transactions ----------

sql('SELECT event_validation_stats_reset()');
my $long = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $node->connstr($db), '-c', q(SELECT count(validate_event('{"n": 1}', 'order', 1)) FROM generate_series(1, 500000) AS i, LATERAL (SELECT pg_sleep(0.001) WHERE i % 64 = 0 OR i < 0 UNION ALL SELECT NULL) AS s WHERE validate_event(jsonb_build_object('n', i), 'order', 1)) ],
	'>', '/dev/null', '2>', '/dev/null');
ok($node->poll_query_until($db, q(SELECT count(*) > 0 FROM event_validation_stats WHERE valid > 0)), 'a long statement is seen before it ends');
sql(q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()));
$long->finish;

sql('SELECT event_validation_stats_reset()');
sql(q(BEGIN; SELECT validate_event('{"n": 1}', 'order', 1); PREPARE TRANSACTION 'a transaction'));
is(sql('SELECT sum(valid) FROM event_validation_stats'), '1', 'a prepared transaction is counted');
sql(q(ROLLBACK PREPARED 'a transaction'));
is(sql('SELECT sum(valid) FROM event_validation_stats'), '1', 'once');

my $rows = sql('SELECT count(*) FROM checked');
sql('SELECT event_validation_stats_reset()');
like(sql(q(ANALYZE checked; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
		EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM checked WHERE validate_event(data, 'order', 1))),
	qr/Workers Launched: [1-9]/, 'a parallel query');
is(sql('SELECT sum(valid) FROM event_validation_stats'), $rows, 'counts in each of its processes');

# ---------- deep events ----------

sql('SELECT event_validation_stats_reset()');
is( sql(q(SELECT jsonb_matches_schema(jsonb_build_object('type', 'object', 'patternProperties', jsonb_build_object('[' || repeat('a', 60000) || ']', '{"$ref": "#"}'::jsonb)),
		(repeat('{"a":', 500) || '1' || repeat('}', 500))::jsonb))), 'f', 'long locations of a keyword and of an event');
is(sql('SELECT events, length(instance_location) FROM event_validation_failures'), '1|256', 'are cut');
sql('SELECT event_validation_stats_reset()');
sql(q(SELECT jsonb_matches_schema('{"additionalProperties": {"$ref": "#"}, "properties": {"x": {"type": "null"}, "y": {"type": "null"}}}'::jsonb,
	(repeat('{"k":', 150) || '{"x": 1, "y": 1}' || repeat('}', 150))::jsonb)));
is(sql('SELECT events FROM event_validation_failures'), '1', 'and then an event counts once for each');

# ---------- rights ----------

sql('SELECT event_validation_stats_reset()');
sql(q(INSERT INTO checked VALUES ('{"n": 1}')));
is((sql_error($node, $db, q(INSERT INTO checked VALUES ('{}')), extra_params => [ '-U', 'producer' ]))[0], '23514', 'a producer is refused');
my $seen = q(SELECT string_agg(role || ' ' || valid || ' ' || invalid, ', ' ORDER BY valid) FROM event_validation_stats);
my $me = sql('SELECT current_user');
is(sql($seen, extra_params => [ '-U', 'producer' ]), 'producer 0 1', 'a role sees its own rows');
is(sql($seen, extra_params => [ '-U', 'monitor' ]), "producer 0 1, $me 1 0", 'pg_monitor sees all rows');
is(sql('SELECT count(*) FROM event_validation_failures', extra_params => [ '-U', $_->[0] ]), $_->[1], "$_->[0] sees $_->[1] failures")
  for [ 'producer', 1 ], [ 'monitor', 1 ];
is((sql_error($node, $db, 'SELECT event_validation_stats_reset()', extra_params => [ '-U', 'monitor' ]))[0], '42501', 'only superusers reset');
is((sql_error($node, $db, "SET event_validate.$_ = on", extra_params => [ '-U', 'monitor' ]))[0], '42501', "only superusers set $_")
  for qw(track_samples track_timing track_failures);
sql(q(SELECT event_validation_stats_reset(event_type => 'other'), event_validation_stats_reset('postgres'), event_validation_stats_reset(schema_version => 2)));
is(sql($seen), "producer 0 1, $me 1 0", 'a reset of something else changes nothing');

# a guard sees rows that their sender may not read
sql(q(
	CREATE ROLE clerk LOGIN;
	CREATE TABLE secrets (id int PRIMARY KEY, event_type text, schema_version int, data jsonb, note text);
	SELECT add_event_guard('secrets', 'enforce');
	GRANT SELECT (id), UPDATE (note) ON secrets TO clerk;
	SET event_validate.bypass_guard = on;
	INSERT INTO secrets VALUES (1, 'order', 1, '{"n": "secret"}')));
is((sql_error($node, $db, q(UPDATE secrets SET note = 'a' WHERE id = 1), extra_params => [ '-U', 'clerk' ]))[0], '23514', 'an UPDATE of a hidden event is refused');
my $seen_of_secrets = q(SELECT (SELECT count(*) FROM event_validation_stats WHERE role = 'clerk'),
	(SELECT count(*) FROM event_validation_stats_history WHERE role = 'clerk') + (SELECT count(*) FROM event_validation_stats_daily WHERE role = 'clerk'), (SELECT count(*) FROM event_validation_failures WHERE role = 'clerk'));
my $shown = sub {
	my ($expected, $name, $role) = @_;

	is(sql($seen_of_secrets, extra_params => [ '-U', $role || 'clerk' ]), $expected, $name);
};
$shown->('0|0|0', 'and not shown to its sender');
$shown->('1|2|1', 'but to pg_monitor', 'monitor');
sql('GRANT SELECT ON secrets TO clerk');
$shown->('1|2|1', 'a role that may read the table sees it');
is(sql(q(SELECT name IS NOT NULL, event_types_seen FROM event_enforcement WHERE relation = 'secrets'::regclass), extra_params => [ '-U', 'clerk' ]),
	't|{order}', 'and in event_enforcement');
sql('ALTER TABLE secrets ENABLE ROW LEVEL SECURITY');
$shown->('0|0|0', 'not with row-level security');
is($node->safe_psql('postgres', 'CREATE EXTENSION event_validate; SELECT count(*) FROM event_validation_failures; DROP EXTENSION event_validate', extra_params => [ '-U', $me ]),
	'2', 'a superuser sees those of other databases');
sql('ALTER TABLE secrets DISABLE ROW LEVEL SECURITY; DROP TABLE secrets');
$shown->('0|0|0', 'nor after the table was dropped');
sql('SELECT event_validation_stats_reset()');
sql(q(INSERT INTO checked VALUES ('{"n": 1}')));
$node->psql($db, q(INSERT INTO checked VALUES ('{}')), extra_params => [ '-U', 'producer' ]);

# ---------- a database that is dropped ----------

$node->safe_psql('postgres', 'CREATE DATABASE gone');
$node->safe_psql('gone', q(CREATE EXTENSION event_validate; SELECT jsonb_matches_schema('{"type": "null"}'::jsonb, '1'::jsonb)));
my $of_gone = q(SELECT (SELECT count(*) FROM event_validation_stats WHERE role = 'producer'), (SELECT count(*) FROM event_validation_stats WHERE database = 'gone' OR database IS NULL),
	(SELECT count(*) FROM event_validation_failures WHERE database = 'gone' OR database IS NULL));
is(sql($of_gone), '1|1|1', 'a database has statistics');
# a template is refused after PostgreSQL has called the hook
$node->safe_psql('postgres', 'ALTER DATABASE gone IS_TEMPLATE true');
like((sql_error($node, 'postgres', 'DROP DATABASE gone'))[2], qr/cannot drop a template database/, 'a drop fails');
is(sql($of_gone), '1|1|1', 'which keeps them');
$node->safe_psql('postgres', 'ALTER DATABASE gone IS_TEMPLATE false; CREATE DATABASE another; DROP DATABASE another');
is(sql($of_gone), '1|1|1', 'and so does the drop of another one');
$node->safe_psql('postgres', 'DROP DATABASE gone');
is(sql($of_gone), '1|0|0', 'which go with it, and no others');

# ---------- progress: the row of a process that is gone ----------

sql(q(
	CREATE TABLE slow AS SELECT i AS id, 'order' AS event_type, 1 AS schema_version, '{"n": 1}'::jsonb AS data FROM generate_series(1, 100000) AS i;
	CREATE FUNCTION slow(data jsonb) RETURNS jsonb LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN data; END'));
my $audit = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), '-c', q(SELECT * FROM audit_events('slow', 'slow(data)')) ], '>', '/dev/null', '2>', '/dev/null');
ok($node->poll_query_until($db, q(SELECT sum(rows_done) > 0 FROM event_progress WHERE relation = 'slow'::regclass AND command = 'audit')), 'an audit is shown');
is(sql('SELECT count(pid), count(datname), count(relid), count(command), count(rows_total) FROM event_progress', extra_params => [ '-U', 'producer' ]), '1|1|0|0|0', 'to others only that there is one');
is($node->safe_psql('postgres', 'CREATE EXTENSION event_validate; SELECT datname, relation, relid IS NOT NULL, command FROM event_progress; DROP EXTENSION event_validate', extra_params => [ '-U', $me ]),
	'stats||t|audit', 'in another database, its table is a number');
sql('SELECT pg_terminate_backend(pid) FROM event_progress');
ok($node->poll_query_until($db, 'SELECT count(*) = 0 FROM event_progress'), 'after the end of its process it is not shown');
$audit->finish;
sql(q(SELECT count(*) FROM audit_events('slow')));
is(sql(q(SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SELECT count(*) FROM audit_events('slow'); SELECT count(*) FROM event_progress)),
	"0\n0", 'nor after one with parallel workers');
sql('DROP TABLE slow');

# ---------- a restart, and a crash ----------

my $kept = sql('SELECT * FROM event_validation_stats ORDER BY role') . sql('SELECT * FROM event_validation_stats_history ORDER BY role')
  . sql('SELECT * FROM event_validation_stats_daily ORDER BY role') . sql('SELECT * FROM event_validation_failures') . sql('SELECT * FROM event_validation_stats_info');
$node->restart;
is( sql('SELECT * FROM event_validation_stats ORDER BY role') . sql('SELECT * FROM event_validation_stats_history ORDER BY role')
	  . sql('SELECT * FROM event_validation_stats_daily ORDER BY role') . sql('SELECT * FROM event_validation_failures') . sql('SELECT * FROM event_validation_stats_info'), $kept, 'a restart keeps all');
$node->adjust_conf('postgresql.conf', 'event_validate.stats_history_hours', '3');
$node->adjust_conf('postgresql.conf', 'event_validate.stats_history_days', '2');
$node->stop('immediate');
$node->start;
is(sql("SELECT sum(valid), sum(invalid) FROM event_validation_stats_$_"), '1|1', "so does an immediate shutdown, also with another number of periods: $_") for qw(history daily);

$node->backup('base');
my $pid = sql('SELECT pg_backend_pid()');
my $victim = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db), '-c', q(SELECT pg_sleep(60)) ], '>', '/dev/null', '2>', '/dev/null');
$node->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'));
kill 'KILL', sql(q(SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'));
$victim->finish;
$node->poll_query_until('postgres', 'SELECT true');
is(sql('SELECT count(*) FROM event_validation_stats'), '0', 'after a crash they begin anew');

# a damaged file, and one without its end
sql(q(INSERT INTO checked VALUES ('{"n": 1}')));
$node->adjust_conf('postgresql.conf', 'log_min_messages', 'log');
$node->stop;
my $file = $node->data_dir . '/pg_stat/event_validate.stat';
ok(-s $file, 'a stopped server has a file');
open(my $handle, '+<', $file) or die $!;
seek $handle, 200, 0;
print $handle 'damaged';
close $handle;
$node->start;
is(sql('SELECT count(*) FROM event_validation_stats'), '0', 'a damaged file is ignored');
ok(!-e $file, 'a running server has none');
$node->stop;
truncate $file, 20;
$node->start;
$node->adjust_conf('postgresql.conf', 'log_min_messages', 'fatal');
$node->reload;
my $log = slurp_file($node->logfile);
like($log, qr/ignoring file "pg_stat\/event_validate.stat": $_/, 'this is logged') for 'it is damaged', 'it could not be read';

# ---------- more than the memory holds ----------

sql(q(SELECT count(*) FROM generate_series(1, 5000) AS i WHERE validate_event(jsonb_build_object('n', i), 'order', 1)));
run_sessions($node, q(SELECT count(validate_event('{}', 'type' || i % 1500, i % 2)) FROM generate_series(1, 3000) AS i));
is(sql(q(SELECT count(*) BETWEEN 150 AND 200 FROM event_validation_stats)), 't', 'the memory is fixed');
is(sql(q(SELECT stats_evicted > 1000 AND failures_evicted > 1000 FROM event_validation_stats_info)), 't', 'those that left are counted');
is(sql(q(SELECT valid FROM event_validation_stats WHERE event_type = 'order')), '5000', 'the most used stay');
sql(q(SELECT count(validate_event('{}', 'flood' || i / 40, 1)) FROM generate_series(0, 19999) AS i), extra_params => [ '-U', 'producer' ]);
is(sql(q(SELECT count(*) FILTER (WHERE role = 'producer') BETWEEN 16 AND 64, count(*) FILTER (WHERE role <> 'producer') >= 120 FROM event_validation_stats)),
	't|t', 'one role does not drive out those of others');

# ---------- the documentation ----------

my $page = slurp_file(dirname(__FILE__) . '/../../docs/how-to/operations.md');
for ([ 'Progress', 1 ], [ 'What a check costs a write', 1 ], [ 'Statistics', 7 ])
{
	my ($heading, $count) = @$_;
	my ($part) = $page =~ /^### $heading\n(.*?)^##/ms;
	my @blocks = $part =~ /^```sql\n(.*?)^```/msg;
	is(scalar @blocks, $count, "the blocks of the documentation: $heading");
	is((sql_error($node, $db, s/LOAD 'event_validate'/LOAD '$library'/r))[2], undef, (split /\n/)[0]) for @blocks;
}

# ---------- a standby ----------

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql($db, q(SELECT validate_event('{"n": 1}', 'order', 1); SELECT event_type, valid FROM event_validation_stats)), "t\norder|1", 'a standby counts its own');
$standby->stop;
$node->stop;
done_testing();
