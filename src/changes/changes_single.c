/*
 * changes_single.c
 *	  Proofs of one fact among several of its kind.
 *
 * Proofs are about all facts of a kind.  If two patterns were added, of which old
 * strings match one, only the other one is a change that can refuse them.
 */
#include "postgres.h"

#include "changes/changes_internal.h"

#define MOST_SINGLE		100		/* proofs of one comparison, whose work is
								 * limited, too; see changes_prove.c */

/* Is this the origin of the fact, but for schemas that are equal? */
static bool
same_origin(EvProver *p, EvOrigin a, EvOrigin b)
{
	ev_spend(p, 2);
	return a.subschema != NULL && b.subschema != NULL && strcmp(a.tail, b.tail) == 0 &&
		ev_same_schema(p, a.subschema) == ev_same_schema(p, b.subschema);
}

/*
 * Lets a list have only the facts of this origin, which is at this offset in each
 * fact.  Returns false if there are none.
 */
static bool
keep_one(EvProver *p, List **facts, Size offset, EvOrigin origin)
{
	List	   *kept = NIL;
	ListCell   *cell;

	foreach(cell, *facts)
	{
		const EvOrigin *other = (const EvOrigin *) ((const char *) lfirst(cell) + offset);

		if (same_origin(p, *other, origin))
			kept = lappend(kept, lfirst(cell));
	}
	*facts = kept;
	return kept != NIL;
}

/*
 * The same for the facts of one kind; false also for kinds that have no list, or of
 * which one change tells all.
 */
static bool
keep_one_of_kind(EvProver *p, EvFacts *f, uint32 kind, EvOrigin origin)
{
	f->required_names = NULL;
	f->named = 0;
	switch (kind)
	{
		case EV_FACT_MULTIPLE:
			return keep_one(p, &f->multiples, offsetof(EvNumberFact, origin), origin);
		case EV_FACT_PATTERN:
			return keep_one(p, &f->patterns, offsetof(EvTextFact, origin), origin);
		case EV_FACT_FORMAT:
			return keep_one(p, &f->formats, offsetof(EvFormatFact, origin), origin);
		case EV_FACT_CONTENT:
			return keep_one(p, &f->contents, offsetof(EvContentFact, origin), origin);
		case EV_FACT_REQUIRED:
			return keep_one(p, &f->required, offsetof(EvTextFact, origin), origin);
		case EV_FACT_DEPENDENCIES:
			return keep_one(p, &f->dependencies, offsetof(EvDependencyFact, origin), origin);
		case EV_FACT_GROUPS:
			return keep_one(p, &f->groups, offsetof(EvGroupFact, origin), origin);
		case EV_FACT_NOT:
			return keep_one(p, &f->nots, offsetof(EvSchemaFact, origin), origin);
		case EV_FACT_CONDITIONS:
			return keep_one(p, &f->conditions, offsetof(EvConditionFact, origin), origin);
		default:
			return false;
	}
}

/*
 * Returns a set whose facts are those of another one, but only those of this origin
 * of a kind.  Each instance of the other set is one of it.  NULL if it has no such fact.
 */
static EvSchemaSet *
set_with_one(EvProver *p, EvSchemaSet *set, uint32 kind, EvOrigin origin)
{
	EvSchemaSet *result = palloc(sizeof(EvSchemaSet));

	*result = *set;
	result->proper = result;
	for (int form = 0; form < (int) lengthof(result->facts); form++)
	{
		EvFacts    *facts = palloc(sizeof(EvFacts));

		*facts = *ev_facts(p, set, form);
		if (!keep_one_of_kind(p, facts, kind, origin))
			return NULL;
		result->facts[form] = facts;
	}
	return result;
}

bool
ev_prove_single(EvProver *p, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kind, EvOrigin origin)
{
	EvSchemaSet *part;
	bool		result;

	if (p->singles >= MOST_SINGLE)
		return false;
	p->singles++;
	part = set_with_one(p, b->proper, kind, origin);
	if (part == NULL)
		return false;
	p->is_single = true;
	result = ev_prove(p, a, part, scope, kind);
	p->is_single = false;
	return result;
}
