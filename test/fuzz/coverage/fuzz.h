/*
 * fuzz.h
 *	  Coverage-guided fuzzing: what the files of this folder share.
 *
 * They are linked into a copy of the library that has libFuzzer's run time, too
 * (make FUZZ=1).  A backend in single-user mode loads this copy and calls
 * ev_fuzz().  Include postgres.h first.
 */
#ifndef EV_FUZZ_H
#define EV_FUZZ_H

#include "schema/document.h"

/* Separates the parts of an input.  UTF-8 never has this byte. */
#define EV_FUZZ_SEPARATOR	0xFF

typedef enum EvFuzzMutator
{
	EV_FUZZ_BYTES,				/* libFuzzer's */
	EV_FUZZ_JSON				/* mutate.c's, for parts that are JSON */
} EvFuzzMutator;

/*
 * A part of an input: UTF-8 without NUL, in memory of exactly its length, so that
 * AddressSanitizer reports each byte that is read beyond it.
 */
typedef struct EvFuzzPart
{
	char	   *text;
	int			length;
} EvFuzzPart;

#define EV_FUZZ_MAX_PARTS	4

typedef struct EvFuzzTarget
{
	const char *name;
	EvFuzzMutator mutator;
	bool		in_subtransaction;	/* it runs SQL, which is rolled back */
	bool		may_raise;		/* errors that a user can cause are allowed */
	int			part_count;		/* what is missing is empty */

	/* Runs one input, in a memory context that is reset afterwards. */
	void		(*run) (const EvFuzzPart *parts);
} EvFuzzTarget;

extern const EvFuzzTarget ev_fuzz_schema;
extern const EvFuzzTarget ev_fuzz_match;
extern const EvFuzzTarget ev_fuzz_compare;
extern const EvFuzzTarget ev_fuzz_pattern;
extern const EvFuzzTarget ev_fuzz_format;
extern const EvFuzzTarget ev_fuzz_register;
extern const EvFuzzTarget ev_fuzz_guard;

/* driver.c */

/* The fault to make on purpose; NULL: none. */
extern const char *ev_fuzz_planted;

/* Ends the process because a property does not hold; libFuzzer writes the input. */
extern void ev_fuzz_fail(const char *format,...) pg_attribute_printf(1, 2) pg_attribute_noreturn();

/* Returns a NUL-terminated copy, in CurrentMemoryContext. */
extern char *ev_fuzz_string(const EvFuzzPart *part);

/* Returns a part as jsonb, made by PostgreSQL's parser; raises if it is not JSON. */
extern Jsonb *ev_fuzz_jsonb(const EvFuzzPart *part);

/* Returns a copy in memory of exactly its length, which is freed after the round. */
extern Jsonb *ev_fuzz_exact(const Jsonb *value);

/* mutate.c: changes an input in place, and returns its new size. */
extern size_t ev_fuzz_mutate_json(uint8 *data, size_t size, size_t max_size, unsigned int seed);
extern size_t ev_fuzz_cross_json(const uint8 *a, size_t a_size, const uint8 *b, size_t b_size,
								 uint8 *out, size_t max_size, unsigned int seed);

/* libFuzzer's */
extern size_t LLVMFuzzerMutate(uint8 *data, size_t size, size_t max_size);

#endif							/* EV_FUZZ_H */
