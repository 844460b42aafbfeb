/*
 * hide_context.c
 *	  Errors of the extension's PL/pgSQL functions without "PL/pgSQL function ...
 *	  line 12 at RAISE", which tells a user nothing.
 *
 * PL/pgSQL pushes an entry on the stack of error contexts for each call of a function,
 * and removes it when the call ends.  While an expression of the function is
 * evaluated, this entry is at the top.  So a C function that the expression calls finds
 * its caller's entry there, and replaces the entry's callback by one without output.
 *
 * Between two of our functions is an entry for the statement or assignment by which
 * one calls the other, and that one is hidden, too.
 *
 * A call by other code hides a line of the context of that code.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/hide_context.h"

PG_FUNCTION_INFO_V1(ev_hide_context);

static void
say_nothing(void *arg pg_attribute_unused())
{
}

/* The entry is that of a statement of one of our functions. */
static void
hide_statement(ErrorContextCallback *entry)
{
	if (entry != NULL && entry->previous != NULL && entry->previous->callback == say_nothing)
		entry->callback = say_nothing;
}

void
ev_hide_calling_statement(void)
{
	hide_statement(error_context_stack);
}

/*
 * hide_context() → boolean
 */
Datum
ev_hide_context(PG_FUNCTION_ARGS pg_attribute_unused())
{
	if (error_context_stack != NULL)
	{
		error_context_stack->callback = say_nothing;
		hide_statement(error_context_stack->previous);
	}
	PG_RETURN_BOOL(true);
}
