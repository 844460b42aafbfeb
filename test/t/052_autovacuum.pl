# Calls that lock a table for a moment do not wait for the end of an autovacuum: it
# is cancelled, as by ALTER TABLE.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('autovacuum', conf => q(
autovacuum_naptime = 1s
log_autovacuum_min_duration = 0
));
my $db = new_database($node, 'autovacuum');

# Some 3000 pages, at one page in 100 ms: an autovacuum of minutes.
$node->safe_psql(
	$db, q(
	SELECT register_event_schema('order', 1, '{"type": "object"}');
	CREATE TABLE events (event_type text, schema_version int, data jsonb)
		WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1,
			autovacuum_vacuum_scale_factor = 0, autovacuum_enabled = off);
	INSERT INTO events SELECT 'order', 1, jsonb_build_object('filler', repeat('x', 1000)) FROM generate_series(1, 20000);
	DELETE FROM events;
	SELECT add_event_guard('events', 'enforce');
	ALTER TABLE events SET (autovacuum_enabled = on)));

sub vacuumed
{
	return $node->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_progress_vacuum AS v JOIN pg_locks AS l USING (pid)
		WHERE v.relid = 'events'::regclass AND l.relation = v.relid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'));
}

foreach my $call (
	"set_event_guard_mode('events', 'quarantine')",
	"set_event_guard_mode(NULL, 'enforce')",
	"add_event_check('events')",
	"drop_event_guard('events')",
	"drop_event_check('events')",
	"add_event_check('events') FROM set_config('lock_timeout', '700ms', false)")
{
	ok(vacuumed(), 'an autovacuum of the table runs');
	is(join(' ', sql_error($node, $db, "SELECT $call")), '', "$call succeeds");
}

my $log = slurp_file($node->logfile);
my $cancelled = () = $log =~ /canceling autovacuum task/g;
is($cancelled, 6, 'the autovacuum was cancelled each time');

$node->stop;
done_testing();
