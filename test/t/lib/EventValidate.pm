# Shared by the TAP tests: nodes whose server finds the tested extension,
# databases with it, and the SQLSTATE and text of an error.
#
# If the environment has EV_SERVER_CONF (scripts/test sets it), its lines make a
# server find an extension outside the system's folders; otherwise the server uses
# the installed one.
package EventValidate;

use strict;
use warnings;
use Cwd qw(getcwd);
use Digest::MD5 qw(md5_hex);
use Exporter 'import';
use File::Spec;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node new_database upgrade_node sql_error);

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
	{
		no warnings qw(redefine);
		my $run = \&PostgreSQL::Test::Utils::system_or_bail;
		local *PostgreSQL::Test::Utils::system_or_bail = sub {
			$_[0] eq 'initdb' ? init_folder($run, @_) : $run->(@_);
		};
		$node->init(%init);
	}
	configure_node($node);
	$node->append_conf('postgresql.conf', $options{conf})
	  if defined $options{conf};
	$node->start if $options{start} // 1;
	return $node;
}

# init_folder($run, 'initdb', @arguments)
#
# Does what initdb would: copies a folder that it made once with the same
# arguments, which takes a tenth of the time.
sub init_folder
{
	my ($run, @command) = @_;
	my ($at) = grep { $command[$_] =~ /^(-D|--pgdata)$/ } 0 .. $#command;
	my $folder = $command[ $at + 1 ];
	my $template = "$PostgreSQL::Test::Utils::tmp_check/initdb_"
	  . md5_hex(@command[ 1 .. $at ], @command[ $at + 2 .. $#command ]);

	if (!-d $template)
	{
		$run->(@command[ 0 .. $at ], "$template.$$", @command[ $at + 2 .. $#command ]);
		# another test may have been faster
		rename("$template.$$", $template);
	}
	$run->('cp', '-a', $template, $folder);
	return;
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

# upgrade_node($old, $new)
#
# Tests that pg_upgrade brings the contents of a stopped node into a new one,
# which is started.  Ends the test file where pg_upgrade cannot find the library:
# it loads $libdir/event_validate, without regard to dynamic_library_path.
sub upgrade_node
{
	my ($old, $new) = @_;
	my $folder = getcwd();
	my ($from, $to) = map { File::Spec->rel2abs($_->data_dir) } ($old, $new);

	if (($ENV{EV_SERVER_CONF} || '') =~ /extension_control_path/)
	{
	  SKIP:
		{
			skip('pg_upgrade loads only libraries in $libdir (make check-upgrade runs it)', 1);
		}
		done_testing();
		exit(0);
	}

	# pg_upgrade writes into its current folder
	chdir $old->basedir or die $!;
	command_ok(
		[
			'pg_upgrade', '--no-sync',
			'-d', $from, '-D', $to,
			'-b', $old->config_data('--bindir'), '-B', $new->config_data('--bindir'),
			'-s', $new->host, '-p', $old->port, '-P', $new->port
		],
		'pg_upgrade');
	chdir $folder or die $!;
	$new->start;
	return;
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
