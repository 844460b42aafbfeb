/*
 * lint.h
 *	  Warnings about valid schemas that are probably mistakes.
 */
#ifndef EV_LINT_H
#define EV_LINT_H

#include "schema/schema_graph.h"

/* Adds the warnings about one subschema to the compiler's warnings. */
extern void ev_lint(EvCompiler *compiler, const EvSubschema *subschema);

#endif							/* EV_LINT_H */
