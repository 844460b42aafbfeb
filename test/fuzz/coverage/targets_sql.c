/*
 * targets_sql.c
 *	  Registration and guards by SQL, in a subtransaction that is rolled back.
 *
 * prepare.sql makes what they need.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "fuzz.h"
#include "guard/guard_expression.h"

/* Runs a command with text parameters, and returns its first value or NULL. */
static char *
run_sql(const char *command, int count, const char *const *values)
{
	Oid			types[4] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		datums[4];
	char		nulls[5] = "    ";
	int			done;

	for (int i = 0; i < count; i++)
	{
		nulls[i] = values[i] == NULL ? 'n' : ' ';
		datums[i] = values[i] == NULL ? (Datum) 0 : CStringGetTextDatum(values[i]);
	}
	done = SPI_execute_with_args(command, count, types, datums, nulls, false, 0);
	if (done < 0)
		ev_fuzz_fail("SPI says %d", done);
	if (SPI_processed == 0 || SPI_tuptable == NULL)
		return NULL;
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/* ---------- registration ---------- */

static void
run_register(const EvFuzzPart *parts)
{
	char	   *schema = ev_fuzz_string(&parts[0]);
	char	   *instance = ev_fuzz_string(&parts[1]);
	const char *values[] = {schema, instance};
	const char *example;
	char	   *valid;

	/* schema 1 is prepared; its type has a policy */
	run_sql("SELECT register_event_schema('fuzz', 2, $1)", 1, values);
	valid = run_sql("SELECT jsonschema_is_valid((SELECT e.definition::jsonb FROM event_schemas e WHERE e.event_type = 'fuzz' AND e.schema_version = 2))", 0, NULL);
	if (valid == NULL || valid[0] != 't')
		ev_fuzz_fail("a registered schema is not valid");
	run_sql("SELECT count(*) FROM event_schema_properties('fuzz', 2)", 0, NULL);
	run_sql("SELECT event_schema_docs('fuzz', 2)", 0, NULL);
	run_sql("SELECT count(*) FROM event_schema_program('fuzz', 2)", 0, NULL);
	example = run_sql("SELECT event_schema_example('fuzz', 2)", 0, NULL);
	if (example != NULL)
	{
		valid = run_sql("SELECT check_event($1::jsonb, 'fuzz', 2)", 1, &example);
		if (valid == NULL || valid[0] != 't')
			ev_fuzz_fail("the example is not valid");
	}
	run_sql("SELECT check_event($2::jsonb, 'fuzz', 2), $1", 2, values);
}

const EvFuzzTarget ev_fuzz_register = {"register", EV_FUZZ_JSON, true, true, 2, run_register};

/* ---------- guards ---------- */

/* The expressions as the guard reads them, without a trigger. */
static void
read_expressions(Relation relation, char *const *texts)
{
	Node	   *operands[3];
	Node	   *parsed;
	static const EvRowPart parts[] = {EV_ROW_DATA, EV_ROW_TYPE, EV_ROW_VERSION};

	for (int i = 0; i < 3; i++)
	{
		operands[parts[i]] = ev_guard_expression(relation, parts[i], texts[i]);
		(void) ev_guard_expression_may_raise(operands[parts[i]]);
		(void) ev_guard_expression_column(operands[parts[i]]);
		if (!ev_guard_same_operand(operands[parts[i]], operands[parts[i]]))
			ev_fuzz_fail("an expression differs from itself");
	}
	(void) ev_guard_reads_condition(relation, operands, &parsed);
}

static void
run_guard(const EvFuzzPart *parts)
{
	char	   *texts[3];
	Relation	relation;

	/* what an expression can do, this role may do */
	run_sql("SET LOCAL ROLE fuzz", 0, NULL);
	relation = table_openrv(makeRangeVar("fuzz_world", "events", -1), AccessShareLock);
	for (int i = 0; i < 3; i++)
		texts[i] = ev_fuzz_string(&parts[i]);
	read_expressions(relation, texts);
	table_close(relation, AccessShareLock);

	run_sql("SELECT add_event_guard('fuzz_world.events', 'warn', $1, $2, $3)", 3, (const char *const *) texts);
	run_sql("INSERT INTO fuzz_world.events SELECT * FROM fuzz_world.rows", 0, NULL);
	run_sql("SELECT set_event_guard_mode('fuzz_world.events', 'quarantine')", 0, NULL);
	run_sql("INSERT INTO fuzz_world.events SELECT * FROM fuzz_world.rows", 0, NULL);
	run_sql("SELECT count(*) FROM replay_event_quarantine('fuzz_world.events')", 0, NULL);
	run_sql("SELECT set_event_guard_mode('fuzz_world.events', 'enforce')", 0, NULL);
	run_sql("INSERT INTO fuzz_world.events SELECT * FROM fuzz_world.rows", 0, NULL);
}

const EvFuzzTarget ev_fuzz_guard = {"guard", EV_FUZZ_BYTES, true, true, 3, run_guard};
