// SPDX-License-Identifier: GPL-2.0
/*
 * reader.c: reads a jitasklet file in one particular way, and checks what it gets byte by byte.
 *
 * Exits 0 if all was as it should be; else says what was not, and exits 1.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER	"   time   delta  inirq    pid   cpu command\n"
#define RUNS	5
#define PAGE	4096

static const char *path;

static noreturn void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# %s: ", path);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

static int open_file(void)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail("open: %s", strerror(errno));
	return fd;
}

/* The comm of this task as the table has to show it: as seq_escape() would. */
static void own_comm(char *shown)
{
	char comm[16] = "";
	const char *c;

	prctl(PR_GET_NAME, comm);
	for (c = comm; *c; c++) {
		unsigned char byte = *c;

		if (byte < 0x20 || byte == 0x7f || byte == '\\')
			shown += sprintf(shown, "\\%03o", byte);
		else
			*shown++ = byte;
	}
	*shown = '\0';
}

/* One row: its numbers, printed as they have to be, must give the row again. */
static char *check_row(char *row, int number, long *time, int *cpu)
{
	char *end = strchr(row, '\n'), *comm = NULL, again[256], own[64];
	int inirq, pid, on, at = 0, last = number == RUNS;
	long now, delta;

	if (!end)
		fail("row %d is cut off: \"%s\"", number, row);
	*end = '\0';
	if (sscanf(row, "%ld %ld %d %d %d%n", &now, &delta, &inirq, &pid, &on, &at) != 5)
		fail("row %d does not parse: \"%s\"", number, row);
	comm = row + at + 3;
	snprintf(again, sizeof(again), "%9li  %3li     %i    %6i   %i   %s",
		 now, delta, inirq, pid, on, comm);
	if (strcmp(row, again))
		fail("row %d is \"%s\" and should be \"%s\"", number, row, again);
	if (!*comm || strpbrk(comm, "\t\r\033"))
		fail("row %d has an impossible comm: \"%s\"", number, row);

	if (number == 0) {
		own_comm(own);
		if (delta || inirq || pid != getpid() || strcmp(comm, own))
			fail("the reader is %d %s, and its row is \"%s\"", getpid(), own, row);
	} else {
		if (delta != now - *time || delta < 0)
			fail("row %d follows jiffy %ld: \"%s\"", number, *time, row);
		if (inirq != 1)
			fail("row %d was not in an interrupt: \"%s\"", number, row);
		if (number > 1 && on != *cpu)
			fail("row %d follows one on CPU %d: \"%s\"", number, *cpu, row);
	}
	*time = now;
	*cpu = on;
	if (last && end[1])
		fail("there is more after the last row: \"%s\"", end + 1);
	return end + 1;
}

static void check_table(char *table)
{
	char *row = table + strlen(HEADER);
	int number, cpu = -1;
	long time = 0;

	if (strncmp(table, HEADER, strlen(HEADER)))
		fail("wrong header: \"%.*s\"", (int)strlen(HEADER), table);
	for (number = 0; number <= RUNS; number++)
		row = check_row(row, number, &time, &cpu);
}

/* Reads the rest of the file in steps, into a string. */
static ssize_t read_all(int fd, char *table, size_t step)
{
	ssize_t done = 0, got;

	do {
		got = read(fd, table + done, step);
		if (got < 0)
			return -1;
		done += got;
	} while (got && done < PAGE - (ssize_t)step);
	table[done] = '\0';
	return done;
}

static void read_table(size_t step)
{
	char table[PAGE + 1];
	int fd = open_file();

	if (read_all(fd, table, step) < 0)
		fail("read: %s", strerror(errno));
	close(fd);
	check_table(table);
}

static void many(int count)
{
	while (count--)
		read_table(1024);
}

/* Readers that all read at the same time, released together. */
static void crowd(int readers)
{
	int gate[2], i, status, bad = 0;
	char byte;

	if (pipe(gate))
		fail("pipe: %s", strerror(errno));
	fflush(stdout);
	for (i = 0; i < readers; i++) {
		if (!fork()) {
			close(gate[1]);
			while (read(gate[0], &byte, 1) > 0)
				;
			many(20);
			exit(0);
		}
	}
	close(gate[1]);
	while (wait(&status) > 0)
		bad += status != 0;
	if (bad)
		fail("%d of %d readers failed", bad, readers);
}

/* Positioned reads: from wherever, of a table that is measured for it. */
static void positioned(void)
{
	size_t header = strlen(HEADER);
	char table[PAGE + 1];
	int fd = open_file();
	ssize_t got;

	got = pread(fd, table, header, 0);
	if (got != (ssize_t)header || memcmp(table, HEADER, header))
		fail("pread of the header gave %zd bytes", got);

	memcpy(table, HEADER, header);
	got = pread(fd, table + header, PAGE - header, header);
	if (got <= 0)
		fail("pread behind the header: %zd, %s", got, strerror(errno));
	table[header + got] = '\0';
	check_table(table);

	got = pread(fd, table, 1, 3000);
	if (got)
		fail("pread behind the end gave %zd", got);
	/* None of this moved the file's own position. */
	if (read_all(fd, table, 1024) < 0)
		fail("read after pread: %s", strerror(errno));
	check_table(table);
	close(fd);
}

static void seek_to(int fd, off_t where)
{
	if (lseek(fd, where, SEEK_SET) != where)
		fail("lseek to %ld: %s", (long)where, strerror(errno));
}

static void seeking(void)
{
	size_t header = strlen(HEADER);
	char table[PAGE + 1];
	int fd = open_file();

	read_all(fd, table, 7);
	check_table(table);

	/* The middle of a row, then all of it again. */
	seek_to(fd, header + 5);
	if (read_all(fd, table, 11) <= 0)
		fail("nothing behind an lseek into the first row");
	seek_to(fd, header);
	memcpy(table, HEADER, header);
	read_all(fd, table + header, 13);
	check_table(table);
	seek_to(fd, 0);
	read_all(fd, table, 1024);
	check_table(table);

	seek_to(fd, 3000);
	if (read(fd, table, 1) != 0)
		fail("there is something behind the end");
	close(fd);
}

/* Root may open any file for writing, but not even root may write. */
static void refused(void)
{
	int fd = open(path, O_WRONLY), status;

	if (fd < 0)
		fail("open for writing as root: %s", strerror(errno));
	if (write(fd, "x", 1) != -1 || errno != EIO)
		fail("a write did not fail with EIO");
	close(fd);

	fflush(stdout);
	if (!fork()) {
		if (setuid(65534))
			fail("setuid: %s", strerror(errno));
		if (open(path, O_WRONLY) != -1 || errno != EACCES)
			fail("an open for writing did not fail with EACCES");
		many(1);
		exit(0);
	}
	wait(&status);
	if (status)
		exit(1);
}

/* Comms that would forge a row, break one, or be taken for an escape. */
static void named(void)
{
	static const char * const names[] = {
		"x\n9 9 9 9", "\n", "tab\there", "a\\012b", "\001\002\033[31m\177", "\\",
		"gr\303\274n", " ", "a  b", "(sd-pam) [x]", "fifteen chars..",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		prctl(PR_SET_NAME, names[i]);
		read_table(1024);
	}
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void storm_of(unsigned int usec)
{
	struct itimerval timer = { { 0, usec }, { 0, usec } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A signal every 70 us: each read gives a whole table or EINTR, and some give EINTR. */
static void interrupted(int count)
{
	struct sigaction action = { .sa_handler = on_alarm };
	int whole = 0, eintr = 0;
	char table[PAGE + 1];

	sigaction(SIGALRM, &action, NULL);
	storm_of(70);
	while (whole + eintr < count || (!eintr && whole < 100 * count)) {
		int fd = open(path, O_RDONLY);
		ssize_t got;

		if (fd < 0 && errno == EINTR)
			continue;
		got = read(fd, table, PAGE);
		if (got > 0) {
			storm_of(0);
			table[got] = '\0';
			check_table(table);
			whole++;
			storm_of(70);
		} else if (got < 0 && errno == EINTR) {
			eintr++;
		} else {
			fail("in a signal storm read gave %zd, %s", got, strerror(errno));
		}
		close(fd);
	}
	storm_of(0);
	printf("# %s: %d whole tables, %d times EINTR\n", path, whole, eintr);
	if (!eintr)
		fail("no read ever gave EINTR, so nothing was tested");
}

/* Killed in the middle of reading, at ever other places. */
static void sigkilled(int count)
{
	int i, status;

	fflush(stdout);
	for (i = 0; i < count; i++) {
		pid_t child = fork();

		if (!child)
			for (;;)
				many(1);
		usleep(500 + 37 * i % 2000);
		kill(child, SIGKILL);
		if (waitpid(child, &status, 0) != child)
			fail("waitpid: %s", strerror(errno));
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail("a killed reader ended with %#x", status);
	}
}

/* Reads until the file is gone: how a reader sees an rmmod. */
static void loop(void)
{
	char table[PAGE + 1];
	ssize_t got;
	int fd;

	for (;;) {
		fd = open(path, O_RDONLY);
		if (fd < 0 && errno == ENOENT)
			return;
		if (fd < 0)
			fail("open: %s", strerror(errno));
		got = read(fd, table, PAGE);
		if (got < 0 && errno == EIO)
			return;
		if (got <= 0)
			fail("read: %zd, %s", got, strerror(errno));
		table[got] = '\0';
		check_table(table);
		close(fd);
	}
}

/* Holds the file open until a line comes on standard input, and reads then. */
static void hold(void)
{
	char table[PAGE + 1];
	int fd = open_file();
	ssize_t got;

	got = read(fd, table, 10);
	if (got != 10)
		fail("read before: %zd, %s", got, strerror(errno));
	printf("# %s: held open\n", path);
	fflush(stdout);
	if (!fgets(table, sizeof(table), stdin))
		fail("no line on standard input");
	got = read(fd, table, PAGE);
	if (got != -1 || errno != EIO)
		fail("a read of a file that is gone gave %zd, %s", got, strerror(errno));
	if (lseek(fd, 0, SEEK_SET) != -1)
		fail("an lseek in a file that is gone succeeded");
	close(fd);
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";
	int count = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 3) {
		fprintf(stderr, "usage: reader FILE HOW [COUNT]\n");
		return 2;
	}
	path = argv[1];
	if (!strcmp(how, "many"))
		many(count);
	else if (!strcmp(how, "steps"))
		read_table(count);
	else if (!strcmp(how, "crowd"))
		crowd(count);
	else if (!strcmp(how, "pread"))
		positioned();
	else if (!strcmp(how, "seek"))
		seeking();
	else if (!strcmp(how, "write"))
		refused();
	else if (!strcmp(how, "names"))
		named();
	else if (!strcmp(how, "storm"))
		interrupted(count);
	else if (!strcmp(how, "kill"))
		sigkilled(count);
	else if (!strcmp(how, "loop"))
		loop();
	else if (!strcmp(how, "hold"))
		hold();
	else
		fail("there is no way to read '%s'", how);
	return 0;
}
