/*
 * endless.h
 *	  Schemas that lead back to themselves for the same instance.
 */
#ifndef EV_ENDLESS_H
#define EV_ENDLESS_H

#include "compile/program_writer.h"

/* Blocks of a program, all of which are written but not linked: a fault. */
extern void ev_find_endless(EvWriter *writer);

/*
 * Subschemas of the main document that have no block, as the root does not lead
 * to them: a warning.  After ev_find_endless.
 */
extern void ev_lint_endless(EvCompiler *compiler);

#endif							/* EV_ENDLESS_H */
