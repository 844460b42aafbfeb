/*
 * changes_list.c
 *	  The list of differences between two schemas.
 *
 * Both are walked together, by facts instead of keywords, so that two forms of
 * the same schema have no difference.  Each difference gets a verdict of its
 * own: proved, refuted by a value, or unknown.  A proof for a whole (a group
 * of branches, the document) overrides the verdicts on its parts.
 *
 * This file calls changes_children.c for the differences in properties and items,
 * and changes_list_branches.c for those in branches, and both call this file.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/json_pointer.h"
#include "base/message_text.h"
#include "base/shown_text.h"
#include "changes/changes_list.h"

#define MOST_VISITS		5000	/* to pairs of schemas */

/* ---------- locations ---------- */

/* Returns the JSON Pointer of a keyword; "" if it has none. */
char *
ev_change_location(EvLister *l, EvOrigin origin)
{
	const EvLocation *location;
	const EvLocation *top;
	char	   *pointer;

	if (origin.subschema == NULL || origin.subschema->location == NULL)
		return pstrdup("");
	location = origin.subschema->location;
	for (top = location; top->parent != NULL;)
	{
		ev_spend(l->prover, 10);
		top = top->parent;
	}
	pointer = psprintf("%s%s", ev_location_pointer(location, false), origin.tail);
	if (top == l->prover->old_root->location || top == l->prover->new_root->location)
		return pointer;
	return psprintf("%s#%s", top->resource != NULL ? top->resource : "", pointer);
}

/* ---------- verdicts ---------- */

/*
 * Returns the verdict in one direction: is each instance of `a` one of `b`,
 * for facts of these kinds? types: those that the facts apply to.  If no
 * values of these types can be made to refute it, a plain restriction is
 * incompatible.  If types is 0, no refutation is searched, and the verdict is
 * proved or unknown.
 */
EvVerdict
ev_change_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, uint32 kinds,
				  uint32 types, bool is_plain)
{
	EvProver   *p = l->prover;

	if (p->roots_same || ev_prove(p, a, b, scope, kinds))
		return EV_COMPATIBLE;
	if (types == 0)
		return EV_UNKNOWN;
	if (ev_witness(p, a, b, scope, kinds) != NULL)
		return EV_INCOMPATIBLE;
	if (ev_bounds_differ(p, a, b, kinds))
		return EV_INCOMPATIBLE;
	if (is_plain && ev_has_samples(p, a, b, types) == EV_NO)
		return EV_INCOMPATIBLE;
	return EV_UNKNOWN;
}

void
ev_change_add(EvLister *l, EvChangeRule rule, char *location, EvVerdict backward, EvVerdict forward,
			  const char *format,...)
{
	EvChange   *change = palloc(sizeof(EvChange));
	StringInfoData message;
	va_list		args;

	initStringInfo(&message);
	va_start(args, format);
	ev_append_message(&message, format, args);
	va_end(args);
	change->rule = rule;
	change->location = location;
	change->backward = backward;
	change->forward = forward;
	change->message = pstrdup(message.data);
	pfree(message.data);
	l->changes = l->prover->changes = lappend(l->changes, change);
	ev_spend(l->prover, 100 + message.len / 8);
}

void
ev_change_refine(EvLister *l, EvPair *pair, uint32 kind, const EvOrigin *old, const EvOrigin *new)
{
	EvChange   *change = llast(l->changes);

	if (new != NULL && change->backward != EV_COMPATIBLE &&
		ev_prove_single(l->prover, pair->old, pair->new, pair->scope, kind, *new))
		change->backward = EV_COMPATIBLE;
	if (old != NULL && change->forward != EV_COMPATIBLE &&
		ev_prove_single(l->prover, pair->new, pair->old, pair->scope, kind, *old))
		change->forward = EV_COMPATIBLE;
}

/*
 * Reports a difference in facts of one kind.  Added facts are forward
 * compatible, removed facts backward compatible.
 */
void
ev_change_report(EvLister *l, EvPair *pair, EvChangeRule rule, EvSide side, EvOrigin origin,
				 uint32 kinds, uint32 types, bool is_plain, const char *message)
{
	EvVerdict	backward = EV_COMPATIBLE;
	EvVerdict	forward = EV_COMPATIBLE;

	if (side != EV_REMOVED && !l->prover->proved_backward)
		backward = ev_change_verdict(l, pair->old, pair->new, pair->scope, kinds, types, is_plain);
	if (side != EV_ADDED && !l->prover->proved_forward)
		forward = ev_change_verdict(l, pair->new, pair->old, pair->scope, kinds, types, is_plain);
	ev_change_add(l, rule, ev_change_location(l, origin), backward, forward, "%s", message);
	ev_change_refine(l, pair, kinds, side == EV_REMOVED ? &origin : NULL, side == EV_ADDED ? &origin : NULL);
}

/*
 * Adjusts the changes from `first` on to the verdict on the whole: if it is
 * proved, all of them are compatible.  Otherwise, at least one of them must
 * not be; if all are, sets *silent.
 */
static void
settle_one(EvLister *l, int first, bool forward, EvVerdict whole, bool *silent)
{
	*silent = whole != EV_COMPATIBLE;
	ev_spend(l->prover, list_length(l->changes) - first);
	for (int i = first; i < list_length(l->changes); i++)
	{
		EvChange   *change = list_nth(l->changes, i);
		EvVerdict  *verdict = forward ? &change->forward : &change->backward;

		if (whole == EV_COMPATIBLE)
			*verdict = EV_COMPATIBLE;
		if (*verdict != EV_COMPATIBLE)
			*silent = false;
	}
}

void
ev_change_settle(EvLister *l, int first, EvVerdict backward, EvVerdict forward, EvOrigin origin,
				 const char *message)
{
	bool		silent_backward;
	bool		silent_forward;

	settle_one(l, first, false, backward, &silent_backward);
	settle_one(l, first, true, forward, &silent_forward);
	if (silent_backward || silent_forward)
		ev_change_add(l, EV_CHANGE_SCHEMA_CHANGED, ev_change_location(l, origin),
					  silent_backward ? backward : EV_COMPATIBLE,
					  silent_forward ? forward : EV_COMPATIBLE, "%s", message);
}

/* ---------- texts ---------- */

static char *
number_text(Numeric number)
{
	EvInstance	instance = {.type = EV_NUMBER, .data = (const char *) number};

	return ev_value_show(&instance);
}

static char *
json_text(const JsonbValue *value)
{
	EvInstance	instance = ev_json_instance(value);

	return ev_value_show(&instance);
}

char *
ev_name_text(const EvString *name)
{
	return ev_string_show(name->data, name->length);
}

/* ---------- keywords of all types ---------- */

static void
list_types(EvLister *l, EvPair *pair)
{
	const EvFacts *old = pair->old_facts;
	const EvFacts *new = pair->new_facts;
	bool		narrower = (old->types & ~new->types) != 0 ||
		(new->integer && !old->integer && (old->types & EV_BIT(EV_NUMBER)) != 0);
	bool		wider = (new->types & ~old->types) != 0 ||
		(old->integer && !new->integer && (new->types & EV_BIT(EV_NUMBER)) != 0);
	EvChangeRule rule;
	char	   *was;
	char	   *is;

	if (!narrower && !wider)
		return;
	was = ev_types_text(l->prover, pair->old);
	is = ev_types_text(l->prover, pair->new);
	rule = narrower && wider ? EV_CHANGE_TYPE_CHANGED : narrower ? EV_CHANGE_TYPE_NARROWED : EV_CHANGE_TYPE_WIDENED;
	ev_change_report(l, pair, rule, narrower && wider ? EV_BOTH : narrower ? EV_ADDED : EV_REMOVED,
					 new->type_origin.subschema != NULL ? new->type_origin :
					 old->type_origin.subschema != NULL ? old->type_origin : pair->origin,
					 EV_FACT_TYPE, EV_ALL_TYPES, true,
					 strcmp(was, is) != 0 ? psprintf("The type was %s and is %s now.", was, is) :
					 psprintf("The type is %s as before, which %s now.", is,
							  wider ? "other keywords than \"type\" say" : "\"type\" says"));
}

/*
 * Returns the verdict on a value that one side lists and the other does not.
 */
static EvVerdict
value_verdict(EvLister *l, const JsonbValue *value, EvSchemaSet *from, EvSchemaSet *to)
{
	EvTruth		before = ev_value_valid(l->prover, value, from, EV_FACT_ALL);
	EvTruth		after = ev_value_valid(l->prover, value, to, EV_FACT_ALL);

	if (before == EV_NO || after == EV_YES)
		return EV_COMPATIBLE;
	return before == EV_YES && after == EV_NO ? EV_INCOMPATIBLE : EV_UNKNOWN;
}

static void
list_enums(EvLister *l, EvPair *pair)
{
	const EvFacts *old = pair->old_facts;
	const EvFacts *new = pair->new_facts;
	EvEnumFact *first_old = old->enums != NIL ? linitial(old->enums) : NULL;
	EvEnumFact *first_new = new->enums != NIL ? linitial(new->enums) : NULL;
	ListCell   *cell;

	if (first_old == NULL && first_new == NULL)
		return;
	if (first_old == NULL)
	{
		ev_change_report(l, pair, first_new->is_const ? EV_CHANGE_CONST_ADDED : EV_CHANGE_ENUM_ADDED, EV_ADDED,
						 first_new->origin, EV_FACT_ENUM, EV_ALL_TYPES, true,
						 first_new->is_const ?
						 psprintf("Only %s is allowed now.", json_text(linitial(first_new->values))) :
						 "Only listed values are allowed now.");
		return;
	}
	if (first_new == NULL)
	{
		ev_change_report(l, pair, first_old->is_const ? EV_CHANGE_CONST_REMOVED : EV_CHANGE_ENUM_REMOVED, EV_REMOVED,
						 first_old->origin, EV_FACT_ENUM, EV_ALL_TYPES, true,
						 first_old->is_const ?
						 psprintf("More than %s is allowed now.", json_text(linitial(first_old->values))) :
						 "More than the listed values is allowed now.");
		return;
	}
	if (first_old->is_const && first_new->is_const && list_length(old->values) == 1 &&
		list_length(new->values) == 1 && !ev_is_listed(l->prover, new->values, linitial(old->values)))
	{
		ev_change_add(l, EV_CHANGE_CONST_CHANGED, ev_change_location(l, first_new->origin),
					  value_verdict(l, linitial(old->values), pair->old, pair->new),
					  value_verdict(l, linitial(new->values), pair->new, pair->old),
					  "The value was %s and is %s now.", json_text(linitial(old->values)),
					  json_text(linitial(new->values)));
		return;
	}
	foreach(cell, old->values)
	{
		if (!ev_is_listed(l->prover, new->values, lfirst(cell)))
			ev_change_add(l, EV_CHANGE_ENUM_VALUE_REMOVED, ev_change_location(l, first_new->origin),
						  value_verdict(l, lfirst(cell), pair->old, pair->new), EV_COMPATIBLE,
						  "The value %s is no longer allowed.", json_text(lfirst(cell)));
	}
	foreach(cell, new->values)
	{
		if (!ev_is_listed(l->prover, old->values, lfirst(cell)))
			ev_change_add(l, EV_CHANGE_ENUM_VALUE_ADDED, ev_change_location(l, first_new->origin),
						  EV_COMPATIBLE, value_verdict(l, lfirst(cell), pair->new, pair->old),
						  "The value %s is allowed now.", json_text(lfirst(cell)));
	}
}

/* ---------- numbers and counts ---------- */

/*
 * The four kinds of changes of a bound: added, removed, increased, decreased.
 */
typedef struct BoundRules
{
	EvChangeRule added;
	EvChangeRule removed;
	EvChangeRule increased;
	EvChangeRule decreased;
	const char *what;
} BoundRules;

#define BOUND_RULES(name, what) \
	{EV_CHANGE_##name##_ADDED, EV_CHANGE_##name##_REMOVED, EV_CHANGE_##name##_INCREASED, EV_CHANGE_##name##_DECREASED, what}

static char *
bound_text(EvNumberFact bound)
{
	return psprintf("%s%s", number_text(bound.value), bound.exclusive ? " (exclusive)" : "");
}

static void
list_bound(EvLister *l, EvPair *pair, bool is_lower)
{
	static const BoundRules lower_rules = BOUND_RULES(MINIMUM, "minimum");
	static const BoundRules upper_rules = BOUND_RULES(MAXIMUM, "maximum");
	const BoundRules *rules = is_lower ? &lower_rules : &upper_rules;
	EvNumberFact old = is_lower ? ev_facts_lower(pair->old_facts) : ev_facts_upper(pair->old_facts);
	EvNumberFact new = is_lower ? ev_facts_lower(pair->new_facts) : ev_facts_upper(pair->new_facts);
	EvNumberFact old_written = is_lower ? pair->old_facts->lower : pair->old_facts->upper;
	EvNumberFact new_written = is_lower ? pair->new_facts->lower : pair->new_facts->upper;
	uint32		kind = is_lower ? EV_FACT_LOWER : EV_FACT_UPPER;
	int			order;

	if (old.value == NULL && new.value == NULL)
		return;
	if (old.value == NULL || new.value == NULL)
	{
		bool		is_added = old.value == NULL;
		EvNumberFact bound = is_added ? new_written : old_written;

		ev_change_report(l, pair, is_added ? rules->added : rules->removed, is_added ? EV_ADDED : EV_REMOVED,
						 bound.origin, kind, EV_BIT(EV_NUMBER), true,
						 is_added ? psprintf("There is a %s of %s now.", rules->what, bound_text(bound)) :
						 psprintf("The %s of %s was removed.", rules->what, bound_text(bound)));
		return;
	}
	order = ev_number_compare(new.value, old.value);
	if (order == 0)
		order = is_lower ? (int) new.exclusive - (int) old.exclusive : (int) old.exclusive - (int) new.exclusive;
	if (order == 0)
		return;
	ev_change_report(l, pair, order > 0 ? rules->increased : rules->decreased,
					 (order > 0) == is_lower ? EV_ADDED : EV_REMOVED,
					 new.origin, kind, EV_BIT(EV_NUMBER), true,
					 psprintf("The %s was %s and is %s now.", rules->what, bound_text(old_written),
							  bound_text(new_written)));
}

static void
list_count(EvLister *l, EvPair *pair, const BoundRules *rules, EvCountFact old, EvCountFact new,
		   bool is_lower, uint32 kind, uint32 type)
{
	uint32		none = is_lower ? 0 : EV_NO_MAXIMUM;
	bool		is_added = is_lower ? new.value > old.value : new.value < old.value;
	EvChangeRule rule;
	char	   *message;

	if (old.value == new.value)
		return;
	if (old.value == none)
	{
		rule = rules->added;
		message = psprintf("There is a %s of %u now.", rules->what, new.value);
	}
	else if (new.value == none)
	{
		rule = rules->removed;
		message = psprintf("The %s of %u was removed.", rules->what, old.value);
	}
	else
	{
		rule = new.value > old.value ? rules->increased : rules->decreased;
		message = psprintf("The %s was %u and is %u now.", rules->what, old.value, new.value);
	}
	ev_change_report(l, pair, rule, is_added ? EV_ADDED : EV_REMOVED,
					 new.value == none ? old.origin : new.origin, kind, type, true, message);
}

static bool
has_number(EvProver *p, const List *facts, Numeric number)
{
	ListCell   *cell;

	ev_spend(p, list_length(facts) * (1 + VARSIZE_ANY(number) / 64));
	foreach(cell, facts)
	{
		if (ev_number_compare(((EvNumberFact *) lfirst(cell))->value, number) == 0)
			return true;
	}
	return false;
}

static void
list_numbers(EvLister *l, EvPair *pair)
{
	List	   *gone = NIL;
	List	   *come = NIL;
	ListCell   *cell;

	list_bound(l, pair, true);
	list_bound(l, pair, false);

	foreach(cell, pair->old_facts->multiples)
	{
		if (!has_number(l->prover, pair->new_facts->multiples, ((EvNumberFact *) lfirst(cell))->value))
			gone = lappend(gone, lfirst(cell));
	}
	foreach(cell, pair->new_facts->multiples)
	{
		if (!has_number(l->prover, pair->old_facts->multiples, ((EvNumberFact *) lfirst(cell))->value))
			come = lappend(come, lfirst(cell));
	}
	if (list_length(gone) == 1 && list_length(come) == 1)
	{
		EvNumberFact *old = linitial(gone);
		EvNumberFact *new = linitial(come);

		ev_change_report(l, pair, EV_CHANGE_MULTIPLE_OF_CHANGED, EV_BOTH, new->origin, EV_FACT_MULTIPLE,
						 EV_BIT(EV_NUMBER), true,
						 psprintf("Numbers had to be multiples of %s, and must be multiples of %s now.", number_text(old->value),
								  number_text(new->value)));
		return;
	}
	foreach(cell, gone)
	{
		ev_change_report(l, pair, EV_CHANGE_MULTIPLE_OF_REMOVED, EV_REMOVED, ((EvNumberFact *) lfirst(cell))->origin,
						 EV_FACT_MULTIPLE, EV_BIT(EV_NUMBER), true,
						 psprintf("Numbers need not be multiples of %s any more.",
								  number_text(((EvNumberFact *) lfirst(cell))->value)));
	}
	foreach(cell, come)
	{
		ev_change_report(l, pair, EV_CHANGE_MULTIPLE_OF_ADDED, EV_ADDED, ((EvNumberFact *) lfirst(cell))->origin,
						 EV_FACT_MULTIPLE, EV_BIT(EV_NUMBER), true,
						 psprintf("Numbers must be multiples of %s now.",
								  number_text(((EvNumberFact *) lfirst(cell))->value)));
	}
}

/* ---------- strings ---------- */

static void
list_patterns(EvLister *l, EvPair *pair)
{
	List	   *gone = NIL;
	List	   *come = NIL;
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, pair->old_facts->patterns)
	{
		bool		found = false;

		ev_spend(l->prover, list_length(pair->new_facts->patterns));
		foreach(other, pair->new_facts->patterns)
			found |= ev_strings_equal(&((EvTextFact *) lfirst(cell))->text, &((EvTextFact *) lfirst(other))->text);
		if (!found)
			gone = lappend(gone, lfirst(cell));
	}
	foreach(cell, pair->new_facts->patterns)
	{
		bool		found = false;

		ev_spend(l->prover, list_length(pair->old_facts->patterns));
		foreach(other, pair->old_facts->patterns)
			found |= ev_strings_equal(&((EvTextFact *) lfirst(cell))->text, &((EvTextFact *) lfirst(other))->text);
		if (!found)
			come = lappend(come, lfirst(cell));
	}
	if (list_length(gone) == 1 && list_length(come) == 1)
	{
		EvTextFact *old = linitial(gone);
		EvTextFact *new = linitial(come);

		ev_change_report(l, pair, EV_CHANGE_PATTERN_CHANGED, EV_BOTH, new->origin, EV_FACT_PATTERN,
						 EV_BIT(EV_STRING), false,
						 psprintf("The pattern was %s and is %s now.", ev_name_text(&old->text), ev_name_text(&new->text)));
		return;
	}
	foreach(cell, gone)
	{
		ev_change_report(l, pair, EV_CHANGE_PATTERN_REMOVED, EV_REMOVED, ((EvTextFact *) lfirst(cell))->origin,
						 EV_FACT_PATTERN, EV_BIT(EV_STRING), true,
						 psprintf("Strings need not match %s any more.", ev_name_text(&((EvTextFact *) lfirst(cell))->text)));
	}
	foreach(cell, come)
	{
		ev_change_report(l, pair, EV_CHANGE_PATTERN_ADDED, EV_ADDED, ((EvTextFact *) lfirst(cell))->origin,
						 EV_FACT_PATTERN, EV_BIT(EV_STRING), true,
						 psprintf("Strings must match %s now.", ev_name_text(&((EvTextFact *) lfirst(cell))->text)));
	}
}

static void
list_formats(EvLister *l, EvPair *pair)
{
	List	   *gone = NIL;
	List	   *come = NIL;
	ListCell   *cell;
	ListCell   *other;

	foreach(cell, pair->old_facts->formats)
	{
		bool		found = false;

		ev_spend(l->prover, list_length(pair->new_facts->formats));
		foreach(other, pair->new_facts->formats)
			found |= ((EvFormatFact *) lfirst(cell))->format == ((EvFormatFact *) lfirst(other))->format;
		if (!found)
			gone = lappend(gone, lfirst(cell));
	}
	foreach(cell, pair->new_facts->formats)
	{
		bool		found = false;

		ev_spend(l->prover, list_length(pair->old_facts->formats));
		foreach(other, pair->old_facts->formats)
			found |= ((EvFormatFact *) lfirst(cell))->format == ((EvFormatFact *) lfirst(other))->format;
		if (!found)
			come = lappend(come, lfirst(cell));
	}
	if (list_length(gone) == 1 && list_length(come) == 1)
	{
		EvFormatFact *old = linitial(gone);
		EvFormatFact *new = linitial(come);

		ev_change_report(l, pair, EV_CHANGE_FORMAT_CHANGED, EV_BOTH, new->origin, EV_FACT_FORMAT,
						 EV_BIT(EV_STRING), false,
						 psprintf("The format was \"%s\" and is \"%s\" now.", old->format->name, new->format->name));
		return;
	}
	foreach(cell, gone)
	{
		ev_change_report(l, pair, EV_CHANGE_FORMAT_REMOVED, EV_REMOVED, ((EvFormatFact *) lfirst(cell))->origin,
						 EV_FACT_FORMAT, EV_BIT(EV_STRING), true,
						 psprintf("Strings need not have the format \"%s\" any more.",
								  ((EvFormatFact *) lfirst(cell))->format->name));
	}
	foreach(cell, come)
	{
		ev_change_report(l, pair, EV_CHANGE_FORMAT_ADDED, EV_ADDED, ((EvFormatFact *) lfirst(cell))->origin,
						 EV_FACT_FORMAT, EV_BIT(EV_STRING), true,
						 psprintf("Strings must have the format \"%s\" now.",
								  ((EvFormatFact *) lfirst(cell))->format->name));
	}
}

static bool
has_content(const List *contents, const EvContentFact *content)
{
	ListCell   *cell;

	foreach(cell, contents)
	{
		EvContentFact *other = lfirst(cell);

		if (other->base64 == content->base64 && other->json == content->json)
			return true;
	}
	return false;
}

static void
list_contents(EvLister *l, EvPair *pair)
{
	ListCell   *cell;

	foreach(cell, pair->new_facts->contents)
	{
		if (!has_content(pair->old_facts->contents, lfirst(cell)))
			ev_change_report(l, pair, EV_CHANGE_CONTENT_ADDED, EV_ADDED, ((EvContentFact *) lfirst(cell))->origin,
							 EV_FACT_CONTENT, EV_BIT(EV_STRING), true, "The encoded content of strings is checked now.");
	}
	foreach(cell, pair->old_facts->contents)
	{
		if (!has_content(pair->new_facts->contents, lfirst(cell)))
			ev_change_report(l, pair, EV_CHANGE_CONTENT_REMOVED, EV_REMOVED, ((EvContentFact *) lfirst(cell))->origin,
							 EV_FACT_CONTENT, EV_BIT(EV_STRING), true,
							 "The encoded content of strings is not checked any more.");
	}
}

static void
list_strings(EvLister *l, EvPair *pair)
{
	static const BoundRules min_length = BOUND_RULES(MIN_LENGTH, "least length");
	static const BoundRules max_length = BOUND_RULES(MAX_LENGTH, "greatest length");
	const EvFacts *old = pair->old_facts;
	const EvFacts *new = pair->new_facts;

	list_count(l, pair, &min_length, old->min_length, new->min_length, true, EV_FACT_MIN_LENGTH, EV_BIT(EV_STRING));
	list_count(l, pair, &max_length, old->max_length, new->max_length, false, EV_FACT_MAX_LENGTH, EV_BIT(EV_STRING));
	list_patterns(l, pair);
	list_formats(l, pair);
	list_contents(l, pair);
}

/* ---------- counts of arrays and objects ---------- */

static void
list_sizes(EvLister *l, EvPair *pair)
{
	static const BoundRules min_items = BOUND_RULES(MIN_ITEMS, "least number of items");
	static const BoundRules max_items = BOUND_RULES(MAX_ITEMS, "greatest number of items");
	const EvFacts *old = pair->old_facts;
	const EvFacts *new = pair->new_facts;

	list_count(l, pair, &min_items, old->min_items, new->min_items, true, EV_FACT_MIN_ITEMS, EV_BIT(EV_ARRAY));
	list_count(l, pair, &max_items, old->max_items, new->max_items, false, EV_FACT_MAX_ITEMS, EV_BIT(EV_ARRAY));
	if (old->unique.subschema == NULL && new->unique.subschema != NULL)
		ev_change_report(l, pair, EV_CHANGE_UNIQUE_ITEMS_ADDED, EV_ADDED, new->unique, EV_FACT_UNIQUE,
						 EV_BIT(EV_ARRAY), true, "Items must differ from each other now.");
	if (old->unique.subschema != NULL && new->unique.subschema == NULL)
		ev_change_report(l, pair, EV_CHANGE_UNIQUE_ITEMS_REMOVED, EV_REMOVED, old->unique, EV_FACT_UNIQUE,
						 EV_BIT(EV_ARRAY), true, "Items may be equal now.");
}

static void
list_property_counts(EvLister *l, EvPair *pair)
{
	static const BoundRules min_properties = BOUND_RULES(MIN_PROPERTIES, "least number of properties");
	static const BoundRules max_properties = BOUND_RULES(MAX_PROPERTIES, "greatest number of properties");

	list_count(l, pair, &min_properties, pair->old_facts->min_properties, pair->new_facts->min_properties,
			   true, EV_FACT_MIN_PROPERTIES, EV_BIT(EV_OBJECT));
	list_count(l, pair, &max_properties, pair->old_facts->max_properties, pair->new_facts->max_properties,
			   false, EV_FACT_MAX_PROPERTIES, EV_BIT(EV_OBJECT));
}

/* ---------- annotations ---------- */

static void
list_annotation(EvLister *l, const EvSubschema *schema, const JsonbValue *key, const char *what)
{
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	StringInfoData tail;

	initStringInfo(&tail);
	appendStringInfoChar(&tail, '/');
	ev_pointer_append_key(&tail, name, strlen(name));
	ev_change_add(l, EV_CHANGE_ANNOTATION_CHANGED, ev_change_location(l, (EvOrigin) {schema, tail.data}),
				  EV_COMPATIBLE, EV_COMPATIBLE, "\"%s\" %s.", name, what);
	pfree(tail.data);
}

static bool
is_annotation(const EvSubschema *schema, const JsonbValue *key)
{
	int			keyword = ev_keyword_find(key->val.string.val, key->val.string.len, schema->resource->draft);

	if (keyword < 0 || keyword == EV_KW_COMMENT || keyword == EV_KW_ID || keyword == EV_KW_ID_DRAFT4 ||
		(ev_keywords[keyword].vocabulary & EV_METADATA) != 0)
		return true;

	/* only draft 7 asserts content */
	return ev_keywords[keyword].vocabulary == EV_CONTENT &&
		(schema->resource->draft != EV_DRAFT7 || !schema->resource->assert_format);
}

/* Lists the annotations of `b` that `a` lacks or has with another value. */
static void
list_annotations_of(EvLister *l, const EvSubschema *a, const EvSubschema *b, bool is_new)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, b->container));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	other;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		ev_spend(l->prover, 20 + ev_value_work(&value));
		if (!is_annotation(b, &key))
			continue;
		if (getKeyJsonValueFromContainer(unconstify(JsonbContainer *, a->container), key.val.string.val,
										 key.val.string.len, &other) == NULL)
			list_annotation(l, b, &key, is_new ? "was added" : "was removed");
		else if (is_new && !ev_json_equal(&value, &other))
			list_annotation(l, b, &key, "changed");
	}
}

static void
list_annotations(EvLister *l, EvPair *pair)
{
	List	   *old = pair->old_facts->schemas;
	List	   *new = pair->new_facts->schemas;

	for (int i = 0; i < list_length(old) && i < list_length(new); i++)
	{
		const EvSubschema *a = list_nth(old, i);
		const EvSubschema *b = list_nth(new, i);

		if (a->container == NULL || b->container == NULL || (i > 0 && list_length(old) != list_length(new)))
			break;
		list_annotations_of(l, a, b, true);
		list_annotations_of(l, b, a, false);
	}
}

/* ---------- a pair ---------- */

/* The changes of a pair, since a schema can be referred to from many places. */
typedef struct KnownPair
{
	EvSchemaSet *old;			/* these three are the hash key */
	EvSchemaSet *new;
	EvScope    *scope;
	List	   *changes;		/* copies of EvChanges */
} KnownPair;

/* Appends copies of some changes, since verdicts are adjusted in place. */
static List *
copy_changes(EvLister *l, List *result, const List *changes, int first)
{
	for (int i = first; i < list_length(changes); i++)
	{
		EvChange   *copy = palloc(sizeof(EvChange));

		ev_spend(l->prover, 5);
		*copy = *(EvChange *) list_nth(changes, i);
		result = lappend(result, copy);
	}
	return result;
}

/* Lists the changes of a pair that was listed elsewhere; false if it was not. */
static bool
repeat_pair(EvLister *l, const EvPair *pair)
{
	KnownPair	key = {.old = pair->old, .new = pair->new, .scope = pair->scope};
	KnownPair  *known = hash_search(l->known, &key, HASH_FIND, NULL);

	if (known != NULL)
		l->changes = l->prover->changes = copy_changes(l, l->changes, known->changes, 0);
	return known != NULL;
}

static void
keep_pair(EvLister *l, const EvPair *pair, int first)
{
	KnownPair	key = {.old = pair->old, .new = pair->new, .scope = pair->scope};
	KnownPair  *known;
	bool		found;

	known = hash_search(l->known, &key, HASH_ENTER, &found);
	known->changes = copy_changes(l, NIL, l->changes, first);
}

/*
 * Returns false for a pair that was entered before, since schemas can be
 * recursive, and for one that is not listed because too many were.
 */
static bool
enter_pair(EvLister *l, EvSchemaSet **key, EvScope *scope)
{
	bool		found;

	if (l->visits >= MOST_VISITS)
	{
		hash_search(l->visited, key, HASH_FIND, &found);
		if (!found)
		{
			l->skipped_backward |= !l->prover->proved_backward && !ev_prove(l->prover, key[0], key[1], scope, EV_FACT_ALL);
			l->skipped_forward |= !l->prover->proved_forward && !ev_prove(l->prover, key[1], key[0], scope, EV_FACT_ALL);
		}
		return false;
	}
	l->visits++;
	hash_search(l->visited, key, HASH_ENTER, &found);
	return !found;
}

bool
ev_worded_same(const EvSchemaSet *old, const EvSchemaSet *new)
{
	if (old == new)
		return true;
	if (old->proper != new->proper || list_length(old->members) != list_length(new->members))
		return false;
	for (int i = 0; i < list_length(old->members); i++)
	{
		const EvSubschema *a = list_nth(old->members, i);
		const EvSubschema *b = list_nth(new->members, i);

		if (a != b && (a->wording == 0 || a->wording != b->wording))
			return false;
	}
	return true;
}

/*
 * The values that tell parts apart can be those that "not" excludes in the whole.  So
 * if a schema has "not", its changes are incompatible only if a value of the whole
 * shows it.
 */
static void
confirm(EvLister *l, int first, bool forward, const EvPair *pair)
{
	EvProver   *p = l->prover;
	EvSchemaSet *a = forward ? pair->new : pair->old;
	EvSchemaSet *b = forward ? pair->old : pair->new;

	if (ev_facts(p, a->proper, EV_NECESSARY)->nots != NIL && ev_change_is_refuted(l, first, forward) &&
		ev_witness_again(p, a, b, pair->scope, EV_FACT_ALL, 0) == NULL &&
		ev_witness(p, a, b, pair->scope, EV_FACT_ALL) == NULL)
		ev_change_limit(l, first, forward, EV_UNKNOWN);
}

void
ev_list_pair(EvLister *l, EvSchemaSet *old, EvSchemaSet *new, EvScope *scope, EvOrigin origin)
{
	EvProver   *p = l->prover;
	EvPair		pair = {.old = old, .new = new, .scope = scope, .origin = origin};
	EvSchemaSet *key[2] = {old, new};
	uint32		common;
	int			first = list_length(l->changes);
	bool		silent;

	check_stack_depth();
	ev_spend(p, 100);
	if (ev_worded_same(old, new) || repeat_pair(l, &pair) || !enter_pair(l, key, scope))
		return;
	pair.old_facts = ev_facts(p, old, EV_SUFFICIENT);
	pair.new_facts = ev_facts(p, new, EV_SUFFICIENT);

	list_annotations(l, &pair);
	list_types(l, &pair);
	list_enums(l, &pair);

	/* if only one of them allows a type, the type is the change */
	common = pair.old_facts->types & pair.new_facts->types;
	if ((common & EV_BIT(EV_NUMBER)) != 0)
		list_numbers(l, &pair);
	if ((common & EV_BIT(EV_STRING)) != 0)
		list_strings(l, &pair);
	if ((common & EV_BIT(EV_OBJECT)) != 0)
	{
		list_property_counts(l, &pair);
		ev_list_properties(l, &pair);
	}
	if ((common & EV_BIT(EV_ARRAY)) != 0)
	{
		list_sizes(l, &pair);
		ev_list_items(l, &pair);
	}
	ev_list_applicators(l, &pair);

	/* no verdict here is worse than that on the whole */
	if (list_length(l->changes) > first)
	{
		if (l->prover->proved_backward || ev_prove(p, old, new, scope, EV_FACT_ALL))
			settle_one(l, first, false, EV_COMPATIBLE, &silent);
		if (l->prover->proved_forward || ev_prove(p, new, old, scope, EV_FACT_ALL))
			settle_one(l, first, true, EV_COMPATIBLE, &silent);
	}
	confirm(l, first, false, &pair);
	confirm(l, first, true, &pair);
	if (l->in_branches > 0)
	{
		if (ev_change_is_refuted(l, first, false))
			ev_witness_lift(p, old, new, scope);
		if (ev_change_is_refuted(l, first, true))
			ev_witness_lift(p, new, old, scope);
	}
	if (list_length(l->changes) > first + 1)
		l->changes = p->changes = ev_changes_without_duplicates(p, l->changes, first);
	hash_search(l->visited, key, HASH_REMOVE, NULL);
	keep_pair(l, &pair, first);
}

/* ---------- the document ---------- */

/*
 * Returns the verdict on the documents.  A change that is incompatible is enough
 * to refute it; otherwise sets *example to a value that does.
 */
static EvVerdict
whole_verdict(EvLister *l, EvSchemaSet *a, EvSchemaSet *b, EvScope *scope, bool forward, JsonbValue **example)
{
	ListCell   *cell;

	if (ev_change_verdict(l, a, b, scope, EV_FACT_ALL, 0, false) == EV_COMPATIBLE)
		return EV_COMPATIBLE;
	foreach(cell, l->changes)
	{
		EvChange   *change = lfirst(cell);

		if ((forward ? change->forward : change->backward) == EV_INCOMPATIBLE)
			return EV_INCOMPATIBLE;
	}
	*example = ev_witness_again(l->prover, a, b, scope, EV_FACT_ALL, 0);
	if (*example == NULL)
		*example = ev_witness(l->prover, a, b, scope, EV_FACT_ALL);
	if (*example != NULL)
		*example = ev_witness_shrink(l->prover, a, b, scope, *example);
	return *example != NULL ? EV_INCOMPATIBLE : EV_UNKNOWN;
}

/*
 * Returns the message for documents whose difference no single keyword
 * explains, or one that was not compared.
 */
static const char *
whole_message(bool skipped, const JsonbValue *old_only, const JsonbValue *new_only)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, skipped ? "The set of accepted values may have changed, in subschemas that were not compared one by one." :
						   "The set of accepted values may have changed; no single keyword explains how.");
	if (old_only != NULL)
		appendStringInfo(&text, " Only the old schema accepts %s.", json_text(old_only));
	if (new_only != NULL)
		appendStringInfo(&text, " Only the new schema accepts %s.", json_text(new_only));
	return text.data;
}

/* Does a dynamic reference have several targets?  Which one depends on the path to it. */
static bool
is_ambiguous(EvCompiler *c)
{
	ListCell   *cell;
	ListCell   *anchor;

	if (!c->has_dynamic)
		return false;
	foreach(cell, c->resources)
	{
		EvResource *resource = lfirst(cell);

		if (resource->recursive_anchor && list_length(ev_dynamic_anchors(c, "")) > 1)
			return true;
		foreach(anchor, resource->anchors)
		{
			const EvSchemaAnchor *named = lfirst(anchor);

			if (named->dynamic && list_length(ev_dynamic_anchors(c, named->name)) > 1)
				return true;
		}
	}
	return false;
}

void
ev_list_changes(EvProver *p, EvSchemaSet *old, EvSchemaSet *new, EvScope *scope)
{
	HASHCTL		control = {.keysize = 2 * sizeof(EvSchemaSet *), .entrysize = 2 * sizeof(EvSchemaSet *)};
	EvLister	l = {.prover = p};
	JsonbValue *old_only = NULL;
	JsonbValue *new_only = NULL;
	EvVerdict	backward;
	EvVerdict	forward;

	control.hcxt = CurrentMemoryContext;
	l.visited = hash_create("event_validate schema pairs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	control.keysize = offsetof(KnownPair, changes);
	control.entrysize = sizeof(KnownPair);
	l.known = hash_create("event_validate known pairs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	p->is_ambiguous = is_ambiguous(&p->old) || is_ambiguous(&p->new);
	p->roots_same = ev_roots_same(p);
	p->proved_backward = p->roots_same || ev_prove_first(p, old, new, scope);
	p->proved_forward = p->roots_same || ev_prove_first(p, new, old, scope);
	ev_list_pair(&l, old, new, scope, (EvOrigin) {p->new_root, ""});
	backward = whole_verdict(&l, old, new, scope, false, &old_only);
	forward = whole_verdict(&l, new, old, scope, true, &new_only);
	ev_change_settle(&l, 0, backward, forward, (EvOrigin) {p->new_root, ""}, whole_message(l.skipped_backward || l.skipped_forward, old_only, new_only));
	if ((l.skipped_backward && backward != EV_COMPATIBLE) || (l.skipped_forward && forward != EV_COMPATIBLE))
		ev_change_add(&l, EV_CHANGE_COMPARISON_TOO_LARGE, pstrdup(""),
					  l.skipped_backward && backward != EV_COMPATIBLE ? EV_UNKNOWN : EV_COMPATIBLE,
					  l.skipped_forward && forward != EV_COMPATIBLE ? EV_UNKNOWN : EV_COMPATIBLE,
					  "Only %d subschemas were compared one by one; other changes may be missing.", MOST_VISITS);
	p->changes = ev_changes_without_duplicates(p, l.changes, 0);
}
