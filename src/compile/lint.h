/*
 * lint.h
 *	  Warnings about valid schemas that are probably mistakes.
 */
#ifndef EV_LINT_H
#define EV_LINT_H

#include "schema/schema_graph.h"

/*
 * Adds the warnings and notes about the main document to the compiler's
 * warnings.  The references of the document are resolved; the document may have
 * faults.
 */
extern void ev_lint(EvCompiler *compiler);

#endif							/* EV_LINT_H */
