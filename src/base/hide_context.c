/*
 * hide_context.c
 *	  Hides "PL/pgSQL function ... line 12 at RAISE" in errors of the
 *	  extension's PL/pgSQL functions, since it tells a user nothing.
 *
 * PL/pgSQL pushes an entry on the stack of error contexts for each call of a function,
 * and removes it when the call ends.  While an expression of the function is
 * evaluated, this entry is at the top.  So a C function that the expression calls finds
 * its caller's entry there, and replaces the entry's callback by one without output.
 *
 * If one of our functions calls another, an entry for the calling statement or
 * assignment is between their entries.  It is hidden too.
 *
 * If other code calls hide_context(), a line of that code's context is hidden.
 */
#include "postgres.h"

#include "fmgr.h"

#include "base/hide_context.h"

PG_FUNCTION_INFO_V1(ev_hide_context);

static void
say_nothing(void *arg pg_attribute_unused())
{
}

/* Hides the entry if it is that of a statement of one of our functions. */
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
