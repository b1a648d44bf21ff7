// SPDX-License-Identifier: GPL-2.0
/*
 * reader.c: reads a file of jitasklet or jit_edu in one particular way, and checks the result byte
 * by byte.
 *
 * Exits 0 if everything was right; otherwise says what was wrong, and exits 1.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS	5
#define PAGE	4096

static const char tasklet_header[] = "   time   delta  inirq    pid   cpu command\n";
static const char irq_header[] = "half        nanoseconds  context      pid  cpu  command\n";

static const char *path;
static const char *header = tasklet_header;

/* What a reader is doing, shared with the process that kills it. */
enum { STARTING, BETWEEN, READING };

/* The counters of all readers, and whether they shall end. */
static struct shared {
	atomic_long tables, eintr, gone, killed, killed_reading;
	atomic_int reading, most_reading, failed, end;
	struct slot {
		atomic_long tables;
		atomic_int doing;
	} slot[256];
} *shared;

/* This reader: its pid, its comm as the table must show it, and its slot. */
static struct {
	pid_t pid;
	char comm[64];
	struct slot *slot;
} self;

/* If many readers fail, only a few say why. */
static noreturn void fail(const char *format, ...)
{
	va_list args;

	if (shared && shared->failed++ >= 5)
		exit(1);
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

/* Fills in @self: the comm as seq_escape() prints it. */
static void know_self(int slot)
{
	char comm[16] = "", *shown = self.comm;
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
	self.pid = getpid();
	self.slot = &shared->slot[slot];
}

/* Forks a reader that counts in a slot, on a CPU of its own if there are enough. */
static pid_t fork_reader(int slot)
{
	pid_t child;
	cpu_set_t cpu;

	fflush(stdout);
	child = fork();
	if (child < 0)
		fail("fork: %s", strerror(errno));
	if (!child) {
		CPU_ZERO(&cpu);
		CPU_SET(slot % sysconf(_SC_NPROCESSORS_ONLN), &cpu);
		sched_setaffinity(0, sizeof(cpu), &cpu);
		know_self(slot);
	}
	return child;
}

static void wait_for_readers(int readers)
{
	int status, bad = 0;

	while (wait(&status) > 0)
		bad += status != 0;
	if (bad) {
		printf("# %s: %d of %d readers failed\n", path, bad, readers);
		exit(1);
	}
}

static noreturn void fail_row(int number, const char *row, const char *why)
{
	fail("row %d %s: \"%.*s\"", number, why, (int)strcspn(row, "\n"), row);
}

/*
 * Skips @blanks spaces, then parses a number that printf() right-aligned in @width. Returns -1 if
 * there is none. sscanf() would take longer than the read of the file.
 */
static long number_in(const char **at, int blanks, int width)
{
	const char *start = *at, *digits, *c;
	long value = 0;

	for (c = start; c < start + blanks; c++)
		if (*c != ' ')
			return -1;
	start = c;
	while (*c == ' ')
		c++;
	for (digits = c; *c >= '0' && *c <= '9' && c < digits + 18; c++)
		value = 10 * value + *c - '0';
	if (c == digits || (*digits == '0' && c > digits + 1))
		return -1;
	if (c - start != width && (c - start < width || digits > start))
		return -1;
	*at = c;
	return value;
}

/* Checks one row, which must be as printf() formats "%9li  %3li     %i    %6i   %i   %s\n". */
static const char *check_row(const char *row, int number, long *time, long *cpu)
{
	const char *at = row, *comm;
	long now = number_in(&at, 0, 9);
	long delta = number_in(&at, 2, 3);
	long inirq = number_in(&at, 5, 1);
	long pid = number_in(&at, 4, 6);
	long on = number_in(&at, 3, 1);

	if (now < 0 || delta < 0 || inirq < 0 || pid < 0 || on < 0 || strncmp(at, "   ", 3))
		fail_row(number, row, "does not have its form");
	comm = at + 3;
	for (at = comm; (unsigned char)*at >= ' ' && *at != 0x7f; at++)
		;
	if (*at != '\n' || at == comm)
		fail_row(number, row, "is cut off, or has an impossible comm");

	if (number == 0) {
		if (delta || inirq || pid != self.pid || at - comm != (long)strlen(self.comm) ||
		    memcmp(comm, self.comm, at - comm))
			fail_row(number, row, "should show the reader");
	} else {
		if (delta != now - *time)
			fail_row(number, row, "does not follow the jiffy before");
		if (inirq != 1)
			fail_row(number, row, "was not in an interrupt");
		if (number > 1 && on != *cpu)
			fail_row(number, row, "is on another CPU than the one before");
	}
	*time = now;
	*cpu = on;
	return at + 1;
}

/* The halves of jit_edu's handler, the contexts that each may run in, and how its comm begins. */
static const struct half {
	const char *name, *kinds, *comm;
} halves[] = {
	{ "reader    ", "thread ", "" },
	{ "handler   ", "hardirq forced ", "" },
	{ "hi tasklet", "softirq", "" },
	{ "tasklet   ", "softirq", "" },
	{ "hi bh work", "softirq", "" },
	{ "bh work   ", "softirq", "" },
	{ "work      ", "thread ", "kworker/" },
	{ "irq thread", "thread ", "irq/" },
};

#define HALVES	((int)(sizeof(halves) / sizeof(*halves)))

/*
 * Checks a table of jit_edu. Each row must be as printf() formats
 * "%-10s  %11li  %-7s  %7i  %3i  %s\n". The reader is first, the handler second, and each of the
 * others is there once, no earlier than the one before. All but the thread are on one CPU.
 */
static const char *check_irq_rows(const char *row)
{
	long time = 0, handler_cpu = -1;
	unsigned int seen = 0;
	int number;

	for (number = 0; number < HALVES; number++) {
		const char *at = row, *comm, *kind;
		const struct half *half = halves;
		long now, pid, cpu;

		if (strcspn(row, "\n") < 49)
			fail_row(number, row, "is too short");
		while (half < halves + HALVES && memcmp(row, half->name, 10))
			half++;
		at = row + 10;
		now = number_in(&at, 2, 11);
		kind = at + 2;
		at += 9;
		pid = number_in(&at, 2, 7);
		cpu = number_in(&at, 2, 3);
		comm = at + 2;
		if (half == halves + HALVES || now < 0 || pid < 0 || cpu < 0 ||
		    memcmp(kind - 2, "  ", 2) || memcmp(comm - 2, "  ", 2))
			fail_row(number, row, "does not have its form");
		for (at = comm; (unsigned char)*at >= ' ' && *at != 0x7f; at++)
			;
		if (*at != '\n' || at == comm)
			fail_row(number, row, "is cut off, or has an impossible comm");

		if (seen & 1u << (half - halves))
			fail_row(number, row, "is there twice");
		if (number < 2 && half != halves + number)
			fail_row(number, row, "should not come so early");
		if (!memmem(half->kinds, strlen(half->kinds), kind, 7))
			fail_row(number, row, "has an impossible context");
		if (now < time || (number == 0 && now))
			fail_row(number, row, "has an impossible time");
		if (!number && (pid != self.pid || at - comm != (long)strlen(self.comm) ||
				memcmp(comm, self.comm, at - comm)))
			fail_row(number, row, "should show the reader");
		if (memcmp(comm, half->comm, strlen(half->comm)) ||
		    (!memcmp(kind, "forced", 6) && memcmp(comm, "irq/", 4)))
			fail_row(number, row, "has the wrong comm");
		if (number == 1)
			handler_cpu = cpu;
		if (number > 1 && half != halves + HALVES - 1 && cpu != handler_cpu)
			fail_row(number, row, "is not on the handler's CPU");
		seen |= 1u << (half - halves);
		time = now;
		row = at + 1;
	}
	return row;
}

static const char *check_rows(const char *row)
{
	long time = 0, cpu = -1;
	int number;

	for (number = 0; number <= RUNS; number++)
		row = check_row(row, number, &time, &cpu);
	return row;
}

static void check_table(const char *table)
{
	const char *row = table + strlen(header);

	if (strncmp(table, header, strlen(header)))
		fail("wrong header: \"%.*s\"", (int)strlen(header), table);
	row = header == irq_header ? check_irq_rows(row) : check_rows(row);
	if (*row)
		fail("there is more after the last row: \"%s\"", row);
	self.slot->tables++;
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

/* Readers that all have the file open at the same time, and read together. */
static void crowd(int readers)
{
	int opened[2], gate[2], i, n;
	char byte;

	if (pipe(opened) || pipe(gate))
		fail("pipe: %s", strerror(errno));
	for (i = 0; i < readers; i++) {
		char table[PAGE + 1];
		int fd, now, most;

		if (fork_reader(i))
			continue;
		close(gate[1]);
		fd = open_file();
		if (write(opened[1], "x", 1) != 1)
			fail("write: %s", strerror(errno));
		while (read(gate[0], &byte, 1) > 0)
			;
		/* On a fast machine it may take a while until two of them overlap. */
		for (n = 0; n < 20 || (readers > 1 && shared->most_reading < 2 && n < 20000);
		     n++) {
			now = ++shared->reading;
			most = shared->most_reading;
			while (now > most &&
			       !atomic_compare_exchange_weak(&shared->most_reading, &most, now))
				;
			lseek(fd, 0, SEEK_SET);
			if (read_all(fd, table, PAGE / 2) < 0)
				fail("read: %s", strerror(errno));
			shared->reading--;
			check_table(table);
		}
		exit(0);
	}
	for (i = 0; i < readers; i++)
		if (read(opened[0], &byte, 1) != 1)
			fail("reader %d did not open the file", i);
	close(gate[1]);
	wait_for_readers(readers);
	printf("# %s: %d readers at once, up to %d of them in read\n", path, readers,
	       shared->most_reading);
	if (readers > 1 && shared->most_reading < 2)
		fail("no two readers ever read at the same time");
}

/* Positioned reads: from any offset, each of a new measurement. */
static void positioned(void)
{
	size_t length = strlen(header);
	char table[PAGE + 1];
	int fd = open_file();
	ssize_t got;

	got = pread(fd, table, length, 0);
	if (got != (ssize_t)length || memcmp(table, header, length))
		fail("pread of the header gave %zd bytes", got);

	memcpy(table, header, length);
	got = pread(fd, table + length, PAGE - length, length);
	if (got <= 0)
		fail("pread behind the header: %zd, %s", got, strerror(errno));
	table[length + got] = '\0';
	check_table(table);

	got = pread(fd, table, 1, 3000);
	if (got)
		fail("pread behind the end gave %zd", got);
	/* None of this moved the file's position. */
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
	size_t length = strlen(header);
	char table[PAGE + 1];
	int fd = open_file();

	read_all(fd, table, 7);
	check_table(table);

	/* The middle of a row, then all of it again. */
	seek_to(fd, length + 5);
	if (read_all(fd, table, 11) <= 0)
		fail("nothing behind an lseek into the first row");
	seek_to(fd, length);
	memcpy(table, header, length);
	read_all(fd, table + length, 13);
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
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		fail("open for writing as root: %s", strerror(errno));
	if (write(fd, "x", 1) != -1 || errno != EIO)
		fail("a write did not fail with EIO");
	close(fd);

	if (!fork_reader(0)) {
		if (setuid(65534))
			fail("setuid: %s", strerror(errno));
		if (open(path, O_WRONLY) != -1 || errno != EACCES)
			fail("an open for writing did not fail with EACCES");
		many(1);
		exit(0);
	}
	wait_for_readers(1);
}

/* Comms that would forge or break a row, or look like an escape. */
static void named(void)
{
	static const char * const names[] = {
		"x\n9 9 9 9", "\n", "tab\there", "a\\012b", "\001\002\033[31m\177", "\\",
		"gr\303\274n", " ", "a  b", "(sd-pam) [x]", "fifteen chars..",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		prctl(PR_SET_NAME, names[i]);
		know_self(0);
		read_table(1024);
	}
}

/* An interrupt and all that it defers takes longer than a tasklet. */
static unsigned int storm_interval(void)
{
	return header == irq_header ? 700 : 70;
}

static void storm_of(unsigned int usec)
{
	struct itimerval timer = { { 0, usec }, { 0, usec } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static atomic_int alarms;

/* If a signal takes longer than the interval, nothing else would run, so the storm pauses. */
static void on_alarm(int signal)
{
	(void)signal;
	if (++alarms == 100)
		storm_of(0);
}

/* Many signals: each read gives a whole table or EINTR, and some reader's gives EINTR. */
static void interrupted(int count)
{
	struct sigaction action = { .sa_handler = on_alarm };
	char table[PAGE + 1];
	int done;

	sigaction(SIGALRM, &action, NULL);
	storm_of(storm_interval());
	for (done = 0; done < count || (!shared->eintr && done < 1000 * count); done++) {
		int fd = open_file();
		ssize_t got;

		if (alarms >= 100)
			storm_of(storm_interval());
		alarms = 0;
		got = read(fd, table, PAGE);
		if (got > 0) {
			table[got] = '\0';
			check_table(table);
		} else if (got < 0 && errno == EINTR) {
			shared->eintr++;
		} else {
			fail("in a signal storm read gave %zd, %s", got, strerror(errno));
		}
		close(fd);
	}
	storm_of(0);
}

/* Readers are killed while they read, each time in a different place, some of them in read(). */
static void sigkilled(int count)
{
	struct slot *slot = self.slot;
	int i, status;

	for (i = 0; i < count || (!shared->killed_reading && i < 1000 * count); i++) {
		char table[PAGE + 1];
		pid_t child;
		int fd;

		slot->doing = STARTING;
		child = fork_reader(slot - shared->slot);
		while (!child) {
			fd = open_file();
			slot->doing = READING;
			if (read_all(fd, table, PAGE / 2) < 0)
				fail("read: %s", strerror(errno));
			slot->doing = BETWEEN;
			close(fd);
			check_table(table);
		}
		while (slot->doing == STARTING)
			sched_yield();
		usleep(37 * i % 1000);
		kill(child, SIGKILL);
		if (waitpid(child, &status, 0) != child)
			fail("waitpid: %s", strerror(errno));
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail("a killed reader ended with %#x", status);
		shared->killed++;
		shared->killed_reading += slot->doing == READING;
	}
}

/* Several readers do the same in parallel, on all CPUs, and share the work. */
static void together(void (*how)(int count), int count, int readers)
{
	long tables = 0;
	int i;

	for (i = 0; i < readers; i++) {
		if (!fork_reader(i)) {
			how(count / readers + (i < count % readers));
			exit(0);
		}
	}
	wait_for_readers(readers);
	for (i = 0; i < readers; i++)
		tables += shared->slot[i].tables;
	printf("# %s: %ld whole tables", path, tables);
	if (how == interrupted)
		printf(", %ld times EINTR", shared->eintr);
	if (how == sigkilled)
		printf(", %ld killed, %ld of them in read", shared->killed,
		       shared->killed_reading);
	printf("\n");
	if (how == interrupted && !shared->eintr)
		fail("no read ever gave EINTR, so nothing was tested");
	if (how == sigkilled && !shared->killed_reading)
		fail("no reader was killed in read, so nothing was tested");
}

/* Reads until the file or its device is gone. Prints a line after the first read. */
static void loop(void)
{
	int begun = 0;
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
		if (got < 0 && (errno == EIO || (errno == ENODEV && header == irq_header)))
			return;
		if (got <= 0)
			fail("read: %zd, %s", got, strerror(errno));
		table[got] = '\0';
		check_table(table);
		close(fd);
		if (begun++)
			continue;
		printf("# %s: reads\n", path);
		fflush(stdout);
	}
}

/* Reads a file that comes and goes. Each read gives a whole table, or there is no file. */
static noreturn void read_on(void)
{
	char table[PAGE + 1];
	ssize_t got;
	int fd;

	while (!shared->end) {
		fd = open(path, O_RDONLY);
		if (fd < 0 && errno != ENOENT)
			fail("open: %s", strerror(errno));
		got = fd < 0 ? -1 : read(fd, table, PAGE);
		if (got > 0) {
			table[got] = '\0';
			check_table(table);
			shared->tables++;
		} else if (got < 0 && (fd < 0 || errno == EIO)) {
			shared->gone++;
			usleep(1000);
		} else {
			fail("a file that comes and goes: read gave %zd, %s", got, strerror(errno));
		}
		if (fd >= 0)
			close(fd);
	}
	exit(0);
}

/* Returns whether there are enough tables and, if @last, at least one of each reader. */
static int read_enough(int readers, long want, int last)
{
	int i, status;

	if (readers && waitpid(-1, &status, WNOHANG))
		fail("a reader ended with %#x", status);
	for (i = 0; last && i < readers; i++) {
		if (shared->slot[i].tables)
			continue;
		if (shared->tables > want + 10000)
			fail("reader %d of %d never read a table", i, readers);
		return 0;
	}
	return !readers || shared->tables >= want;
}

/* Loads and unloads the module while readers loop, each time after a different number of reads. */
static void reload(int cycles, const char *ko, int readers)
{
	static const char * const files[] = {
		"/proc/jitasklet", "/proc/jitasklethi", "/proc/jitbh"
	};
	int i, file, fd = open(ko, O_RDONLY);
	long want;

	if (fd < 0)
		fail("%s: %s", ko, strerror(errno));
	for (i = 0; i < readers; i++) {
		if (fork_reader(i))
			continue;
		path = files[i % 3];
		/* Eight readers that poll for the file would take the CPU from the load. */
		if (nice(19) < 0)
			fail("nice: %s", strerror(errno));
		read_on();
	}
	for (i = 0; i < cycles; i++) {
		if (syscall(SYS_finit_module, fd, "bh=1", 0))
			fail("load %d: %s", i, strerror(errno));
		want = shared->tables + 1 + i % 16;
		while (!read_enough(readers, want, i == cycles - 1))
			usleep(100);
		if (syscall(SYS_delete_module, "jitasklet", O_NONBLOCK))
			fail("unload %d: %s", i, strerror(errno));
		for (file = 0; file < 3; file++) {
			if (!access(files[file], F_OK))
				fail("unload %d left %s", i, files[file]);
		}
	}
	while (readers && !shared->gone)
		usleep(100);
	shared->end = 1;
	wait_for_readers(readers);
	printf("# %d cycles, %ld whole tables, %ld times no file\n", cycles, shared->tables,
	       shared->gone);
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

	int readers = argc > 4 ? atoi(argv[4]) : 1;

	if (argc < 3) {
		fprintf(stderr, "usage: reader FILE HOW [COUNT [READERS]]\n"
			"       reader MODULE reload COUNT READERS\n");
		return 2;
	}
	path = argv[1];
	if (strstr(path, "jitirq"))
		header = irq_header;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	know_self(0);
	if (!strcmp(how, "many"))
		together(many, count, readers);
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
		together(interrupted, count, readers);
	else if (!strcmp(how, "kill"))
		together(sigkilled, count, readers);
	else if (!strcmp(how, "reload"))
		reload(count, path, readers);
	else if (!strcmp(how, "loop"))
		loop();
	else if (!strcmp(how, "hold"))
		hold();
	else
		fail("there is no way to read '%s'", how);
	return 0;
}
