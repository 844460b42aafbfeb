/*
 * changes_types.c
 *	  The types of a set of schemas, as text for messages.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "changes/changes_list.h"

/* Must numbers be integers, by the keywords of the schema or of all branches of a group? */
static bool
allows_only_integers(EvProver *p, const EvFacts *f)
{
	ListCell   *cell;
	ListCell   *member;

	if (f->integer)
		return true;
	foreach(cell, f->groups)
	{
		bool		all = true;

		foreach(member, ((EvGroupFact *) lfirst(cell))->members)
		{
			const EvFacts *branch = ev_facts(p, ev_set_of(p, lfirst(member)), EV_NECESSARY);

			all = all && (branch->integer || (branch->possible & EV_BIT(EV_NUMBER)) == 0);
		}
		if (all)
			return true;
	}
	return false;
}

char *
ev_types_text(EvProver *p, EvSchemaSet *set)
{
	const EvFacts *f = ev_facts(p, set, EV_NECESSARY);
	bool		integer = allows_only_integers(p, f);
	StringInfoData text;
	int			count = 0;

	initStringInfo(&text);
	if (f->possible == 0)
		return "nothing";
	if (f->possible == EV_ALL_TYPES && !integer)
		return "any type";
	for (EvType type = 0; type < EV_TYPE_COUNT; type++)
		if ((f->possible & EV_BIT(type)) != 0 && !(type == EV_TRUE && (f->possible & EV_BIT(EV_FALSE)) != 0))
			appendStringInfo(&text, "%s%s", count++ > 0 ? " or " : "",
							 type == EV_NUMBER && integer ? "integer" : ev_type_name(type));
	return text.data;
}
