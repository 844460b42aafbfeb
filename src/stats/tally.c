/*
 * tally.c
 *	  What this session has validated, for those that watch one command.
 */
#include "postgres.h"

#include "stats/tally.h"

int			ev_watchers = 0;
EvTally		ev_tally = {0};
void		(*ev_tally_progress) (bool valid) = NULL;
