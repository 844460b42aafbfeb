/*
 * remember.c
 *	  The answers that a run remembers.
 *
 * A table of answers by a hash of the question: each has a few places to be
 * in.  It grows up to a bound; then the new take the places of the old.  That
 * does no harm: a block is asked about a value again soon after, and what it
 * asked itself is older than its own answer.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "match/remember.h"

/* An answer is in one of so many places. */
#define PLACES			4

/* So many answers are kept at most, ... */
#define MAX_ANSWERS		((uint32) 1 << 17)

/* ... and so many bytes of marks. */
#define MAX_MARKS		((Size) 32 * 1024 * 1024)

/*
 * What a $dynamicRef finds can differ for each set of resources on the way.
 * Mostly there are as many such sets as resources with dynamic anchors, at
 * most; a schema that is made for it has 2^n.
 */
#define MORE_SCOPES		1024

StaticAssertDecl((EV_FEW_ANSWERS & (EV_FEW_ANSWERS - 1)) == 0, "places are found by a mask");

void
ev_remember_begin(EvMemory *memory, const EvProgram *program)
{
	memset(memory, 0, sizeof(*memory));
	memory->program = program;
	memory->caller = CurrentMemoryContext;
	memory->answers = memory->few;
	memory->mask = EV_FEW_ANSWERS - 1;
}

void
ev_remember_end(EvMemory *memory)
{
	if (memory->context != NULL)
		MemoryContextDelete(memory->context);
}

static MemoryContext
memory_context(EvMemory *memory)
{
	if (memory->context == NULL)
		memory->context = AllocSetContextCreate(memory->caller, "event_validate answers",
												ALLOCSET_DEFAULT_SIZES);
	return memory->context;
}

/* ---------- answers ---------- */

static inline uint32
first_place(const EvMemory *memory, const EvQuestion *question)
{
	uint64		hash = (uint64) (uintptr_t) question->data;

	hash = (hash ^ (uint64) question->block << 32) * UINT64CONST(0x9E3779B97F4A7C15);
	hash ^= hash >> 29;
	hash += question->length + ((uint64) question->scope << 16) + (question->type << 8) + question->kind;
	hash *= UINT64CONST(0xBF58476D1CE4E5B9);
	return (uint32) (hash >> 32) & memory->mask;
}

static inline bool
is_about(const EvAnswer *answer, const EvQuestion *question)
{
	return answer->question.data == question->data && answer->question.block == question->block &&
		answer->question.kind == question->kind && answer->question.type == question->type &&
		answer->question.length == question->length && answer->question.scope == question->scope;
}

const EvAnswer *
ev_remembered(EvMemory *memory, const EvQuestion *question)
{
	uint32		place = first_place(memory, question);

	for (int i = 0; i < PLACES; i++)
	{
		const EvAnswer *answer = &memory->answers[(place + i) & memory->mask];

		if (is_about(answer, question))
			return answer;
	}
	return NULL;
}

/* A place for an answer that is not there; NULL: all are taken. */
static EvAnswer *
free_place(EvMemory *memory, const EvQuestion *question)
{
	uint32		place = first_place(memory, question);

	for (int i = 0; i < PLACES; i++)
	{
		EvAnswer   *answer = &memory->answers[(place + i) & memory->mask];

		if (answer->question.kind == EV_ANSWER_NONE)
			return answer;
	}
	return NULL;
}

static void
free_marks(EvMemory *memory, EvAnswer *answer)
{
	if (answer->marks == NULL)
		return;
	memory->marks_size -= answer->words * sizeof(uint64);
	pfree(answer->marks);
	answer->marks = NULL;
}

static void
grow(EvMemory *memory)
{
	EvAnswer   *old = memory->answers;
	uint32		count = memory->mask + 1;

	memory->mask = 4 * count - 1;
	memory->answers = MemoryContextAllocZero(memory_context(memory), 4 * count * sizeof(EvAnswer));
	for (uint32 i = 0; i < count; i++)
	{
		EvAnswer   *place;

		if (old[i].question.kind == EV_ANSWER_NONE)
			continue;
		place = free_place(memory, &old[i].question);
		if (place != NULL)
			*place = old[i];
		else
			free_marks(memory, &old[i]);
	}
	if (old != memory->few)
		pfree(old);
}

static void
forget_all(EvMemory *memory)
{
	for (uint32 i = 0; i <= memory->mask; i++)
		free_marks(memory, &memory->answers[i]);
	memset(memory->answers, 0, (memory->mask + 1) * sizeof(EvAnswer));
}

void
ev_remember(EvMemory *memory, const EvAnswer *answer)
{
	EvAnswer   *place = unconstify(EvAnswer *, ev_remembered(memory, &answer->question));
	Size		size = answer->marks != NULL ? answer->words * sizeof(uint64) : 0;

	if (memory->marks_size + size > MAX_MARKS)
	{
		forget_all(memory);
		place = NULL;
	}
	if (place == NULL)
		place = free_place(memory, &answer->question);
	while (place == NULL && memory->mask < MAX_ANSWERS - 1)
	{
		grow(memory);
		place = free_place(memory, &answer->question);
	}
	if (place == NULL)
		place = &memory->answers[(first_place(memory, &answer->question) + memory->replaced++ % PLACES) & memory->mask];

	free_marks(memory, place);
	*place = *answer;
	if (size > 0)
	{
		place->marks = NULL;
		place->question.kind = EV_ANSWER_NONE;
		place->marks = MemoryContextAllocHuge(memory_context(memory), size);
		memcpy(place->marks, answer->marks, size);
		place->question.kind = answer->question.kind;
		memory->marks_size += size;
	}
}

/* ---------- the dynamic scope ---------- */

/* What the dynamic scope becomes where a resource is entered. */
typedef struct ScopeKey
{
	uint32		outer;			/* the state around it */
	uint32		resource;
} ScopeKey;

typedef struct ScopeEntry
{
	ScopeKey	key;			/* must be first */
	uint32		state;
} ScopeEntry;

/* Does a $dynamicRef find something else in the resource than around it? */
static bool
adds_to_scope(const EvProgram *program, const EvDynamicScope *outer, uint32 resource)
{
	for (uint32 i = 0; i < program->anchor_count; i++)
	{
		const EvAnchor *anchor = program->anchors[i];
		bool		is_bound = false;

		CHECK_FOR_INTERRUPTS();
		if (ev_anchor_target(anchor, resource) == EV_BLOCK_NONE)
			continue;
		for (const EvDynamicScope *scope = outer; scope != NULL && !is_bound; scope = scope->outer)
			is_bound = ev_anchor_target(anchor, scope->resource) != EV_BLOCK_NONE;
		if (!is_bound)
			return true;
	}
	return false;
}

uint32
ev_scope_state(EvMemory *memory, const EvDynamicScope *outer, uint32 resource)
{
	ScopeKey	key = {outer != NULL ? outer->state : 0, resource};
	ScopeEntry *entry;
	bool		found;

	if (memory->scopes == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(ScopeKey), .entrysize = sizeof(ScopeEntry)};

		control.hcxt = memory_context(memory);
		memory->scopes = hash_create("event_validate scopes", 16, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(memory->scopes, &key, HASH_ENTER, &found);
	if (found)
		return entry->state;
	entry->state = key.outer;
	if (adds_to_scope(memory->program, outer, resource))
	{
		if (memory->scope_count >= MORE_SCOPES + memory->program->block_count)
			ereport(ERROR,
					(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
					 errmsg("schema is too complex for this document"),
					 errdetail("What its dynamic references lead to differs in more than %u ways.",
							   memory->scope_count),
					 errhint("Use fewer dynamic anchors, or references that are not dynamic.")));
		entry->state = ++memory->scope_count;
	}
	return entry->state;
}

/* ---------- what an answer is about, and what it says ---------- */

/*
 * What is wrong with a value is listed again for each way in which a schema
 * comes to apply to it, but only so often.
 */
#define MAX_LISTED_AGAIN	1000

#define MAX_COUNT			(PG_INT64_MAX / 2)

/* A question about the block of the REMEMBER at `at`. */
EvQuestion
ev_make_question(const EvMatch *m, uint32 at, EvInstance in, const EvMarks *marks, EvRunMode mode)
{
	EvQuestion	question = {0};

	question.data = in.data;
	question.length = in.type == EV_STRING ? in.length : 0;
	question.type = in.type;
	question.block = at;
	question.scope = m->scope != NULL ? m->scope->state : 0;
	if (mode == EV_COLLECT)
		question.kind = marks != NULL ? EV_ANSWER_COUNT_MARKS : EV_ANSWER_COUNT;
	else if (mode == EV_MARKS)
		question.kind = marks->by_source ? EV_ANSWER_SOURCES : EV_ANSWER_MARKS;
	else
		question.kind = EV_ANSWER_PLAIN;
	return question;
}

/* Are violations that were there before only counted? */
bool
ev_only_counts(const EvMatch *m)
{
	return m->collector->count >= m->collector->limit ||
		(m->collector == m->top && m->memory->listed_again >= MAX_LISTED_AGAIN);
}

/* What an answer says besides yes or no. */
bool
ev_recall(EvMatch *m, const EvAnswer *answer, EvMarks *marks, EvRunMode mode)
{
	/* what is doubled again and again is more than can be counted */
	if (mode == EV_COLLECT && m->collector->count < MAX_COUNT)
		m->collector->count += Min(answer->count, MAX_COUNT - m->collector->count);
	if (marks != NULL && marks->by_source)
		*marks->bits |= answer->sources;
	else if (marks != NULL && answer->marks != NULL)
		for (uint32 i = 0; i < marks->words; i++)
			marks->bits[i] |= answer->marks[i];
	return answer->valid;
}
