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

#endif							/* EV_METASCHEMA_CHECK_H */
