/*
 * document.h
 *	  The body of a function in language jsonschema: pragma lines, then one
 *	  JSON document.
 *
 * 	  #event_type com.example.orders.OrderPlaced
 * 	  #assert_format except duration, time
 * 	  #breaking
 * 	  #accept /properties/a PATTERN_CHANGED
 * 	  #renames {"qty": "quantity"}
 * 	  {"type": "object"}
 */
#ifndef EV_DOCUMENT_H
#define EV_DOCUMENT_H

#include "base/compat.h"
#include "base/dialect.h"
#include "format/format.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "schema/location.h"
#include "schema/rules.h"
#include "utils/jsonb.h"

/* An error in a schema, and its location. */
typedef struct EvFault
{
	char	   *location;		/* JSON Pointer into the document ("" is the
								 * document), or NULL if not known */
	char	   *message;		/* NULL: no fault.  Lower case, no full stop */
	char	   *detail;			/* a sentence, or NULL */
	char	   *hint;			/* a sentence, or NULL */
	int			sqlstate;		/* 0: invalid_parameter_value */
	EvRule		rule;
	Oid			other;			/* the function of another document, in which
								 * the cause is; or InvalidOid */
	char	   *missing;		/* the URI that is not registered, or NULL */
	int			line;			/* in the document's text; 0 if unknown */
	int			column;
} EvFault;

typedef struct EvDocument
{
	Oid			function;		/* the function with this body, or InvalidOid */
	const char *name;			/* the name in messages, "order@1", with the
								 * whole event type (messages put the quotes);
								 * NULL for a schema without a function */
	const char *uri;			/* its retrieval URI, "" if it has none */
	Jsonb	   *schema;
	bool		draft_known;	/* if there is no $schema, the dialect is */
	EvDraft		draft;			/* this one instead of 2020-12 */
	bool		assert_format;	/* #assert_format, on by default */
	EvFormatSet except_formats; /* which are not asserted nevertheless */
	bool		breaking;		/* #breaking */
	List	   *accept;			/* #accept: names of findings, see
								 * accept_option.h */
	Jsonb	   *renames;		/* #renames: properties of the version before
								 * it and their new names, see renames.h; or
								 * NULL */
	const char *event_type;		/* #event_type, or NULL */
	const char *text;			/* the text, for lines and columns; NULL if
								 * the user gave a jsonb */
	const char *json;			/* the JSON in it, after the pragma lines */
	bool		is_new;			/* reject duplicate $ids and anchors;
								 * documents of older releases may have them */
	bool		strict;			/* registration raises an error instead of
								 * warnings */
	bool		by_part;		/* a resolver found it by the $id of a schema
								 * in it */
} EvDocument;

/*
 * Finds the document of an absolute URI without fragment ("event:order@1",
 * "https://example.com/common").  Fills *document, in CurrentMemoryContext;
 * returns false if there is none.  May raise if the URI is ambiguous.
 */
typedef bool (*EvResolver) (const char *uri, EvDocument *document);

/* A warning of registration, or a note. */
typedef struct EvWarning
{
	EvRule		rule;
	const EvLocation *at;		/* the subschema, ... */
	char	   *tail;			/* ... and the JSON Pointer from there */
	char	   *message;		/* names of the schema are escaped in it */
} EvWarning;

/*
 * Parses a body into *document, in CurrentMemoryContext: schema, what its pragma
 * lines say, text and json; the last two point into the body.  The caller sets
 * the other members.  Returns false, with *fault filled, if a pragma is unknown
 * or the rest is not JSON.
 */
extern bool ev_document_parse(const char *body, EvDocument *document, EvFault *fault);

/*
 * Appends the pragma lines of a body with these options, in the order of the
 * arguments.  event_type is NULL if the body has no such line.
 */
extern void ev_document_append_pragmas(StringInfo body, const char *event_type, bool assert_format, EvFormatSet except_formats,
									   bool breaking, const List *accept, const Jsonb *renames);

/*
 * Returns the event type that a pragma line of a body names, in
 * CurrentMemoryContext.  Returns NULL if there is no such line.  The body can
 * be cut off; the last line is ignored then.
 */
extern char *ev_document_event_type(const char *body);

/*
 * Returns the renames that a pragma line of a body has, in CurrentMemoryContext, without
 * parsing the document; NULL if there is no such line, or if it is not valid.
 */
extern Jsonb *ev_document_renames(const char *body);

/*
 * Raises a fault as an ERROR, with its line and column in the DETAIL.  `what` is
 * the schema's name in the message ("schema \"order@1\""), or NULL.
 */
extern void ev_fault_report(const EvFault *fault, const char *what) pg_attribute_noreturn();

/*
 * Returns the message of that ERROR, and its DETAIL or NULL, in
 * CurrentMemoryContext.
 */
extern char *ev_fault_message(const EvFault *fault, const char *what, char **detail);

/*
 * Sets the line and the column of a fault that has a location: those of the value
 * there in the document's text.  Does nothing if the document has no text.
 */
extern void ev_document_locate(const EvDocument *document, EvFault *fault);

/*
 * Returns the keys that occur twice in an object of the document's text, as a
 * List of EvFault in CurrentMemoryContext.  Of such keys, jsonb stores the last.
 */
extern List *ev_document_repeated_keys(const EvDocument *document);

/*
 * Do two documents differ only in annotations (title, description, examples,
 * ...), so that they give the same answer for each instance?  Compares only
 * the documents, not the documents that they refer to.
 */
extern bool ev_document_same_answers(const EvDocument *a, const EvDocument *b);

/* Do two documents have the same options, such as assert_format and breaking? */
extern bool ev_document_same_options(const EvDocument *a, const EvDocument *b);

/* Do two documents have the same renames? */
extern bool ev_document_same_renames(const EvDocument *a, const EvDocument *b);

/* Is "deprecated": true at the document's root? */
extern bool ev_document_is_deprecated(const EvDocument *document);

/*
 * Can a reference in the document, to this or another document, lead into an
 * annotation ("#/examples/0")?  If so, replacing the annotation can change
 * answers.
 */
extern bool ev_document_refers_to_annotation(const EvDocument *document);

/*
 * Returns the URIs that a document gives itself ($id; "id" in draft 4),
 * without the one that it is registered under, as C strings in
 * CurrentMemoryContext.
 */
extern List *ev_document_ids(const EvDocument *document);

/*
 * Returns the URIs, absolute and without fragment, of the documents that a
 * document refers to, as C strings in CurrentMemoryContext, without its own
 * URIs and the built-in meta-schemas.  Reads only this document.
 */
extern List *ev_document_references(const EvDocument *document);

/*
 * The URIs that a document mentions, each once: those of ev_document_references;
 * and the absolute URIs that schemas below its root have as $id, except those
 * that begin with "event:" and those of built-in meta-schemas.
 */
typedef struct EvMentions
{
	List	   *references;
	List	   *parts;
} EvMentions;

/*
 * Returns the URIs that a document mentions, as C strings in
 * CurrentMemoryContext.  It walks the whole document, so callers that need
 * them more than once keep the result.
 */
extern EvMentions ev_document_mentions(const EvDocument *document);

#endif							/* EV_DOCUMENT_H */
