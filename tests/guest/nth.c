// SPDX-License-Identifier: GPL-2.0
/*
 * nth.c: does one thing, and has the kernel fail the Nth allocation, or another thing that can be
 * made to fail, that this takes.
 *
 * Prints "failed" or "whole", whether there were that many; and how it went, as an errno's name. In
 * the trace the thing is between two marks.
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

static noreturn void give_up(const char *what)
{
	fprintf(stderr, "nth: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_for(const char *path, int how)
{
	int fd = open(path, how);

	if (fd < 0)
		give_up(path);
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
		give_up("write");
}

static int load(const char *path, int ko)
{
	(void)path;
	return syscall(SYS_finit_module, ko, "", 0);
}

/* Opens the file and reads it. */
static int read_once(const char *path, int ko)
{
	char table[4096];
	int fd = open(path, O_RDONLY), got;

	(void)ko;
	if (fd < 0)
		return -1;
	got = read(fd, table, sizeof(table));
	if (got < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	int (*thing)(const char *path, int ko) = read_once;
	int nth, marker, ko = -1, result, error;
	char left[16] = "";

	if (argc != 4) {
		fprintf(stderr, "usage: nth N read|load PATH\n");
		return 2;
	}
	nth = open_for("/proc/self/fail-nth", O_RDWR);
	marker = open_for("/sys/kernel/tracing/trace_marker", O_WRONLY);
	if (!strcmp(argv[2], "load")) {
		thing = load;
		ko = open_for(argv[3], O_RDONLY);
	}

	put(marker, "begin %s %s", argv[2], argv[1]);
	put(nth, "%s", argv[1]);
	result = thing(argv[3], ko);
	error = result ? errno : 0;
	if (pread(nth, left, sizeof(left) - 1, 0) < 0)
		give_up("/proc/self/fail-nth");
	put(nth, "0");
	put(marker, "end %s", error ? strerrorname_np(error) : "0");

	printf("%s %s\n", atoi(left) ? "whole" : "failed", error ? strerrorname_np(error) : "0");
	return 0;
}
