/*
 * schema_graph.h
 *	  The resources, subschemas and references of a schema's documents.
 *
 * resolve.c fills it from the documents, codegen.c generates code from it.
 */
#ifndef EV_SCHEMA_GRAPH_H
#define EV_SCHEMA_GRAPH_H

#include "pattern/pattern.h"
#include "schema/document.h"
#include "schema/keywords.h"
#include "schema/location.h"
#include "utils/hsearch.h"

struct EvSubschema;

/* A schema resource (2020-12 core, section 4.3.5) and its dialect. */
typedef struct EvResource
{
	char	   *uri;			/* canonical, without fragment; "" if none */
	uint32		index;
	struct EvSubschema *root;
	EvDraft		draft;
	int			vocabularies;	/* set, see keywords.h */
	bool		assert_format;
	EvFormatSet except_formats; /* not asserted nevertheless */
	bool		is_main;		/* of the document that is compiled */
	Oid			function;		/* of its document, or InvalidOid */
	EvFault    *fault;			/* of the document, if another document refers
								 * to it; or NULL */
	bool		recursive_anchor;	/* $recursiveAnchor: true */
	List	   *anchors;		/* of EvSchemaAnchor */
} EvResource;

/*
 * Returns the format of this name if a schema of the resource asserts it;
 * NULL if it is an annotation.
 */
static inline const EvFormat *
ev_asserted_format(const EvResource *resource, const char *name, int length)
{
	if ((resource->vocabularies & EV_FORMAT_ASSERTION) == 0 &&
		(!resource->assert_format || (resource->except_formats & ev_format_set_of(name, length)) != 0))
		return NULL;
	return ev_format_find(name, length, resource->draft);
}

typedef struct EvSchemaAnchor
{
	char	   *name;
	struct EvSubschema *target;
	bool		dynamic;
	struct EvSchemaAnchor *next;	/* of the same name in the resource */
	struct EvSchemaAnchor *last;	/* of the first one in the list */
} EvSchemaAnchor;

/* A possible target of a $dynamicRef, in one resource. */
typedef struct EvDynamicAnchor
{
	EvResource *resource;
	struct EvSubschema *target;
} EvDynamicAnchor;

/* The target of $ref or a similar keyword. */
typedef struct EvReference
{
	const char *keyword;
	struct EvSubschema *target;
	const char *dynamic_anchor; /* to be found in the dynamic scope; NULL if
								 * not dynamic */
} EvReference;

typedef struct EvSubschema
{
	const JsonbContainer *container;	/* hash key, must be the first member */
	bool		is_boolean;		/* true or false; then it is not in the hash
								 * table */
	bool		boolean;
	bool		entered_from_outside;	/* by a reference of another resource */
	List	   *faulty;			/* keywords with invalid values, for lint */
	EvResource *resource;
	EvLocation *location;
	List	   *references;		/* of EvReference */
	uint32		block;			/* index, EV_BLOCK_NONE until one is needed */
	int			visit;			/* for finding endless references */
	struct EvSubschema *same;	/* of a comparison: the first equal one; NULL:
								 * itself */
	uint32		wording;		/* of a comparison: subschemas with this
								 * number are equal, annotations included; 0:
								 * none */
	uint32		number;			/* of a comparison: the same in each run; 0:
								 * none */
} EvSubschema;

typedef struct EvCompiler
{
	const EvDocument *document; /* the main document, which is compiled */
	EvResolver	resolver;
	EvFault    *fault;			/* the first fault, or the last one if all are
								 * wanted; message is NULL if there is none */
	Oid			cause;			/* EvFault.other of the next fault */
	List	  **faults;			/* receives all faults, or NULL if only the
								 * first one is wanted */
	MemoryContext program_context;
	MemoryContext work_context; /* of the tables below */
	Size		memory_before;	/* in both when the compiler began */
	uint32		looks;			/* at the memory so far */
	EvPatternBudget pattern_budget; /* the rest of it */
	List	  **functions;		/* OIDs of documents that were read, or NULL */
	List	  **warnings;		/* or NULL */
	List	   *written;		/* EvSubschemas of the main document, if
								 * warnings are wanted */
	bool		by_pointer;		/* the subschema that is walked is outside of
								 * keywords; a reference leads to it */
	HTAB	   *subschemas;		/* EvSubschema by container */
	List	   *resources;		/* of EvResource */
	HTAB	   *names;			/* of resources, anchors and patterns */
	bool		knows_dynamic_anchors;	/* they are in `names` */
	List	   *pending;		/* subschemas with unresolved references */
	bool		annotate;		/* write ANNOTATE instructions */
	bool		own_only;		/* resolve only the main document's references */
	bool		mentions_only;	/* read no other document, but */
	List	   *mentioned;		/* record their URIs */
	bool		has_dynamic;	/* a reference depends on the dynamic scope */
} EvCompiler;

/*
 * Adds a warning or a note; the caller has checked that warnings are wanted.  The
 * tail is the JSON Pointer from the location to the value.
 */
extern void ev_compile_warn(EvCompiler *compiler, EvRule rule, const EvLocation *location,
							const char *tail, char *message);

/* Creates a compiler's tables in CurrentMemoryContext. */
extern void ev_compiler_init(EvCompiler *compiler, MemoryContext program_context);

/*
 * Checks for interrupts, and raises statement_too_complex if the compiler has taken too
 * much memory.  To be called for each part of a document.
 */
extern void ev_compiler_look(EvCompiler *compiler);

/* Returns the value of a name in a scope, or NULL; adds a value. */
extern void *ev_find_name(EvCompiler *compiler, const void *scope, const char *name);
extern void ev_add_name(EvCompiler *compiler, const void *scope, const char *name, void *value);

/*
 * Records a fault: only the first one, unless compiler->faults is set.  Returns
 * false, for the convenience of callers, who may add a hint to compiler->fault.
 */
extern bool ev_compile_fault(EvCompiler *compiler, const EvLocation *location, const char *tail,
							 const char *format,...) pg_attribute_printf(4, 5);

/* The same, with a rule other than INVALID_VALUE. */
extern bool ev_compile_fault_of(EvCompiler *compiler, EvRule rule, const EvLocation *location,
								const char *tail, const char *format,...) pg_attribute_printf(5, 6);

/* Must the compiler stop, because the first fault was found? */
extern bool ev_compile_stops(const EvCompiler *compiler);

/*
 * Reads the main document and all documents that it refers to.  Returns the
 * subschema of the main document's root, or NULL if there is a fault.
 */
extern EvSubschema *ev_resolve_references(EvCompiler *compiler);

/*
 * The same for several main documents, whose root subschemas it returns in the same
 * order.  Returns NIL if there is a fault, or if one of them could have another meaning
 * without the others.
 */
extern List *ev_resolve_group(EvCompiler *compiler, const EvDocument *documents, int count);

/*
 * Returns the dynamic anchors of a name, or those of $recursiveAnchor for "",
 * in the order of their resources: a List of EvDynamicAnchor.  All documents
 * must have been read.
 */
extern List *ev_dynamic_anchors(EvCompiler *compiler, const char *name);

/* Returns the subschema of an object; NULL if it was not walked. */
extern EvSubschema *ev_subschema_find(EvCompiler *compiler, const JsonbValue *node);

/* Makes a location below another, in the program's context. */
extern EvLocation *ev_location_make(EvCompiler *compiler, const EvLocation *parent,
									const char *keyword, const char *tail);

/* Returns "/keyword", "/keyword/name" (escaped) or "/keyword/3". */
extern char *ev_tail_name(const char *keyword, const char *name, int length);
extern char *ev_tail_index(const char *keyword, uint32 index);

/* Small functions for JsonbValue. */
extern bool ev_node_is_object(const JsonbValue *node);
extern bool ev_node_is_array(const JsonbValue *node);

/* Replaces a value by its child, which a token of a JSON Pointer names.  Returns false if there is none. */
extern bool ev_node_follow(JsonbValue *node, const char *token, int length);
extern const char *ev_node_type_name(const JsonbValue *node);
extern char *ev_node_string(const JsonbValue *node);

/*
 * Returns a name or a URI of a schema for a message, in CurrentMemoryContext:
 * quoted, escaped, and cut if it is very long.
 */
extern char *ev_name_show(const char *name, int length);

/* Reads the string of a key; false if it is missing or has another type. */
extern bool ev_get_string(const JsonbContainer *container, const char *name, char **string);

#endif							/* EV_SCHEMA_GRAPH_H */
