# merge_event_column beside writers of both columns; it is killed and canceled,
# and continues.  Then a column becomes jsonb in place, with a check and a guard.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('column_merge');
my $db = 'postgres';
my $scripts = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql(
	$db, q(
	CREATE EXTENSION event_validate;
	CREATE TABLE events (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number int NOT NULL, payload text NOT NULL) WITH (autovacuum_enabled = off);
	INSERT INTO events (number, payload) SELECT i, '{"n":' || i || '}' FROM generate_series(1, 50000) AS i));

# an old client writes payload, a new one data, once that is there
append_to_file("$scripts/old.sql", q(
\set id random(1, 50000)
\set n random(1, 1000000)
UPDATE events SET number = :n, payload = '{"n":' || :n || '}' WHERE id = :id;
INSERT INTO events (number, payload) VALUES (:n, '{"n":' || :n || '}');
));
append_to_file("$scripts/new.sql", q(
\set id random(1, 50000)
\set n random(1, 1000000)
UPDATE events SET number = :n, data = jsonb_build_object('n', :n) WHERE id = :id;
INSERT INTO events (number, data) VALUES (:n, jsonb_build_object('n', :n));
));

# Starts a client that writes until it is killed, or fails when its column is dropped.
sub writer
{
	my ($script) = @_;
	my ($out, $err) = ('', '');

	return IPC::Run::start(
		[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-T', 600, '-f', "$scripts/$script.sql", $db ],
		'<', \undef, '>', \$out, '2>', \$err);
}

my $call = q(CALL merge_event_column('events', 'payload', batch_size => 50));
my $filled = q(SELECT count(*) FROM events WHERE data IS NOT NULL);
my $psql = [ 'psql', '-X', '-q', '-h', $node->host, '-p', $node->port, '-d', $db, '-c', $call ];

my @writers = (writer('old'));
my $merge = IPC::Run::start($psql, '<', \undef, '>', \my $out, '2>', \my $err);
ok($node->poll_query_until($db, q(SELECT count(*) > 0 FROM pg_trigger WHERE tgname = 'zzy_event_column_merge')), 'the merge begins');
# the merge must not end before it is killed
my $last = IPC::Run::start([ @$psql[ 0 .. $#$psql - 1 ], 'BEGIN; SELECT 1 FROM events WHERE id = 50000 FOR UPDATE; SELECT pg_sleep(600)' ],
	'<', \undef, '>', \my $row, '2>', \my $end);
$node->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'));
push @writers, writer('new');
ok($node->poll_query_until($db, "SELECT ($filled) > 1000"), 'it copies documents');
$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL merge%'));
$merge->finish;
cmp_ok($node->safe_psql($db, $filled), '>', 1000, 'what it has done stays');

$merge = IPC::Run::start($psql, '<', \undef, '>', \$out, '2>', \$err);
my $before = $node->safe_psql($db, $filled);
ok($node->poll_query_until($db, "SELECT ($filled) > $before + 1000"), 'it continues');
$node->stop('immediate');
$_->finish for $merge, $last, @writers;
$node->start;
is( $node->safe_psql($db, q(SELECT count(*) FROM events WHERE (payload::jsonb ->> 'n')::int <> number OR (data ->> 'n')::int <> number)),
	'0', 'after a crash, both columns are in step');

@writers = map { writer($_) } qw(old new);
is($node->psql($db, $call, stderr => \$err), 0, 'it ends') or diag $err;
$writers[0]->finish;
$writers[1]->signal('KILL');
$writers[1]->finish;
is( $node->safe_psql($db, q(SELECT count(*) FILTER (WHERE (data ->> 'n')::int IS DISTINCT FROM number) FROM events)),
	'0', 'each row has its last document');
is( $node->safe_psql($db, q(SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped)),
	'id, number, data', 'the old column is gone');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_trigger WHERE tgrelid = 'events'::regclass)), '0', 'and the trigger');

# in place: a client reads and writes the column under its one name, before and after
$node->safe_psql(
	$db, q(
	SELECT register_event_schema('numbered', 1, '{"required": ["n"]}');
	CREATE TABLE placed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number int NOT NULL, body text NOT NULL) WITH (autovacuum_enabled = off);
	INSERT INTO placed (number, body) SELECT i, '{"n":' || i || '}' FROM generate_series(1, 20000) AS i;
	SELECT add_event_check('placed', 'body', $$'numbered'$$, '1'), add_event_guard('placed', 'enforce')));
append_to_file("$scripts/placed.sql", q(
\set id random(1, 20000)
\set n random(1, 1000000)
UPDATE placed SET number = :n, body = ('{"n":' || :n || '}')::jsonb WHERE id = :id;
INSERT INTO placed (number, body) VALUES (:n, ('{"n":' || :n || '}')::jsonb);
SELECT body FROM placed WHERE id = :id;
));
append_to_file("$scripts/placed_wrong.sql", q(
DO $$ BEGIN
  INSERT INTO placed (number, body) VALUES (0, '{"m": 1}');
  RAISE EXCEPTION 'stored';
EXCEPTION WHEN check_violation THEN NULL;
END $$;
));
$call = q(CALL merge_event_column('placed', 'body', 'body', batch_size => 50));
@writers = map { writer($_) } qw(placed placed_wrong);
isnt($node->psql($db, $call, stderr => \$err), 0, 'the check and the guard are in the way');
like($err, qr/constraint placed_event_check.*\n.*trigger zzz_event_guard/, 'and listed');
$node->safe_psql($db, $_)
  for q(SELECT add_event_check('placed', 'event_column_merge', $$'numbered'$$, '1', 'placed_jsonb')),
  q(SELECT add_event_guard('placed', 'enforce', 'event_column_merge', $$'numbered'$$, '1')),
  q(SELECT drop_event_check('placed', 'placed_event_check'));
is($node->psql($db, $call, stderr => \$err), 0, 'without them it ends') or diag $err;
my $rows = $node->safe_psql($db, 'SELECT count(*) FROM placed');
ok($node->poll_query_until($db, "SELECT count(*) > $rows + 10 FROM placed"), 'the client goes on');
foreach my $writer (@writers)
{
	ok($writer->pumpable, 'no writer has failed');
	$writer->signal('KILL');
	$writer->finish;
}
is( $node->safe_psql($db, q(SELECT count(*) FILTER (WHERE (body ->> 'n')::int IS DISTINCT FROM number), pg_typeof(min(body::text)::jsonb) FROM placed)),
	'0|jsonb', 'each row has its last document');
is( $node->safe_psql($db, q(SELECT string_agg(concat_ws(' ', name, data_expr, validated), ', ' ORDER BY kind) FROM event_enforcement WHERE relation = 'placed'::regclass)),
	'placed_jsonb body f, zzz_event_guard body', 'the check and the guard are on the new column');

$node->stop;
done_testing();
