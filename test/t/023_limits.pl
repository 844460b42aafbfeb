# Documents and schemas that are expensive on purpose: an answer, an error of
# class 54, or a statement that can be cancelled; the server keeps running, and
# the memory is freed.
use strict;
use warnings;

use EventValidate;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $timeout = 20;    # seconds for what should be quick, on a slow machine too

my $node = new_node('limits', conf => "max_stack_depth = '2MB'\nautovacuum = off\n");
my $db = new_database($node, 'limits');

$node->safe_psql(
	$db, q(
	CREATE TABLE documents (name text PRIMARY KEY, data jsonb);
	CREATE FUNCTION document(text) RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT data FROM documents WHERE name = $1';
	INSERT INTO documents VALUES
	  ('props', (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 100000) AS i)),
	  ('integers 100k', (SELECT jsonb_agg(i) FROM generate_series(1, 100000) AS i)),
	  ('integers 1M', (SELECT jsonb_agg(i) FROM generate_series(1, 1000000) AS i)),
	  ('objects 1M', (SELECT jsonb_agg(jsonb_build_object('a', i, 'b', jsonb_build_array(i))) FROM generate_series(1, 1000000) AS i)),
	  ('last twice', (SELECT jsonb_agg(least(i, 999999)) FROM generate_series(1, 1000000) AS i)),
	  ('arrays 1M', (SELECT jsonb_agg('[]'::jsonb) FROM generate_series(1, 1000000) AS i)),
	  ('text', to_jsonb(repeat('a', 200000) || '!')),
	  ('text ab', to_jsonb(repeat('ab', 100000) || '!')),
	  ('text é', to_jsonb(repeat('é', 100000) || '!')),
	  ('long key', jsonb_build_object(repeat('k', 1000000), 1)),
	  ('many wrong', (SELECT jsonb_agg(i::text) FROM generate_series(1, 1000000) AS i));
	-- nested as deep as the server takes them in, with a stack larger than later
	SET max_stack_depth = '7MB';
	DO $$
	DECLARE
	  depth int := 200000;
	BEGIN
	  LOOP
	    BEGIN
	      INSERT INTO documents VALUES ('deep array', (repeat('[', depth) || repeat(']', depth))::jsonb);
	      INSERT INTO documents VALUES ('deep object', (repeat('{"a":', depth) || '1' || repeat('}', depth))::jsonb);
	      EXIT;
	    EXCEPTION WHEN statement_too_complex THEN
	      depth := depth * 2 / 3;
	    END;
	  END LOOP;
	  INSERT INTO documents VALUES ('depth', to_jsonb(depth));
	END
	$$;));
note 'deepest documents: ' . $node->safe_psql($db, q(SELECT document('depth'))) . ' levels';

# attempt($name, $sql, $expected, [seconds])
#
# Runs the SQL with the statement timeout; its last line or its SQLSTATE must be
# the expected one.  Ten times the timeout is more than a busy machine explains.
sub attempt
{
	my ($name, $sql, $expected, $seconds) = @_;
	$seconds ||= $timeout;
	my ($stdout, $stderr);
	my $start = time;
	$node->psql(
		$db, "\\set VERBOSITY sqlstate\nSET statement_timeout = '${seconds}s';\n$sql",
		stdout => \$stdout, stderr => \$stderr, on_error_stop => 1);
	my $elapsed = time - $start;
	my $came = $stderr =~ /ERROR:\s+(\w{5})/ ? $1 : (split /\n/, $stdout)[-1] // $stderr;

	like($came, qr/^(?:$expected)$/, sprintf('%s: %s, %.2f s', $name, substr($came, 0, 40), $elapsed));
	cmp_ok($elapsed, '<', $seconds * 10, "$name: in time") if $elapsed > $seconds / 4;
	return $elapsed;
}

# matches($name, $schema, $document, $expected, [seconds])
sub matches
{
	my ($name, $schema, $document, $expected, $seconds) = @_;
	return attempt($name,
		"SELECT jsonb_matches_schema(\$s\$$schema\$s\$, document('$document'))",
		$expected, $seconds);
}

# ---------- documents ----------

my $list = '{"$ref": "#/$defs/list", "$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}}';
my $chain = '{"type": ["object", "integer"], "properties": {"a": {"$ref": "#"}}, "unevaluatedProperties": false}';

matches('deep arrays, not descended', '{"type": "array"}', 'deep array', 't');
matches('deep arrays, a schema that refers to itself', $list, 'deep array', '54001');
matches('deep objects, a schema that refers to itself', $chain, 'deep object', '54001');
attempt('deep arrays, compared', q(SELECT jsonb_matches_schema('{"uniqueItems": true}', jsonb_build_array(document('deep array'), document('deep array')))),
	'f|54001');
attempt('deep arrays, shown', q(SELECT count(*) FROM jsonb_schema_violations('{"type": "null"}', document('deep array'))), '1|54001');
attempt('deep arrays, all violations', qq(SELECT count(*) FROM jsonb_schema_violations('$list', document('deep array'))), '54001');
attempt('deep arrays as text', q(SELECT jsonb_matches_schema('{}', (repeat('[', 100000) || repeat(']', 100000))::jsonb)), '54001');
attempt('deep arrays, as deep as goes',
	qq(SET max_stack_depth = '7MB'; SELECT jsonb_matches_schema('$list', document('deep array'))), 't|54001');
attempt('a thousand levels', qq(SELECT jsonb_matches_schema('$list', (repeat('[', 1000) || repeat(']', 1000))::jsonb)), 't');
attempt('a thousand levels, and the violation at the end',
	qq(SELECT length(instance_location) FROM jsonb_schema_violations('$list', (repeat('[', 1000) || '1' || repeat(']', 1000))::jsonb)), '2000');

matches('100,000 properties, declared', '{"properties": {"key1": {"type": "string"}}, "additionalProperties": {"type": "integer"}}', 'props', 'f');
matches('100,000 properties, patterns', '{"patternProperties": {"^key[0-9]+$": {"minimum": 1}, "9$": {"type": "integer"}}, "additionalProperties": false}', 'props', 't');
matches('100,000 properties, unevaluated',
	'{"anyOf": [{"patternProperties": {"[0-4]$": true}}, {"patternProperties": {"[5-8]$": true}}], "unevaluatedProperties": {"multipleOf": 10}}', 'props', 'f');
attempt('100,000 properties, all violations', q(SELECT count(*) FROM jsonb_schema_violations('{"additionalProperties": false}', document('props'))), '100000');
attempt('a million violations', q(SELECT count(*) FROM jsonb_schema_violations('{"items": {"type": "null"}}', document('many wrong'))), '1000000');
attempt('a million violations, in an error', q(
	SELECT register_event_schema('wrong', 1, '{"items": {"type": "null"}}');
	SELECT check_event(document('many wrong'), 'wrong', 1)), '23514');
attempt('a million violations, in a few lines', q(
	DO $$
	DECLARE
	  detail text;
	BEGIN
	  PERFORM check_event(document('many wrong'), 'wrong', 1);
	EXCEPTION WHEN check_violation THEN
	  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	  PERFORM set_config('limits.length', length(detail)::text, false);
	END
	$$;
	SELECT current_setting('limits.length')::int < 10000), 't');

my $once = matches('100,000 unique items', '{"uniqueItems": true}', 'integers 100k', 't');
my $more = matches('1,000,000 unique items', '{"uniqueItems": true}', 'integers 1M', 't');
cmp_ok($more, '<', 40 * $once + 2, sprintf('near-linear: %.0f times for 10 times as many', $more / $once));
matches('1,000,000 unique objects', '{"uniqueItems": true}', 'objects 1M', 't');
matches('1,000,000 items, the last two equal', '{"uniqueItems": true}', 'last twice', 'f');
matches('1,000,000 items, all equal', '{"uniqueItems": true}', 'arrays 1M', 'f');
matches('1,000,000 items, each contained', '{"contains": {"minimum": 500000}, "minContains": 500001, "maxContains": 500001}', 'integers 1M', 't');

# a single numeric_mod could not be cancelled
attempt('numbers of 131,072 digits, too many to be divided', q(SELECT jsonb_matches_schema(
	  ('{"multipleOf": 0.' || repeat('1234567', 2000) || '}')::jsonb, repeat('7654321', 18000)::jsonb)), '54000');
# each name and item is fast, but all of them take longer than this
my $patterns = join(', ', map { qq("[j-m]*$_\[0-9]*z": true) } 10 .. 999);
matches('100,000 properties, a thousand patterns, cancelled', "{\"patternProperties\": {$patterns}}", 'props', 't|57014', 1);
attempt('a million violations, cancelled', q(SELECT count(*) FROM jsonb_schema_violations('{"items": {"type": "null"}}', document('many wrong'))), '1000000|57014', 1);

attempt('a million numbers, divided exactly', q(SELECT jsonb_matches_schema('{"items": {"multipleOf": 1e-30}}', document('integers 1M'))), 't');

# ---------- patterns against 200 kB ----------

matches("pattern $_->[0]", qq({"pattern": "$_->[0]"}), $_->[1], $_->[2], $_->[3])
  for [ '^(a+)+$', 'text', 'f' ], [ '^(a|a)*$', 'text', 'f' ], [ '^(a|aa)+$', 'text', 'f' ], [ '^(a*)*b', 'text', 'f' ],
  [ '(x+x+)+y', 'text', 'f' ], [ '(a|b|ab)*c', 'text ab', 'f' ], [ '^(?:a?){50}a{50}$', 'text', 'f' ], [ '(.*a){20}b', 'text', 'f' ],
  [ '(a{0,100}){0,100}b', 'text', 'f|22023' ], [ '^(\\\\w+\\\\s?)*$', 'text', 'f' ], [ '^(.|é)*$', 'text é', 't' ],
  [ '^(?=(a+))a*b$', 'text', 'f|57014' ], [ '^(?!(a*)*b)', 'text', 't|57014' ], [ '(a)(?<!b*c)$', 'text', 'f|57014|22023' ],
  [ '^(a|b)*\\\\1{3}c$', 'text ab', 'f|57014|22023' ], [ '^(.+)\\\\1!$', 'text', 't|57014', 3 ], [ '^(.*)(.*)\\\\1\\\\2x$', 'text', 'f|57014' ];
# patterns that are too expensive to compile are refused, without much memory
attempt("pattern $_", qq(SELECT jsonb_matches_schema(\$s\${"pattern": "$_"}\$s\$, '""')), 't|f|22023|54000|54001')
  for '(a{1000}){1000}', '((a{100}){100}){100}', '(((((a{9}){9}){9}){9}){9}){9}', '[a-z]{100000}', 'a{2147483647}', '(.*a.{30}){3}', '(a|b)*a(a|b){40}';
attempt('a pattern of 100,000 branches', q(SELECT jsonb_matches_schema(jsonb_build_object('pattern', (SELECT string_agg('w' || i, '|') FROM generate_series(1, 100000) AS i)), '"w99999"')),
	't|22023|54000');
attempt('a pattern of 100,000 brackets', q(SELECT jsonb_matches_schema(jsonb_build_object('pattern', repeat('(', 100000) || repeat(')', 100000)), '""')),
	't|22023|54001');

# ---------- schemas ----------

# doubled($levels, $leaf, $keyword): a schema with 2^levels paths to the leaf
sub doubled
{
	my ($levels, $leaf, $keyword) = @_;
	return '{"$ref": "#/$defs/s0", "$defs": {'
	  . join(', ', map { sprintf '"s%d": {"%s": [{"$ref": "#/$defs/s%d"}, {"$ref": "#/$defs/s%d"}]}', $_, $keyword, $_ + 1, $_ + 1 } 0 .. $levels - 1)
	  . qq(, "s$levels": $leaf}});
}
matches("$_: exponential, cancelled", doubled(60, '{"minimum": 1000000}', $_), 'depth', 'f|57014', 3) for 'anyOf', 'oneOf';
matches('allOf: exponential, cancelled', doubled(60, '{"minimum": 0}', 'allOf'), 'depth', 't|57014', 3);
attempt('anyOf: exponential, explained and cancelled',
	q{SELECT count(*) FROM jsonb_schema_violations($s$} . doubled(60, '{"minimum": 5}', 'anyOf') . q{$s$, '1')}, '1|57014', 3);
attempt('anyOf: exponential, reported and cancelled',
	q{SELECT register_event_schema('doubled', 1, $s$} . doubled(60, '{"minimum": 5}', 'anyOf') . q{$s$); SELECT length(event_report('1', 'doubled', 1)::text) > 0}, 't|57014|54000', 3);
attempt('an explanation has an end',
	q{SELECT max(length(message)) < 5000 FROM jsonb_schema_violations($s$} . doubled(12, '{"minimum": 5}', 'anyOf') . q{$s$, '1')}, 't');

attempt("$_ nested 100,000 times", qq(SELECT jsonb_matches_schema((repeat('{"$_":[', 100000) || 'true' || repeat(']}', 100000))::jsonb, '1')), '54001')
  for 'allOf', 'anyOf';
attempt("$_->[0] nested 1,000 times", qq(SELECT jsonb_matches_schema((repeat('$_->[1]', 1000) || '{"type": "string"}' || repeat('$_->[2]', 1000))::jsonb, '1')), $_->[3])
  for [ 'allOf', '{"allOf":[', ']}', 'f' ], [ 'anyOf', '{"anyOf":[', ']}', 'f' ], [ 'not', '{"not":', '}', 'f' ], [ 'then', '{"if":true,"then":', '}', 'f' ];
attempt('a chain of 20,000 references',
	q(SELECT jsonb_matches_schema(jsonb_build_object('$ref', '#/$defs/s0', '$defs',
	  (SELECT jsonb_object_agg('s' || i, CASE WHEN i < 20000 THEN jsonb_build_object('$ref', '#/$defs/s' || i + 1) ELSE '{"type": "string"}' END)
	   FROM generate_series(0, 20000) AS i)), '1')), 'f|54001');
attempt('20,000 properties with a pattern each',
	q(SELECT jsonb_matches_schema(jsonb_build_object('properties',
	  (SELECT jsonb_object_agg('key' || i, jsonb_build_object('pattern', '^' || i || '[a-z]*$')) FROM generate_series(1, 20000) AS i)), document('props'))), 't');
attempt('an enum of 100,000 strings', q(SELECT jsonb_matches_schema(jsonb_build_object('enum', (SELECT jsonb_agg('v' || i) FROM generate_series(1, 100000) AS i)), '"v77777"')), 't');
attempt('an enum of 100,000 numbers', q(SELECT jsonb_matches_schema(jsonb_build_object('enum', document('integers 100k')), '77777')), 't');
attempt('oneOf of 5,000 schemas', q(SELECT jsonb_matches_schema(jsonb_build_object('oneOf', (SELECT jsonb_agg(jsonb_build_object('const', i)) FROM generate_series(1, 5000) AS i)), '4444')), 't');
attempt('5,000 resources with anchors',
	q(SELECT jsonb_matches_schema(jsonb_build_object('$ref', 'urn:r:5000#a', '$defs',
	  (SELECT jsonb_object_agg('r' || i, jsonb_build_object('$id', 'urn:r:' || i, '$anchor', 'a', 'type', 'string')) FROM generate_series(1, 5000) AS i)), '1')), 'f');

# ---------- texts of errors ----------

attempt('a key of a million characters', q(SELECT count(*) FROM jsonb_schema_violations('{"additionalProperties": false}', document('long key'))), '1');
attempt('an event type of a million characters', q(SELECT validate_event('{}', repeat('x', 1000000), 1)), 'f');

# ---------- afterwards ----------

# One session runs several of these, and frees the memory.
my $hard = join "\n", (
	q(SELECT jsonb_matches_schema('{"uniqueItems": true}', document('objects 1M'));),
	q(SELECT count(*) FROM jsonb_schema_violations('{"items": {"type": "null"}}', document('many wrong'));),
	q(SELECT jsonb_matches_schema('{"pattern": "^(?=(a+))a*b$"}', document('text'));),
	qq(SELECT jsonb_matches_schema('$list', document('deep array'));),
	q(SELECT check_event(document('many wrong'), 'wrong', 1);),
	q(SELECT validate_event(document('many wrong'), 'wrong', 1);));
my $stdout;
$node->psql(
	$db, qq(
	SET statement_timeout = '${timeout}s';
	$hard
	SELECT 'memory ' || sum(total_bytes)::bigint FROM pg_backend_memory_contexts;
	$hard
	$hard
	SELECT 'memory ' || sum(total_bytes)::bigint FROM pg_backend_memory_contexts;),
	stdout => \$stdout, on_error_stop => 0);
my @memory = $stdout =~ /^memory (\d+)$/mg;
is(scalar @memory, 2, 'the session runs to the end');
cmp_ok($memory[1], '<=', $memory[0] + 256 * 1024, "its memory is freed: @memory bytes");
cmp_ok($memory[1], '<', 32 * 1024 * 1024, 'its memory is small');

is($node->safe_psql($db, 'SELECT count(*) > 0 FROM documents'), 't', 'the server runs');
my $log = slurp_file($node->logfile);
unlike($log, qr/was terminated by signal|PANIC:|TRAP:/, 'no backend crashed');

$node->stop;
done_testing();
