/*
 * format_option.h
 *	  Which formats of a schema are asserted: the option assert_format, and the
 *	  formats that it leaves out.
 */
#ifndef EV_FORMAT_OPTION_H
#define EV_FORMAT_OPTION_H

#include "lib/stringinfo.h"

#include "format/format.h"
#include "schema/document.h"

/*
 * Reads a set of names, separated by commas or white space ("duration, time").
 * Returns false, with message and hint of *fault filled, if there is no such
 * format in any draft, or no name.
 */
extern bool ev_format_set_parse(EvFormatSet *set, const char *names, EvFault *fault);

/* Returns the names of a set, "time, duration", in CurrentMemoryContext. */
extern char *ev_format_set_text(EvFormatSet set);

/* Returns the names of a set as text[], in CurrentMemoryContext. */
extern Datum ev_format_set_array(EvFormatSet set);

/*
 * Reads the argument except_formats of an SQL function, text[].  Raises
 * invalid_parameter_value for an unknown format, or if formats are left out
 * although none is asserted, and null_value_not_allowed for a NULL among them.
 */
extern EvFormatSet ev_format_set_argument(Datum names, bool assert_format);

/* Appends the pragma line for these options, unless they are the default. */
extern void ev_format_pragma_append(StringInfo body, bool assert_format, EvFormatSet except);

#endif							/* EV_FORMAT_OPTION_H */
