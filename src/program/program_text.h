/*
 * program_text.h
 *	  Programs as text, for event_schema_program.
 */
#ifndef EV_PROGRAM_TEXT_H
#define EV_PROGRAM_TEXT_H

#include "program/program.h"

/* Takes one line, which lives until it returns. */
typedef void (*EvLineFunction) (const char *line, void *arg);

/*
 * Writes a program: its instructions, then the checks of the fast path, which
 * begin with the entry point and the root's check.  Long lists and values are
 * cut.
 */
extern void ev_program_text(const EvProgram *program, const char *entry, EvLineFunction line, void *arg);

#endif							/* EV_PROGRAM_TEXT_H */
