/*
 * described.h
 *	  A registered schema, read for documentation: its subschemas with resolved
 *	  references, and those that apply to one instance together.
 */
#ifndef EV_DESCRIBED_H
#define EV_DESCRIBED_H

#include "registry/schema_cache.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

typedef struct EvDescribed
{
	EvCompiler	compiler;
	EvDocument	document;
	EvSubschema *root;
	EvSchema   *schema;			/* compiled */
	HTAB	   *keywords;		/* of subschemas, by their address */
	List	   *texts;			/* of documents that were read for
								 * ev_order_names */
	int64		text_work;		/* bytes that these took */
	int			steps;			/* what was done so far, see ev_describe_step */
	bool		is_cut;			/* the limit of steps was reached */
} EvDescribed;

/* One of the subschemas that apply to an instance together. */
typedef struct EvPart
{
	EvSubschema *schema;		/* may be a boolean */
	const EvKeywordValues *keywords;	/* NULL for a boolean */
	bool		only_describes; /* siblings of $ref up to draft 7 */
} EvPart;

/*
 * Reads the document of a function in language jsonschema, with all documents that it
 * refers to, in CurrentMemoryContext.  Raises an error if it is not valid, or does not
 * exist.
 */
extern EvDescribed *ev_describe(Oid function);

/*
 * Returns the version of a type, or with is_latest its latest version.  Raises
 * undefined_object if it is not registered, and invalid_parameter_value if the type is
 * empty or otherwise no name of a type.
 */
extern Oid	ev_described_version(const text *type, int32 version, bool is_latest);

/*
 * Counts a step of a walk, and checks for interrupts.  Returns false if there were too
 * many; then d->is_cut is set.
 */
extern bool ev_describe_step(EvDescribed *d);

/*
 * Returns the subschema at a value of a keyword: an object or a boolean.  Returns NULL
 * for other values, and for objects that are no schemas.
 */
extern EvSubschema *ev_described_child(EvDescribed *d, const EvSubschema *parent, const JsonbValue *value);

/*
 * Adds a subschema to a List of EvPart, with those that its references lead to and those
 * of its allOf.  Returns the list.
 */
extern List *ev_add_parts(EvDescribed *d, List *parts, EvSubschema *schema);

/* Returns the keywords of a subschema that is not a boolean. */
extern const EvKeywordValues *ev_described_keywords(EvDescribed *d, EvSubschema *schema);

/* Has a part this keyword, as a validating one? */
static inline bool
ev_part_has(const EvPart *part, int keyword)
{
	return part->keywords != NULL && !part->only_describes && part->keywords->present[keyword];
}

/*
 * Sorts names (EvString *) of a keyword of a subschema, an object, as they stand in the
 * text of its document; in the order of their bytes if that is not known.
 */
extern List *ev_order_names(EvDescribed *d, const EvSubschema *schema, const char *keyword, List *names);

/* Returns the keys of an object, as EvString * that point into it. */
extern List *ev_object_keys(const JsonbValue *object);

/* Returns the value of a key of an object, or NULL. */
extern JsonbValue *ev_object_value(const JsonbValue *object, const EvString *key);

/* Returns a value as JSON text, in CurrentMemoryContext. */
extern char *ev_described_json(const JsonbValue *value);

#endif							/* EV_DESCRIBED_H */
