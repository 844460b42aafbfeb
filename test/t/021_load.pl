# Events by COPY into a checked table: the backend's memory does
# not grow with the rows.  EV_LOAD_ROWS rows (200,000; use a million before a release).
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{EV_LOAD_ROWS} || 200_000;
my $warm_up = 10_000;

my $node = new_node('load', conf => "max_wal_size = 4GB\nwal_level = minimal\nmax_wal_senders = 0\nfsync = off\nautovacuum = off\n");
my $db = new_database($node, 'load');
my $folder = $node->basedir;

# Schemas with formats, patterns of both engines, references,
# branches, unevaluated properties, uniqueItems of larger arrays.
$node->safe_psql(
	$db, q(
	SELECT register_event_schema('common', 1, '{"$defs": {"money": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.0001}}}');
	SELECT register_event_schema('order', 1, '{
	  "type": "object", "required": ["id", "symbol", "qty", "price", "at"], "additionalProperties": false,
	  "properties": {
	    "id": {"format": "uuid"}, "symbol": {"pattern": "^[A-Z]{1,5}(\\\\.[A-Z])?$"}, "qty": {"type": "integer", "minimum": 1},
	    "price": {"$ref": "event:common@1#/$defs/money"}, "at": {"format": "date-time"},
	    "note": {"pattern": "^(?!.*([a-z])\\\\1).*(\\\\p{So})?$", "maxLength": 100}}}');
	SELECT register_event_schema('book', 1, '{
	  "allOf": [{"properties": {"side": {"enum": ["bid", "ask"]}}}],
	  "oneOf": [{"required": ["bids"], "properties": {"bids": {"$ref": "#/$defs/levels"}}}, {"required": ["asks"], "properties": {"asks": {"$ref": "#/$defs/levels"}}}],
	  "unevaluatedProperties": false,
	  "$defs": {"levels": {"type": "array", "uniqueItems": true, "items": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "integer"}], "items": false}}}}');
	SELECT register_event_schema('chat', 1, '{
	  "type": "object", "properties": {"text": {"minLength": 1, "maxLength": 4000}, "author": {"$ref": "#/$defs/author"}, "reply_to": {"$ref": "#"}},
	  "$defs": {"author": {"type": "object", "patternProperties": {"^x_": {"type": "string"}}, "propertyNames": {"maxLength": 10}}}}');
	CREATE UNLOGGED TABLE events (event_type text, schema_version int, data jsonb,
	  CHECK (check_event(data, event_type, schema_version)));
	CREATE FUNCTION event_type(i bigint) RETURNS text LANGUAGE sql IMMUTABLE RETURN (ARRAY['order', 'book', 'chat'])[1 + i % 3];
	CREATE FUNCTION event(i bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN CASE i % 3
	  WHEN 0 THEN jsonb_build_object('id', 'd7a1b9c8-fb0f-44d5-ad90-' || lpad(to_hex(i), 12, '0'), 'symbol', 'XLF', 'qty', i + 1,
	    'price', (1 + i % 100000) / 10000.0, 'at', '2024-06-16T12:05:17.226Z')
	      || CASE WHEN i % 10 = 0 THEN jsonb_build_object('note', i || ' größe 𝄞') ELSE '{}' END
	  WHEN 1 THEN jsonb_build_object('side', 'bid', 'bids', (SELECT jsonb_agg(jsonb_build_array(n + 0.5, i)) FROM generate_series(1, 20) AS n))
	  ELSE jsonb_build_object('text', repeat(md5(i::text) || ' größe ', 3), 'author', jsonb_build_object('name', 'a', 'x_id', i::text),
	    'reply_to', jsonb_build_object('text', 'x', 'reply_to', jsonb_build_object('text', 'y')))
	  END;));

foreach my $part ([ 'warm', 1, $warm_up ], [ 'load', $warm_up + 1, $rows + $warm_up ])
{
	$node->safe_psql($db,
		"COPY (SELECT event_type(i), 1, event(i) FROM generate_series($part->[1]::bigint, $part->[2]) AS i) TO '$folder/$part->[0].copy'");
}

# One session, which reads its own figures before and after.
my $figures = q(
	SELECT 'rss ' || substring(pg_read_file('/proc/self/status') FROM 'RssAnon:\s+(\d+)');
	SELECT 'all ' || sum(total_bytes)::bigint / 1024 FROM pg_backend_memory_contexts;
	SELECT 'ours ' || sum(total_bytes)::bigint / 1024 FROM pg_backend_memory_contexts WHERE name LIKE 'event_validate%';
	SELECT 'contexts ' || count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'event_validate%';
);
my $has_status = -e '/proc/self/status';
$figures =~ s/^.*RssAnon.*\n//m unless $has_status;

sub numbers
{
	my ($stdout) = @_;
	my %found;
	push @{ $found{$1} }, $2 while $stdout =~ /^(rss|all|ours|contexts) (\d+)$/mg;
	foreach my $name ('all', 'ours', 'contexts', $has_status ? 'rss' : ())
	{
		die "no two figures \"$name\" in:\n$stdout" if @{ $found{$name} || [] } != 2;
	}
	return %found;
}

my $start = time;
my $stdout = $node->safe_psql(
	$db, qq(
	COPY events FROM '$folder/warm.copy';
	$figures
	COPY events FROM '$folder/load.copy';
	$figures
	SELECT 'rows ' || count(*) FROM events;));
my $seconds = time - $start;
my %found = numbers($stdout);
like($stdout, qr/^rows @{[ $rows + $warm_up ]}$/m, 'every event is stored');
note sprintf '%d events in %d s (%s): kB of the backend after %d rows and after %d more:',
  $rows, $seconds, $seconds ? sprintf('%.0f a second', $rows / $seconds) : 'at once', $warm_up, $rows;
note sprintf '  %-28s %8d %8d', $_->[1], @{ $found{ $_->[0] } }
  for grep { $found{ $_->[0] } }[ 'rss', 'resident, anonymous (kB)' ], [ 'all', 'all memory contexts (kB)' ],
  [ 'ours', 'event_validate\'s (kB)' ], [ 'contexts', 'event_validate\'s, how many' ];

# A leak of eight bytes a row would be 1,600 kB.
is($found{contexts}[1], $found{contexts}[0], 'no further memory contexts');
cmp_ok($found{ours}[1], '<=', $found{ours}[0], 'no further memory in the contexts of the library');
cmp_ok($found{all}[1], '<=', $found{all}[0] + 256, 'no further memory in the contexts of the backend');
SKIP:
{
	skip 'no /proc/self/status here', 1 unless $has_status;
	cmp_ok($found{rss}[1], '<=', $found{rss}[0] + 2048, 'no further memory of the process');
}

# The same for event_violations of invalid documents, which builds and frees every
# violation.
$stdout = $node->safe_psql(
	$db, qq(
	CREATE TEMP TABLE wrong AS SELECT event_type, data || '{"id": 1, "side": 2, "bids": [[1, 2], [1, 2], [1, 2, 3]], "text": "", "author": {"a name that is long": 1}}' AS data
	  FROM events LIMIT 60000;
	SELECT count(*) FROM (SELECT * FROM wrong LIMIT 5000) AS w, event_violations(w.data, w.event_type, 1);
	$figures
	SELECT 'violations ' || count(*) FROM wrong AS w, event_violations(w.data, w.event_type, 1);
	$figures));
%found = numbers($stdout);
my ($violations) = $stdout =~ /^violations (\d+)$/m;
cmp_ok($violations, '>=', 60000, "$violations violations are found");
cmp_ok($found{ours}[1], '<=', $found{ours}[0], 'no further memory in the contexts of the library');
cmp_ok($found{all}[1], '<=', $found{all}[0] + 256, 'nor in those of the backend');

# The same for errors that are caught, one after the other.
$stdout = $node->safe_psql(
	$db, qq(
	CREATE FUNCTION tries(n int) RETURNS int LANGUAGE plpgsql AS \$\$
	DECLARE
	  failed int := 0;
	BEGIN
	  FOR i IN 1..n LOOP
	    BEGIN
	      PERFORM check_event(event(i) || '{"id": 1, "side": 2, "text": ""}', event_type(i), 1);
	    EXCEPTION WHEN check_violation THEN
	      failed := failed + 1;
	    END;
	  END LOOP;
	  RETURN failed;
	END
	\$\$;
	SELECT tries(1000);
	$figures
	SELECT 'failed ' || tries(20000);
	$figures));
%found = numbers($stdout);
like($stdout, qr/^failed 20000$/m, 'twenty thousand errors are caught');
cmp_ok($found{ours}[1], '<=', $found{ours}[0], 'no further memory in the contexts of the library');
cmp_ok($found{all}[1], '<=', $found{all}[0] + 256, 'nor in those of the backend');

$node->stop;
done_testing();
