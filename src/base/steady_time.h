/*
 * steady_time.h
 *	  A clock for intervals and deadlines.
 *
 * The clock of the day can jump: an administrator sets it, a virtual machine is
 * resumed.  A deadline by that clock can then be a year away.
 */
#ifndef EV_STEADY_TIME_H
#define EV_STEADY_TIME_H

#include "datatype/timestamp.h"
#include "portability/instr_time.h"

/*
 * Returns the microseconds since some moment, never 0.  They fit the functions for
 * timestamps, but are no time of the day.
 */
static inline TimestampTz
ev_steady_time(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (TimestampTz) INSTR_TIME_GET_MICROSEC(now) + 1;
}

#endif							/* EV_STEADY_TIME_H */
