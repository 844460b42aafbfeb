# The contents of a database's system catalogs as text without OIDs, so that two
# databases can be compared object by object.
package Catalogs;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(catalog_query catalog_differences);

# What identifies an object is not its OID but its name; these columns are about
# storage, or hold what pg_get_... functions show in another column.
my %left_out = (
	pg_class => [qw(oid relfilenode relpages reltuples relallvisible relallfrozen relfrozenxid relminmxid)],
	pg_proc => [qw(oid prosqlbody proargdefaults)],
	pg_rewrite => [qw(oid ev_action ev_qual)],
	pg_attrdef => [qw(oid adbin)],
	pg_constraint => [qw(oid conbin)],
	pg_index => [qw(indexprs indpred)],
	pg_trigger => [qw(oid tgqual)],
	pg_policy => [qw(oid polqual polwithcheck)],
	pg_statistic_ext => [qw(oid stxexprs)],
	pg_type => [qw(oid typdefaultbin)]);

# (of objects that the server did not make)
my %definition = (
	pg_proc => q((SELECT pg_get_functiondef(t.oid) WHERE t.prokind <> 'a')),
	pg_rewrite => 'pg_get_ruledef(t.oid)',
	pg_attrdef => 'pg_get_expr(t.adbin, t.adrelid)',
	pg_constraint => 'pg_get_constraintdef(t.oid)',
	pg_index => 'pg_get_indexdef(t.indexrelid)',
	pg_statistic_ext => 'pg_get_statisticsobjdef(t.oid)',
	pg_trigger => 'pg_get_triggerdef(t.oid)',
	pg_policy => q(concat(pg_get_expr(t.polqual, t.polrelid), '|', pg_get_expr(t.polwithcheck, t.polrelid))));

# catalog_query($node)
#
# Returns a query for all rows of all catalogs that a script could change: its
# lines are a catalog and a row as jsonb.  References to objects that the server
# did not make (OIDs from 16384) have the objects' identities; those to others
# are the same OIDs in both databases.
sub catalog_query
{
	my ($node) = @_;
	my @queries;

	# catalogs with their columns, and the catalogs to which columns refer
	my $columns = $node->safe_psql('postgres', q(
		SELECT c.relname, a.attname, a.atttypid::regtype, COALESCE(f.pktable::text, ''), COALESCE(f.is_array, false)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attnum > 0) AND NOT a.attisdropped
		LEFT JOIN pg_get_catalog_foreign_keys() f ON f.fktable = c.oid AND f.fkcols = ARRAY[a.attname::text] AND f.pkcols = '{oid}'
		WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
		AND (NOT c.relisshared OR c.relname = 'pg_shdepend') AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject')
		ORDER BY 1, a.attnum));
	my %catalogs;
	push @{ $catalogs{ (split /\|/)[0] } }, [ split /\|/ ] foreach split /\n/, $columns;

	foreach my $catalog (sort keys %catalogs)
	{
		my (@drop, @set);
		my %type = map { $_->[1] => $_->[2] } @{ $catalogs{$catalog} };

		@drop = $left_out{$catalog} ? @{ $left_out{$catalog} } : $type{oid} ? ('oid') : ();
		foreach (@{ $catalogs{$catalog} })
		{
			my (undef, $column, $type, $to, $is_array) = @$_;

			next if grep { $_ eq $column } @drop;
			if ($type eq 'aclitem[]')
			{
				push @set, "'$column', (SELECT jsonb_agg(i::text ORDER BY i::text) FROM unnest(t.$column) i)";
			}
			elsif ($column eq 'attoptions')
			{
				# the server's own options of a view's columns have numbers of versions
				push @set, "'$column', (SELECT jsonb_agg(i) FROM unnest(t.$column) i WHERE i !~ '^pg_')";
			}
			elsif ($to && $is_array eq 't')
			{
				push @set, "'$column', (SELECT jsonb_agg(" . identity("'$to'::regclass", 'i.o', '0') . " ORDER BY i.n) FROM unnest(t.$column) WITH ORDINALITY i (o, n))";
			}
			elsif ($to)
			{
				push @set, "'$column', " . identity("'$to'::regclass", "t.$column", '0');
			}
		}
		# pairs of a catalog and an object in it
		foreach ([ 'classid', 'objid', 'objsubid' ], [ 'refclassid', 'refobjid', 'refobjsubid' ], [ 'classoid', 'objoid', 'objsubid' ])
		{
			my ($class, $object, $part) = @$_;

			next unless $type{$class} && $type{$object};
			$part = $type{$part} ? "t.$part" : '0';
			push @set, "'$object', " . identity("t.$class", "t.$object", $part);
		}
		my $row = 'to_jsonb(t)' . join('', map { " - '$_'" } grep { $type{$_} } @drop);
		$row = "$row || jsonb_build_object(" . join(', ', splice(@set, 0, 40)) . ')' while @set;
		$row .= sprintf(q( || jsonb_build_object('definition', CASE WHEN t.%s >= 16384 THEN %s END)), $type{oid} ? 'oid' : 'indexrelid', $definition{$catalog})
		  if $definition{$catalog};
		push @queries, "SELECT '$catalog', ($row)::text FROM pg_catalog.$catalog t"
		  . ($catalog eq 'pg_shdepend' ? ' WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())' : '');
	}
	return "SET search_path = ''; " . join(' UNION ALL ', @queries) . ' ORDER BY 1, 2';
}

sub identity
{
	my ($class, $object, $part) = @_;

	return "to_jsonb(CASE WHEN $object < 16384 THEN $object\::text ELSE (SELECT concat(x.type, ' ', x.identity) FROM pg_identify_object($class, $object, $part) x) END)";
}

# catalog_differences($expected, $got)
#
# Returns the lines that only one of the texts has, marked with - and +.
sub catalog_differences
{
	my ($expected, $got) = @_;
	my %count;

	$count{$_}-- foreach split /\n/, $expected;
	$count{$_}++ foreach split /\n/, $got;
	return join('', map { ($count{$_} < 0 ? '-' : '+') . "$_\n" } sort grep { $count{$_} } keys %count);
}

1;
