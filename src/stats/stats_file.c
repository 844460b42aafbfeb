/*
 * stats_file.c
 *	  The file that keeps the statistics while the server is down.
 *
 * It has a head, the items of both kinds as they are in memory, and a checksum
 * of all this.  The server removes it when it starts, so that it starts anew after a
 * crash, with nothing that is older than what was lost.
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"

#include "stats/stats_file.h"

#define FILE_NAME	PGSTAT_STAT_PERMANENT_DIRECTORY "/event_validate.stat"
#define MAGIC		0x45565334U /* changes with the layout */

/* A larger file is not read: its contents must be in memory once more. */
#define FILE_MAX	((int64) 16 * 1024 * 1024 * 1024)

static Size
item_size(const EvStatsFileHead *head, int kind)
{
	return head->sizes[kind] + (kind == EV_STATS_VERDICTS ? sizeof(EvPeriod) * (head->periods[EV_HOURS] + head->periods[EV_DAYS]) : 0);
}

static void
set_head(EvStatsFileHead *head, const int *periods)
{
	memset(head, 0, sizeof(EvStatsFileHead));
	head->magic = MAGIC;
	head->server = PG_VERSION_NUM / 100;
	head->sizes[EV_STATS_VERDICTS] = offsetof(EvStatsItem, history);
	head->sizes[EV_STATS_FAILURES] = sizeof(EvFailureItem);
	memcpy(head->periods, periods, sizeof(head->periods));
}

/* ---------- writing ---------- */

static bool
write_bytes(FILE *file, const void *data, Size size, pg_crc32c *crc)
{
	COMP_CRC32C(*crc, data, size);
	return fwrite(data, 1, size, file) == size;
}

static bool
write_all(FILE *file, EvStatsFileHead *head, EvTable *(*table_of) (EvStatsKind kind, int partition))
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
		{
			const EvTable *table = table_of(kind, partition);

			head->evicted[kind] += table->evicted;
			for (int i = 0; i < table->count; i++)
				head->counts[kind] += ev_table_item(table, i)->used;
		}
	if (!write_bytes(file, head, sizeof(EvStatsFileHead), &crc))
		return false;
	for (int kind = 0; kind < EV_STATS_KINDS; kind++)
		for (int partition = 0; partition < EV_STATS_PARTITIONS; partition++)
		{
			const EvTable *table = table_of(kind, partition);

			for (int i = 0; i < table->count; i++)
				if (ev_table_item(table, i)->used &&
					!write_bytes(file, ev_table_item(table, i), item_size(head, kind), &crc))
					return false;
		}
	FIN_CRC32C(crc);
	return fwrite(&crc, 1, sizeof(crc), file) == sizeof(crc);
}

void
ev_stats_file_write(EvTable *(*table_of) (EvStatsKind kind, int partition), const int *periods, TimestampTz reset_at)
{
	EvStatsFileHead head;
	FILE	   *file = AllocateFile(FILE_NAME ".tmp", PG_BINARY_W);
	bool		written;

	set_head(&head, periods);
	head.reset_at = reset_at;
	written = file != NULL && write_all(file, &head, table_of);
	if (file != NULL && FreeFile(file) != 0)
		written = false;
	if (!written)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", FILE_NAME ".tmp")));
		unlink(FILE_NAME ".tmp");
		return;
	}
	(void) durable_rename(FILE_NAME ".tmp", FILE_NAME, LOG);
}

/* ---------- reading ---------- */

/* Returns the contents; NULL: there are none that can be used. */
static char *
read_contents(Size *size)
{
	FILE	   *file = AllocateFile(FILE_NAME, PG_BINARY_R);
	struct stat about;
	char	   *result = NULL;

	if (file == NULL)
	{
		if (errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", FILE_NAME)));
		return NULL;
	}
	if (fstat(fileno(file), &about) == 0 && about.st_size > (off_t) sizeof(EvStatsFileHead) && about.st_size < FILE_MAX)
	{
		*size = about.st_size;
		result = MemoryContextAllocExtended(CurrentMemoryContext, *size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
		if (result != NULL && fread(result, 1, *size, file) != *size)
		{
			pfree(result);
			result = NULL;
		}
	}
	if (result == NULL)
		ereport(LOG,
				(errmsg("ignoring file \"%s\": it could not be read", FILE_NAME)));
	FreeFile(file);
	return result;
}

static bool
is_sound(const char *contents, Size size, EvStatsFileHead *head)
{
	EvStatsFileHead expected;
	pg_crc32c	crc;
	pg_crc32c	stored;
	Size		items;

	memcpy(head, contents, sizeof(EvStatsFileHead));
	set_head(&expected, head->periods);
	if (memcmp(head, &expected, offsetof(EvStatsFileHead, counts)) != 0)
		return false;
	items = size - sizeof(EvStatsFileHead) - sizeof(crc);
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, contents, size - sizeof(crc));
	FIN_CRC32C(crc);
	memcpy(&stored, contents + size - sizeof(crc), sizeof(crc));
	return EQ_CRC32C(crc, stored) &&
		items == head->counts[EV_STATS_VERDICTS] * item_size(head, EV_STATS_VERDICTS) +
		head->counts[EV_STATS_FAILURES] * item_size(head, EV_STATS_FAILURES);
}

bool
ev_stats_file_read(EvStatsFileHead *head, void (*restore) (EvStatsKind kind, const EvTableItem *item, const int *periods))
{
	Size		size;
	char	   *contents = read_contents(&size);
	bool		sound = contents != NULL && is_sound(contents, size, head);
	const char *next = contents + sizeof(EvStatsFileHead);

	if (contents != NULL && !sound)
		ereport(LOG,
				(errmsg("ignoring file \"%s\": it is damaged, or of another version", FILE_NAME)));
	for (int kind = 0; sound && kind < EV_STATS_KINDS; kind++)
		for (int64 i = 0; i < head->counts[kind]; i++, next += item_size(head, kind))
			restore(kind, (const EvTableItem *) next, head->periods);
	if (contents != NULL)
		pfree(contents);
	unlink(FILE_NAME);
	return sound;
}
