# event_validate: build with PGXS, in this folder or (make -f .../Makefile) in
# another one.
#
#   make && make install        against the pg_config in PATH, or PG_CONFIG=...
#   make installcheck           pg_regress, against a running server
#   make check-isolation        isolation tests, against a running server
#   make check-tap              TAP tests, which start servers of their own
#   make NO_SIMD=1              (after make clean) a build without vector instructions
#   make check-matrix           builds and tests with each PostgreSQL, in chroots
#   make check-sanitized        tests on a server with AddressSanitizer and UBSan
#   make check-faults           crashes, full disks and other faults, made on purpose
#   make fuzz                   coverage-guided fuzzing; see scripts/fuzz
#   make FUZZ=1 CC=clang        (in a folder of its own) the library that it runs
#   make werror                 builds all anew, warnings as errors (also CC=clang)
#   make check-warnings         the same without a build, which is faster (CC=clang)
#   make werror-bitcode         only the bitcode, by its clang, with warnings as errors
#   make check-headers          checks that each header compiles on its own
#   make install-script         makes the development version's install script from install/*.sql
#   make check-upgrade          pg_upgrade through all versions of PostgreSQL, in chroots
#   make format, format-check   applies or checks PostgreSQL's layout
#   make dist                   the archives of a release, of HEAD (see scripts/dist)
#   make check-packages         builds, installs and removes the packages, in chroots
#
# scripts/test runs all checks without installing into the system.

top := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
ifneq ($(top),.)
VPATH = $(top)
endif

MODULE_big = event_validate
OBJS = event_validate.o \
	$(patsubst $(top)/%.c,%.o,$(sort $(wildcard $(top)/src/*/*.c)))

# libidn2's flags are those of pkg-config, where that knows them; both variables
# can be given to make.
PKG_CONFIG ?= pkg-config
ifndef IDN2_CFLAGS
IDN2_CFLAGS := $(shell $(PKG_CONFIG) --cflags libidn2 2>/dev/null)
endif
ifndef IDN2_LIBS
IDN2_LIBS := $(or $(shell $(PKG_CONFIG) --libs libidn2 2>/dev/null),-lidn2)
endif
SHLIB_LINK += $(IDN2_LIBS)
PG_CPPFLAGS = -I$(top)/src $(IDN2_CFLAGS) $(if $(NO_SIMD),-DEV_NO_SIMD)
PGFILEDESC = "event_validate - JSON Schema validation of jsonb events"

# The library for test/fuzz/coverage: counts what is executed, checks itself, and
# has libFuzzer and the targets in it.  A backend must preload AddressSanitizer.
# scripts/fuzz adds ",undefined" to the sanitizers, which takes twice the time to compile.
ifdef FUZZ
FUZZ_SANITIZERS ?= address
# Debian's later versions of clang print a folder that their packages do not use.
FUZZ_RUNTIMES := $(shell $(CC) -print-runtime-dir) $(shell $(CC) -print-resource-dir)/lib/linux
FUZZ_LIBRARY := $(firstword $(wildcard $(addsuffix /libclang_rt.fuzzer_no_main-$(shell uname -m).a,$(FUZZ_RUNTIMES))))
OBJS += $(patsubst $(top)/%.c,%.o,$(sort $(wildcard $(top)/test/fuzz/coverage/*.c)))
PG_CFLAGS += -O1 -g1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZERS) -fno-sanitize-recover=undefined
PG_LDFLAGS += -fsanitize=$(FUZZ_SANITIZERS) -shared-libasan
SHLIB_LINK += $(FUZZ_LIBRARY) -lstdc++ -lm
endif

EXTENSION = event_validate
DATA = $(notdir $(sort $(wildcard $(top)/event_validate--*.sql)))
DOCS = README.md CHANGELOG.md SECURITY.md LICENSE

# Answers do not depend on the cluster's encoding or locale, but output and its
# order do: the expected files are for this encoding and locale.
REGRESS = $(basename $(notdir $(sort $(wildcard $(top)/sql/*.sql))))
REGRESS_OPTS = --load-extension=event_validate
ENCODING = UTF8
NO_LOCALE = 1

EXTRA_CLEAN = event_validate.d src/*/*.d output_iso tmp_check headers

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)

# For a server built with LLVM, PGXS builds bitcode too (for inlining by JIT,
# which has nothing to inline here).  Skip that if its clang is not installed.
pgxs_setting = $(shell sed -n 's/^$(1)[[:space:]]*=[[:space:]]*//p' '$(dir $(PGXS))../Makefile.global')
ifeq ($(and $(shell command -v '$(call pgxs_setting,CLANG)' 2>/dev/null),$(shell command -v '$(call pgxs_setting,LLVM_BINPATH)/llvm-lto' 2>/dev/null)),)
override with_llvm = no
endif

include $(PGXS)

# ---------- documentation ----------

# Many extensions have a README.md, so ours has a folder of its own, with the
# pages that it links to beside it.
docmoduledir = extension/event_validate
doc_target = $(DESTDIR)$(docdir)/$(docmoduledir)

.PHONY: install-pages uninstall-pages
install: install-pages
install-pages: installdirs
	for page in `cd $(top) && find docs -name '*.md' -o -name '*.svg'`; do \
		$(MKDIR_P) '$(doc_target)'/`dirname $$page` && \
		$(INSTALL_DATA) $(top)/$$page '$(doc_target)'/$$page || exit 1; \
	done

# PGXS removes files, but no folder.  It also makes those above ours, if they are missing.
uninstall: uninstall-pages
uninstall-pages:
	rm -rf '$(doc_target)/docs'
	cd '$(doc_target)' 2>/dev/null && rm -f $(DOCS) || :
	for folder in '$(doc_target)' '$(DESTDIR)$(docdir)/$(dir $(docmoduledir))' '$(DESTDIR)$(docdir)'; do \
		rmdir "$$folder" 2>/dev/null || :; \
	done

# ---------- the install script ----------

# That of the development version is made from these files of the folder install, in
# this order, and committed.  Only this target writes it, in the source folder: no
# build does.  Scripts of released versions are frozen (scripts/release --check).
INSTALL_AREAS = head schemas language relations validation registry changes \
	upcasts stored_events views event_checks columns usage guards statistics progress catalogue ddl_triggers

.PHONY: install-script
install-script:
	$(top)/scripts/release script

# ---------- linking ----------

# Bind calls within the library to its own functions, so that no other library
# can interpose them.
ifneq ($(filter linux freebsd netbsd openbsd,$(PORTNAME)),)
SHLIB_LINK += -Wl,-Bsymbolic-functions
endif

# ---------- compiling ----------

# PGXS tracks no header dependencies, and a build outside the sources has no
# folder src.  The bitcode depends on the same headers as the object file.
%.o: %.c
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) $(CPPFLAGS) -c -MMD -MP -MF $*.d -MT $*.o -MT $*.bc -o $@ $<

%.bc: %.c
	@$(MKDIR_P) $(@D)
	$(COMPILE.c.bc) $(BITCODE_WARNINGS) -o $@ $<

-include $(OBJS:.o=.d)

# PostgreSQL's headers count as system headers: -Wextra is for our code.  CFLAGS
# of a server built with gcc have options that clang warns about.
ALL_WARNINGS = -Wall -Wextra -Wmissing-prototypes -Wunused-macros -Werror -isystem $(includedir_server)
CLANG_WARNINGS = $(ALL_WARNINGS) -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes
WERROR = $(if $(findstring clang,$(shell $(CC) --version)),$(CLANG_WARNINGS),$(ALL_WARNINGS))

.PHONY: werror werror-build werror-bitcode check-warnings check-headers
werror:
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) clean
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) werror-build

# the same, but builds only changed files
werror-build:
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) COPT='$(WERROR)' BITCODE_WARNINGS='$(filter -W%,$(CFLAGS)) $(CLANG_WARNINGS)' all

# nothing is left to do after one of the two targets above
werror-bitcode:
	$(MAKE) -f $(firstword $(MAKEFILE_LIST)) BITCODE_WARNINGS='$(filter -W%,$(CFLAGS)) $(CLANG_WARNINGS)' $(OBJS:.o=.bc)

# the warnings of a compiler, as errors, without a build: make check-warnings CC=clang
check-warnings:
	@for source in $(addprefix $(top)/,$(OBJS:.o=.c)); do \
		$(CC) $(CFLAGS) $(WERROR) $(CPPFLAGS) -fsyntax-only $$source || failed=1; \
	done; test -z "$$failed"

check-headers:
	@$(MKDIR_P) headers
	@for header in $(sort $(wildcard $(top)/src/*/*.h)); do \
		name=`basename $$header .h`; \
		printf '#include "postgres.h"\n#include "%s"\n' "$$header" >headers/$$name.c; \
		$(CC) $(CFLAGS) $(WERROR) $(CPPFLAGS) -I$(abspath $(top)) -Wno-unused -fmax-errors=5 -fsyntax-only headers/$$name.c || failed=1; \
		if grep -q '#include.*postgres\.h' $$header; then echo "$$header includes postgres.h"; failed=1; fi; \
	done; $(RM) -r headers; test -z "$$failed"

# ---------- tests ----------

.PHONY: check-isolation check-tap
isolation_specs = $(basename $(notdir $(sort $(wildcard $(top)/test/isolation/specs/*.spec))))

check-isolation:
	$(pg_isolation_regress_installcheck) --inputdir=$(top)/test/isolation \
		--load-extension=event_validate --dbname=isolation_regression $(isolation_specs)

check-tap: override PROVE_FLAGS += -I $(abspath $(top))/test/t/lib -j $(TAP_JOBS)
check-tap: TAP_JOBS ?= 2
check-tap: PROVE_TESTS ?= test/t/*.pl
check-tap:
	$(prove_installcheck)

# make check-matrix [PG=17] [ARCH=arm64] [MATRIX_OPTIONS=...]; see scripts/check-matrix.  All keep
# what they make in ~/.cache/event_validate, and take long.
.PHONY: check-matrix check-sanitized check-upgrade check-faults
check-matrix:
	$(top)/scripts/check-matrix $(MATRIX_OPTIONS) $(PG) $(ARCH)
check-sanitized:
	$(top)/scripts/check-sanitized $(SANITIZED_OPTIONS)
# make check-faults [FAULTS_OPTIONS='--seed 17 crashes']; see scripts/check-faults
check-faults:
	$(top)/scripts/check-faults $(FAULTS_OPTIONS)

check-upgrade:
	$(top)/scripts/check-upgrade $(UPGRADE_OPTIONS)

# make fuzz [FUZZ_OPTIONS='--minutes 60 match']; see scripts/fuzz
.PHONY: fuzz
fuzz:
	$(top)/scripts/fuzz $(FUZZ_OPTIONS)

# ---------- housekeeping ----------

.PHONY: format format-check dist
format:
	$(top)/scripts/format

format-check:
	$(top)/scripts/format --check

dist:
	$(top)/scripts/dist

# make check-packages [PACKAGES_OPTIONS=...]; see scripts/check-packages
.PHONY: check-packages
check-packages:
	$(top)/scripts/check-packages $(PACKAGES_OPTIONS)

# ---------- speed ----------

# make bench BENCH_OPTIONS='--quick'; see test/bench/run-bench
.PHONY: bench
bench:
	$(top)/test/bench/run-bench $(BENCH_OPTIONS)

# counts instructions; see test/instructions/count
.PHONY: instructions
instructions:
	$(top)/test/instructions/count $(INSTRUCTIONS_OPTIONS)

# ---------- conformance ----------

# a table of the official test suite's results; see test/conformance/run
.PHONY: conformance
conformance:
	$(top)/test/conformance/run $(CONFORMANCE_OPTIONS)
