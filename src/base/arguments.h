/*
 * arguments.h
 *	  Arguments of SQL functions that must not be NULL.
 */
#ifndef EV_ARGUMENTS_H
#define EV_ARGUMENTS_H

#include "fmgr.h"

/* Raises null_value_not_allowed if an argument is NULL. */
extern void ev_require_argument(FunctionCallInfo fcinfo, int number, const char *name);

/* The same for arguments first .. count - 1, whose names are names[number]. */
extern void ev_require_arguments(FunctionCallInfo fcinfo, int first, int count, const char *const *names);

#endif							/* EV_ARGUMENTS_H */
