// SPDX-License-Identifier: GPL-2.0
/*
 * walk.c: repeats one operation, and has the kernel fail its first allocation, then the second one,
 * until there are no more.
 *
 * A failed load must leave nothing behind; a read returns its table or ENOMEM, and the next read
 * returns its table. In the trace each attempt is between two marks, the second with the errno.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MANY	10000
/*
 * The number of allocations varies with the state of the kernel's caches. So the walk
 * ends only after this many attempts in a row without a failure.
 */
#define SPARE	30

static const char *path;
static int nth, marker, ko;

static noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

static int open_for(const char *file, int how)
{
	int fd = open(file, how);

	if (fd < 0)
		fail("%s: %s", file, strerror(errno));
	return fd;
}

static void put(int fd, const char *format, ...)
{
	char text[128];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (write(fd, text, length) != length)
		fail("write: %s", strerror(errno));
}

static int load(void)
{
	return syscall(SYS_finit_module, ko, "bh=1", 0) ? errno : 0;
}

static void after_load(int n, int error)
{
	static const char * const files[] = {
		"/proc/jitasklet", "/proc/jitasklethi", "/proc/jitbh"
	};
	int unloaded = syscall(SYS_delete_module, "jitasklet", 0) ? errno : 0;
	int i;

	if (unloaded != (error ? ENOENT : 0))
		fail("load %d: it gave %s, and unloading %s", n, strerrorname_np(error),
		     strerror(unloaded));
	for (i = 0; i < 3; i++) {
		if (!access(files[i], F_OK))
			fail("load %d: it gave %s, and left %s", n, strerror(error), files[i]);
	}
}

/* Opens the file and reads it: a header and six rows. */
static int read_table(void)
{
	char table[4096], *c;
	int fd = open(path, O_RDONLY), error = 0, lines = 0, got;

	if (fd < 0)
		return errno;
	got = read(fd, table, sizeof(table) - 1);
	if (got < 0)
		error = errno;
	close(fd);
	if (error)
		return error;
	table[got] = '\0';
	for (c = table; (c = strchr(c, '\n')); c++)
		lines++;
	if (lines != 7)
		fail("a table of %d lines: \"%s\"", lines, table);
	return 0;
}

static void after_read(int n, int error)
{
	int next = read_table();

	if (error && error != ENOMEM)
		fail("read %d gave %s", n, strerror(error));
	if (next)
		fail("the read after read %d gave %s", n, strerror(next));
}

int main(int argc, char **argv)
{
	int loads, n, error, sites = 0, failed = 0, missed = 0;
	char left[16] = "";

	if (argc != 3) {
		fprintf(stderr, "usage: walk read|load PATH\n");
		return 2;
	}
	loads = !strcmp(argv[1], "load");
	path = argv[2];
	nth = open_for("/proc/self/fail-nth", O_RDWR);
	marker = open_for("/sys/kernel/tracing/trace_marker", O_WRONLY);
	if (loads)
		ko = open_for(path, O_RDONLY);

	for (n = 1; missed < SPARE; n++) {
		if (n == MANY)
			fail("there still are allocations after %d", n);
		put(marker, "begin %d", n);
		put(nth, "%d", n);
		error = loads ? load() : read_table();
		if (pread(nth, left, sizeof(left) - 1, 0) < 0)
			fail("/proc/self/fail-nth: %s", strerror(errno));
		put(nth, "0");
		put(marker, "end %s", error ? strerrorname_np(error) : "0");

		(loads ? after_load : after_read)(n, error);
		if (atoi(left)) {
			if (error)
				fail("without a fault, %d gave %s", n, strerror(error));
			missed++;
			continue;
		}
		missed = 0;
		sites++;
		failed += !!error;
	}
	printf("# %s: %d sites failed: %d times it failed, %d times it succeeded nevertheless\n",
	       argv[1], sites, failed, sites - failed);
	return !failed;
}
