/*
 * optimize.h
 *	  Prepares the fast path of a program.
 */
#ifndef EV_OPTIMIZE_H
#define EV_OPTIMIZE_H

#include "program/program.h"

/*
 * Fills in the data of the fast path: checks, words and discriminators, in
 * CurrentMemoryContext, which must be the program's.
 */
extern void ev_optimize(EvProgram *program);

#endif							/* EV_OPTIMIZE_H */
