/*
 * endless.h
 *	  Schemas that refer to themselves for the same instance.
 */
#ifndef EV_ENDLESS_H
#define EV_ENDLESS_H

#include "compile/program_writer.h"

/*
 * Records a fault for each cycle of blocks.  All blocks of the program are written
 * and not yet linked.
 */
extern void ev_find_endless(EvWriter *writer);

/*
 * Warns of cycles of subschemas without a block, which cannot be reached from the
 * root.  Call ev_find_endless first.
 */
extern void ev_lint_endless(EvCompiler *compiler);

#endif							/* EV_ENDLESS_H */
