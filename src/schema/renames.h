/*
 * renames.h
 *	  Renames of properties between two versions of a schema.
 *
 * A mapping is a JSON object.  A member "old": "new" renames a property of the
 * event; "/price/amt": "/price/amount" renames one in an object below it, by JSON
 * Pointers, in which the token "*" means each item of an array.  The first pointer
 * is about the old event, the second about the new one.  A rename does not move a
 * property to another object, so the inverse of a mapping is a mapping.
 */
#ifndef EV_RENAMES_H
#define EV_RENAMES_H

#include "jsonb/jsonb_value.h"
#include "nodes/pg_list.h"

/* A mapping has so many members. */
#define EV_RENAMES_MOST	1000

/* The old and new locations have so many tokens together. */
#define EV_RENAMES_MOST_TOKENS	20000

/* What happens at one location of an event. */
typedef struct EvRenameNode
{
	EvString	name;			/* of the property; the root and items have
								 * none */
	EvString	new_name;		/* data is NULL: it keeps its name */
	List	   *children;		/* EvRenameNode: of properties of the object */
	struct EvRenameNode *items; /* of each item of the array, or NULL */
} EvRenameNode;

/* A property that is renamed: JSON Pointers into the old and the new event. */
typedef struct EvRename
{
	char	   *old_pointer;
	char	   *new_pointer;
	List	   *old_path;		/* their tokens, EvString; "*" means each item */
	List	   *new_path;
} EvRename;

typedef struct EvRenames
{
	EvRenameNode root;
	List	   *all;			/* EvRename */
} EvRenames;

/*
 * Reads a mapping, in CurrentMemoryContext.  Returns NULL, with a sentence for a
 * DETAIL in *problem, if it is none.
 */
extern EvRenames *ev_renames_read(const Jsonb *mapping, char **problem);

/* The same for the argument of an SQL function; raises invalid_parameter_value. */
extern EvRenames *ev_renames_argument(const Jsonb *mapping);

/* Returns the mapping from new to old names, in CurrentMemoryContext. */
extern Jsonb *ev_renames_inverse(const Jsonb *mapping);

/*
 * Returns a document with the new names, in CurrentMemoryContext, or the document
 * itself if it has none of the old ones.  A property that is missing, and a value of
 * another type than object or array on the way, are left alone.  If an object has both names,
 * with equal values, one stays; otherwise raises duplicate_json_object_key_value.
 */
extern Jsonb *ev_renames_apply(const EvRenames *renames, Jsonb *document);

/* Returns the child of a node for a property, or NULL. */
extern const EvRenameNode *ev_rename_child(const EvRenameNode *node, const EvString *name);

/* Returns the child that gets this name by its rename, or NULL. */
extern const EvRenameNode *ev_rename_child_to(const EvRenameNode *node, const EvString *new_name);

/* Does a node rename anything in the value at its location? */
static inline bool
ev_rename_has_below(const EvRenameNode *node)
{
	return node != NULL && (node->children != NIL || node->items != NULL);
}

#endif							/* EV_RENAMES_H */
