# Shared by the TAP tests: nodes whose server finds the tested extension,
# databases with it, and the SQLSTATE and text of an error.
#
# If the environment has EV_SERVER_CONF (scripts/test sets it), its lines make a
# server find an extension outside the system's folders; otherwise the server uses
# the installed one.
package EventValidate;

use strict;
use warnings;
use Exporter 'import';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_node new_database sql_error);

# new_node($name, [init => {...}], [conf => $lines], [start => 0])
#
# Returns a node, initialised (UTF8, locale C; with init's options) and
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
# For a node that is created otherwise (as from a backup), before it starts.
sub configure_node
{
	my ($node) = @_;

	$node->append_conf('postgresql.conf', $ENV{EV_SERVER_CONF})
	  if $ENV{EV_SERVER_CONF};
	return;
}

# new_database($node, $name)
#
# Creates a database with the extension.
sub new_database
{
	my ($node, $name) = @_;

	$node->safe_psql('postgres', qq(CREATE DATABASE "$name" TEMPLATE template0));
	$node->safe_psql($name, 'CREATE EXTENSION event_validate');
	return $name;
}

# sql_error($node, $database, $sql, [options of the node's psql])
#
# Runs SQL up to its first error; returns (sqlstate, primary message, stderr),
# or nothing if there is no error.
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
