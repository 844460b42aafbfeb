/*
 * codegen.h
 *	  From a schema document to a program.
 */
#ifndef EV_CODEGEN_H
#define EV_CODEGEN_H

#include "schema/document.h"
#include "nodes/pg_list.h"
#include "program/program.h"

/*
 * Compiles a document and all that it refers to into one program, in
 * CurrentMemoryContext (the caller makes one for it; the compiler's own
 * working memory is freed before the return).  NULL, with *fault filled,
 * where it is not a valid schema.
 *
 * resolver: NULL where no other document may be referred to.
 * references: if not NULL, gets the OIDs of the functions whose documents
 * were read besides this one.
 * warnings: if not NULL, gets EvWarnings (notes, too), in CurrentMemoryContext.
 */
extern EvProgram *ev_compile(const EvDocument *document, EvResolver resolver,
							 EvFault *fault, List **references, List **warnings);

/* The same program with ANNOTATE instructions, for reports. */
extern EvProgram *ev_compile_annotated(const EvDocument *document, EvResolver resolver,
									   EvFault *fault);

/*
 * All faults of a document, in its order, as a List of EvFault, and its
 * warnings and notes as one of EvWarning, in CurrentMemoryContext.  So is what
 * else is allocated: the caller makes a context for it.
 */
extern List *ev_compile_faults(const EvDocument *document, EvResolver resolver, List **warnings);

#endif							/* EV_CODEGEN_H */
