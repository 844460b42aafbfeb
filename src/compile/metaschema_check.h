/*
 * metaschema_check.h
 *	  Compiles documents that are new, and validates them against their
 *	  meta-schema.
 */
#ifndef EV_METASCHEMA_CHECK_H
#define EV_METASCHEMA_CHECK_H

#include "nodes/pg_list.h"
#include "program/program.h"
#include "schema/document.h"

/*
 * The same as ev_compile, for a document that nothing has checked before: it
 * must also match the meta-schema that its $schema names (2020-12's where it
 * names none).  What the check allocates is in CurrentMemoryContext too.
 */
extern EvProgram *ev_compile_checked(const EvDocument *document, EvResolver resolver,
									 EvFault *fault, List **references, List **warnings);

/*
 * All faults of a document, in what the compiler checks and then in what only
 * its meta-schema says: a List of EvFault; and its warnings and notes, a List
 * of EvWarning.  In CurrentMemoryContext, as above.
 */
extern List *ev_document_faults(const EvDocument *document, EvResolver resolver, List **warnings);

#endif							/* EV_METASCHEMA_CHECK_H */
