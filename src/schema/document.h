/*
 * document.h
 *	  The body of a function in language jsonschema: pragma lines, then one
 *	  JSON document.
 *
 *		#event_type com.example.orders.OrderPlaced
 *		#assert_format off
 *		#breaking
 *		{"type": "object"}
 */
#ifndef EV_DOCUMENT_H
#define EV_DOCUMENT_H

#include "base/compat.h"
#include "base/dialect.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* What is wrong with a schema, and where. */
typedef struct EvFault
{
	char	   *location;		/* JSON Pointer into the document ("" is the
								 * document), or NULL where there is none */
	char	   *message;		/* NULL: no fault.  Lower case, no full stop */
	char	   *detail;			/* a sentence, or NULL */
	char	   *hint;			/* a sentence, or NULL */
	int			sqlstate;		/* 0: invalid_parameter_value */
} EvFault;

typedef struct EvDocument
{
	Oid			function;		/* the function whose body this is, or
								 * InvalidOid */
	const char *name;			/* what messages call it: "order@1" quoted by
								 * them, or NULL for a schema given in place;
								 * the whole name, see registry/names.h */
	const char *uri;			/* its retrieval URI, "" where it has none */
	Jsonb	   *schema;
	bool		draft_known;	/* without $schema it is in ... */
	EvDraft		draft;			/* ... this dialect, not in 2020-12 */
	bool		assert_format;	/* #assert_format, on by default */
	bool		breaking;		/* #breaking */
	const char *event_type;		/* #event_type, or NULL */
} EvDocument;

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
 * Reads a body into *document (schema and what its pragma lines say; the rest
 * is the caller's), allocated in CurrentMemoryContext.  False, with *fault
 * filled, where a pragma is unknown or the rest is not JSON.
 */
extern bool ev_document_parse(const char *body, EvDocument *document, EvFault *fault);

/*
 * The event type that a pragma line of a body names, in CurrentMemoryContext;
 * NULL where there is none, or where the body ends, as the beginning of one
 * does, in the pragma lines.
 */
extern char *ev_document_event_type(const char *body);

/*
 * Raises a fault as an ERROR: message, location in the DETAIL.  `what` names
 * the schema for the message ("schema \"order@1\""), or is NULL.
 */
extern void ev_fault_report(const EvFault *fault, const char *what) pg_attribute_noreturn();

/*
 * Do two documents differ in annotations only (title, description, examples,
 * ...), so that every instance gets the same answer from both?  Compares the
 * documents themselves, not what they refer to.
 */
extern bool ev_document_same_answers(const EvDocument *a, const EvDocument *b);

/*
 * Does the document say of itself that it should no longer be used:
 * "deprecated": true at its root?
 */
extern bool ev_document_is_deprecated(const EvDocument *document);

/*
 * May a reference in the document, to itself or to another one, lead to what
 * stands in an annotation ("#/examples/0")?  Where that is replaced, answers
 * change.
 */
extern bool ev_document_refers_to_annotation(const EvDocument *document);

/*
 * The URIs that a document gives itself ($id; "id" in draft 4) besides the one
 * that it is registered under, as C strings in CurrentMemoryContext.
 */
extern List *ev_document_ids(const EvDocument *document);

/*
 * The URIs, absolute and without fragment, of the documents that the
 * references of a document lead to, as C strings in CurrentMemoryContext;
 * its own and the built-in meta-schemas are not among them.  Reads nothing
 * but the document.
 */
extern List *ev_document_references(const EvDocument *document);

#endif							/* EV_DOCUMENT_H */
