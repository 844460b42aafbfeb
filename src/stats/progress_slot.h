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

/* The fields, in st_progress_param. */
enum
{
	EV_SLOT_LAYOUT,				/* EV_SLOT_THIS_LAYOUT, lest another extension
								 * has chosen the same command */
	EV_SLOT_COMMAND,
	EV_SLOT_PHASE,
	EV_SLOT_RELATION,
	EV_SLOT_TOTAL,
	EV_SLOT_DONE,
	EV_SLOT_CHANGED,
	EV_SLOT_FAILED,
	EV_SLOT_STARTED,
	EV_SLOT_LEADER,
	EV_SLOT_FIELDS
};

#define EV_SLOT_THIS_LAYOUT		INT64CONST(0x45564c4450524701)

extern const char *const ev_progress_command_names[EV_PROGRESS_COMMANDS];
extern const char *const ev_progress_phase_names[EV_PHASES];

#endif							/* EV_PROGRESS_SLOT_H */
