/*
 * remember.c
 *	  Answers that are remembered within a run.
 *
 * Answers are in a hash table by their question; each can be in a few slots.
 * The table grows up to a limit; then new answers replace old ones.  That
 * loses little: a block usually asks about the same value again soon, and the
 * answers to its own questions are older than its answer.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "match/remember.h"

/* Number of slots in which an answer can be. */
#define SLOTS			4

/* Maximum number of answers, ... */
#define MAX_ANSWERS		((uint32) 1 << 17)

/* ... and of bytes of marks. */
#define MAX_MARKS		((Size) 32 * 1024 * 1024)

/*
 * The targets of $dynamicRef can differ for each set of resources that were
 * entered.  Usually there are at most as many such sets as resources with
 * dynamic anchors, but a schema can be made to have 2^n.
 */
#define MORE_SCOPES		1024

StaticAssertDecl((EV_FEW_ANSWERS & (EV_FEW_ANSWERS - 1)) == 0, "slots are found by a mask");

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
first_slot(const EvMemory *memory, const EvQuestion *question)
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
	uint32		slot = first_slot(memory, question);

	for (int i = 0; i < SLOTS; i++)
	{
		const EvAnswer *answer = &memory->answers[(slot + i) & memory->mask];

		if (is_about(answer, question))
			return answer;
	}
	return NULL;
}

/* Returns a free slot for an answer; NULL if all are taken. */
static EvAnswer *
free_slot(EvMemory *memory, const EvQuestion *question)
{
	uint32		slot = first_slot(memory, question);

	for (int i = 0; i < SLOTS; i++)
	{
		EvAnswer   *answer = &memory->answers[(slot + i) & memory->mask];

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
		EvAnswer   *slot;

		if (old[i].question.kind == EV_ANSWER_NONE)
			continue;
		slot = free_slot(memory, &old[i].question);
		if (slot != NULL)
			*slot = old[i];
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
	EvAnswer   *slot = unconstify(EvAnswer *, ev_remembered(memory, &answer->question));
	Size		size = answer->marks != NULL ? answer->words * sizeof(uint64) : 0;

	if (memory->marks_size + size > MAX_MARKS)
	{
		forget_all(memory);
		slot = NULL;
	}
	if (slot == NULL)
		slot = free_slot(memory, &answer->question);
	while (slot == NULL && memory->mask < MAX_ANSWERS - 1)
	{
		grow(memory);
		slot = free_slot(memory, &answer->question);
	}
	if (slot == NULL)
		slot = &memory->answers[(first_slot(memory, &answer->question) + memory->replaced++ % SLOTS) & memory->mask];

	free_marks(memory, slot);
	*slot = *answer;
	if (size > 0)
	{
		slot->marks = NULL;
		slot->question.kind = EV_ANSWER_NONE;
		slot->marks = MemoryContextAllocHuge(memory_context(memory), size);
		memcpy(slot->marks, answer->marks, size);
		slot->question.kind = answer->question.kind;
		memory->marks_size += size;
	}
}

/* ---------- the dynamic scope ---------- */

/* The dynamic scope after a resource is entered. */
typedef struct ScopeKey
{
	uint32		outer;			/* the state before */
	uint32		resource;
} ScopeKey;

typedef struct ScopeEntry
{
	ScopeKey	key;			/* must be the first member */
	uint32		state;
} ScopeEntry;

/* Does a $dynamicRef find another target inside the resource than outside? */
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
					 errdetail("Its dynamic references have more than %u different sets of targets.",
							   memory->scope_count),
					 errhint("Use fewer dynamic anchors, or references that are not dynamic.")));
		entry->state = ++memory->scope_count;
	}
	return entry->state;
}

/* ---------- questions and answers ---------- */

/*
 * A value's violations are listed again each time a schema applies to it, up
 * to this number.
 */
#define MAX_LISTED_AGAIN	1000

#define MAX_COUNT			(PG_INT64_MAX / 2)

/* Makes a question about the block of the REMEMBER at `at`. */
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

/* Are the violations of a known answer only counted? */
bool
ev_only_counts(const EvMatch *m)
{
	return m->collector->count >= m->collector->limit ||
		(m->collector == m->top && m->memory->listed_again >= MAX_LISTED_AGAIN);
}

/* Applies an answer to the run. */
bool
ev_recall(EvMatch *m, const EvAnswer *answer, EvMarks *marks, EvRunMode mode)
{
	/* prevent an overflow, since each repetition can double the count */
	if (mode == EV_COLLECT && m->collector->count < MAX_COUNT)
		m->collector->count += Min(answer->count, MAX_COUNT - m->collector->count);
	if (marks != NULL && marks->by_source)
		*marks->bits |= answer->sources;
	else if (marks != NULL && answer->marks != NULL)
		for (uint32 i = 0; i < marks->words; i++)
			marks->bits[i] |= answer->marks[i];
	return answer->valid;
}
