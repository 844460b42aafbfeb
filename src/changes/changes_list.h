/*
 * changes_list.h
 *	  Shared parts of the list of differences: changes_list.c for scalars
 *	  and keywords of all types, changes_children.c for objects and arrays,
 *	  changes_list_branches.c for branches.
 */
#ifndef EV_CHANGES_LIST_H
#define EV_CHANGES_LIST_H

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"

typedef struct EvLister
{
	EvProver   *prover;
	List	   *changes;		/* of EvChange */
	HTAB	   *visited;		/* pairs of EvSchemaSets that are being listed */
	HTAB	   *known;			/* pairs that were listed */
	int			visits;
	int			in_branches;	/* nesting depth of branches */
	bool		skipped_backward;	/* pairs were left out that may not be
									 * compatible */
	bool		skipped_forward;
} EvLister;

/* Two sets for the same location. */
typedef struct EvPair
{
	EvSchemaSet *old;
	EvSchemaSet *new;
	EvScope    *scope;			/* NULL: strict */
	EvOrigin	origin;			/* for changes without a location of their own */
	const EvFacts *old_facts;	/* of each set, EV_SUFFICIENT */
	const EvFacts *new_facts;
} EvPair;

/* The direction in which a difference can be incompatible. */
typedef enum EvSide
{
	EV_ADDED,					/* backward */
	EV_REMOVED,					/* forward */
	EV_BOTH
} EvSide;

extern char *ev_change_location(EvLister *lister, EvOrigin origin);
extern EvVerdict ev_change_verdict(EvLister *lister, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds,
								   uint32 types, bool is_plain);
extern void ev_change_add(EvLister *lister, EvChangeRule rule, char *location, EvVerdict backward,
						  EvVerdict forward, const char *format,...) pg_attribute_printf(6, 7);
extern void ev_change_report(EvLister *lister, EvPair *pair, EvChangeRule rule, EvSide side, EvOrigin origin,
							 uint32 kinds, uint32 types, bool is_plain, const char *message);

/*
 * Lets the last change be compatible in each direction in which the fact of this
 * origin is implied, although others of its kind may not be.  NULL: no fact of this side.
 */
extern void ev_change_refine(EvLister *lister, EvPair *pair, uint32 kind, const EvOrigin *old, const EvOrigin *new);
extern void ev_change_settle(EvLister *lister, int first, EvVerdict backward, EvVerdict forward,
							 EvOrigin origin, const char *message);

/* Is one of the changes from `first` on incompatible in this direction? */
extern bool ev_change_is_refuted(EvLister *lister, int first, bool forward);

/* Makes no verdict of the changes from `first` on worse than this one. */
extern void ev_change_limit(EvLister *lister, int first, bool forward, EvVerdict worst);

/*
 * Are two sets equal, annotations included?  Then there is nothing to list.
 */
extern bool ev_worded_same(const EvSchemaSet *old, const EvSchemaSet *new);

extern void ev_list_pair(EvLister *lister, EvSchemaSet *old, EvSchemaSet *new, EvScope *scope, EvOrigin origin);
extern void ev_list_properties(EvLister *lister, EvPair *pair);
extern void ev_list_items(EvLister *lister, EvPair *pair);
extern void ev_list_applicators(EvLister *lister, EvPair *pair);

/*
 * Returns the changes, a list that it changes.  Of those from `first` on, it keeps
 * only one for each location and kind, with the worst verdict.
 */
extern List *ev_changes_without_duplicates(EvProver *prover, List *changes, int first);

extern char *ev_name_text(const EvString *name);

/* Names the types that a set can have, by what all of its keywords say, in CurrentMemoryContext. */
extern char *ev_types_text(EvProver *prover, EvSchemaSet *set);

#endif							/* EV_CHANGES_LIST_H */
