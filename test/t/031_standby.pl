# A hot standby gives the answers of its primary, also through references by $id and
# in circles, and notices schemas registered and dropped there, also in a session that
# has already used them.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', init => { allows_streaming => 1 });
my $db = new_database($primary, 'standby');
$primary->safe_psql(
	$db, q(
	SELECT register_event_schema('early', 1, '{"type": "integer"}');
	CREATE TABLE events (data jsonb, CHECK (check_event(data, 'early', 1)));
	INSERT INTO events SELECT to_jsonb(i) FROM generate_series(1, 1000) AS i;
	SELECT register_schemas('{
	  "order@1": {"$id": "https://standby.test/order", "type": "object", "properties": {"customer": {"$ref": "customer"}, "parent": {"$ref": "#"}}},
	  "https://standby.test/customer": {"properties": {"orders": {"items": {"$ref": "order"}}, "address": {"$ref": "parts#address"}}},
	  "https://standby.test/parts": {"$defs": {"a": {"$anchor": "address", "$ref": "street"}, "s": {"$id": "street", "type": "string"}}}}')));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

is( $standby->safe_psql($db, q(SELECT count(*) FROM events WHERE validate_event(data, 'early', 1) AND event_schema."early@1"(data))),
	'1000', 'a standby validates');
is( $standby->safe_psql($db, q(SELECT keyword FROM event_violations('"a"', 'early', 1) UNION ALL (SELECT event_type FROM event_schemas ORDER BY 1))),
	"type\nearly\norder", 'it reports violations, and lists the registered schemas');
my $circle = q(SELECT validate_event('{"customer": {"orders": [{"customer": {"address": "x"}}]}}', 'order', 1),
	validate_event('{"customer": {"orders": [{"customer": {"address": 1}}]}}', 'order', 1);
	SELECT instance_location FROM event_violations('{"customer": {"orders": [{"parent": {"customer": {"address": 1}}}]}}', 'order', 1););
is($standby->safe_psql($db, $circle), "t|f\n/customer/orders/0/parent/customer/address", 'it follows references by $id, also in circles');
is( $standby->safe_psql($db, q(SELECT count(*) FROM event_schema_ddl() AS d (ddl) WHERE ddl ~ 'register_schemas')),
	'1', 'it writes a circle as a bundle');
my @error = sql_error($standby, $db, q(SELECT register_event_schema('late', 1, 'true')));
is($error[0], '25006', 'it cannot register');
@error = sql_error($standby, $db, q(SELECT register_schemas('{"late@1": true}')));
is($error[0], '25006', 'nor a bundle');
@error = sql_error($standby, $db, q(SELECT drop_event_schema('early', 1)));
is($error[0], '25006', 'it cannot drop');

# One session of the standby, which runs commands on the primary, and waits until
# they are replayed.
my $await = sub {
	my ($condition) = @_;
	return qq(
		DO \$\$
		BEGIN
		  FOR i IN 1..600 LOOP
		    EXIT WHEN $condition;
		    PERFORM pg_sleep(0.1);
		    PERFORM FROM pg_class LIMIT 1;
		  END LOOP;
		END
		\$\$;);
};
my $on_primary = sub {
	my ($sql) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/primary.sql';
	append_to_file($file, $sql);
	return sprintf qq(\n\\! psql -XAtq -v ON_ERROR_STOP=1 -d "%s" -f "%s" >/dev/null\n), $primary->connstr($db), $file;
};
my $answers = q(SELECT validate_event('1', 'late', 1), validate_event('"1"', 'late', 1), matching_event_versions('1', 'late'););
is( $standby->safe_psql(
		$db,
		join '', $answers,
		$on_primary->(q(SELECT register_event_schema('late', 1, '{"type": "integer"}'))), $await->(q(validate_event('1', 'late', 1))), $answers,
		$on_primary->(q(SELECT drop_event_schema('late', 1))), $await->(q(NOT validate_event('1', 'late', 1))), $answers,
		$on_primary->(q(SELECT register_event_schema('late', 1, '{"type": "string"}'))), $await->(q(validate_event('"1"', 'late', 1))), $answers),
	"f|f|{}\nt|f|{1}\nf|f|{}\nf|t|{}",
	'an open session notices registered and dropped schemas');

# A bundle with a circle, in an open session.
$answers = q(SELECT validate_event('{"b": {"a": {"b": {}}}}', 'a', 1), validate_event('{"b": {"a": {"b": 1}}}', 'a', 1););
is( $standby->safe_psql(
		$db,
		join '', $answers,
		$on_primary->(
			q(SELECT register_schemas('{
			  "a@1": {"type": "object", "properties": {"b": {"$ref": "https://standby.test/b"}}},
			  "https://standby.test/b": {"type": "object", "properties": {"a": {"$ref": "event:a@1"}}}}'))),
		$await->(q(validate_event('{}', 'a', 1))),
		$answers,
		$on_primary->(q(DROP FUNCTION event_schema."a@1"(jsonb), event_schema."https://standby.test/b"(jsonb) CASCADE)),
		$await->(q(NOT validate_event('{}', 'a', 1))), $answers),
	"f|f\nt|f\nf|f",
	'an open session notices bundles that come and go');

$standby->promote;
is( $standby->safe_psql($db, q(SELECT register_event_schema('later', 1, '{"type": "null"}'); SELECT validate_event('null', 'later', 1))),
	qq(event_schema."later\@1"(jsonb)\nt), 'after promotion it can register');

$standby->stop;
$primary->stop;
done_testing();
