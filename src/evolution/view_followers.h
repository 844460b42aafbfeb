/*
 * view_followers.h
 *	  The views of create_event_view that were made to show the latest version.
 */
#ifndef EV_VIEW_FOLLOWERS_H
#define EV_VIEW_FOLLOWERS_H

/*
 * Gives a NOTICE for each view that shows the latest version of a type and is now behind,
 * since TYPE@VERSION (its name) was registered as a later one; with the call that
 * creates the view anew.  Does nothing for another name, or if a later version exists.
 * Only views of roles count that can create functions in event_schema, or that own the
 * version.  Takes no lock.
 */
extern void ev_view_followers_notice(const char *name);

#endif							/* EV_VIEW_FOLLOWERS_H */
