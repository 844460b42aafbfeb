# The extension trading_events: rights to install it, and pg_upgrade, which keeps
# it with the versions that users have registered.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = new_node('old');
my $new = new_node('new', start => 0);

$old->safe_psql('postgres', q(
	CREATE ROLE owner LOGIN;
	CREATE ROLE stranger LOGIN;
	CREATE DATABASE upgraded OWNER owner));

# ---------- rights ----------

my @as_owner = (extra_params => [ '-U', 'owner' ]);
my ($status, $out, $error) = $old->psql(
	'upgraded', 'CREATE EXTENSION trading_events CASCADE',
	extra_params => [ '-U', 'stranger' ]);
isnt($status, 0, 'another role cannot install it');
like($error, qr/permission denied/, 'with an error that says so');

($status, $out, $error) =
  $old->psql('upgraded', 'CREATE EXTENSION trading_events', @as_owner);
isnt($status, 0, 'it needs event_validate');
like($error, qr/required extension "event_validate" is not installed/, 'with an error that says so');

$old->safe_psql('upgraded', 'CREATE EXTENSION trading_events CASCADE', @as_owner);
is( $old->safe_psql(
		'upgraded',
		q(SELECT extversion FROM pg_extension WHERE extname = 'trading_events')),
	'1.0',
	'the owner of the database can install it with CASCADE');
is( $old->safe_psql(
		'upgraded',
		q(SELECT check_event(event_schema."order.placed@1>2"(o), 'order.placed', 2) FROM (SELECT '{
			"id": "61e69015-8549-4bfd-b9c3-01e75843f47d", "client_order_id": "x", "symbol": "F", "side": "buy", "type": "market",
			"time_in_force": "opg", "status": "held", "created_at": "2021-03-16T09:00:00Z", "qty": 1}'::jsonb) AS one (o)),
		extra_params => [ '-U', 'stranger' ]),
	't',
	'any role may use it');
foreach my $statement (
	'DROP EXTENSION trading_events',
	'DROP FUNCTION event_schema."order.placed@2" CASCADE',
	q(SELECT register_event_schema('order.placed', 3, '{}', breaking => true)))
{
	($status, $out, $error) =
	  $old->psql('upgraded', $statement, extra_params => [ '-U', 'stranger' ]);
	isnt($status, 0, "but not: $statement");
}

# ---------- pg_upgrade ----------

$old->safe_psql(
	'upgraded', q(
	SELECT register_event_schema('market.trade', 3, '{"allOf": [{"$ref": "event:market.trade@2"}], "required": ["sequence"]}', breaking => true);
	CREATE FUNCTION trade_2_to_3(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT '{"sequence": 0}' || data $$;
	CREATE FUNCTION event_schema."market.trade@2>3"(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
	BEGIN ATOMIC SELECT trade_2_to_3(data); END;
	CREATE TABLE events (event_type text, schema_version int, data jsonb, CHECK (check_event(data, event_type, schema_version)));
	INSERT INTO events SELECT 'market.trade', 1, jsonb_build_object('kind', 'trade', 'symbol', 'AAPL', 'timestamp', '2021-02-22T15:51:44Z', 'price', i, 'size', 1)
	FROM generate_series(1, 100) i;
	INSERT INTO events SELECT event_type, 2, event_schema."market.trade@1>2"(data) FROM events WHERE schema_version = 1;
	INSERT INTO events SELECT event_type, 3, event_schema."market.trade@2>3"(data) FROM events WHERE schema_version = 2), @as_owner);
my $inventory = q(
	SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid), proowner::regrole::text FROM pg_proc
	WHERE prokind = 'f' AND pronamespace IN ('event_schema'::regnamespace, 'public'::regnamespace)
	UNION ALL SELECT 'dependency', pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype::text
	FROM pg_depend WHERE refclassid IN ('pg_extension'::regclass, 'pg_proc'::regclass) AND refobjid >= 16384
	UNION ALL SELECT 'comment', p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc'), '' FROM pg_proc p WHERE pronamespace = 'event_schema'::regnamespace
	-- not its owner, which no dump of PostgreSQL's has
	UNION ALL SELECT 'extension', extname, extversion, '' FROM pg_extension
	UNION ALL SELECT 'rows', schema_version::text, count(*)::text, bool_and(validate_event(data, event_type, schema_version))::text FROM events GROUP BY 2
	ORDER BY 1, 2, 3, 4);
my $before = $old->safe_psql('upgraded', $inventory);
like($before, qr/^rows\|1\|100\|true\nrows\|2\|100\|true\nrows\|3\|100\|true$/m, 'events of three versions');
$old->stop;

upgrade_node($old, $new);
my %lines = map { $_ => 1 } split /\n/, $before;
my %after = map { $_ => 1 } split /\n/, $new->safe_psql('upgraded', $inventory);

is_deeply([ grep { !$after{$_} } sort keys %lines ], [], 'no entry is lost');
is_deeply([ grep { !$lines{$_} } sort keys %after ], [], 'no entry is new');

foreach my $statement ('DROP EXTENSION trading_events', 'DROP EXTENSION trading_events CASCADE',
	'DROP FUNCTION event_schema."order.placed@1"', 'DROP FUNCTION event_schema."market.trade@3" CASCADE')
{
	my @error = sql_error($new, 'upgraded', $statement);

	is($error[0], '2BP01', "refused: $statement");
}
$new->safe_psql('upgraded', q(DROP TABLE events; DROP FUNCTION event_schema."market.trade@2>3"; SELECT drop_event_schema('market.trade', 3);
	DROP EXTENSION trading_events));
is($new->safe_psql('upgraded', q(SELECT count(*) FROM event_schemas)), '0', 'all can be dropped');

$new->stop;
done_testing();
