/*
 * view_property.h
 *	  A property of an event as a value of an SQL type.
 */
#ifndef EV_VIEW_PROPERTY_H
#define EV_VIEW_PROPERTY_H

#include "utils/numeric.h"

/* Is a number within a limit of bigint: the lower one, or the upper one? */
extern bool ev_number_fits_int8(Numeric number, bool lower);

/*
 * Is a string a decimal that the functions of view_property.c read as a
 * number: an optional sign, digits, an optional point?
 */
extern bool ev_is_decimal(const char *string, int length);

#endif							/* EV_VIEW_PROPERTY_H */
