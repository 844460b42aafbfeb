/*
 * program_text.h
 *	  Programs as text, for event_schema_program.
 */
#ifndef EV_PROGRAM_TEXT_H
#define EV_PROGRAM_TEXT_H

#include "program/program.h"

/* Receives one line, which is valid only during the call. */
typedef void (*EvLineFunction) (const char *line, void *arg);

/*
 * Writes a program as text: its instructions, then the checks of the fast
 * path, which begin with the entry function and the check of the root.  Long
 * lists and values are cut.
 */
extern void ev_program_text(const EvProgram *program, const char *entry, EvLineFunction line, void *arg);

#endif							/* EV_PROGRAM_TEXT_H */
