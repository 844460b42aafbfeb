/*
 * schema_graph.h
 *	  The resources, subschemas and references of a schema's documents.
 *
 * resolve.c reads the documents into it, codegen.c writes code from it.
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
	bool		is_main;		/* of the document that is compiled */
	EvFault    *fault;			/* of a document that is referred to; or NULL */
	bool		recursive_anchor;	/* $recursiveAnchor: true */
	List	   *anchors;		/* of EvSchemaAnchor */
} EvResource;

typedef struct EvSchemaAnchor
{
	char	   *name;
	struct EvSubschema *target;
	bool		dynamic;
	struct EvSchemaAnchor *next;	/* of the same name in the resource */
	struct EvSchemaAnchor *last;	/* of the first one's list */
} EvSchemaAnchor;

/* What a $dynamicRef may lead to, in one resource. */
typedef struct DynamicAnchor
{
	EvResource *resource;
	struct EvSubschema *target;
} DynamicAnchor;

/* Where $ref and the like lead. */
typedef struct EvReference
{
	const char *keyword;
	struct EvSubschema *target;
	const char *dynamic_anchor; /* to be looked for in the dynamic scope; NULL
								 * if not dynamic */
} EvReference;

typedef struct EvSubschema
{
	const JsonbContainer *container;	/* hash key, must be first */
	bool		is_boolean;		/* true or false, then not in the hash */
	bool		boolean;
	bool		entered_from_outside;	/* by a reference of another resource */
	List	   *faulty;			/* of keywords whose values are not of their
								 * shapes, for lint */
	EvResource *resource;
	EvLocation *location;
	List	   *references;		/* of EvReference */
	uint32		block;			/* index, EV_BLOCK_NONE until asked for */
	int			visit;			/* for finding endless references */
} EvSubschema;

typedef struct EvCompiler
{
	const EvDocument *document; /* the one that is compiled */
	EvResolver	resolver;
	EvFault    *fault;			/* the first one; message NULL: none */
	List	  **faults;			/* not NULL: gets all of them, and fault is
								 * the last one */
	MemoryContext program_context;
	EvPatternBudget pattern_budget; /* what is left of it */
	List	  **functions;		/* OIDs of documents read, or NULL */
	List	  **warnings;		/* or NULL */
	List	   *written;		/* EvSubschemas of the main document in its
								 * order, where warnings are wanted */
	bool		by_pointer;		/* what is walked is a schema only because a
								 * reference leads there */
	HTAB	   *subschemas;		/* EvSubschema by container */
	List	   *resources;		/* of EvResource */
	HTAB	   *names;			/* of resources, anchors and patterns */
	bool		knows_dynamic_anchors;	/* they are among the names */
	List	   *pending;		/* Subschemas whose references are to be
								 * resolved */
	bool		annotate;		/* write ANNOTATE instructions */
	bool		mentions_only;	/* read no other document, ... */
	List	   *mentioned;		/* ... note their URIs */
	bool		has_dynamic;	/* a reference depends on the dynamic scope */
} EvCompiler;

/*
 * Adds a warning or a note; the caller has seen that they are wanted.  The tail
 * is a part of a JSON Pointer below the location.
 */
extern void ev_compile_warn(EvCompiler *compiler, EvRule rule, const EvLocation *location,
							const char *tail, char *message);

/* Makes a compiler's tables in CurrentMemoryContext. */
extern void ev_compiler_init(EvCompiler *compiler, MemoryContext program_context);

/* The value that a name has in a scope, or NULL; and a new one. */
extern void *ev_find_name(EvCompiler *compiler, const void *scope, const char *name);
extern void ev_add_name(EvCompiler *compiler, const void *scope, const char *name, void *value);

/*
 * Records a fault: the first one only, unless all are wanted.  Returns false,
 * for a caller's convenience.  The caller may add to compiler->fault.
 */
extern bool ev_compile_fault(EvCompiler *compiler, const EvLocation *location, const char *tail,
							 const char *format,...) pg_attribute_printf(4, 5);

/* The same with the rule that is broken, if that is another one than INVALID_VALUE. */
extern bool ev_compile_fault_of(EvCompiler *compiler, EvRule rule, const EvLocation *location,
								const char *tail, const char *format,...) pg_attribute_printf(5, 6);

/* Is there a fault, and only the first one is wanted? */
extern bool ev_compile_stops(const EvCompiler *compiler);

/*
 * Reads the main document and all that it refers to.  The subschema of the
 * main document's root, or NULL where there was a fault.
 */
extern EvSubschema *ev_resolve_references(EvCompiler *compiler);

/*
 * The dynamic anchors of a name, or those of $recursiveAnchor for "", in order
 * of their resources, which are all known: a List of DynamicAnchor.
 */
extern List *ev_dynamic_anchors(EvCompiler *compiler, const char *name);

/* The subschema of an object that was walked; NULL if it was not. */
extern EvSubschema *ev_subschema_find(EvCompiler *compiler, const JsonbValue *node);

/* A location below another, in the program's context. */
extern EvLocation *ev_location_make(EvCompiler *compiler, const EvLocation *parent,
									const char *keyword, const char *tail);

/* "/keyword", "/keyword/name" (escaped) and "/keyword/3". */
extern char *ev_tail_name(const char *keyword, const char *name, int length);
extern char *ev_tail_index(const char *keyword, uint32 index);

/* Small helpers over JsonbValue. */
extern bool ev_node_is_object(const JsonbValue *node);
extern bool ev_node_is_array(const JsonbValue *node);
extern const char *ev_node_type_name(const JsonbValue *node);
extern char *ev_node_string(const JsonbValue *node);

/*
 * A name or URI of a schema as messages show it, in CurrentMemoryContext: in
 * quotes, escaped, cut where it is very long.
 */
extern char *ev_name_show(const char *name, int length);

/* The string at a key; false if it is missing or of another type. */
extern bool ev_get_string(const JsonbContainer *container, const char *name, char **string);

#endif							/* EV_SCHEMA_GRAPH_H */
