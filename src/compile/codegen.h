/*
 * codegen.h
 *	  Compiles a schema document to a program.
 */
#ifndef EV_CODEGEN_H
#define EV_CODEGEN_H

#include "schema/document.h"
#include "nodes/pg_list.h"
#include "program/program.h"

/*
 * Compiles a document, and all documents that it refers to, into one program,
 * in CurrentMemoryContext.  The caller creates a memory context for the
 * program; the compiler's working memory is freed before the return.  Returns
 * NULL, with *fault filled, if the schema is not valid.
 *
 * resolver: NULL if the document must not refer to other documents.
 *
 * references: if not NULL, receives the OIDs of the functions whose documents
 * were read besides this one.
 *
 * warnings: if not NULL, receives EvWarnings, including notes, in
 * CurrentMemoryContext.
 */
extern EvProgram *ev_compile(const EvDocument *document, EvResolver resolver,
							 EvFault *fault, List **references, List **warnings);

/* Compiles to the same program with ANNOTATE instructions, for reports. */
extern EvProgram *ev_compile_annotated(const EvDocument *document, EvResolver resolver,
									   EvFault *fault);

/*
 * Compiles several documents together, without a program: returns true only if each of
 * them is a valid schema, and then sets warnings[i] to the warnings and notes about
 * document i, in CurrentMemoryContext.  If it returns false, they may be valid
 * nevertheless, and must be compiled one by one.  For documents in a circle, this takes
 * as much time as one of them alone.  The caller creates a memory context, as for
 * ev_compile.
 */
extern bool ev_compile_group(const EvDocument *documents, int count, EvResolver resolver, List **warnings);

/*
 * Returns all faults of a document as a List of EvFault, and sets *warnings, if it is
 * not NULL, to its warnings and notes, a List of EvWarning.  Allocates in
 * CurrentMemoryContext, which the caller creates.
 *
 * own_only: documents are read only as far as the document itself refers to them, and
 * not the documents to which these refer.  Then there may be more faults than are
 * returned, and *warnings is not to be used.
 */
extern List *ev_compile_faults(const EvDocument *document, EvResolver resolver, bool own_only, List **warnings);

#endif							/* EV_CODEGEN_H */
