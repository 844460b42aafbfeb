/*
 * hide_context.c
 *	  Errors of the extension's PL/pgSQL functions without "PL/pgSQL function ...
 *	  line 12 at RAISE", which tells a user nothing.
 *
 * PL/pgSQL puts an entry on the stack of error contexts for each call of a
 * function, and takes it off when the call ends.  While an expression of the function
 * is evaluated, that entry is the topmost one.  So a function that is called by such
 * an expression finds its caller's entry there, and makes it say nothing.
 *
 * Whoever else calls it hides a line of a context of their own.
 */
#include "postgres.h"

#include "fmgr.h"

PG_FUNCTION_INFO_V1(ev_hide_context);

static void
say_nothing(void *arg pg_attribute_unused())
{
}

/*
 * hide_context() → boolean
 */
Datum
ev_hide_context(PG_FUNCTION_ARGS)
{
	if (error_context_stack != NULL)
		error_context_stack->callback = say_nothing;
	PG_RETURN_BOOL(true);
}
