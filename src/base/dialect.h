/*
 * dialect.h
 *	  The dialects of JSON Schema, as numbers and as sets.
 */
#ifndef EV_DIALECT_H
#define EV_DIALECT_H

typedef enum EvDraft
{
	EV_DRAFT4,
	EV_DRAFT6,
	EV_DRAFT7,
	EV_DRAFT2019,
	EV_DRAFT2020,
	EV_V1
} EvDraft;

#define EV_DRAFT_COUNT		6

/* sets of drafts */
#define EV_IN(draft)		(1 << (draft))
#define EV_ALL_DRAFTS		((1 << EV_DRAFT_COUNT) - 1)
#define EV_SINCE(draft)		(EV_ALL_DRAFTS & ~(EV_IN(draft) - 1))
#define EV_UNTIL(draft)		(EV_IN(draft) | (EV_IN(draft) - 1))

#endif							/* EV_DIALECT_H */
