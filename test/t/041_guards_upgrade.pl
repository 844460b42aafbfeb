# pg_upgrade keeps guards and the quarantine, which work afterwards.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_node('old');
my $new = new_node('new', start => 0);

new_database($old, 'upgraded');
$old->safe_psql(
	'upgraded', q(
	SELECT register_event_schema('order', 1, '{"type": "object"}');
	CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY, event_type text, schema_version int, data jsonb) PARTITION BY RANGE (id);
	CREATE TABLE some_events PARTITION OF events DEFAULT;
	SELECT add_event_guard('events', 'enforce');
	SELECT set_event_guard_mode('events', 'quarantine', '2999-01-01');
	INSERT INTO events (event_type, schema_version, data) SELECT 'order', 1 + i % 2, jsonb_build_object('i', i) FROM generate_series(1, 1000) i));
my $inventory = q(
	SELECT 'event', e::text FROM events e
	UNION ALL SELECT 'quarantine', q::text FROM event_schema.quarantine q
	UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) || (tgparentid <> 0) FROM pg_trigger WHERE tgfoid = 'guard_event'::regproc
	UNION ALL SELECT 'owner', relowner::regrole::text FROM pg_class WHERE relname = 'quarantine'
	ORDER BY 1, 2);
my $before = $old->safe_psql('upgraded', $inventory);
like($before, qr/quarantine\|\(500,/, 'the quarantine has events');
$old->stop;

upgrade_node($old, $new);
is($new->safe_psql('upgraded', $inventory), $before, 'all contents are there');

is( $new->safe_psql('upgraded', q(
		INSERT INTO events (event_type, schema_version, data) VALUES ('order', 3, '{}') RETURNING id;
		SELECT register_event_schema('order', 2, '{}', breaking => true) IS NOT NULL;
		SELECT replayed, remaining FROM replay_event_quarantine();
		SELECT count(*), min(id), max(id) FROM events;
		SELECT id, "row" ->> 'id' FROM event_quarantine)),
	"t\n500|1\n1000|1|1000\n501|1001", 'guard and replay work, and identities continue');
my @error = sql_error($new, 'upgraded', 'DROP EXTENSION event_validate CASCADE');
is($error[0], '2BP01', 'events in the quarantine prevent dropping it');

$new->stop;
done_testing();
