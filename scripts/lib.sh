# shellcheck shell=bash
#
# Shared by scripts/test, scripts/demo and scripts/install-deps: choosing the
# PostgreSQL, making a work folder, building and installing a copy of the
# project in it, and starting a throwaway server that finds it.  To be sourced.
#
# Nothing here writes outside the work folder, or connects to another server
# than the one it started.

set -euo pipefail
# CDPATH would make cd print; the others would make git use another repository
unset CDPATH GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# shellcheck disable=SC2034
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "$@"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# ---------- which PostgreSQL ----------

# installed PACKAGE...: are all of these Debian packages?
installed() {
    local states

    states=$(dpkg-query -W -f '${db:Status-Status} ' "$@" 2>/dev/null) &&
        [[ $states =~ ^(installed )+$ ]]
}

# Prints the major version to use on Debian: PG_VERSION, else the version of the
# distribution's package postgresql if that is installed, else the newest one
# whose server headers are installed.  Prints nothing if there is none.
pg_version() {
    local version

    if [[ -n ${PG_VERSION:-} ]]; then
        printf '%s\n' "$PG_VERSION"
        return
    fi
    version=$(dpkg-query -W -f '${Depends}\n' postgresql 2>/dev/null |
        sed -n 's/.*postgresql-\([0-9]*\).*/\1/p') || true
    if [[ -z $version ]]; then
        version=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'postgresql-server-dev-[0-9]*' 2>/dev/null |
            sed -n 's/^installed postgresql-server-dev-\([0-9]*\)$/\1/p' | sort -n | tail -n 1) || true
    fi
    printf '%s' "${version:+$version$'\n'}"
}

# Sets pg_config, bindir and pg_major.
find_postgres() {
    local wanted=${PG_CONFIG:-}

    if [[ -z $wanted && -e /etc/debian_version ]]; then
        wanted=/usr/lib/postgresql/$(pg_version)/bin/pg_config
    fi
    wanted=${wanted:-pg_config}
    pg_config=$(command -v "$wanted") || die "no $wanted: is PostgreSQL's development package installed?"
    bindir=$("$pg_config" --bindir)
    [[ -x $bindir/initdb ]] || die "no server programs in $bindir"
    pg_major=$("$pg_config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    ((pg_major >= 15)) || die "PostgreSQL $pg_major is too old: 15 or later is needed"
}

# ---------- user and work folder ----------

# PostgreSQL refuses to run as root, so root runs the command as another user
# ($user, which make_work_folder chooses).
unprivileged() {
    if [[ $(id -u) == 0 ]]; then
        runuser -u "$user" -- "$@"
    else
        "$@"
    fi
}

# Makes the work folder ($work), and clears the environment of settings that
# would change the outcome.  A socket's path has at most 107 bytes, and make
# cannot handle blanks, so the folder is in /tmp if TMPDIR is long or has
# unusual characters.  The longest path of a socket in it has 50 bytes more:
# tmp/faults.xxxxxxxx/standby/primary/.s.PGSQL.5432.
#
# With an argument, the folder's name depends only on this checkout and
# PostgreSQL's major version, and the folder keeps what was built in it.
make_work_folder() {
    local variable folder=${TMPDIR:-/tmp} name=event_validate.XXXXXX

    user=$(id -un)
    if [[ $(id -u) == 0 ]]; then
        user=$(id -un postgres 2>/dev/null || echo nobody)
    fi
    if [[ -n ${1-} ]]; then
        name=event_validate.$user.$pg_major.$(printf '%s' "$top" | cksum | cut -d ' ' -f 1)${NO_SIMD:+.nosimd}
    fi
    [[ $folder =~ ^/[A-Za-z0-9_./-]*$ ]] && ((${#folder} + 1 + ${#name} + 50 <= 107)) || folder=/tmp
    [[ -d $folder && -w $folder ]] || die "cannot write into $folder: set TMPDIR to a folder in which you can write"
    umask 022
    if [[ -n ${1-} ]]; then
        work=$folder/$name
        # another user must not have made it
        mkdir -m 755 "$work" 2>/dev/null || [[ $(stat -c %U "$work") == "$user" && ! -L $work ]] ||
            die "$work belongs to another user than $user: remove it"
        [[ ! -e $work/data ]] || die "$work is in use by another run, or left by a run that was killed: stop its server and remove it"
        rm -rf "$work/src" "$work/log"
    else
        work=$(mktemp -d "$folder/$name")
    fi
    mkdir -p "$work/src" "$work/build" "$work/root" "$work/socket" "$work/log" "$work/tmp"
    if [[ $(id -u) == 0 ]]; then
        # the folder belongs to the user that runs the server
        chown "$user" "$work" "$work"/*
        unprivileged test -w "$work" || {
            rm -rf "$work"
            work=
            die "user $user, who runs the server, cannot access $folder: set TMPDIR to a folder that others can access"
        }
    fi
    for variable in ${!PG*}; do
        case $variable in
            PG_CONFIG | PG_VERSION) ;;
            *) unset "$variable" ;;
        esac
    done
    unset LANGUAGE MAKEFLAGS MFLAGS DESTDIR
    export LC_ALL=C.UTF-8 TZ=UTC HOME=$work TMPDIR=$work/tmp
    export PATH=$bindir:$PATH PSQLRC=/dev/null
    cd "$work"
}

# ---------- build ----------

# Writes an archive of the files that git tracks or would add, as they are in the
# working tree.
source_archive() {
    local list=(git -c "safe.directory=*" -C "$top" ls-files -z --cached --others --exclude-standard)

    if "${list[@]}" >/dev/null 2>&1; then
        "${list[@]}" | tar -C "$top" --null --files-from=- --ignore-failed-read -cf - 2>/dev/null
    else
        tar -C "$top" --exclude=./.git -cf - .
    fi
}

# Copies the sources, so that the build needs no rights in the source folder.
copy_source() { source_archive | unprivileged tar -C "$work/src" -xf - --no-same-owner; }

# Prints the folder of the official JSON-Schema-Test-Suite: EV_SUITE, or a place
# where a checkout may be; nothing if there is none.
find_suite() {
    local folder

    for folder in "${EV_SUITE:-}" "$top"/test/conformance/JSON-Schema-Test-Suite \
        "$top"/../shared/json-schema-test-suite; do
        if [[ -n $folder && -d $folder/tests ]]; then
            (cd "$folder" && pwd)
            return
        fi
    done
}

# Makes build_make compile through ccache if that is installed, so that a run in a new
# work folder does not repeat what an earlier run compiled.  The results are in the
# user's cache folder (HOME is the work folder); warnings are never kept.
use_ccache() {
    local home makefile name compiler

    command -v ccache >/dev/null || return 0
    home=$(getent passwd "$user" | cut -d : -f 6)
    if [[ -z $home ]] || ! unprivileged mkdir -p "${XDG_CACHE_HOME:-$home/.cache}/event_validate/ccache" 2>/dev/null; then
        return 0
    fi
    export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$home/.cache}/event_validate/ccache}
    export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=500M
    makefile=$(dirname "$("$pg_config" --pgxs)")/../Makefile.global
    for name in CC CLANG; do
        compiler=$(sed -n "s/^$name *= *//p" "$makefile")
        if [[ $compiler != *ccache* ]] && command -v "${compiler%% *}" >/dev/null; then
            compilers+=("$name=ccache $compiler")
        fi
    done
}
compilers=()

# build_make FOLDER ARGUMENT...: runs make in a build folder beside the sources
build_make() {
    local folder=$1

    shift
    unprivileged make -C "$folder" -f "$work/src/Makefile" --no-print-directory \
        PG_CONFIG="$pg_config" ${NO_LLVM:+with_llvm=no} "${compilers[@]}" "$@"
}

# Installs the extension of the example below $work/root, too.
install_example() {
    unprivileged mkdir -p "$work/build/example"
    unprivileged make -C "$work/build/example" -f "$work/src/examples/trading/extension/Makefile" --no-print-directory -s \
        PG_CONFIG="$pg_config" install DESTDIR="$work/root"
}

# With EV_OWN_SERVER, this PostgreSQL was made for tests: installs what is below
# $work/root into its folders, as the user who runs this script.
install_into_server() {
    local folder

    for folder in "$("$pg_config" --pkglibdir)" "$("$pg_config" --sharedir)"; do
        if [[ -d $work/root$folder ]]; then
            cp -r "$work/root$folder/." "$folder/"
        fi
    done
}

# ---------- server ----------

# Prints the lines of postgresql.conf with which a server finds the extension
# below $work/root, without an installation into the system; if EV_PRELOAD is
# set, the server loads the library when it starts.
destdir_settings() {
    local libdir sharedir library=event_validate

    libdir=$("$pg_config" --pkglibdir)
    sharedir=$("$pg_config" --sharedir)
    if [[ -n ${EV_OWN_SERVER:-} ]]; then
        : # it has the extension in its own folders
    elif unprivileged "$bindir/postgres" --describe-config 2>/dev/null | grep "^extension_destdir" >/dev/null; then
        printf "extension_destdir = '%s'\n" "$work/root"
        # it finds a library only below $libdir
        library="\$libdir/event_validate"
    elif ((pg_major >= 18)); then
        printf "extension_control_path = '%s:\$system'\n" "$work/root$sharedir"
        printf "dynamic_library_path = '%s:\$libdir'\n" "$work/root$libdir"
    else
        die "this PostgreSQL $pg_major can use only extensions in its own folders:" \
            "use Debian's packages, PostgreSQL 18 or later, or one made for tests and EV_OWN_SERVER=1"
    fi
    if [[ -n ${EV_PRELOAD:-} ]]; then
        printf "shared_preload_libraries = '%s'\n" "$library"
    fi
}

# Makes the cluster in the work folder, unless there is one.
make_cluster() {
    if [[ ! -e $work/data/PG_VERSION ]]; then
        unprivileged "$bindir/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --no-locale \
            --no-sync >"$work/log/initdb.log" 2>&1 || {
            cat "$work/log/initdb.log" >&2
            die "initdb failed"
        }
    fi
}

# start_server [SETTINGS]: starts the throwaway server, which listens only on a
# socket in the work folder, and sets the environment of client programs for it.
# Uses the cluster in the work folder if there is one.
start_server() {
    make_cluster
    EV_SERVER_CONF=$(destdir_settings)
    export EV_SERVER_CONF
    unprivileged tee -a "$work/data/postgresql.conf" >/dev/null <<EOF
$EV_SERVER_CONF
listen_addresses = ''
unix_socket_directories = '$work/socket'
fsync = off
full_page_writes = off
synchronous_commit = off
max_prepared_transactions = 10
max_wal_size = 4GB
log_line_prefix = '%m [%p] %q%a '
${1-}
EOF
    export PGHOST=$work/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    unprivileged "$bindir/pg_ctl" -D "$work/data" -l "$work/log/postgresql.log" -w -s start || {
        tail -n 20 "$work/log/postgresql.log" >&2
        die "the server did not start"
    }
}

stop_server() {
    if [[ -n ${work:-} && -e $work/data/postmaster.pid ]]; then
        unprivileged "$bindir/pg_ctl" -D "$work/data" -m "${1:-fast}" -w -s stop || true
    fi
}

# Prints the command that stops the server.
stop_command() {
    local prefix=''

    if [[ $(id -u) == 0 ]]; then
        prefix="runuser -u $user -- "
    fi
    printf '%s\n' "$prefix$bindir/pg_ctl -D $work/data stop"
}
