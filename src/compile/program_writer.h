/*
 * program_writer.h
 *	  The program being written: its memory, instructions and blocks.
 */
#ifndef EV_PROGRAM_WRITER_H
#define EV_PROGRAM_WRITER_H

#include "program/program.h"
#include "schema/keyword_values.h"
#include "schema/schema_graph.h"

/* The state of the writer. */
typedef struct EvWriter
{
	EvCompiler *compiler;
	EvProgram  *program;
	uint32		code_room;
	uint32		block_room;
	uint32		anchor_room;
	List	   *blocks;			/* EvSubschemas, by the index of the block */
	EvSubschema *subschema;		/* the one being written */
	uint32		block;
	EvKeywordValues keywords;	/* of the subschema */
} EvWriter;

/* Allocate memory of the program, zeroed, and copies in it. */
extern void *ev_program_alloc(EvWriter *w, Size size);
extern EvString ev_program_string(EvWriter *w, const char *data, int length);
extern Numeric ev_program_numeric(EvWriter *w, Numeric number);

/*
 * Copies a value of enum or const, as a separate jsonb in the program's
 * context.
 */
extern EvInstance ev_program_instance(EvWriter *w, const JsonbValue *value);

/*
 * Writes an instruction; the caller sets the member of the union that it uses.
 */
extern EvInstruction *ev_emit_at(EvWriter *w, EvOpcode opcode, const char *keyword, const char *path);

/* Writes an instruction for a keyword of the subschema. */
extern EvInstruction *ev_emit(EvWriter *w, EvOpcode opcode, const char *keyword);

/*
 * Returns the index of a subschema's block, whose code may not be written yet.
 */
extern uint32 ev_block_of(EvWriter *w, EvSubschema *subschema);

/* Returns the block of a subschema inside the current one. */
extern uint32 ev_child_block(EvWriter *w, const char *keyword, const char *tail, const JsonbValue *node);

/* Returns the block of the subschema that is the value of a keyword. */
extern uint32 ev_keyword_block(EvWriter *w, int keyword);

/* Returns the blocks of an array of subschemas. */
extern uint32 *ev_array_blocks(EvWriter *w, int keyword, uint32 *count);

/*
 * Returns the count that is the value of a keyword, at most EV_NO_MAXIMUM - 1.
 */
extern uint32 ev_count_keyword(EvWriter *w, int keyword, uint32 absent);

#endif							/* EV_PROGRAM_WRITER_H */
