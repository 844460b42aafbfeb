/*
 * message_text.c
 *	  Formats the texts of messages in functions with variable arguments.
 */
#include "postgres.h"

#include "base/message_text.h"

void
ev_append_message(StringInfo text, const char *format, va_list args)
{
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(text, format, copy);
		va_end(copy);
		if (needed == 0)
			return;
		enlargeStringInfo(text, needed);
	}
}
