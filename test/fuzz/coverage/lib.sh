# shellcheck shell=bash
#
# Shared by scripts/fuzz and test/fuzz/coverage/run: a backend in single-user mode
# that has libFuzzer in it.  To be sourced after scripts/lib.sh.

fuzz_targets=(schema match compare pattern format register guard)

# Sets fuzz_clang and fuzz_runtime, or fuzz_reason if there is no clang with libFuzzer.
# shellcheck disable=SC2034
find_fuzz_clang() {
    local name folder folders

    fuzz_clang=
    fuzz_runtime=
    fuzz_reason="no clang with libFuzzer and AddressSanitizer (Debian: clang, libclang-rt-dev)"
    for name in ${CLANG:+"$CLANG"} clang clang-{22..14}; do
        # later versions print a folder that Debian's packages do not use
        mapfile -t folders < <("$name" -print-runtime-dir 2>/dev/null && "$name" -print-resource-dir | sed 's#$#/lib/linux#')
        for folder in "${folders[@]}"; do
            if [[ -e $folder/libclang_rt.fuzzer_no_main-$(uname -m).a && -e $folder/libclang_rt.asan-$(uname -m).so ]]; then
                fuzz_clang=$(command -v "$name")
                fuzz_runtime=$folder
                fuzz_reason=
                return
            fi
        done
    done
}

# keep_build FOLDER FILE TEXT: empties the folder of a build if its objects were made by
# another Makefile, compiler or PostgreSQL, which make does not see, or with another TEXT.
# FILE, outside the folder, tells of what it was made.
keep_build() {
    local folder=$1 file=$2 made

    made=$(
        printf '%s\n' "${3-}" "${FUZZ_CC:-$fuzz_clang}" "$(${FUZZ_CC:-$fuzz_clang} --version)" \
            "$("$pg_config" --version --configure --includedir-server)"
        cat "$top/Makefile"
    )
    if [[ $made != "$(cat "$file" 2>/dev/null)" ]]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        printf '%s\n' "$made" >"$file"
    fi
}

# Makes a data folder with the extension, $work/data, and what a backend preloads.
# The extension is installed below $work/root, and $work belongs to the
# unprivileged user.
prepare_fuzz() {
    local here=$top/test/fuzz/coverage

    unprivileged "$fuzz_clang" -shared -fPIC -fno-builtin -o "$work/no_translations.so" "$here/preload/no_translations.c"
    unprivileged "$bindir/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --no-locale --no-sync --wal-segsize=1 >"$work/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n 3 "$work/initdb.log")"
    {
        destdir_settings
        printf '%s\n' "shared_buffers = '32MB'" 'max_connections = 10' "max_stack_depth = '6MB'" 'fsync = off' 'full_page_writes = off' \
            'wal_level = minimal' 'min_wal_size = 2MB' 'max_wal_size = 64MB' 'max_wal_senders = 0' 'client_min_messages = error' 'log_min_messages = fatal' \
            'track_activities = off' 'track_counts = off'
    } | unprivileged tee -a "$work/data/postgresql.conf" >/dev/null
    {
        cat "$here/prepare.sql"
        printf "CREATE FUNCTION ev_fuzz(text, text, VARIADIC text[]) RETURNS void LANGUAGE c AS '\$libdir/event_validate', 'ev_fuzz'\n"
    } | fuzz_backend "$work/data" >"$work/prepare.log" 2>&1 || die "the backend does not start: $(tail -n 3 "$work/prepare.log")"
    ! grep -E 'ERROR:|FATAL:' "$work/prepare.log" || die "see $work/prepare.log"
}

# fuzz_backend DATA: runs the commands of its standard input, one a line
fuzz_backend() {
    unprivileged nice -n "${FUZZ_NICE:-0}" env "LD_PRELOAD=$fuzz_runtime/libclang_rt.asan-$(uname -m).so $work/no_translations.so" \
        "ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:quarantine_size_mb=16:allocator_may_return_null=1" \
        "UBSAN_OPTIONS=print_stacktrace=1" "ASAN_SYMBOLIZER_PATH=$(dirname "$(realpath "$fuzz_clang")")/llvm-symbolizer" \
        "$bindir/postgres" --single -D "$1" postgres
}

# fuzz_process DATA TARGET PLANTED ARGUMENT...: runs libFuzzer on a copy of the data
# folder, which is made unless it exists.  PLANTED is a fault to make on purpose, or
# empty.
fuzz_process() {
    local data=$1 target=$2 planted=$3 argument list=

    shift 3
    for argument; do list+=${list:+,}"'${argument//\'/\'\'}'"; done
    [[ -e $data ]] || unprivileged cp -r "$work/data" "$data"
    printf "SELECT ev_fuzz('%s', nullif('%s', ''), VARIADIC ARRAY[%s])\n" "$target" "$planted" "$list" | fuzz_backend "$data"
}
