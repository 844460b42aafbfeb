# Every SQL block of docs/how-to/rollout.md runs, in the order of the page.
use strict;
use warnings;

use EventValidate;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('document');
my $db = new_database($node, 'document');
my $document = slurp_file(dirname(__FILE__) . '/../../docs/how-to/rollout.md');
my @blocks = $document =~ /^```sql\n(.*?)^```$/msg;

cmp_ok(scalar @blocks, '>=', 6, 'the page has SQL');

$node->safe_psql(
	$db, q(
	CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_type text, schema_version int, data jsonb, note text);
	INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1, '{"symbol": "abc"}'), ('order.placed', 1, '{"symbol": "ABC"}')));
my $schema = '{"type": "object", "required": ["symbol"], "properties": {"symbol": {"type": "string", "pattern": "^[A-Z]+$"}}}';

# For a block with this text: the commands to run before it, a query with its
# result after it, and the error that the block ends with.
my @stages = (
	[ qr/audit_events\('events'\)/, '', q(SELECT count(*) FROM events WHERE validate_event(data, event_type, schema_version)), '2' ],
	[
		qr/ALTER payload TYPE jsonb/,
		q(SELECT drop_event_guard('events'); ALTER TABLE events RENAME data TO payload; SELECT drop_event_check('events'); ALTER TABLE events ALTER payload TYPE text;
		  SELECT add_event_guard('events', 'enforce', 'payload')),
		q(SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'payload'), 'jsonb'
	],
	[
		qr/now both are checked/,
		q(SELECT drop_event_check('events')),
		q(SELECT (SELECT types FROM event_enforcement WHERE relation = 'events'::regclass AND kind = 'check' AND validated); SELECT drop_event_check('events'); SELECT add_event_check('events')),
		"{order.placed,order.cancelled}\n\nevents_event_check"
	],
	[
		qr/^CALL merge_event_column/,
		q(SELECT drop_event_check('events'); ALTER TABLE events RENAME data TO payload; ALTER TABLE events ALTER payload TYPE text;
		  SELECT add_event_check('events', 'payload'), add_event_guard('events', 'quarantine');
		  INSERT INTO events (event_type, schema_version, payload) VALUES ('order.placed', 7, '{"symbol": "T"}'), ('order.placed', 7, NULL);
		  SELECT set_event_guard_mode('events', 'enforce')),
		q(SELECT count(*) FROM pg_trigger WHERE tgname = 'zzy_event_column_merge'),
		'1',
		qr/ERROR:  .*\nDETAIL:  .*\ntrigger .*\nHINT:  .*/
	],
	[
		qr/SELECT validate_event_check\('events'\);\n\z/, '',
		q(SELECT string_agg(concat_ws(' ', name, data_expr, mode, validated), ', ' ORDER BY kind) FROM event_enforcement;
		  SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'payload'),
		"payload_check payload enforce t, zzz_event_guard payload enforce\njsonb"
	],
	[
		qr/payload_as_jsonb/,
		q(SELECT register_event_schema('order.placed', 7, '{"type": ["object", "null"]}', breaking => true)),
		q(SELECT string_agg(payload::text, ', ') FROM events WHERE schema_version = 7; SELECT row ->> 'payload' IS NULL FROM event_quarantine;
		  DELETE FROM events WHERE schema_version = 7; DELETE FROM event_schema.quarantine; SELECT drop_event_schema('order.placed', 7);
		  SELECT drop_event_check('events'), drop_event_guard('events'); ALTER TABLE events RENAME payload TO data; SELECT add_event_check('events')),
		qq({"symbol": "T"}\nt\n\n|\nevents_event_check)
	],
	[
		qr/types => /, '',
		q(SELECT count(*) FROM event_enforcement WHERE relation = 'events'::regclass AND definition LIKE '%order.cancelled%'), '1'
	],
	[ qr/GRANT SET ON PARAMETER/, '', q(SELECT has_parameter_privilege('loader', 'event_validate.bypass_guard', 'SET')), 't' ],
	[
		qr/to_new_columns/,
		q(DELETE FROM events WHERE schema_version = 4;
		  SELECT register_event_schema('order.placed', 2, '{}', breaking => true);
		  SELECT set_event_guard_mode('events', 'quarantine');
		  INSERT INTO events (event_type, schema_version, payload, note) VALUES ('order.placed', 1, '{"symbol": "x"}', NULL);
		  INSERT INTO events (event_type, schema_version, payload, note) VALUES ('order.placed', 3, '{"symbol": "x"}', 'a note');
		  SELECT register_event_schema('order.placed', 3, '{}')),
		q(SELECT string_agg(schema_version || ' ' || (data ->> 'symbol'), ', ' ORDER BY id) FROM events), '1 ABC, 1 ABC, 2 x, 3 x'
	],
	[
		qr/place := result\.last_id/,
		q(SELECT set_event_guard_mode('events', 'quarantine');
		  INSERT INTO events (event_type, schema_version, payload) VALUES ('order.placed', 4, '{"symbol": "y"}');
		  SELECT register_event_schema('order.placed', 4, '{}', breaking => true)),
		q(SELECT count(*) FROM events WHERE schema_version = 4), '1'
	],
	[
		qr/ids => ARRAY/,
		q(SELECT set_event_guard_mode('events', 'quarantine');
		  INSERT INTO events (event_type, schema_version, payload) VALUES ('order.placed', 1, '{}'), ('order.placed', 1, '{"symbol": "x"}')),
		q(SELECT string_agg(violations -> 0 ->> 'keyword', ', ' ORDER BY id) FROM event_quarantine), 'required, pattern'
	],
	[ qr/min\(event_id\)/, '', 'SELECT count(*) FROM event_quarantine; DELETE FROM event_schema.quarantine', '2' ],
	[
		qr/SET relation_owner = 'new_owner'/,
		q(INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1, '{}'), ('order.placed', 1, '{"symbol": "x"}');
		  UPDATE event_schema.quarantine SET relation_owner = 'old_owner' WHERE violations @> '[{"keyword": "required"}]'),
		q(SELECT count(*) FROM event_schema.quarantine WHERE relation_owner = 'new_owner';
		  DELETE FROM event_schema.quarantine), '1'
	],
	[
		qr/reason => /,
		q(INSERT INTO events (event_type, schema_version, data) VALUES ('order.placed', 1, '{}'), ('order.placed', 1, '{"symbol": "x"}');
		  UPDATE event_schema.quarantine SET arrived_at = now() - interval '2 days'),
		q(SELECT string_agg(violations -> 0 ->> 'keyword', ', ' ORDER BY id) FROM event_quarantine; DELETE FROM event_schema.quarantine), 'pattern'
	],
	[ qr/pg_locks/, '', 'SELECT 1', '1' ]);

foreach my $block (@blocks)
{
	my ($stage) = grep { $block =~ $_->[0] } @stages;
	my ($name) = $block =~ /([^\n]*)/;
	my ($stdout, $stderr);

	if (!$stage)
	{
		fail("a block that this test does not know: $name");
		next;
	}
	$block =~ s/\Q{ ... }\E/$schema/;
	$node->safe_psql($db, "SET client_min_messages = error; $stage->[1]") if $stage->[1];
	if ($block =~ /to_new_columns/)
	{
		# the columns are renamed and dropped between the two examples
		$block =~ s/(?=^-- column "payload")/ALTER TABLE events RENAME payload TO data; ALTER TABLE events DROP note;\n/m;
	}
	is($node->psql($db, $block, stdout => \$stdout, stderr => \$stderr, on_error_stop => 1), $stage->[4] ? 3 : 0, $name) or diag $stderr;
	if ($stage->[4])
	{
		# the page shows this error
		my ($shown) = $stderr =~ /($stage->[4])/;
		ok($shown && index($document, $shown) >= 0, "$name: its error") or diag $stderr;
	}
	is($node->safe_psql($db, $stage->[2]), $stage->[3], "its result");
}

$node->stop;
done_testing();
