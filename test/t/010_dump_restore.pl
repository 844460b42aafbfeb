# A database with schemas and events is restored from every kind of dump: no
# error, no row lost, schemas enforced and kept; by a superuser, and by the
# database's owner, who is no superuser.
use strict;
use warnings;

use EventValidate;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');
my $dump = $node->backup_dir;
mkdir $dump;

# ---------- a database with all kinds of objects ----------

# Names at the start and the end of the alphabet refer to each other, so that
# restoring in the order of names would fail.  Bodies have characters that need
# quoting.
my $long = 'l' x 60;

# too long for a name of a function: in all of them, or in some
my $longer = 'com.example.größer.' . 'Ü"ber\'\'$$' x 40;
my $middle = 'm' x 59;
my $contents = qq(
	SELECT register_event_schema('zz', 1, '{"type": "integer", "title": "\$function\$ \$\$ '' \\\\ \\u00e9"}');
	SELECT register_event_schema('aa', 1, '{"type": "object", "properties": {"n": {"\$ref": "event:zz\@1"}}}');
	SELECT register_event_schema('mm', 1, '{"\$ref": "event:aa\@1", "required": ["n"]}');
	SELECT register_event_schema('aa', 2, '{"allOf": [{"\$ref": "event:mm\@1"}, {"\$ref": "event:aa\@1"}]}', breaking => true);
	SELECT register_event_schema('free', 1, '{"properties": {"at": {"format": "date-time"}}}', assert_format => false);
	SELECT register_event_schema('freer', 1, '{"properties": {"at": {"format": "time"}, "on": {"format": "date"}}}', except_formats => '{duration,time}');
	SELECT register_event_schema('order''s "best" §.x', 1, '{"type": "object"}');
	SELECT register_event_schema('$long', 1, '{"type": "object"}');
	SELECT register_event_schema('große.bestellung', 2147483647, '{"type": "object"}');
	SELECT register_event_schema('big', 1, jsonb_build_object('enum', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 1000) i)));
	SELECT register_schema('https://example.com/money', '{"\$id": "https://example.com/money", "type": "number"}');
	SELECT register_schema('https://example.com/a/very/long/path/to/a/document/that/does/not/fit', '{"type": "boolean"}');
	SELECT register_event_schema('priced', 1, '{"properties": {"price": {"\$ref": "https://example.com/money"}, "sold": {"\$ref": "https://example.com/a/very/long/path/to/a/document/that/does/not/fit"}}}');
	CREATE FUNCTION event_schema."by.hand\@1"(d jsonb) RETURNS boolean LANGUAGE jsonschema IMMUTABLE COST 3 AS '
		#assert_format off
		{"type": "object"}';
	COMMENT ON FUNCTION event_schema."by.hand\@1" IS 'written by ''hand''';
	SET check_function_bodies = off;
	CREATE FUNCTION event_schema."tree\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"items": {"\$ref": "event:leaf\@1"}}';
	CREATE FUNCTION event_schema."leaf\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"anyOf": [{"type": "null"}, {"\$ref": "event:tree\@1"}], "type": ["array", "null"]}';
	-- an older release accepted duplicate keys, \$ids and anchors
	CREATE FUNCTION event_schema."old\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"\$ref": "#x", "minLength": 9, "minLength": 1,
		"\$defs": {"a": {"\$anchor": "x", "type": "string"}, "b": {"\$anchor": "x", "type": "number"}, "c": {"\$id": "urn:x:y"}, "d": {"\$id": "urn:x:y"}}}';
	-- references by \$id: to a document, to a schema in one, in a circle, and to a
	-- document of which others have copies
	CREATE FUNCTION event_schema."aa.ring\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"\$id": "https://example.com/aa", "items": {"\$ref": "https://example.com/zz"}}';
	CREATE FUNCTION event_schema."zz.ring\@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS '{"\$id": "https://example.com/zz", "type": ["null", "array"], "items": {"\$ref": "https://example.com/aa"}}';
	SET check_function_bodies = on;
	SELECT register_event_schema('kk.copy', 1, '{"\$defs": {"zz": {"\$id": "https://example.com/zz", "type": "null"}}}');
	SELECT register_event_schema('mm.copy', 1, '{"\$defs": {"zz": {"\$id": "https://example.com/zz", "type": "null"}}}');
	SELECT register_event_schema('zz.whole', 1, '{"\$id": "https://example.com/whole", "\$defs": {"part": {"\$id": "part", "const": 1}}}');
	SELECT register_event_schema('aa.parts', 1, '{"items": {"\$ref": "https://example.com/part"}, "allOf": [{"\$ref": "https://example.com/whole"}]}');

	CREATE FUNCTION public.up(data jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT data';
	CREATE FUNCTION event_schema."aa\@1>2"(data jsonb) RETURNS jsonb LANGUAGE sql BEGIN ATOMIC SELECT public.up(data); END;
	CREATE FUNCTION event_schema."aa\@compatibility"() RETURNS text LANGUAGE sql IMMUTABLE AS \$\$SELECT 'full'\$\$;

	SELECT register_event_schema('$longer', i, '{"type": "object", "properties": {"n": {"\$ref": "event:zz\@1"}}}') FROM generate_series(9, 11) i;
	SELECT register_event_schema('$middle', i, jsonb_build_object('\$ref', 'event:$longer\@' || i)) FROM generate_series(9, 11) i;
	SELECT set_event_compatibility('$longer', 'full'), set_event_compatibility('$middle', 'none');
	SELECT register_event_upcast(t, i, i + 1, 'public.up(jsonb)') FROM unnest(ARRAY['$longer', '$middle']) t, generate_series(9, 10) i;

	CREATE SCHEMA "A first";
	CREATE SCHEMA zzz;
	CREATE TABLE "A first"."a Table" (id int PRIMARY KEY, event_type text, schema_version int, data jsonb,
		CHECK (check_event(data, event_type, schema_version)));
	CREATE TABLE zzz.zzz (LIKE "A first"."a Table" INCLUDING ALL);
	CREATE TABLE public.direct (data jsonb CHECK (event_schema."mm\@1"(data)),
		ok boolean GENERATED ALWAYS AS (event_schema."zz\@1"(data->'n')) STORED);
	CREATE INDEX ON public.direct ((data->'n')) WHERE event_schema."aa\@1"(data);
	CREATE DOMAIN public.tree AS jsonb CHECK (check_event(VALUE, 'tree', 1));
	CREATE DOMAIN public.whole AS jsonb CHECK (event_schema."zz\@1"(VALUE));
	CREATE TABLE public.domains (trees public.tree[], whole public.whole);
	CREATE TABLE public.parts (event_type text, schema_version int, data jsonb,
		CHECK (check_event(data, event_type, schema_version))) PARTITION BY LIST (event_type);
	CREATE TABLE public.part_aa PARTITION OF public.parts FOR VALUES IN ('aa');
	CREATE TABLE "A first".part_rest PARTITION OF public.parts DEFAULT;
	CREATE TABLE public.legacy (data jsonb, CONSTRAINT checked CHECK (check_event(data, 'aa', 1, 'checked')));
	CREATE VIEW public.valid AS SELECT * FROM "A first"."a Table" WHERE validate_event(data, event_type, schema_version);
	CREATE MATERIALIZED VIEW public.versions AS SELECT id, matching_event_versions(data, 'aa') FROM "A first"."a Table";

	INSERT INTO "A first"."a Table" VALUES
		(1, 'zz', 1, '1'), (2, 'aa', 1, '{"n": 1}'), (3, 'mm', 1, '{"n": 2}'), (4, 'aa', 2, '{"n": 3}'),
		(5, 'free', 1, '{"at": "never"}'), (6, 'order''s "best" §.x', 1, '{}'), (7, '$long', 1, '{}'), (70, 'old', 1, '"x"'),
		(8, 'große.bestellung', 2147483647, '{}'), (9, 'priced', 1, '{"price": 1.5, "sold": true}'),
		(10, 'by.hand', 1, '{}'), (11, 'tree', 1, '[[null], null]'), (12, 'aa.ring', 1, '[null, [null]]'), (13, 'aa.parts', 1, '[1]'),
		(14, '$longer', 9, '{"n": 1}'), (15, '$middle', 10, '{}');
	INSERT INTO zzz.zzz SELECT id + 100 * i, event_type, schema_version, data FROM "A first"."a Table", generate_series(0, 99) i;
	INSERT INTO public.direct VALUES ('{"n": 5}');
	INSERT INTO public.domains VALUES (ARRAY['[null]', '[[null]]']::public.tree[], '7');
	INSERT INTO public.parts SELECT event_type, schema_version, data FROM "A first"."a Table";
	INSERT INTO public.legacy VALUES ('{"n": 1}');
	REFRESH MATERIALIZED VIEW public.versions;
);

# All relevant contents of the database, as text.
my $inventory = q(
	SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proowner::regrole::text, p.proacl::text, obj_description(p.oid)
	FROM pg_proc p WHERE p.pronamespace = 'event_schema'::regnamespace
	UNION ALL SELECT 'dependency', d.objid::regprocedure::text, d.refobjid::regprocedure::text, d.deptype::text, NULL, NULL
	FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_proc'::regclass
	UNION ALL SELECT 'uri', function::text, kind, number::text, NULL, NULL FROM _event_validate.uri_index
	UNION ALL SELECT 'constraint', c.conname, pg_get_constraintdef(c.oid), c.convalidated::text, c.conrelid::regclass::text, c.contypid::regtype::text
	FROM pg_constraint c WHERE c.contype = 'c' AND connamespace <> 'information_schema'::regnamespace
	UNION ALL SELECT 'rows', 'a', t::text, NULL, NULL, NULL FROM "A first"."a Table" t
	UNION ALL SELECT 'rows', 'z', t::text, NULL, NULL, NULL FROM zzz.zzz t
	UNION ALL SELECT 'rows', 'direct', t::text, NULL, NULL, NULL FROM public.direct t
	UNION ALL SELECT 'rows', 'domains', t::text, NULL, NULL, NULL FROM public.domains t
	UNION ALL SELECT 'rows', 'parts', t::text, tableoid::regclass::text, NULL, NULL FROM public.parts t
	UNION ALL SELECT 'rows', 'legacy', t::text, NULL, NULL, NULL FROM public.legacy t
	UNION ALL SELECT 'rows', 'valid', t::text, NULL, NULL, NULL FROM public.valid t
	UNION ALL SELECT 'rows', 'versions', t::text, NULL, NULL, NULL FROM public.versions t
	UNION ALL SELECT 'members', pg_describe_object(classid, objid, objsubid), e.extnamespace::regnamespace::text, NULL, NULL, NULL
	FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = 'event_validate'
	UNION ALL SELECT 'acl', nspname, nspacl::text, pg_get_userbyid(nspowner), NULL, NULL FROM pg_namespace WHERE nspname IN ('event_schema', 'A first')
	ORDER BY 1, 2, 3, 4);

# Runs a command that must succeed without messages.
sub quiet
{
	my ($name, @command) = @_;
	my ($stdout, $stderr);
	my $ok = IPC::Run::run(\@command, '<', '/dev/null', '>', \$stdout, '2>', \$stderr);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($ok, "$name: exit status");
	is($stderr, '', "$name: no messages");
	return $stdout;
}

sub connection
{
	my ($role, $database, $on) = @_;

	return $on->connstr($database) . " user=$role";
}

sub psql_file
{
	my ($role, $database, $on, $file) = @_;

	return ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null',
		'-d', connection($role, $database, $on), '-f', $file);
}

# Returns the lines that only one of the texts has.
sub differences
{
	my ($expected, $got) = @_;
	my %count;

	$count{$_}-- foreach split /\n/, $expected;
	$count{$_}++ foreach split /\n/, $got;
	return join('', map { ($count{$_} < 0 ? '-' : '+') . "$_\n" } sort grep { $count{$_} } keys %count);
}

# Checks that the database has the original's contents, that it validates events,
# and that it keeps schemas.
sub same
{
	my ($name, $role, $database, $original, %options) = @_;
	my $on = $options{node} || $node;
	my $api = $options{api} || 'public';

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(differences($original, $on->safe_psql($database, "SET search_path = $api; $inventory")),
		'', "$name: everything is there");

	my %refused = (
		q(INSERT INTO "A first"."a Table" VALUES (99, 'aa', 1, '{"n": "x"}')) => '23514',
		q(INSERT INTO public.parts VALUES ('zz', 1, '"x"')) => '23514',
		q(INSERT INTO public.parts VALUES ('aa.ring', 1, '[1]')) => '23514',
		q(INSERT INTO public.parts VALUES ('aa.parts', 1, '[2]')) => '23514',
		q(INSERT INTO public.parts VALUES ('none', 1, '{}')) => '42704',
		q(INSERT INTO public.direct VALUES ('{}')) => '23514',
		q(INSERT INTO public.domains VALUES (ARRAY['[1]']::public.tree[])) => '23514',
		q(INSERT INTO public.domains(whole) VALUES ('"x"')) => '23514',
		q(UPDATE public.legacy SET data = '{"n": "x"}') => '23514',
		q(DROP FUNCTION event_schema."tree@1") => '2BP01',
		q(DROP FUNCTION event_schema."zz@1") => '2BP01',
		q(DROP FUNCTION event_schema."free@1") => '2BP01',
		q(DROP FUNCTION event_schema."zz.whole@1") => '2BP01',
		q(SELECT register_event_schema('copy', 1, '{"$defs": {"part": {"$id": "https://example.com/part"}}}')) => '42710',
		q(ALTER FUNCTION event_schema."free@1" RENAME TO "free@2") => '0A000',
		q(CREATE OR REPLACE FUNCTION event_schema."free@1"(data jsonb) RETURNS boolean LANGUAGE jsonschema AS 'false') => '42710');
	foreach my $statement (sort keys %refused)
	{
		my @error = sql_error($on, $database, "SET search_path = $api; $statement",
			extra_params => [ '-U', $role ]);

		is($error[0], $refused{$statement}, "$name: refused: $statement");
	}
	return;
}

# ---------- restores by several roles ----------

$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE reader');

sub create_database
{
	my ($name, $on) = @_;

	($on || $node)->safe_psql('postgres', "CREATE DATABASE $name OWNER owner TEMPLATE template0");
	return $name;
}

foreach my $role ($node->safe_psql('postgres', 'SELECT current_user'), 'owner')
{
	my $kind = $role eq 'owner' ? 'owner' : 'superuser';
	my $full = create_database("full_$kind");
	my $source = connection($role, $full, $node);

	$node->safe_psql($full, "CREATE EXTENSION event_validate;\n$contents", extra_params => [ '-U', $role ]);
	$node->safe_psql($full, 'GRANT CREATE ON SCHEMA event_schema TO reader; GRANT EXECUTE ON FUNCTION event_schema."by.hand@1" TO reader',
		extra_params => [ '-U', $role ]);
	my $original = $node->safe_psql($full, $inventory);
	same("$kind, before", $role, $full, $original);

	# plain
	quiet("$kind, pg_dump", 'pg_dump', '-f', "$dump/$kind.sql", '-d', $source);
	my $plain = create_database("plain_$kind");
	quiet("$kind, psql", psql_file($role, $plain, $node, "$dump/$kind.sql"));
	same("$kind, pg_dump | psql", $role, $plain, $original);

	# in one transaction
	my $single = create_database("single_$kind");
	quiet("$kind, psql -1", psql_file($role, $single, $node, "$dump/$kind.sql"), '-1');
	same("$kind, psql -1", $role, $single, $original);

	# a dump of the restored database is the same
	quiet("$kind, pg_dump again", 'pg_dump', '-f', "$dump/$kind.again.sql", '-d', connection($role, $plain, $node));
	my @dumps = map { my $text = slurp_file($_); $text =~ s/^\\(un)?restrict .*$//mg; $text }
	  ("$dump/$kind.sql", "$dump/$kind.again.sql");
	is($dumps[1], $dumps[0], "$kind: a dump of the restored database is the same");

	# with INSERTs instead of COPY
	quiet("$kind, pg_dump --inserts", 'pg_dump', '--inserts', '-f', "$dump/$kind.inserts.sql", '-d', $source);
	my $inserts = create_database("inserts_$kind");
	quiet("$kind, psql, INSERTs", psql_file($role, $inserts, $node, "$dump/$kind.inserts.sql"));
	same("$kind, INSERTs", $role, $inserts, $original);

	# directory, in parallel
	quiet("$kind, pg_dump -Fd -j2", 'pg_dump', '-Fd', '-j2', '-f', "$dump/$kind.dir", '-d', $source);
	my $parallel = create_database("parallel_$kind");
	quiet("$kind, pg_restore -j4", 'pg_restore', '-j4', '--exit-on-error', '-d', connection($role, $parallel, $node), "$dump/$kind.dir");
	same("$kind, pg_restore -j4", $role, $parallel, $original);

	# into a database with the same objects, and into an empty one
	quiet("$kind, pg_restore --clean, full", 'pg_restore', '--clean', '--if-exists', '--exit-on-error',
		'-d', connection($role, $parallel, $node), "$dump/$kind.dir");
	same("$kind, pg_restore --clean, full", $role, $parallel, $original);
	my $empty = create_database("empty_$kind");
	quiet("$kind, pg_restore --clean, empty", 'pg_restore', '--clean', '--if-exists', '--exit-on-error',
		'-d', connection($role, $empty, $node), "$dump/$kind.dir");
	same("$kind, pg_restore --clean, empty", $role, $empty, $original);
	quiet("$kind, pg_dump --clean", 'pg_dump', '--clean', '--if-exists', '-f', "$dump/$kind.clean.sql", '-d', $source);
	quiet("$kind, psql, --clean", psql_file($role, $plain, $node, "$dump/$kind.clean.sql"));
	same("$kind, pg_dump --clean | psql", $role, $plain, $original);

	# first the schema, then the data
	my $apart = create_database("apart_$kind");
	quiet("$kind, --schema-only", 'pg_restore', '--schema-only', '--exit-on-error', '-d', connection($role, $apart, $node), "$dump/$kind.dir");
	quiet("$kind, --data-only", 'pg_restore', '--data-only', '--exit-on-error', '-d', connection($role, $apart, $node), "$dump/$kind.dir");
	# (neither restore refreshes a materialized view)
	$node->safe_psql($apart, 'REFRESH MATERIALIZED VIEW public.versions');
	same("$kind, --schema-only, --data-only", $role, $apart, $original);

	# by sections
	my $sections = create_database("sections_$kind");
	quiet("$kind, --section=$_", 'pg_restore', "--section=$_", '--exit-on-error', '-d', connection($role, $sections, $node), "$dump/$kind.dir")
	  foreach ('pre-data', 'data', 'post-data');
	same("$kind, --section", $role, $sections, $original);

	# The registered schemas alone, for a subscriber or for code review.
	my $ddl = "$dump/$kind.ddl.sql";
	append_to_file($ddl, $node->safe_psql($full, 'SELECT event_schema_ddl()'));
	my $subscriber = create_database("subscriber_$kind");
	my $definitions = q(SELECT event_type, schema_version, definition, title FROM event_schemas);
	$node->safe_psql($subscriber, 'CREATE EXTENSION event_validate', extra_params => [ '-U', $role ]);
	# (only a restore can create schemas that refer to each other)
	append_to_file("$ddl.first", 'SET check_function_bodies = off;');
	quiet("$kind, event_schema_ddl", psql_file($role, $subscriber, $node, "$ddl.first"), '-f', $ddl);
	is( $node->safe_psql($subscriber, $definitions),
		$node->safe_psql($full, $definitions), "$kind: event_schema_ddl recreates all registered objects");
	quiet("$kind, event_schema_ddl again", psql_file($role, $subscriber, $node, $ddl));
	is( $node->safe_psql($subscriber, $definitions),
		$node->safe_psql($full, $definitions), "$kind: and may be run again");
	$node->safe_psql('postgres', "DROP DATABASE $_ (FORCE)")
	  foreach ($plain, $single, $inserts, $parallel, $empty, $apart, $sections, $subscriber);
}

# A single type with the schemas to which it refers.
is( $node->safe_psql('full_owner', q(SELECT string_agg(substring(d, 'event_schema\.("[^"]*")'), ' ') FROM event_schema_ddl('mm') d)),
	'"zz@1" "aa@1" "mm@1"', 'event_schema_ddl of a type');

# ---------- the API in another schema, with an awkward name ----------

my $elsewhere = create_database('elsewhere');
$node->safe_psql($elsewhere, qq(CREATE SCHEMA "My API"; CREATE EXTENSION event_validate SCHEMA "My API";
	SET search_path = "My API"; $contents), extra_params => [ '-U', 'owner' ]);
my $original = $node->safe_psql($elsewhere, qq(SET search_path = "My API"; $inventory));
quiet('elsewhere, pg_dump', 'pg_dump', '-f', "$dump/elsewhere.sql", '-d', connection('owner', $elsewhere, $node));
create_database('elsewhere_restored');
quiet('elsewhere, psql', psql_file('owner', 'elsewhere_restored', $node, "$dump/elsewhere.sql"));
same('elsewhere', 'owner', 'elsewhere_restored', $original, api => '"My API"');

# ---------- the whole cluster ----------

my $other = new_node('other');
quiet('pg_dumpall', 'pg_dumpall', '-f', "$dump/all.sql", '-d', $node->connstr('postgres'));
my $script = slurp_file("$dump/all.sql");
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
$script =~ s/^CREATE ROLE \Q$superuser\E;$//m;	# initdb made that one
append_to_file("$dump/all.new.sql", $script);
quiet('psql, pg_dumpall', psql_file($superuser, 'postgres', $other, "$dump/all.new.sql"));
same('pg_dumpall, superuser', $superuser, 'full_superuser', $node->safe_psql('full_superuser', $inventory), node => $other);
same('pg_dumpall, owner', 'owner', 'full_owner', $node->safe_psql('full_owner', $inventory), node => $other);

$node->stop;
$other->stop;
done_testing();
