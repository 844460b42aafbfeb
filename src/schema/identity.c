/*
 * identity.c
 *	  The names that subschemas give themselves: $id and anchors.
 */
#include "postgres.h"

#include "schema/identity.h"
#include "schema/uri.h"

static const char id_scope;		/* for the URIs of $id */

void
ev_anchor_add(EvCompiler *c, EvResource *resource, const char *name, EvSubschema *target, bool dynamic)
{
	EvSchemaAnchor *anchor = palloc0(sizeof(EvSchemaAnchor));
	EvSchemaAnchor *first = ev_find_name(c, resource, name);

	anchor->name = pstrdup(name);
	anchor->target = target;
	anchor->dynamic = dynamic;
	resource->anchors = lappend(resource->anchors, anchor);
	if (first == NULL)
	{
		ev_add_name(c, resource, name, anchor);
		anchor->last = anchor;
		return;
	}
	first->last->next = anchor;
	first->last = anchor;
}

static char *
show_location(const EvLocation *location)
{
	char	   *pointer = ev_location_pointer(location, false);

	return ev_name_show(pointer, strlen(pointer));
}

/*
 * Are duplicate $ids and anchors rejected here?  They are in new documents
 * only.  A restored document may have them, and then the first of the two
 * schemas is used.  Subschemas outside of keywords are not examined.
 */
static bool
checks_identity(const EvCompiler *c, const EvResource *resource)
{
	return c->document->is_new && resource->is_main && !c->by_pointer;
}

bool
ev_anchor_read(EvCompiler *c, EvResource *resource, const char *keyword, const char *name,
			   EvSubschema *subschema)
{
	EvSchemaAnchor *first = ev_find_name(c, resource, name);

	/* no reference finds these anchors: "#" and "#/..." are JSON Pointers */
	if (first != NULL && first->target != subschema && name[0] != '\0' && name[0] != '/' &&
		checks_identity(c, resource))
		return ev_compile_fault_of(c, EV_RULE_DUPLICATE_ANCHOR, subschema->location,
								   psprintf("/%s", keyword), "the anchor %s is that of another schema, at %s",
								   ev_name_show(name, strlen(name)),
								   show_location(first->target->location));
	ev_anchor_add(c, resource, name, subschema, strcmp(keyword, "$dynamicAnchor") == 0);
	return true;
}

bool
ev_id_check(EvCompiler *c, const EvResource *resource, const char *keyword, const char *uri, const char *fragment,
			EvSubschema *subschema)
{
	const char *full = fragment == NULL || fragment[0] == '\0' ? uri : psprintf("%s#%s", uri, fragment);
	EvSubschema *first;

	if (!checks_identity(c, resource))
		return true;
	first = ev_find_name(c, &id_scope, full);
	if (first == NULL)
		ev_add_name(c, &id_scope, full, subschema);
	else if (first != subschema)
		return ev_compile_fault_of(c, EV_RULE_DUPLICATE_ID, subschema->location, psprintf("/%s", keyword),
								   "the URI %s is that of another schema, at %s",
								   ev_name_show(full, strlen(full)),
								   show_location(first->location));
	return true;
}

void
ev_id_warn(EvCompiler *c, const EvSubschema *subschema, const char *keyword, const char *base,
		   const char *id, const char *uri)
{
	if (c->warnings == NULL || ev_uri_has_scheme(id) || id[0] == '#' ||
		(ev_uri_has_scheme(base) && strncmp(base, "event:", strlen("event:")) != 0))
		return;
	ev_compile_warn(c, EV_RULE_RELATIVE_ID, subschema->location, psprintf("/%s", keyword),
					strcmp(id, uri) == 0 ?
					psprintf("the URI %s is relative, without a base URI", ev_name_show(id, strlen(id))) :
					psprintf("the URI %s is relative, without a base URI: it is taken for %s",
							 ev_name_show(id, strlen(id)), ev_name_show(uri, strlen(uri))));
}

EvSchemaAnchor *
ev_anchor_find(EvCompiler *c, const EvResource *resource, const char *name, bool dynamic_only)
{
	for (EvSchemaAnchor *anchor = ev_find_name(c, resource, name); anchor != NULL; anchor = anchor->next)
		if (anchor->dynamic || !dynamic_only)
			return anchor;
	return NULL;
}
