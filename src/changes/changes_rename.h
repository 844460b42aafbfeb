/*
 * changes_rename.h
 *	  Shared parts of the comparison of schemas between which properties were
 *	  renamed: changes_rename.c writes and compares them, changes_rename_look.c
 *	  reads them.
 */
#ifndef EV_CHANGES_RENAME_H
#define EV_CHANGES_RENAME_H

#include "base/compat.h"
#include "jsonb/jsonb_value.h"
#include "schema/document.h"

/* The URI of an old schema, with a number, for references into it. */
#define ORIGINAL_URI	"x-event-validate-original:"

/* Limits: references that are followed, subschemas that are looked at, bytes that are copied. */
#define MOST_REFERENCES	1000
#define MOST_LOOKS		100000
#define MOST_BYTES		(16 * 1024 * 1024)

/* A document that is read. */
typedef struct EvRenameSource
{
	const EvDocument *document;
	const char *base;			/* references are relative to it */
	const char *self;			/* the URI for references within it */
} EvRenameSource;

typedef struct EvRewriter
{
	JsonbInState state;
	const char *problem;		/* why it cannot be done, as a part of a
								 * sentence; or NULL */
	List	   *barred;			/* paths (List of EvString) that no renamed
								 * event has */
	int			depth;			/* of schemas */
	int			references;
	int			looks;
	Size		bytes;
} EvRewriter;

/* What a schema says about a property at a path. */
typedef struct EvSaid
{
	bool		declared;		/* by its name */
	bool		barred;			/* no event has it */
	bool		closed;			/* no event has it, unless it is declared */
	bool		opaque;			/* perhaps, by its pattern and the like */
	bool		sealed;			/* unevaluatedProperties closes it, unless ... */
	bool		open;			/* ... another keyword evaluates all of its
								 * properties */
} EvSaid;

/* The schemas that are written anew, for references into them: EvDocument. */
extern List *ev_originals;

static inline bool
ev_json_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static inline bool
ev_json_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static inline bool
ev_json_is_false(const JsonbValue *value)
{
	return value->type == jbvBool && !value->val.boolean;
}

/* Is this a schema that says nothing about a property, or that forbids it? */
static inline bool
ev_json_is_plain(const JsonbValue *value)
{
	return value->type == jbvBool || (ev_json_is_object(value) && JsonContainerSize(value->val.binary.data) == 0);
}

/* An EvResolver that finds the originals, and what is registered. */
extern bool ev_original_resolve(const char *uri, EvDocument *document);

/* Records why a schema cannot be written, unless a reason is known; returns false. */
extern bool ev_rename_fail(EvRewriter *r, const char *problem);

/* Returns a member of an object if it is a string, in CurrentMemoryContext; otherwise NULL. */
extern char *ev_json_string(JsonbContainer *object, const char *name);

/* Replaces a value by its member or item with this token of a JSON Pointer; false if there is none. */
extern bool ev_json_step(JsonbValue *value, const EvString *token);

/* Returns the draft of a document, -1 if it has another dialect. */
extern int	ev_document_draft(const EvDocument *document);
extern int	ev_source_draft(const EvRenameSource *source);

/* Makes a source, in CurrentMemoryContext.  `self` is the URI for references within it. */
extern EvRenameSource *ev_source_make(const EvDocument *document, const char *self);

/* Sets *root to the document as a value. */
extern void ev_source_root(const EvRenameSource *source, JsonbValue *root);

/* Has a schema, an object, an identifier of its own? */
extern bool ev_schema_has_id(const JsonbValue *schema, const EvRenameSource *source);

/*
 * Finds the schema to which a reference leads, and its source.  Fails for what is rarely
 * used: anchors, parts of other documents, documents of other dialects or that assert
 * other formats.
 */
extern bool ev_source_follow(EvRewriter *r, const EvRenameSource *source, const char *reference,
							 EvRenameSource **found, JsonbValue *schema);

/*
 * Says what a document says about a property: about one with this name in the object in which
 * the property at the path is.
 */
extern EvSaid ev_source_said(const EvRenameSource *source, const List *path, const EvString *name);

#endif							/* EV_CHANGES_RENAME_H */
