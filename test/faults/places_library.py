"""A copy of the built extension that fails at a place that a test chooses (places.c)."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from tools import Unavailable

HERE = Path(__file__).resolve().parent

# The functions that fail.  Those that clean up are not among them.
FUNCTIONS = """
palloc palloc0 repalloc repalloc_huge MemoryContextAlloc MemoryContextAllocHuge MemoryContextAllocZero
MemoryContextAllocZeroAligned MemoryContextStrdup pstrdup pnstrdup psprintf AllocSetContextCreateInternal
initStringInfo enlargeStringInfo appendStringInfo appendStringInfoChar appendStringInfoString appendBinaryStringInfo
appendStringInfoSpaces cstring_to_text cstring_to_text_with_len text_to_cstring quote_identifier quote_literal_cstr
quote_qualified_identifier lappend lappend_int lappend_oid lcons lcons_oid list_make1_impl list_make2_impl
list_concat list_copy list_append_unique_oid hash_create hash_search JsonbValueToJsonb pushJsonbValue jsonb_in jsonb_out
jsonb_concat JsonbIteratorInit JsonbIteratorNext JsonbToCString getIthJsonbValueFromContainer getKeyJsonValueFromContainer
bms_add_member pg_detoast_datum pg_detoast_datum_copy pg_detoast_datum_packed datumCopy copyObjectImpl
heap_form_tuple heap_copytuple heap_modify_tuple heap_copy_tuple_as_datum accumArrayResult construct_array deconstruct_array
InitMaterializedSRF tuplestore_putvalues tuplestore_begin_heap CreateTupleDescCopy CreateTupleDescCopyConstr
CreateExecutorState ExecInitExpr ExecPrepareExpr expression_planner MakeSingleTupleTableSlot
SearchSysCache1 SearchSysCache2 SearchSysCacheCopy SearchSysCacheExists SearchSysCacheList GetSysCacheOid
systable_beginscan systable_getnext table_open relation_open try_relation_open find_all_inheritors find_inheritance_children
get_rel_name get_namespace_name get_func_name get_namespace_oid get_language_oid format_procedure format_type_be
SPI_connect SPI_connect_ext SPI_execute SPI_execute_with_args SPI_execute_plan SPI_prepare SPI_prepare_params SPI_cursor_open
SPI_cursor_fetch SPI_getvalue SPI_getbinval BeginInternalSubTransaction PushActiveSnapshot GetTransactionSnapshot
LockAcquire LockRelationOid ProcessUtility CatalogTupleUpdate recordDependencyOn recordMultipleDependencies
ExecutorStart ExecutorRun CommandCounterIncrement pg_regcomp pg_regexec numeric_in numeric_out numeric_mul numeric_div
OidFunctionCall1Coll OidInputFunctionCall OidOutputFunctionCall fmgr_info_cxt raw_parser parse_analyze_fixedparams
stringToNode deparse_expression varstr_levenshtein_less_equal
""".split()

TRAMPOLINE = """
\t.globl __wrap_{name}
\t.type __wrap_{name}, @function
__wrap_{name}:
\tendbr64
\tpush %rbp
\tmov %rsp, %rbp
\tpush %rdi
\tpush %rsi
\tpush %rdx
\tpush %rcx
\tpush %r8
\tpush %r9
\tpush %rax
\tpush %r10
\tsub $128, %rsp
\tmovups %xmm0, (%rsp)
\tmovups %xmm1, 16(%rsp)
\tmovups %xmm2, 32(%rsp)
\tmovups %xmm3, 48(%rsp)
\tmovups %xmm4, 64(%rsp)
\tmovups %xmm5, 80(%rsp)
\tmovups %xmm6, 96(%rsp)
\tmovups %xmm7, 112(%rsp)
\tlea 136(%rsp), %rdi
\tlea .Lname_{name}(%rip), %rsi
\tcall ev_fault_point@PLT
\tmovups (%rsp), %xmm0
\tmovups 16(%rsp), %xmm1
\tmovups 32(%rsp), %xmm2
\tmovups 48(%rsp), %xmm3
\tmovups 64(%rsp), %xmm4
\tmovups 80(%rsp), %xmm5
\tmovups 96(%rsp), %xmm6
\tmovups 112(%rsp), %xmm7
\tadd $128, %rsp
\tpop %r10
\tpop %rax
\tpop %r9
\tpop %r8
\tpop %rcx
\tpop %rdx
\tpop %rsi
\tpop %rdi
\tpop %rbp
\tjmp __real_{name}@PLT
\t.size __wrap_{name}, .-__wrap_{name}
.Lname_{name}:
\t.asciz "{name}"
"""


def objects(folder):
    return sorted(path for path in Path(folder).rglob("*.o")
                  if path == Path(folder) / "event_validate.o" or path.is_relative_to(Path(folder) / "src"))


def make(folder):
    """Makes a root like EV_DESTDIR with the copy in it; returns the root."""
    folder = Path(folder)
    if platform.machine() != "x86_64":
        raise Unavailable("the trampolines are for x86-64")
    if os.environ.get("EV_OWN_SERVER") or not os.environ.get("EV_DESTDIR"):
        raise Unavailable("the extension is in the server's own folders")
    parts = objects(os.environ.get("EV_BUILD_DIR", "/nonexistent"))
    if not parts:
        raise Unavailable("EV_BUILD_DIR has no object files")
    for program in ("gcc", "nm"):
        if not shutil.which(program):
            raise Unavailable(f"there is no {program}")

    def ask(*command):
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.strip()

    undefined = set(ask("nm", "-u", "-j", *parts).split("\n"))
    names = [name for name in FUNCTIONS if name in undefined]
    folder.mkdir(parents=True)
    (folder / "trampolines.s").write_text("\t.text\n" + "".join(TRAMPOLINE.format(name=name) for name in names)
                                          + '\t.section .note.GNU-stack,"",@progbits\n', encoding="utf-8")
    config = os.environ.get("EV_PG_CONFIG", "pg_config")
    ask("gcc", "-O1", "-g", "-fPIC", "-Wall", "-Werror", "-I", ask(config, "--includedir-server"), "-I", ask(config, "--includedir"),
        "-D_GNU_SOURCE", "-c", HERE / "places.c", "-o", folder / "places.o")
    ask("gcc", "-c", folder / "trampolines.s", "-o", folder / "trampolines.o")
    root = folder / "root"
    shutil.copytree(os.environ["EV_DESTDIR"], root)
    library = root / ask(config, "--pkglibdir").lstrip("/") / "event_validate.so"
    ask("gcc", "-shared", "-o", library, *parts, folder / "places.o", folder / "trampolines.o",
        *(f"-Wl,--wrap={name}" for name in names), "-Wl,-Bsymbolic-functions", "-lidn2", "-ldl")
    return root, library, len(names)


ARM = """
CREATE FUNCTION fault_arm(place int, kind int) RETURNS void AS '$libdir/event_validate', 'ev_fault_arm' LANGUAGE C STRICT;
CREATE FUNCTION fault_fired() RETURNS text AS '$libdir/event_validate', 'ev_fault_fired' LANGUAGE C;
"""
