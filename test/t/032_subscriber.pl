#!/usr/bin/env perl

# A logical subscriber to all tables goes through what its publisher goes through:
# schemas are registered and widened, a guard is added, diverts, is switched and replays,
# and events are migrated.  Its apply worker never stops.

use strict;
use warnings FATAL => 'all';

use EventValidate qw(new_node new_database);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('replicated', conf => "fsync = off\nwal_level = logical\nmax_wal_senders = 5\nmax_replication_slots = 5\nlog_statement = none\n");
my $db = new_database($node, 'publisher');
my $subscriber = new_database($node, 'subscriber');

sub sql { return $node->safe_psql($db, @_) }
sub there { return $node->safe_psql($subscriber, @_) }

# The procedure of docs/how-to/neighbours.md: the subscriber first.
sub copy_schemas
{
	there(sql('SELECT event_schema_ddl()'));
	return;
}

sub in_step
{
	my ($what) = @_;
	my $lsn = sql('SELECT pg_current_wal_lsn()');

	ok($node->poll_query_until($db, qq(SELECT bool_and(confirmed_flush_lsn >= '$lsn') FROM pg_replication_slots WHERE slot_name = 'events')), "$what: applied");
	return;
}

my $counts = q(SELECT count(*) || ' ' || count(*) FILTER (WHERE schema_version = 2) || ' ' || COALESCE(sum((data->>'n')::numeric), 0) FROM sent);
sub same
{
	my ($what) = @_;

	in_step($what);
	is(there($counts), sql($counts), "$what: the same events");
	return;
}

my $table = 'CREATE TABLE sent (id bigint PRIMARY KEY, event_type text NOT NULL, schema_version int NOT NULL, data jsonb NOT NULL)';
sql($table);
there($table);
sql(q(SELECT register_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 1}}}')));
copy_schemas();
copy_schemas();
there(q(SELECT create_event_quarantine(1000000000000)));
there(q(SELECT create_event_quarantine(1000000000000)));
sql($_) foreach (q(SELECT add_event_check('sent')));
there(q(SELECT add_event_check('sent')));
sql(q(CREATE PUBLICATION events FOR ALL TABLES));
# in a transaction of its own, which has no other snapshot
sql(q(SELECT pg_create_logical_replication_slot('events', 'pgoutput')));
(my $connection = $node->connstr($db)) =~ s/'/''/g;
there(sprintf(q(CREATE SUBSCRIPTION events CONNECTION '%s' PUBLICATION events WITH (create_slot = false, slot_name = 'events')), $connection));
sql(q(INSERT INTO sent SELECT i, 'order', 1, jsonb_build_object('n', i) FROM generate_series(1, 100) i));
same('a check');
my $worker = there(q(SELECT pid FROM pg_stat_subscription WHERE relid IS NULL));

# ---------- widen ----------
my $old_ddl = sql('SELECT event_schema_ddl()');
my $wider = q('{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
there(qq(SELECT widen_event_schema('order', 1, $wider)));
# from the publisher, which is narrower still
there($old_ddl);
is(there(q(SELECT validate_event('{"n": 0}', 'order', 1))), 't', 'the subscriber keeps the wider schema');
sql(qq(SELECT widen_event_schema('order', 1, $wider)));
sql(q(INSERT INTO sent VALUES (101, 'order', 1, '{"n": 0}')));
same('widened');

# the other way round: the subscriber is behind, and catches up
sql(q(SELECT widen_event_schema('order', 1, '{"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}}')));
copy_schemas();
sql(q(INSERT INTO sent VALUES (102, 'order', 1, '{"n": 0.5}')));
same('caught up');

# ---------- a guard ----------
sql(q(SELECT drop_event_check('sent', NULL)));
my ($out, $err);
$node->psql($db, q(SELECT add_event_guard('sent', 'quarantine')), stdout => \$out, stderr => \$err);
like($err, qr/WARNING:  publication "events" publishes the new table "event_schema.quarantine", too.*create_event_quarantine/s, 'the first guard warns');
sql(q(INSERT INTO sent SELECT i, 'order', 1, '{"n": "x"}' FROM generate_series(201, 220) i));
same('diverted');
is(sql('SELECT count(*) FROM event_quarantine'), '20', 'the publisher has diverted events');

# when the subscription is refreshed, diverted events are copied, too
there(q(
	SELECT add_event_guard('sent', 'quarantine');
	ALTER TABLE sent ENABLE ALWAYS TRIGGER zzz_event_guard;
	ALTER SUBSCRIPTION events REFRESH PUBLICATION));
ok($node->poll_query_until($subscriber, q(SELECT bool_and(srsubstate = 'r') AND count(*) > 1 FROM pg_subscription_rel)), 'the new tables are synchronized');
is(there('SELECT count(*) FROM event_quarantine'), '20', 'and copied');
sql(q(SELECT set_event_guard_mode('sent', 'off')));
sql(q(INSERT INTO sent VALUES (301, 'order', 1, '{"n": "y"}')));
in_step('an event that only the subscriber diverts');
is(there(q(SELECT count(*) FILTER (WHERE id < 1000000000000) || ' ' || count(*) FILTER (WHERE id >= 1000000000000) FROM event_quarantine)), '20 1',
	'has an id of its own');
sql(q(SELECT set_event_guard_mode('sent', 'quarantine')));
sql(q(DELETE FROM sent WHERE id = 301));
sql(q(INSERT INTO sent SELECT i, 'order', 1, '{"n": "x"}' FROM generate_series(401, 402) i));

# ---------- replay ----------
sql(q(
	CREATE FUNCTION repaired(event jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT jsonb_set(event, '{data,n}', '7')$$;
	SELECT * FROM replay_event_quarantine('sent', repair => 'repaired(jsonb)')));
same('replayed');
is(sql('SELECT count(*) FROM event_quarantine'), '0', 'the quarantine is empty');
is(there('SELECT count(*) FROM event_quarantine WHERE id < 1000000000000'), '0', 'on the subscriber, too');

# ---------- migrate ----------
sql(q(
	SELECT register_event_schema('order', 2, '{"type": "object", "required": ["n", "currency"]}', breaking => true);
	CREATE FUNCTION order_2(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$SELECT data || '{"currency": "EUR"}'$$;
	SELECT register_event_upcast('order', 1, 2, 'order_2(jsonb)')));
copy_schemas();
$node->psql($db, q(CALL migrate_events('sent', 'order', 2, keep_original => true)), stderr => \$err);
like($err, qr/WARNING:  publication "events" publishes the new table "event_schema.migrated_events", too/, 'the first kept original warns, too');
same('migrated');
is(sql('SELECT count(*) FROM event_schema.migrated_events'), '124', 'with the originals');

# ---------- the end ----------
sql(q(SELECT drop_event_guard('sent')));
there(q(SELECT drop_event_guard('sent'); SELECT * FROM purge_event_quarantine('-1 s')));
is(there(q(SELECT to_regclass('event_schema.quarantine') IS NOT NULL)), 't', 'a quarantine that was asked for stays without guards');
sql(q(SELECT add_event_guard('sent', 'quarantine'); INSERT INTO sent VALUES (501, 'order', 1, '{}'), (502, 'order', 1, '{"n": 1}')));
same('a new quarantine');

# ---------- the page for emergencies ----------
# The subscriber has a check of its own, and the publisher is to store what is not valid.
sql(q(SELECT drop_event_guard('sent'); DELETE FROM sent WHERE id = 501; SELECT add_event_check('sent')));
is(there(q(SELECT name FROM event_enforcement WHERE relation = 'sent'::regclass)), 'sent_event_check', 'the subscriber has a check');
sql(q(SELECT add_event_guard('sent', 'quarantine')));
sql(q(INSERT INTO sent VALUES (601, 'order', 1, '{}')));
same('diverted in an emergency');
there(q(SELECT drop_event_check('sent')));
sql(q(SELECT set_event_guard_mode(NULL, 'off', now() + interval '1 hour'); SELECT drop_event_check('sent')));
sql(q(INSERT INTO sent VALUES (602, 'order', 1, '{}')));
same('switched off, first on the subscriber');
sql(q(UPDATE sent SET data = '{"n": 3}' WHERE id = 602;
	SELECT * FROM replay_event_quarantine('sent', repair => 'repaired(jsonb)');
	SELECT set_event_guard_mode(NULL, 'enforce'); SELECT add_event_check('sent')));
sql(q(SELECT validate_event_check('sent')));
same('back to normal');
there(q(SELECT add_event_check('sent')));
there(q(SELECT validate_event_check('sent')));
sql(q(INSERT INTO sent VALUES (603, 'order', 1, '{"n": 3}')));
same('with the check of the subscriber');

is(there(q(SELECT pid FROM pg_stat_subscription WHERE relid IS NULL)), $worker, 'the apply worker is the one that was started first');
unlike(slurp_file($node->logfile), qr/ERROR: .*logical replication|logical replication apply worker.* exited with exit code/, 'and had no error');
there('DROP SUBSCRIPTION events');

$node->stop;
done_testing();
