/*
 * progress_slot.h
 *	  What a backend's entry in PostgreSQL's status array has for event_progress:
 *	  written by progress.c, read by progress_view.c.
 */
#ifndef EV_PROGRESS_SLOT_H
#define EV_PROGRESS_SLOT_H

#include "stats/progress.h"
#include "utils/backend_progress.h"

/*
 * Our command in st_progress_command.  PostgreSQL only compares that field for
 * equality with its own commands, which are the numbers from 0 to 6.
 */
#define EV_PROGRESS_SLOT	((ProgressCommandType) 118)

/*
 * The fields, in st_progress_param.  An ALTER TABLE of ours that rewrites a table, or builds an
 * index, also writes there, as if it were CLUSTER or CREATE INDEX: the numbers 1, 7, 9
 * to 12, 15 and 16.  So these are not used.
 */
enum
{
	EV_SLOT_LAYOUT = 0,			/* EV_SLOT_THIS_LAYOUT, lest another extension
								 * has chosen the same command */
	EV_SLOT_COMMAND = 2,
	EV_SLOT_PHASE = 3,
	EV_SLOT_RELATION = 4,
	EV_SLOT_TOTAL = 5,
	EV_SLOT_DONE = 6,
	EV_SLOT_CHANGED = 8,
	EV_SLOT_FAILED = 17,
	EV_SLOT_STARTED = 18,
	EV_SLOT_LEADER = 19
};

#define EV_SLOT_THIS_LAYOUT		INT64CONST(0x45564c4450524702)

extern const char *const ev_progress_command_names[EV_PROGRESS_COMMANDS];
extern const char *const ev_progress_phase_names[EV_PHASES];

#endif							/* EV_PROGRESS_SLOT_H */
