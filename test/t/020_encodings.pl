# The same answers in every server encoding and locale: lengths in characters,
# patterns, formats, and keys beyond ASCII.
use strict;
use warnings;
use utf8;

use Digest::SHA qw(sha256);
use Encode qw(encode);
use EventValidate;
use MIME::Base64 qw(encode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';

my $node = new_node('encodings');
mkdir $node->backup_dir;

# Words in each encoding: three letters, and a name.
my %words = (
	UTF8 => [ '日本語', 'имя', 'größe', '😀👍🏽', 'ｱｲｳ' ],
	LATIN1 => [ 'äöü', 'größe', 'ÿþý' ],
	WIN1251 => [ 'имя', 'ёлк' ],
	EUC_JP => [ '日本語', 'ｱｲｳ', 'あいう' ],
	EUC_KR => [ '한국어' ],
	SQL_ASCII => [ '日本語', 'größe' ]);

my %options = (
	WIN1251 => q(ENCODING 'WIN1251' LC_COLLATE 'C' LC_CTYPE 'C'),
	UTF8 => q(ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'));
$options{$_} //= "ENCODING '$_' LC_COLLATE 'C' LC_CTYPE 'C'" for keys %words;

# Locales with other rules for upper and lower case, if there are any.
chomp(my @locales = `locale -a 2>/dev/null`);
foreach my $locale (grep { /^(tr_TR|lt_LT|de_DE)\.utf-?8$/i } @locales)
{
	$words{$locale} = $words{UTF8};
	$options{$locale} = "ENCODING 'UTF8' LC_COLLATE '$locale' LC_CTYPE '$locale'";
}
if ($node->safe_psql('postgres',
		q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i' AND collname LIKE 'tr%')) > 0)
{
	$words{'ICU tr'} = $words{UTF8};
	$options{'ICU tr'} = q(ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr');
}
else
{
	note 'skipped: this server has no ICU';
}

sub json { my $string = shift; return '"' . $string . '"' }

# Percent-encodes a text, as in a URI.
sub percent { return join '', map { sprintf '%%%02X', $_ } unpack 'C*', encode('UTF-8', shift) }

foreach my $name (sort keys %words)
{
	my $db = "db $name";
	$node->safe_psql('postgres', qq(CREATE DATABASE "$db" TEMPLATE template0 $options{$name}));
	$node->safe_psql($db, 'CREATE EXTENSION event_validate');
	my @wrong;
	my @long;

	my @cases;
	my $matches = sub {
		my ($schema, $instance, $expected) = @_;
		push @cases, sprintf q(($q$%s$q$::jsonb, $q$%s$q$::jsonb, %s)), $schema, $instance, $expected ? 'true' : 'false';
		return;
	};

	foreach my $word (@{ $words{$name} })
	{
		my $length = length $word;
		my $short = $length - 1;
		my $first = substr $word, 0, 1;
		my $last = substr $word, -1;
		my ($low, $high) = sort $first, $last;
		my $key = json($word);

		# lengths, in characters
		$matches->(qq({"minLength": $length, "maxLength": $length}), $key, 1);
		$matches->(qq({"maxLength": $short}), $key, 0);
		$matches->(qq({"minLength": @{[ $length + 1 ]}}), $key, 0);

		# patterns
		$matches->(qq({"pattern": "^.{$length}\$"}), $key, 1);
		$matches->(qq({"pattern": "^.{$short}\$"}), $key, 0);
		$matches->(qq({"pattern": "^$word\$"}), $key, 1);
		$matches->(qq({"pattern": "^$first"}), json("x$word"), 0);
		$matches->(qq({"pattern": "^[$low-$high]{2}\$"}), json("$first$last"), 1);
		$matches->(qq({"pattern": "[^$first$last]"}), json("$first$last"), 0);
		$matches->(qq({"pattern": "^\\\\u{@{[ sprintf '%x', ord $first ]}}"}), $key, 1) if $name eq 'UTF8';
		$matches->(qq({"pattern": "^\\\\p{L}+\$"}), $key, 1) unless $word =~ /\p{So}|\p{Sk}/;
		$matches->(qq({"pattern": "^\\\\w+\$"}), $key, 0);
		$matches->(qq({"pattern": "^(.).*\\\\1\$"}), json("$first$word$first"), 1);
		$matches->(qq({"pattern": "^(?!.*$last)"}), $key, 0);
		$matches->(qq({"pattern": "(?<=$first)x"}), json("${first}x"), 1);
		$matches->(qq({"pattern": "$last"}), json("$word$word$word$word$word$word"), 1);
		$matches->(qq({"pattern": "$last|$word\$"}), json($first x 20), 0);
		# bytes of EUC_JP that occur across two of this character, but are no character
		$matches->(qq({"pattern": "△|△\$"}), json($first x 20), 0) if $word eq 'あいう';

		# values and names
		$matches->(qq({"const": $key}), $key, 1);
		$matches->(qq({"enum": ["a", $key]}), json("$word$word"), 0);
		$matches->(qq({"properties": {$key: {"type": "integer"}}, "additionalProperties": false}), qq({$key: 1}), 1);
		$matches->(qq({"properties": {$key: {"type": "integer"}}}), qq({$key: "1"}), 0);
		$matches->(qq({"required": [$key]}), qq({"x": 1, $key: 1}), 1);
		$matches->(qq({"required": [$key]}), '{}', 0);
		$matches->(qq({"patternProperties": {"^$word\$": false}}), qq({$key: 1}), 0);
		$matches->(qq({"propertyNames": {"maxLength": $length}}), qq({$key: 1}), 1);
		$matches->(qq({"propertyNames": {"maxLength": $short}}), qq({$key: 1}), 0);

		# references, written literally and percent-encoded
		$matches->(qq({"\$ref": "#/\$defs/$word", "\$defs": {$key: {"type": "integer"}}}), '"1"', 0);
		$matches->(qq({"\$ref": "#/\$defs/@{[ percent($word) ]}", "\$defs": {$key: {"type": "integer"}}}), '"1"', 0);

		# formats: international ones, and ASCII ones
		$matches->('{"format": "iri"}', json("https://example.com/$word"), 1);
		$matches->('{"format": "uri"}', json("https://example.com/$word"), 0);
		$matches->('{"format": "idn-email"}', json("$word\@example.com"), 1);
		$matches->('{"format": "email"}', json("$word\@example.com"), 0);
		$matches->('{"format": "idn-hostname"}', json("$word.example"), 1) if $word =~ /^[日あäим]/;
		$matches->('{"format": "hostname"}', json("$word.example"), 0);
		$matches->('{"format": "regex"}', json("[$low-$high]"), 1);
		$matches->('{"format": "date"}', json($word), 0);

		# messages
		my $message = $node->safe_psql($db,
			encode('UTF-8', "SELECT message FROM jsonb_schema_violations('{\"type\": \"null\"}', to_jsonb(repeat('$first', 65)))"));
		push @wrong, "cut to $message"
		  if $message ne encode('UTF-8', qq(must be null, but is string ") . $first x 64 . '"...');

		# names of events
		my @answers = map { $node->safe_psql($db, encode('UTF-8', $_)) } (
			"SELECT register_event_schema('$word', 1, '{\"properties\": {$key: {\"\$ref\": \"event:other.$word\@1\"}}}') FROM register_event_schema('other.$word', 1, '{\"type\": \"integer\"}')",
			"SELECT validate_event('{$key: 1}', '$word', 1), validate_event('{$key: \"1\"}', '$word', 1)",
			"SELECT count(*) FROM event_schemas WHERE event_type = '$word'",
			"SELECT instance_location FROM event_violations('{$key: \"1\"}', '$word', 1)");
		push @wrong, "event: @answers"
		  if "@answers[1 .. 3]" ne encode('UTF-8', "t|f 1 /$word");
	}

	# long event types, whose functions have the same names in each encoding
	foreach my $word (@{ $words{$name} })
	{
		my $type = "l.$word." . $word x 40;
		my $prefix = '';

		foreach my $character (split //, $type)
		{
			last if length(encode('UTF-8', $prefix . $character)) > 18;
			$prefix .= $character;
		}
		my $function = encode('UTF-8', "$prefix@") . encode_base64url(substr sha256(encode('UTF-8', $type)), 0, 16) . '~7';
		push @long, [ encode('UTF-8', $type), $function ];
		$node->safe_psql($db, encode('UTF-8', "SELECT register_event_schema('$type', 7, '{\"type\": \"integer\"}')"));
	}
	my $long = q(SELECT s.event_type, p.proname, validate_event('1', s.event_type, 7), validate_event('"1"', s.event_type, 7)
		FROM event_schemas s JOIN pg_proc p ON p.oid = s.function WHERE s.event_type LIKE 'l.%' AND p.proname LIKE '%~%' ORDER BY convert_to(s.event_type, 'UTF8'));
	$long =~ s/convert_to\(s.event_type, 'UTF8'\)/s.event_type COLLATE "C"/ if $name eq 'SQL_ASCII';
	my $expected = join("\n", map { "$_->[0]|$_->[1]|t|f" } sort { $a->[0] cmp $b->[0] } splice @long);
	is($node->safe_psql($db, $long), $expected, "$name: long event types");
	my $restored = "restored $name";
	$node->safe_psql('postgres', qq(CREATE DATABASE "$restored" TEMPLATE template0 $options{UTF8}));
	$node->command_ok([ 'pg_dump', '-f', $node->backup_dir . "/$name.sql", '-d', $node->connstr($db) ], "$name: dump");
	$node->command_ok(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($restored), '-f', $node->backup_dir . "/$name.sql" ],
		"$name: restore in UTF8");
	is($node->safe_psql($restored, $long), $expected, "$name: long event types in UTF8");

	# the cases with an unexpected answer, of the fast path or of the interpreter
	push @wrong, $node->safe_psql($db, encode('UTF-8', 'SELECT * FROM (VALUES ' . join(",\n", @cases) . q{)
		AS cases (schema, instance, expected)
		WHERE jsonb_matches_schema(schema, instance) <> expected
		  OR EXISTS (SELECT FROM jsonb_schema_violations(schema, instance)) = expected}));
	is(join("\n", grep { $_ ne '' } @wrong), '', encode('UTF-8', "$name: " . join(', ', @{ $words{$name} })));
}

# Letters are defined by Unicode, not by the locale: there is no special upper case
# of i.
foreach my $name (grep { !/^(LATIN1|WIN1251|EUC|SQL)/ } sort keys %words)
{
	is( $node->safe_psql(
			"db $name", encode('UTF-8', q(
			SELECT jsonb_matches_schema('{"pattern": "^[a-z]+$"}', '"ı"'), jsonb_matches_schema('{"pattern": "^[A-Z]$"}', '"İ"'),
			  jsonb_matches_schema('{"pattern": "^\\\\p{Lu}\\\\p{Ll}$"}', '"İı"'), jsonb_matches_schema('{"enum": ["I"]}', '"ı"')))),
		'f|f|t|f', "$name: letters are Unicode's");
}

# Bytes in SQL_ASCII that are no UTF-8: answers, and no error.
my $bytes = q(convert_from('\x22ff62c322', 'SQL_ASCII')::jsonb);
is( $node->safe_psql(
		'db SQL_ASCII', qq(
		SET client_encoding = 'SQL_ASCII';
		SELECT jsonb_matches_schema('{"maxLength": 3}', $bytes), jsonb_matches_schema('{"maxLength": 2}', $bytes),
		  jsonb_matches_schema('{"pattern": "b"}', $bytes), jsonb_matches_schema('{"format": "date"}', $bytes),
		  jsonb_matches_schema('{"type": "string"}', $bytes),
		  jsonb_matches_schema('{"patternProperties": {"": false}}', jsonb_build_object($bytes #>> '{}', 1)),
		  jsonb_matches_schema('{"uniqueItems": true}', jsonb_build_array($bytes, $bytes)))),
	't|f|f|f|t|t|f',
	'bytes that are no UTF-8 match no pattern and no format');
is( $node->safe_psql(
		'db SQL_ASCII', qq(
		SET client_encoding = 'SQL_ASCII';
		SELECT length(message) > 0 FROM jsonb_schema_violations('{"pattern": "b"}', $bytes))),
	't',
	'and violations are reported');

# A message that the client's encoding cannot represent does not end the session.
{
	local $ENV{PGCLIENTENCODING} = 'LATIN1';
	my ($status, $stdout, $stderr) = $node->psql('db UTF8',
		q(\set VERBOSITY verbose
		SELECT register_event_schema('narrow', 1, '{"type": "integer"}');
		SELECT check_event('"\u65e5"', 'narrow', 1);
		SELECT 'alive'),
		on_error_stop => 0);
	like($stdout, qr/alive/, 'the session continues after a message that cannot be converted');
	is($node->safe_psql('db UTF8', q(SELECT validate_event('"\u65e5"', 'narrow', 1), validate_event('1', 'narrow', 1))),
		'f|t', 'and the answers are the same');
}

$node->stop;
done_testing();
