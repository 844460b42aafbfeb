# A schema of orders, and events that are known to be valid or invalid.
# EV_LIMIT_DIR names the folder with order.schema.json and order.cases.json.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($folder) = grep { defined && -r "$_/order.schema.json" && -r "$_/order.cases.json" }
  $ENV{EV_LIMIT_DIR}, '../shared/limit';
plan skip_all => 'order.schema.json and order.cases.json are nowhere: set EV_LIMIT_DIR' unless $folder;

my $node = new_node('limit_cases');
my $db = new_database($node, 'limit_cases');

# read by the client, so that the server needs no access to the files
my $schema = slurp_file("$folder/order.schema.json");
my $cases = slurp_file("$folder/order.cases.json");
$node->safe_psql($db, qq(
	SELECT register_event_schema('limit.order', 1, \$schema\$$schema\$schema\$);
	CREATE TABLE cases AS
	  SELECT n, c ->> 'case' AS name, (c ->> 'valid')::boolean AS valid, c -> 'event' AS event
	  FROM jsonb_array_elements(\$cases\$$cases\$cases\$) WITH ORDINALITY AS a (c, n)));
my ($count, $valid) = split /\|/, $node->safe_psql($db, 'SELECT count(*), count(*) FILTER (WHERE valid) FROM cases WHERE event IS NOT NULL');
cmp_ok($valid, '>', 0, "$count cases, $valid of them valid");
cmp_ok($valid, '<', $count, 'and others invalid');

my %ways = (
	validate_event => q(validate_event(event, 'limit.order', 1)),
	'the function' => 'event_schema."limit.order@1"(event)',
	event_violations => q(NOT EXISTS (SELECT FROM event_violations(event, 'limit.order', 1))),
	matching_event_versions => q(matching_event_versions(event, 'limit.order') = '{1}'),
	jsonb_matches_schema => "jsonb_matches_schema(\$schema\$$schema\$schema\$, event)");
foreach my $way (sort keys %ways)
{
	is($node->safe_psql($db, "SELECT name, valid FROM cases WHERE ($ways{$way}) IS DISTINCT FROM valid ORDER BY n"),
		'', "$way tells all $count apart");
}

# a table with a check accepts the valid ones, and rejects the others
$node->safe_psql($db, q(
	CREATE TABLE events (n bigint, data jsonb, CHECK (check_event(data, 'limit.order', 1)));
	DO $$
	DECLARE
	  c record;
	BEGIN
	  FOR c IN SELECT * FROM cases LOOP
	    BEGIN
	      INSERT INTO events VALUES (c.n, c.event);
	    EXCEPTION WHEN check_violation THEN
	      CONTINUE;
	    END;
	  END LOOP;
	END
	$$;));
is($node->safe_psql($db, 'SELECT name FROM cases LEFT JOIN events USING (n) WHERE (events.n IS NOT NULL) <> valid ORDER BY n'),
	'', 'a table with check_event accepts exactly the valid ones');

$node->stop;
done_testing();
