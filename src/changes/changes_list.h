/*
 * changes_list.h
 *	  What the parts that list differences share: changes_list.c for scalars and
 *	  what is common, changes_children.c for objects, arrays and branches.
 */
#ifndef EV_CHANGES_LIST_H
#define EV_CHANGES_LIST_H

#include "changes/changes_internal.h"
#include "jsonb/jsonb_number.h"
#include "jsonb/jsonb_value.h"

typedef struct Lister
{
	Prover	   *prover;
	List	   *changes;		/* of EvChange */
	HTAB	   *visited;		/* pairs of SchemaSets that are being listed */
	int			visits;
} Lister;

/* Two sets that stand in the same place. */
typedef struct Pair
{
	SchemaSet  *old;
	SchemaSet  *new;
	Scope	   *scope;			/* NULL: strict */
	Origin		origin;			/* for what has no place of its own */
	const Facts *old_facts;		/* what they state, EV_STRONG */
	const Facts *new_facts;
} Pair;

/* Which direction a difference can hurt. */
typedef enum EvSide
{
	EV_ADDED,					/* backward */
	EV_REMOVED,					/* forward */
	EV_BOTH
} EvSide;

extern char *ev_change_location(Lister *lister, Origin origin);
extern EvVerdict ev_change_verdict(Lister *lister, SchemaSet *a, SchemaSet *b, Scope *scope, uint32 kinds,
								   uint32 types, bool is_plain);
extern void ev_change_add(Lister *lister, EvChangeRule rule, char *location, EvVerdict backward,
						  EvVerdict forward, const char *format,...) pg_attribute_printf(6, 7);
extern void ev_change_report(Lister *lister, Pair *pair, EvChangeRule rule, EvSide side, Origin origin,
							 uint32 kinds, uint32 types, bool is_plain, const char *message);
extern void ev_change_settle(Lister *lister, int first, EvVerdict backward, EvVerdict forward,
							 Origin origin, const char *message);

extern void ev_list_pair(Lister *lister, SchemaSet *old, SchemaSet *new, Scope *scope, Origin origin);
extern void ev_list_properties(Lister *lister, Pair *pair);
extern void ev_list_items(Lister *lister, Pair *pair);
extern void ev_list_applicators(Lister *lister, Pair *pair);

extern char *ev_number_text(Numeric number);
extern char *ev_json_text(const JsonbValue *value);
extern char *ev_name_text(const EvString *name);

#endif							/* EV_CHANGES_LIST_H */
