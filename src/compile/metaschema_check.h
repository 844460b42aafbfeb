/*
 * metaschema_check.h
 *	  Compiles new documents, and validates them against their meta-schema.
 */
#ifndef EV_METASCHEMA_CHECK_H
#define EV_METASCHEMA_CHECK_H

#include "nodes/pg_list.h"
#include "program/program.h"
#include "schema/document.h"

/*
 * Like ev_compile, for a document that was not checked before: it must also be
 * valid against the meta-schema in its $schema (2020-12 if there is none).
 * The memory of this check is in CurrentMemoryContext too.
 */
extern EvProgram *ev_compile_checked(const EvDocument *document, EvResolver resolver,
									 EvFault *fault, List **references, List **warnings);

/*
 * Validates a compiled document against its meta-schema.  Returns false, with *fault
 * filled, if it is not valid.
 */
extern bool ev_metaschema_check(const EvDocument *document, EvResolver resolver, EvFault *fault);

/*
 * Returns all faults of a document as a List of EvFault: first those that the
 * compiler finds, then those that only the meta-schema finds.  Sets *warnings to
 * its warnings and notes, a List of EvWarning.  Allocates in CurrentMemoryContext,
 * as above.  own_only: see ev_compile_faults.
 */
extern List *ev_document_faults(const EvDocument *document, EvResolver resolver, bool own_only, List **warnings);

#endif							/* EV_METASCHEMA_CHECK_H */
