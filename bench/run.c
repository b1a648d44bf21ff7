// SPDX-License-Identifier: GPL-2.0
/*
 * run.c: reads the measured files in turn, and prints the figures, for bench.sh:
 *
 *     run time READS TURNS FILE...	the median nanoseconds of a read(2) of each file
 *     run probe READS TURNS FILE...	the median of the figures of /proc/bench_probe
 *     run crowd MS TURNS FILE...	reads per second by 1, 2, 4, ... 64 readers
 *
 * In each turn every file is read. The first turn is a warm-up, and prints nothing.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE	4096
#define READERS	64
#define FILES	2

static void fail(const char *what)
{
	fprintf(stderr, "run: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail(path);
	return fd;
}

/* Reads the whole file, which measures anew. */
static void read_file(int fd, char *text)
{
	ssize_t got;

	if (lseek(fd, 0, SEEK_SET) < 0)
		fail("lseek");
	got = read(fd, text, PAGE - 1);
	if (got <= 0)
		fail("read");
	text[got] = '\0';
}

static int compare(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long long median(long long *values, int count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static void time_reads(const char *path, int reads, int quiet)
{
	long long *took = calloc(reads, sizeof(*took)), began;
	char text[PAGE];
	int i, fd = open_file(path);

	for (i = 0; i < reads; i++) {
		if (lseek(fd, 0, SEEK_SET) < 0)
			fail("lseek");
		began = now();
		if (read(fd, text, PAGE) <= 0)
			fail("read");
		took[i] = now() - began;
	}
	close(fd);
	if (!quiet)
		printf("read %s 1 %lld\n", path, median(took, reads));
	free(took);
}

static void probe_reads(const char *path, int reads, int quiet)
{
	long long *took = calloc(reads, sizeof(*took)), *bytes = calloc(reads, sizeof(*bytes));
	int i, runs, all_runs = 0, fd = open_file(path), probe = open_file("/proc/bench_probe");
	char text[PAGE];

	for (i = 0; i < reads; i++) {
		/* The first read of each file allocates its buffer. */
		if (!i)
			read_file(fd, text);
		read_file(probe, text);
		read_file(fd, text);
		read_file(probe, text);
		if (sscanf(text, "%d %lld %lld", &runs, &took[i], &bytes[i]) != 3)
			fail("/proc/bench_probe");
		all_runs += runs;
	}
	close(fd);
	close(probe);
	if (!quiet) {
		printf("callback %s %d %lld\n", path, all_runs / reads, median(took, reads));
		printf("bytes %s 1 %lld\n", path, median(bytes, reads));
	}
	free(took);
	free(bytes);
}

/* The number of times that a reader has read each file, in a cache line of its own. */
struct counter {
	long long reads[FILES];
	char padding[128 - FILES * sizeof(long long)];
};

static struct shared {
	struct counter counters[READERS];
	/* The file that all readers read, or -1 when they are to end. */
	int file;
} *shared;

static void reader(char **paths, int files, struct counter *counter)
{
	int fds[FILES], i, file;
	char text[PAGE];

	for (i = 0; i < files; i++)
		fds[i] = open_file(paths[i]);
	for (;;) {
		file = __atomic_load_n(&shared->file, __ATOMIC_RELAXED);
		if (file < 0)
			_exit(0);
		read_file(fds[file], text);
		__atomic_store_n(&counter->reads[file], counter->reads[file] + 1,
				 __ATOMIC_RELAXED);
	}
}

static long long count_reads(int reader, int file)
{
	return __atomic_load_n(&shared->counters[reader].reads[file], __ATOMIC_RELAXED);
}

/* Returns the reads per second, once every reader has left the previous file. */
static long long rate(int file, int readers, int ms)
{
	long long before[READERS], before_all = 0, began, took, reads;
	int i;

	for (i = 0; i < readers; i++)
		before[i] = count_reads(i, file);
	__atomic_store_n(&shared->file, file, __ATOMIC_RELAXED);
	for (i = 0; i < readers; i++) {
		while (count_reads(i, file) == before[i])
			usleep(500);
	}
	began = now();
	for (i = 0; i < readers; i++)
		before_all += count_reads(i, file);
	/* Goes on, on a slow machine, until there are as many reads as readers. */
	do {
		usleep(ms * 1000);
		took = now() - began;
		for (i = 0, reads = -before_all; i < readers; i++)
			reads += count_reads(i, file);
	} while (reads < readers);
	return reads * 1000000000 / took;
}

static void crowd(char **paths, int files, int ms, int readers, int turns)
{
	int i, turn, file, status;
	long long reads;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	for (i = 0; i < readers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (!pid)
			reader(paths, files, &shared->counters[i]);
	}
	for (turn = 0; turn <= turns; turn++) {
		for (file = 0; file < files; file++) {
			reads = rate(file, readers, ms);
			if (turn)
				printf("readers-%d %s 1 %lld\n", readers, paths[file], reads);
		}
	}
	__atomic_store_n(&shared->file, -1, __ATOMIC_RELAXED);
	while (wait(&status) > 0) {
		if (status)
			fail("a reader");
	}
}

int main(int argc, char **argv)
{
	int count, turns, turn, i, readers, files = argc - 4;
	char **paths = argv + 4;

	if (files < 1 || files > FILES) {
		fprintf(stderr, "usage: run time|probe|crowd COUNT TURNS FILE...\n");
		return 2;
	}
	count = atoi(argv[2]);
	turns = atoi(argv[3]);
	if (!strcmp(argv[1], "crowd")) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared == MAP_FAILED)
			fail("mmap");
		for (readers = 1; readers <= READERS; readers *= 2)
			crowd(paths, files, count, readers, turns);
		return 0;
	}
	for (turn = 0; turn <= turns; turn++) {
		for (i = 0; i < files; i++) {
			if (!strcmp(argv[1], "time"))
				time_reads(paths[i], count, !turn);
			else
				probe_reads(paths[i], count, !turn);
		}
	}
	return 0;
}
