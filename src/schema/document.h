/*
 * document.h
 *	  The body of a function in language jsonschema: pragma lines, then one
 *	  JSON document.
 *
 *		#assert_format off
 *		#breaking
 *		{"type": "object"}
 */
#ifndef EV_DOCUMENT_H
#define EV_DOCUMENT_H

#include "base/compat.h"
#include "base/dialect.h"
#include "nodes/pg_list.h"
#include "schema/location.h"
#include "schema/rules.h"
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
	EvRule		rule;
	int			line;			/* in the document's text; 0: not known */
	int			column;
} EvFault;

typedef struct EvDocument
{
	Oid			function;		/* the function whose body this is, or
								 * InvalidOid */
	const char *name;			/* what messages call it: "order@1" quoted by
								 * them, or NULL for a schema given in place */
	const char *uri;			/* its retrieval URI, "" where it has none */
	Jsonb	   *schema;
	bool		draft_known;	/* without $schema it is in ... */
	EvDraft		draft;			/* ... this dialect, not in 2020-12 */
	bool		assert_format;	/* #assert_format, on by default */
	bool		breaking;		/* #breaking */
	const char *text;			/* what its user wrote, where lines and
								 * columns count from; NULL: a jsonb */
	const char *json;			/* the JSON in it, after the pragma lines */
	bool		is_new;			/* refuse what is ambiguous, too: an $id or an
								 * anchor of two schemas */
	bool		strict;			/* registration refuses it where it would warn */
} EvDocument;

/*
 * Finds the document of an absolute URI without fragment ("event:order@1",
 * "https://example.com/common").  Fills *document, in CurrentMemoryContext;
 * false where there is none.  May raise, for what is ambiguous.
 */
typedef bool (*EvResolver) (const char *uri, EvDocument *document);

/* What is said about a schema that is valid. */
typedef struct EvWarning
{
	EvRule		rule;
	const EvLocation *at;		/* where: JSON Pointers are made from it when */
	char	   *tail;			/* they are shown, as there may be many */
	char	   *message;		/* names of the schema in it are escaped, cut */
} EvWarning;

/*
 * Reads a body into *document (schema, assert_format, breaking, text and json;
 * the rest is the caller's), allocated in CurrentMemoryContext; text and json
 * point into the body.  False, with *fault filled, where a pragma is unknown or
 * the rest is not JSON.
 */
extern bool ev_document_parse(const char *body, EvDocument *document, EvFault *fault);

/*
 * Raises a fault as an ERROR; line and column are in the DETAIL.  `what` names
 * the schema for the message ("schema \"order@1\""), or is NULL.
 */
extern void ev_fault_report(const EvFault *fault, const char *what) pg_attribute_noreturn();

/*
 * Gives a fault that has a location the line and the column of its value in the
 * document's text.  Nothing is done where the document has no text.
 */
extern void ev_document_locate(const EvDocument *document, EvFault *fault);

/*
 * The keys that occur twice in an object of the document's text, as faults: a
 * List of EvFault in CurrentMemoryContext.  jsonb has kept the last of them.
 */
extern List *ev_document_repeated_keys(const EvDocument *document);

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
