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
 * Finds the document of an absolute URI without fragment ("event:order@1",
 * "https://example.com/common").  Fills *document, in CurrentMemoryContext;
 * false where there is none.  May raise, for what is ambiguous.
 */
typedef bool (*EvResolver) (const char *uri, EvDocument *document);

/* Something that registration warns about. */
typedef struct EvWarning
{
	char	   *location;		/* JSON Pointer into the document */
	char	   *message;
} EvWarning;

/*
 * Compiles a document and all that it refers to into one program, in
 * CurrentMemoryContext (the caller makes one for it; the compiler's own
 * working memory is freed before the return).  NULL, with *fault filled,
 * where it is not a valid schema.
 *
 * resolver: NULL where no other document may be referred to.
 * references: if not NULL, gets the OIDs of the functions whose documents
 * were read besides this one.
 * warnings: if not NULL, gets EvWarnings, and the document is held against its
 * meta-schema too: for a document that nobody has looked at before.
 */
extern EvProgram *ev_compile(const EvDocument *document, EvResolver resolver,
							 EvFault *fault, List **references, List **warnings);

/* The same program with ANNOTATE instructions, for reports. */
extern EvProgram *ev_compile_annotated(const EvDocument *document, EvResolver resolver,
									   EvFault *fault);

/*
 * The URIs, absolute and without fragment, of the documents that the
 * references of a document lead to, as C strings in CurrentMemoryContext;
 * its own and the built-in meta-schemas are not among them.  Reads nothing
 * but the document.
 */
extern List *ev_document_references(const EvDocument *document);

#endif							/* EV_CODEGEN_H */
