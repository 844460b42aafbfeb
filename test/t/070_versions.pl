# Versions of the extension: each released version with this library, and its
# update, which leads to the same objects as a new installation.
use strict;
use warnings;

use Catalogs;
use EventValidate;
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my ($current) = slurp_file("$top/event_validate.control") =~ /^default_version = '(.*)'/m;
my @released = map { /  event_validate--([0-9.]+)\.sql$/ ? $1 : () } split /\n/, slurp_file("$top/install/frozen.sha256");
my %script = map { $_ => slurp_file("$top/event_validate--$_.sql") } @released;

my $node = new_node('versions');
cmp_ok(scalar(@released), '>', 0, 'there are released versions');

# ---------- symbols ----------

# A database keeps the names of C functions that its version of the scripts had,
# also after the library is replaced, and through pg_upgrade.
$node->safe_psql('postgres', 'CREATE DATABASE symbols TEMPLATE template0');
my %symbols;
foreach my $version (@released)
{
	my @definitions = $script{$version} =~ /\bAS\s+'MODULE_PATHNAME'\s*,\s*'(\w+)'/g;

	is(scalar(@definitions), scalar(() = $script{$version} =~ /'MODULE_PATHNAME'/g), "$version: each C function names its symbol");
	@symbols{@definitions} = ();
}
cmp_ok(scalar(keys %symbols), '>', 50, 'the released scripts have symbols');
my $find_symbols = sub {
	return $node->psql('symbols', join('', map { "CREATE OR REPLACE FUNCTION find_symbol() RETURNS trigger LANGUAGE c AS '\$libdir/event_validate', '$_';\n" } @_));
};
my ($status, $out, $missing) = $find_symbols->(sort keys %symbols);
is($missing, '', 'the library has all of them');
($status, $out, $missing) = $find_symbols->('ev_no_such_function');
like($missing, qr/could not find function "ev_no_such_function"/, 'and a symbol that it does not have would be noticed');

# ---------- a new installation ----------

my $query = catalog_query($node);
$node->safe_psql('postgres', 'CREATE DATABASE fresh TEMPLATE template0');
$node->safe_psql('fresh', 'CREATE EXTENSION event_validate');
is($node->safe_psql('fresh', 'SELECT extversion FROM pg_extension WHERE extname = $$event_validate$$'), $current, 'the control file has the version');
my $fresh = $node->safe_psql('fresh', $query);

# Each released version, updated, has the same objects.  (Object identities have no
# OIDs; nothing else may differ, neither a comment nor the owner of a function.)
foreach my $version (@released)
{
	$node->safe_psql('postgres', 'CREATE DATABASE updated TEMPLATE template0');
	$node->safe_psql('updated', "CREATE EXTENSION event_validate VERSION '$version'; ALTER EXTENSION event_validate UPDATE");
	is(catalog_differences($fresh, $node->safe_psql('updated', $query)), '', "$version, updated: the same objects as a new installation");
	$node->safe_psql('postgres', 'DROP DATABASE updated');
}

# The comparison shows each kind of change: one that an update script forgot, or
# did without the install script, would be noticed.
my @changes = (
	q(CREATE FUNCTION public.forgotten() RETURNS int LANGUAGE sql RETURN 1) => qr/\+pg_depend.*function public\.forgotten\(\)/,
	q(DROP FUNCTION public.event_uuid(jsonb, text)) => qr/-pg_proc.*event_uuid/,
	q(CREATE OR REPLACE FUNCTION public.event_date(data jsonb, property text) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT NULL::date') => qr/\+pg_proc.*event_date.*NULL::date/,
	q(CREATE OR REPLACE FUNCTION _event_validate.list_event_upcasts(OUT event_type text, OUT from_version int, OUT to_version int,
		OUT function regprocedure, OUT calls regprocedure, OUT renames jsonb, OUT owner name) RETURNS SETOF record
		AS 'MODULE_PATHNAME', 'ev_list_event_upcasts' LANGUAGE C STABLE ROWS 101) => qr/\+pg_proc.*"prorows": 101/,
	q(ALTER FUNCTION public.validate_event(jsonb, text, int) COST 7) => qr/\+pg_proc.*"procost": 7,/,
	q(ALTER FUNCTION public.event_violations(jsonb, text, int) VOLATILE) => qr/\+pg_proc.*event_violations.*"provolatile": "v"/,
	q(ALTER FUNCTION public.event_report(jsonb, text, int, text) PARALLEL UNSAFE) => qr/\+pg_proc.*event_report.*"proparallel": "u"/,
	q(ALTER FUNCTION public.matching_event_versions(jsonb, text) STRICT LEAKPROOF) => qr/\+pg_proc.*matching_event_versions.*"proisstrict": true/,
	q(ALTER FUNCTION public.event_boolean(jsonb, text) SET work_mem = 64) => qr/\+pg_proc.*event_boolean.*work_mem/,
	q(ALTER FUNCTION public.event_bigint(jsonb, text) OWNER TO other) => qr/\+pg_shdepend/,
	q(COMMENT ON FUNCTION public.event_numeric(jsonb, text) IS 'another comment') => qr/\+pg_description.*another comment/,
	q(COMMENT ON COLUMN public.event_schemas.title IS 'a column') => qr/\+pg_description.*a column/,
	q(REVOKE EXECUTE ON FUNCTION public.event_property(jsonb, text) FROM PUBLIC) => qr/\+pg_init_privs.*event_property/,
	q(GRANT SELECT ON public.event_schemas TO other) => qr/\+pg_class.*other=r.*"relname": "event_schemas"/,
	q(CREATE OR REPLACE VIEW public.event_upcasts AS SELECT *, 1 AS more FROM _event_validate.list_event_upcasts()) => qr/\+pg_attribute.*"more"/,
	q(ALTER VIEW public.event_quarantine SET (security_barrier)) => qr/\+pg_class.*security_barrier/,
	q(ALTER VIEW public.event_progress ALTER COLUMN relation SET DEFAULT 'pg_class') => qr/\+pg_attrdef.*event_progress/,
	q(CREATE TABLE public.forgotten_table (a int PRIMARY KEY CHECK (a > 0))) => qr/\+pg_constraint.*forgotten_table/,
	q(SELECT pg_extension_config_dump('public.forgotten_table', '')) => qr/\+pg_extension.*"extconfig": \["table public.forgotten_table/,
	q(CREATE INDEX forgotten_index ON public.forgotten_table (a)) => qr/\+pg_index.*forgotten_index/,
	q(CREATE TYPE public.forgotten_type AS ENUM ('one')) => qr/\+pg_enum.*"one"/,
	q(ALTER DOMAIN _event_validate.event_type ADD CONSTRAINT forgotten CHECK (VALUE <> '')) => qr/\+pg_constraint.*"forgotten"/,
	q(CREATE CAST (text AS public.forgotten_type) WITH INOUT) => qr/\+pg_cast.*forgotten_type/,
	q(CREATE OPERATOR public.~~~~ (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = pg_catalog.jsonb_object_field)) => qr/\+pg_operator.*~~~~/,
	q(CREATE AGGREGATE public.forgotten(int) (SFUNC = int4pl, STYPE = int)) => qr/\+pg_aggregate.*forgotten/,
	q(ALTER LANGUAGE jsonschema OWNER TO other) => qr/\+pg_language.*jsonschema/,
	q(GRANT CREATE ON SCHEMA event_schema TO other) => qr/\+pg_namespace.*other=/,
	q(ALTER EVENT TRIGGER event_validate_guard_drop DISABLE) => qr/\+pg_event_trigger.*"evtenabled": "D"/,
	q(DROP EVENT TRIGGER event_validate_advise_alter) => qr/-pg_event_trigger.*advise_alter/,
	q(ALTER DEFAULT PRIVILEGES IN SCHEMA event_schema GRANT SELECT ON TABLES TO other) => qr/\+pg_default_acl.*other=r/,
	q(CREATE RULE forgotten_rule AS ON DELETE TO public.forgotten_table DO INSTEAD NOTHING) => qr/\+pg_rewrite.*forgotten_rule/,
	q(CREATE TRIGGER forgotten_trigger BEFORE INSERT ON public.forgotten_table FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()) => qr/\+pg_trigger.*forgotten_trigger/,
	q(CREATE SEQUENCE public.forgotten_sequence INCREMENT 3) => qr/\+pg_sequence.*"seqincrement": 3/,
	q(CREATE COLLATION public.forgotten_collation FROM "C") => qr/\+pg_collation.*forgotten_collation/,
	q(CREATE STATISTICS public.forgotten_statistics ON (a + 1) FROM public.forgotten_table) => qr/\+pg_statistic_ext.*forgotten_statistics/,
	q(ALTER TABLE public.forgotten_table ENABLE ROW LEVEL SECURITY) => qr/\+pg_class.*"relrowsecurity": true/,
	q(CREATE POLICY forgotten_policy ON public.forgotten_table USING (a > 1)) => qr/\+pg_policy.*forgotten_policy/,
	q(CREATE OR REPLACE FUNCTION public.event_timestamptz(data jsonb, property text) RETURNS timestamptz
		AS 'MODULE_PATHNAME', 'ev_event_numeric' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE) => qr/\+pg_proc.*"prosrc": "ev_event_numeric".*event_timestamptz/,
	q(CREATE OR REPLACE FUNCTION public.drop_event_upcast(event_type text, from_version int, to_version int DEFAULT 2) RETURNS void
		AS 'MODULE_PATHNAME', 'ev_drop_event_upcast' LANGUAGE C) => qr/\+pg_proc.*"proname": "drop_event_upcast".*to_version integer DEFAULT 2/,
	q(DROP VIEW public.event_quarantine_counts; CREATE VIEW public.event_quarantine_counts AS SELECT relation_schema, relation_name, kept,
		events::numeric, oldest_at, newest_at, complete FROM _event_validate.event_quarantine_counts()) => qr/\+pg_attribute.*"attname": "events".*event_quarantine_counts.*"atttypid": "1700"/,
	q(SELECT 'and the comment of that view') => qr/-pg_description.*how many events of each table the quarantine has/,
	q(SELECT 'and its rights') => qr/-pg_class.*=r\/.*"relname": "event_quarantine_counts"/,
	q(ALTER ROUTINE _event_validate.event_schema_sites RESET ALL) => qr/-pg_proc.*"proname": "event_schema_sites".*search_path/,
	q(ALTER EXTENSION event_validate DROP FUNCTION public.event_report(jsonb, text, int, text)) => qr/-pg_depend.*event_report/,
	q(ALTER SCHEMA _event_validate OWNER TO other) => qr/\+pg_shdepend.*schema _event_validate/,
	q(DROP EVENT TRIGGER event_validate_guard_quarantine; CREATE EVENT TRIGGER event_validate_guard_quarantine ON ddl_command_start
		WHEN TAG IN ('DROP SCHEMA') EXECUTE FUNCTION _event_validate.event_validate_guard_quarantine()) => qr/\+pg_event_trigger.*guard_quarantine.*\["DROP SCHEMA"\]/);
my $share = ($ENV{EV_DESTDIR} // '') . `pg_config --sharedir`;
chomp $share;
my $changed = "$share/extension/event_validate--$current--0.0test$$.sql";

SKIP:
{
	skip "cannot write to $share/extension", @changes / 2 unless -w "$share/extension";
	$node->safe_psql('postgres', 'CREATE ROLE other');
	append_to_file($changed, join('', map { "$changes[2 * $_];\n" } 0 .. @changes / 2 - 1));
	$node->safe_psql('fresh', "ALTER EXTENSION event_validate UPDATE TO '0.0test$$'");
	my $differences = catalog_differences($fresh, $node->safe_psql('fresh', $query));
	while (my ($change, $expected) = splice(@changes, 0, 2))
	{
		ok($differences =~ $expected, "noticed: $change");
	}
}

$node->stop;
done_testing();

END { unlink $changed if defined $changed }
