# SPDX-License-Identifier: GPL-2.0
"""Reads an experiment's trace: each read, its runs, the tasks they borrowed, and the times."""

import re
from collections import namedtuple

# comm-pid [cpu] flags cycles: event: text
LINE = re.compile(r" *(.*)-(\d+) +\[(\d+)\] (\S+) +(\d+): (\w+): ?(.*)")
VECTORS = "HI TIMER NET_TX NET_RX BLOCK IRQ_POLL TASKLET SCHED HRTIMER RCU".split()

# The tasks that a run can borrow.
READER = "reader"
HOG = "hog"
KSOFTIRQD = "ksoftirqd"
KTIMERS = "ktimers"
IDLE = "idle"
OTHER = "another task"
WHO = (READER, HOG, KSOFTIRQD, KTIMERS, IDLE, OTHER)

# `ns` counts from the beginning of the trace.
Event = namedtuple("Event", "ns cpu pid comm flags name text")
Row = namedtuple("Row", "time delta inirq pid cpu comm text")


def value(event, name):
    """The number that is called `name` in the text of an event, or None."""
    found = re.search(rf"\b{name}=(\d+)", event.text)
    return int(found[1]) if found else None


def row(text):
    """A row of a table. A comm may hold blanks."""
    fields = text.split(None, 5)
    return Row(*map(int, fields[:5]), fields[5] if len(fields) > 5 else "", text)


class Run:
    """One run of a tasklet. `raised` is when the softirq was raised for it, in nanoseconds."""

    def __init__(self, raised, entry, leave):
        self.raised, self.entry, self.leave = raised.ns, entry.ns, leave.ns
        self.latency = self.entry - self.raised
        self.cpu, self.pid, self.comm = entry.cpu, entry.pid, entry.comm


class Read:
    """One read of a file: its table, and what the tracepoints saw until the table was there.

    `raised` is when the reader scheduled the tasklet, `wakeup` when it was woken because all runs
    were done, and `back` when it ran again. The last two are None if it had not gone to sleep.
    """

    def __init__(self, file, pid, events, notes):
        self.file, self.pid, self.notes = file, pid, notes
        self.rows, self.runs = [], []
        self.begin, self.end = events[0].ns, events[-1].ns
        self.vector = VECTORS.index("HI" if file.endswith("hi") else "TASKLET")
        raised = next((e for e in events if e.pid == pid and self.raises(e)), events[0])
        self.raised, self.cpu = raised.ns, raised.cpu
        # What was on the reader's CPU.
        self.events = [e for e in events if e.cpu == self.cpu]
        self.ticks = [e.ns for e in self.events if e.name == "local_timer_entry"]
        self.find_runs(raised)
        self.wakeup = self.first(events, "sched_wakeup", "pid")
        self.back = self.wakeup and self.first(events, "sched_switch", "next_pid", self.wakeup)

    def raises(self, event):
        """Whether a task or a run raises this read's softirq, rather than an interrupt."""
        return (
            event.name == "softirq_raise"
            and value(event, "vec") == self.vector
            and "h" not in event.flags.lower()
        )

    def find_runs(self, raised):
        """Finds the runs. A raise during a run is for the next run."""
        entry = again = None
        for event in self.events:
            if event.ns <= raised.ns:
                continue
            if entry and self.raises(event):
                again = event
            elif event.name == "tasklet_entry" and "[jitasklet]" in event.text:
                entry = event
            elif event.name == "tasklet_exit" and entry and "[jitasklet]" in event.text:
                self.runs.append(Run(raised, entry, event))
                raised, entry, again = again or raised, None, None

    def first(self, events, name, field, after=None):
        """The time of the first event of that name with the reader's pid in that field."""
        after = after or self.raised
        return next(
            (e.ns for e in events if e.name == name and e.ns >= after and
             value(e, field) == self.pid),
            None,
        )

    def whole(self):
        """Whether the table and the trace are complete and agree."""
        rows = [(r.pid, r.cpu) for r in self.rows[1:]]
        return len(rows) > 0 and rows == [(r.pid, r.cpu) for r in self.runs]

    def who(self, run):
        """The task that a run borrowed."""
        return self.kind(run.pid, run.comm)

    def who_next(self, switch):
        """The task that gets the CPU in a context switch."""
        comm = re.search(r"next_comm=(.*) next_pid=", switch.text)
        return self.kind(value(switch, "next_pid"), comm[1] if comm else "")

    def kind(self, pid, comm):
        """The kind of a task in this read."""
        if pid in (0, self.pid):
            return READER if pid else IDLE
        for thread in KSOFTIRQD, KTIMERS:
            if comm.startswith(thread + "/"):
                return thread
        return HOG if pid == self.notes.get("hog") else OTHER

    def ticks_before(self, run):
        """The number of timer ticks between the schedule and a run."""
        return sum(self.raised < tick < run.entry for tick in self.ticks)

    def ahead(self, run):
        """The other softirqs that ran between the raise for a run and the run, as pairs of a
        vector's name and nanoseconds."""
        found, entered = [], None
        for event in self.events:
            if event.name == "softirq_entry":
                entered = event
            elif event.name == "softirq_exit" and entered:
                vector = value(event, "vec")
                if run.raised < entered.ns and event.ns < run.entry and vector != self.vector:
                    found.append((VECTORS[vector], event.ns - entered.ns))
                entered = None
        return found

    def softirq_entry(self, run):
        """The time at which the softirq of a run was entered."""
        entries = [
            e.ns
            for e in self.events
            if e.name == "softirq_entry" and value(e, "vec") == self.vector and e.ns < run.entry
        ]
        return entries[-1] if entries else run.entry


class Trace:
    """The trace of one experiment: its `notes` are the marks in it, by their first word."""

    def __init__(self, path):
        self.name = path.rsplit("/", 1)[-1].removesuffix(".trace")
        self.notes, self.all_reads = {}, []
        with open(path, encoding="utf-8", errors="replace") as lines:
            self.parse(lines)
        self.reads = [r for r in self.all_reads if r.whole()]
        self.kernel, self.rt = self.notes.get("kernel"), self.notes.get("rt") == 1

    def parse(self, lines):
        """Splits the trace: a read lasts from its mark to that of the first row of its table."""
        events, begun, done, first = [], {}, {}, None
        for line in lines:
            found = LINE.match(line)
            if not found:
                continue
            comm, pid, cpu, flags, cycles, name, text = found.groups()
            first = first or int(cycles)
            ns = round((int(cycles) - first) * 1000 / float(self.notes.get("mhz", 1)))
            event = Event(ns, int(cpu), int(pid), comm, flags, name, text)
            events.append(event)
            if name != "tracing_mark_write":
                continue
            word, _, rest = text.partition(" ")
            if word == "read":
                begun[event.pid] = rest, len(events) - 1
            elif word == "row":
                if event.pid in begun:
                    file, begin = begun.pop(event.pid)
                    read = Read(file, event.pid, events[begin:], dict(self.notes))
                    self.all_reads.append(read)
                    done[event.pid] = read
                if event.pid in done:
                    done[event.pid].rows.append(row(rest))
            else:
                self.notes[word] = int(rest) if rest.isdigit() else rest
