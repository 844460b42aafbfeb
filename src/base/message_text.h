/*
 * message_text.h
 *	  Formats the texts of messages in functions with variable arguments.
 */
#ifndef EV_MESSAGE_TEXT_H
#define EV_MESSAGE_TEXT_H

#include "lib/stringinfo.h"

/*
 * Appends the text of a format and its arguments.  The arguments can be used
 * again afterwards.
 */
extern void ev_append_message(StringInfo text, const char *format, va_list args) pg_attribute_printf(2, 0);

#endif							/* EV_MESSAGE_TEXT_H */
