/*
 * violations.h
 *	  The locations and the message of a violation, for the interpreter.
 */
#ifndef EV_VIOLATIONS_H
#define EV_VIOLATIONS_H

#include "lib/stringinfo.h"
#include "match/branch_choice.h"
#include "match/facts.h"
#include "match/match_internal.h"
#include "utils/memutils.h"

/*
 * The path to the current schema and instance, from which locations are made:
 * one step for each block that was entered.  Only in EV_COLLECT mode.
 */
typedef enum EvStepKind
{
	EV_STEP_IN_PLACE,			/* the same instance */
	EV_STEP_PROPERTY,			/* the value of a key */
	EV_STEP_ITEM,
	EV_STEP_NAME				/* a key itself, for propertyNames */
} EvStepKind;

typedef struct EvStep
{
	const struct EvStep *parent;
	EvStepKind	kind;
	EvString	key;
	uint32		index;
	const char *path;			/* JSON Pointer, from the previous schema */
	const EvLocation *location; /* of the schema that was entered */
} EvStep;

extern void ev_append_instance_location(StringInfo pointer, const EvStep *step);
extern void ev_append_keyword_location(StringInfo pointer, const EvStep *step);

/* Passes one violation to the collector; runs in m->context. */
extern void ev_violate(EvMatch *m, const EvStep *step, const EvViolationFacts *facts, const char *keyword, const char *path,
					   const char *format,...) pg_attribute_printf(6, 7);

/* The same without facts and message. */
extern void ev_violate_silently(EvMatch *m, const EvStep *step, const char *keyword, const char *path);

/* The facts of a violation, by the names of their fields. */
#define FACTS(...)	((EvViolationFacts) {__VA_ARGS__})

/*
 * Counts a violation and passes it on if the collector still wants it.  The
 * arguments are evaluated only then, in m->context, and the facts and the
 * message only if the collector wants them.
 */
#define VIOLATE(facts, keyword, path, ...) \
	do { \
		if (++m->collector->count <= m->collector->limit) \
		{ \
			MemoryContext caller = MemoryContextSwitchTo(m->context); \
			EvViolationFacts		known = {0}; \
\
			if (m->collector->wants_no_messages) \
				ev_violate_silently(m, step, keyword, path); \
			else \
			{ \
				if (m->collector->wants_facts) \
					known = facts; \
				ev_violate(m, step, &known, keyword, path, __VA_ARGS__); \
			} \
			MemoryContextSwitchTo(caller); \
		} \
	} while (0)

/* Messages of single keywords. */
extern void ev_report_missing(EvMatch *m, const JsonbContainer *container, const EvObject *object, const EvStep *step);
extern void ev_report_false(EvMatch *m, const EvSource *source, EvInstance in, const EvStep *step);
extern void ev_report_no_branch(EvMatch *m, const EvSource *source, const EvBranches *branches, EvInstance in,
								const EvStep *step);
extern void ev_report_tag(EvMatch *m, const EvSource *source, const EvTag *tag, const EvStep *step);

/* Parts of messages. */
extern const char *ev_show_pattern(const char *pattern);
extern char *ev_show_values(const EvEnum *enumeration);
extern char *ev_show_number(Numeric number);
extern char *ev_show_types(uint32 types, bool integer);
extern char *ev_show_typed(const EvInstance *in);

static inline const char *
ev_plural(int64 count)
{
	return count == 1 ? "" : "s";
}

#endif							/* EV_VIOLATIONS_H */
