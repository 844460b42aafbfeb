/*
 * changes_names.c
 *	  The names of properties that facts know.
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "changes/changes_internal.h"

EvSchemaSet *
ev_facts_names_set(EvProver *p, const EvFacts *f)
{
	List	   *members = NIL;
	ListCell   *cell;

	foreach(cell, f->names)
	{
		EvSubschema *schema = ((EvSchemaFact *) lfirst(cell))->schema;

		ev_spend(p, list_length(members) / 8);
		if (schema != &p->truth)
			members = list_append_unique_ptr(members, schema);
	}
	return ev_set_make(p, members, NIL, NIL, EV_BIT(EV_STRING));
}

void
ev_facts_add_names(EvProver *p, const EvFacts *f, List **names, HTAB **known)
{
	ListCell   *cell;
	ListCell   *named;

	foreach(cell, f->object_shapes)
	{
		foreach(named, ((EvObjectShape *) lfirst(cell))->names)
			ev_add_name_once(p, names, known, &((EvNamedSchema *) lfirst(named))->name);
	}
	foreach(cell, f->required)
		ev_add_name_once(p, names, known, &((EvTextFact *) lfirst(cell))->text);
	foreach(cell, f->excluded)
		ev_add_name_once(p, names, known, &((EvExcludedFact *) lfirst(cell))->name);
	if (f->names != NIL)
	{
		foreach(cell, ev_facts(p, ev_facts_names_set(p, f), EV_NECESSARY)->values)
		{
			JsonbValue *value = lfirst(cell);
			EvString   *name;

			if (value->type != jbvString)
				continue;
			name = palloc(sizeof(EvString));
			*name = ev_string_of(value);
			ev_add_name_once(p, names, known, name);
		}
	}
}

List *
ev_names_of(EvProver *p, EvSchemaSet *a, EvSchemaSet *b)
{
	List	   *names = NIL;
	HTAB	   *known = NULL;

	ev_facts_add_names(p, ev_facts(p, a, EV_NECESSARY), &names, &known);
	ev_facts_add_names(p, ev_facts(p, b, EV_SUFFICIENT), &names, &known);
	if (known != NULL)
		hash_destroy(known);
	return names;
}
