# What the TAP tests share: nodes whose server finds the extension that is
# being tested, databases with it, the SQLSTATE and text of an error.
#
# Where the environment has EV_SERVER_CONF (scripts/test sets it), these lines
# lead a server to an extension outside the system's folders; else it is the
# installed one.
package EventValidate;

use strict;
use warnings;
use Exporter 'import';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_node new_database sql_error);

# new_node($name, [init => {...}], [conf => $lines], [start => 0])
#
# A node, initialised (UTF8, locale C; init goes to the node's init) and
# started.
sub new_node
{
	my ($name, %options) = @_;
	my %init = %{ $options{init} || {} };
	my $node = PostgreSQL::Test::Cluster->new($name);

	$init{extra} = [ '--encoding=UTF8', '--no-locale', @{ $init{extra} || [] } ];
	$node->init(%init);
	configure_node($node);
	$node->append_conf('postgresql.conf', $options{conf})
	  if defined $options{conf};
	$node->start if $options{start} // 1;
	return $node;
}

# configure_node($node)
#
# For a node made otherwise (from a backup, say), before it starts.
sub configure_node
{
	my ($node) = @_;

	$node->append_conf('postgresql.conf', $ENV{EV_SERVER_CONF})
	  if $ENV{EV_SERVER_CONF};
	return;
}

# new_database($node, $name)
#
# A new database with the extension.
sub new_database
{
	my ($node, $name) = @_;

	$node->safe_psql('postgres', qq(CREATE DATABASE "$name" TEMPLATE template0));
	$node->safe_psql($name, 'CREATE EXTENSION event_validate');
	return $name;
}

# sql_error($node, $database, $sql, [options of the node's psql])
#
# Runs SQL, up to its first error: (sqlstate, primary message, all of stderr),
# or nothing where there was none.
sub sql_error
{
	my ($node, $database, $sql, %options) = @_;
	my ($stdout, $stderr);

	$node->psql(
		$database, "\\set VERBOSITY verbose\n$sql",
		stdout => \$stdout,
		stderr => \$stderr,
		on_error_stop => 1,
		%options);
	return unless $stderr =~ /^\S*\s*(?:ERROR|FATAL):\s+(\w{5}): (.*)/m;
	return ($1, $2, $stderr);
}

1;
