# SPDX-License-Identifier: GPL-2.0
"""observe.py TRACE...: prints what was seen in an experiment, in sentences computed from its
trace, and whether it was as expected. experiment.sh makes the traces.
observe.py --demo TRACE: prints what 'make demo' shows of it."""

import sys
from collections import Counter
from statistics import median

from reads import HOG, IDLE, KSOFTIRQD, KTIMERS, OTHER, READER, Trace

THREADS = (KSOFTIRQD, KTIMERS)


def of(count, total, noun):
    """17 of 20 reads; none of the 20 reads; all 20 reads."""
    if count in (0, total):
        return f"none of the {total} {noun}" if count == 0 else f"all {total} {noun}"
    return f"{count} of {total} {noun}"


def times(slow, fast):
    """The ratio, in words without false precision: the numbers are those of an emulator."""
    ratio = slow / fast if fast else 0
    if 0.8 <= ratio <= 1.25:
        return "about as long as"
    return f"{ratio:.1f} times as long as"


def listed(words):
    """a, b and c"""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def borrowed(reads):
    """A sentence on the tasks that the runs borrowed, most frequent first."""
    runs = [(read, run) for read in reads for run in read.runs]
    count = Counter(read.who(run) for read, run in runs)
    others = sorted({run.comm for read, run in runs if read.who(run) == OTHER})
    names = {
        READER: "the reader itself",
        HOG: "the hog",
        IDLE: "the idle task",
        OTHER: "another task (" + ", ".join(others) + ")",
    }
    parts = [f"{names.get(who, who)} {n} times" for who, n in count.most_common()]
    return f"The {len(runs)} runs borrowed " + listed(parts).replace(" 1 times", " once") + "."


def by_file(trace):
    """The reads of each of the two files, if there are any."""
    for file in ("jitasklet", "jitasklethi"):
        reads = [read for read in trace.reads if read.file == file]
        if reads:
            yield file, reads


def all_in(read, threads):
    """Whether all runs of a read were in these threads."""
    return all(read.who(run) in threads for run in read.runs)


def first_latency(reads):
    """The median time from the schedule to the first run."""
    return median(read.runs[0].latency for read in reads)


def waits(reads):
    """A sentence on the first run and the later ones."""
    later = median(run.latency for read in reads for run in read.runs[1:])
    return (
        f"After its raise, the first run waits {times(first_latency(reads), later)} a later one "
        "(medians): a softirq that is raised during a pass runs at once in the next pass."
    )


def at_once(trace):
    """For idle, busy and compile: the runs are in ksoftirqd, before the next tick."""
    reads = trace.reads
    threads = sum(all_in(read, THREADS) for read in reads)
    early = sum(not read.ticks_before(read.runs[0]) for read in reads)
    good = sum(all_in(r, THREADS) and not r.ticks_before(r.runs[0]) for r in reads)
    said = [
        f"In {of(threads, len(reads), 'reads')} ksoftirqd ran all five; in "
        f"{of(early, len(reads), 'reads')} no tick came between the schedule and the first run.",
        borrowed(reads),
    ]
    return good > len(reads) / 2, said


def idle(trace):
    """The runs are in ksoftirqd, at once."""
    holds, said = at_once(trace)
    return holds, said + [waits(trace.reads)]


def busy(trace):
    """The runs are in ksoftirqd, although a process wants the CPU."""
    holds, said = at_once(trace)
    met = [read for read in trace.reads if not all_in(read, THREADS)]
    if met:
        ticked = sum(read.ticks_before(read.runs[0]) > 0 for read in met)
        said.append(
            f"In {ticked} of the {len(met)} reads with a run elsewhere, a tick came first: when an "
            "interrupt ends, pending softirqs run on top of the interrupted task."
        )
    return holds, said


def compile_(trace):
    """As busy; and whether the compiler appears, as in the book."""
    holds, said = busy(trace)
    runs = [run for read in trace.reads for run in read.runs if read.who(run) == OTHER]
    said.append(
        f"A program of the compile appears in {of(len(runs), 5 * len(trace.reads), 'rows')} of "
        "the tasklet" + (": " + ", ".join(sorted({run.comm for run in runs})) if runs else "") + "."
    )
    return holds, said


def is_book(read):
    """Whether the first row of the tasklet is the book's: at the next tick, in the hog."""
    first = read.rows[1]
    return first.pid == read.notes["hog"] and first.inirq == 1 and first.delta >= 1


def hog(trace):
    """The book's table."""
    said, holds, strays = [], True, 0
    for file, reads in by_file(trace):
        book = [read for read in reads if is_book(read)]
        hogged = sum(read.who(read.runs[0]) == HOG for read in reads)
        ticked = sum(read.ticks_before(read.runs[0]) > 0 for read in reads)
        strays += sum(read.who(run) == KSOFTIRQD for read in reads for run in read.runs)
        holds = holds and len(book) > 0
        said.append(
            f"{file}: in {of(len(book), len(reads), 'reads')} the first row of the tasklet is the "
            "book's: the hog's pid, inirq 1, delta 1 or more. The first run was in the hog in "
            f"{hogged}, and after a tick in {ticked}."
        )
    said.append(f"ksoftirqd got {strays or 'none'} of the runs.")
    return holds and not strays, said


def pinned(trace):
    """One CPU for each read."""
    one = [r for r in trace.reads if {row.cpu for row in r.rows} == {r.notes["pinned"]}]
    cpus = sorted({read.notes["pinned"] for read in trace.reads})
    said = [
        f"The reader was pinned to CPU {listed(str(cpu) for cpu in cpus)} in turn. In "
        f"{of(len(one), len(trace.reads), 'reads')} all rows show the CPU that it was pinned to.",
        borrowed(trace.reads),
    ]
    return len(one) == len(trace.reads) and len(cpus) > 1, said


def overlaps(trace):
    """Pairs of runs at the same time: of different tasklets, and of one tasklet."""
    runs = [(run, read) for read in trace.reads for run in read.runs]
    runs.sort(key=lambda pair: pair[0].entry)
    two, one = [], []
    for n, (run, read) in enumerate(runs):
        for other, reader in runs[n + 1:]:
            if other.entry >= run.leave:
                break
            (one if read is reader else two).append((run, other))
    return two, one


def two(trace):
    """Two tasklets at the same time."""
    different, same = overlaps(trace)
    cpus = all(run.cpu != other.cpu for run, other in different)
    where = ", each time on two CPUs" if cpus else ", not always on two CPUs"
    readers = Counter(read.pid for read in trace.reads)
    said = [
        f"{listed(str(n) for n in readers.values())} reads of the two readers were traced. "
        f"{len(different) or 'Zero'} times a run of one tasklet overlapped with a run of the other"
        f"{where if different else ''}.",
        f"Runs of one and the same tasklet overlapped {len(same) or 'zero'} times.",
    ]
    return len(different) > 0 and cpus and not same, said


def by_load(trace):
    """For each load its vector, and the reads of jitasklet and of jitasklethi under it."""
    for vector in dict.fromkeys(read.notes.get("load") for read in trace.reads):
        if vector:
            under = [read for read in trace.reads if read.notes.get("load") == vector]
            yield vector, *([r for r in under if r.vector == v] for v in (6, 0))


def hi(trace):
    """Which softirqs run before the first runs, and how long the first runs wait."""
    said, strays, met = [], 0, []
    for vector, normal, high in by_load(trace):
        ahead = sum(bool(read.ahead(read.runs[0])) for read in normal)
        before = sum(bool(read.ahead(read.runs[0])) for read in high)
        cost = [sum(ns for _, ns in read.ahead(read.runs[0])) for read in normal]
        strays += before
        met.append(ahead)
        slow, fast = first_latency(normal), first_latency(high)
        verdict = (
            "the same" if 0.8 <= slow / fast <= 1.25
            else f"jitasklethi's is {'shorter' if slow > fast else 'longer'}"
        )
        share = 100 * sum(cost) / sum(read.runs[0].latency for read in normal)
        said.append(
            f"{vector} ({trace.notes.get(vector, 'unknown')} a second on that CPU): other softirqs "
            f"ran before the first run of jitasklet in {of(ahead, len(normal), 'reads')}, for "
            f"{share:.0f}% of its wait; before that of jitasklethi in "
            f"{of(before, len(high), 'reads')}. "
            f"Of the two medians from raise to first run, {verdict}."
        )
    later = {
        file: [bool(read.ahead(run)) for read in reads for run in read.runs[1:]]
        for file, reads in by_file(trace)
    }
    said.append(
        "Other softirqs ran before later runs in "
        + listed(
            f"{of(sum(runs), len(runs), 'cases')} ({file})" for file, runs in later.items()
        )
        + ": each later run waits for a whole pass, whatever its priority."
    )
    if "BLOCK" not in trace.notes:
        said.append("BLOCK was not measured: the guest has no disk.")
    return not strays and all(met) and len(met) > 1, said


def rt(trace):
    """Runs on top of processes, or in threads of the kernel only."""
    runs = [(read, run) for read in trace.reads for run in read.runs]
    on_top = sum(
        run.pid in (read.pid, read.notes.get("busy"), read.notes.get("net")) for read, run in runs
    )
    kind = "PREEMPT_RT" if trace.rt else "the ordinary kernel"
    said = [
        f"On {kind}, {of(on_top, len(runs), 'runs')} were on top of a process, and "
        f"{of(len(runs) - on_top, len(runs), 'runs')} in threads of the kernel.",
        borrowed(trace.reads),
    ]
    return (on_top == 0) == trace.rt, said


JUDGES = {
    "idle": idle,
    "busy": busy,
    "hog": hog,
    "hi": hi,
    "pinned": pinned,
    "two": two,
    "rt": rt,
    "compile": compile_,
}


def judge(trace):
    """Whether the data is as expected, and sentences on what was seen."""
    if not trace.reads:
        return False, ["There is no complete read in the trace."]
    holds, said = JUDGES[trace.name](trace)
    if len(trace.reads) < len(trace.all_reads):
        left = len(trace.all_reads) - len(trace.reads)
        said.append(f"{left} more reads, at an edge of the trace, are not counted.")
    return holds, said


def verdict(holds):
    """The judgement as a sentence."""
    if holds:
        return "This is as expected."
    return "This is not as expected."


HEADER = "   time   delta  inirq    pid   cpu command"


def table(read):
    """A table as it was read."""
    return "\n".join([HEADER] + [row.text for row in read.rows])


def shown(trace):
    """The read to show: its first run borrowed the most frequent task, with median latency."""
    reads = [read for read in trace.reads if read.notes.get("go") is not None] or trace.reads
    most = Counter(read.who(read.runs[0]) for read in reads).most_common(1)[0][0]
    likely = [read for read in reads if read.who(read.runs[0]) == most]
    likely.sort(key=lambda read: read.runs[0].latency)
    return likely[(len(likely) - 1) // 2]


DEMO = {
    "hog": "A real-time process, hog, holds the reader's CPU and keeps ksoftirqd off it. So the\n"
    "tasklet waits for the next timer tick, and runs in the context of the hog, which has nothing\n"
    "to do with it:",
    "busy": "Every CPU runs a busy process. PREEMPT_RT runs softirqs in threads, so no row shows a\n"
    "process that was interrupted:",
}


def demo(trace):
    """Prints what 'make demo' shows of an experiment: a sentence on it, and a table of each file.
    Returns whether the tables show what the sentence says."""
    experiment = trace.name
    holds, said = judge(trace)
    if trace.rt:
        runs = [(read, run) for read in trace.reads for run in read.runs]
        holds = runs and all(run.comm != "busy" and run.pid != read.pid for read, run in runs)
    print("\n" + DEMO[experiment])
    for file, reads in by_file(trace):
        fit = [read for read in reads if experiment != "hog" or is_book(read)] or reads
        best = min(fit, key=lambda read: sum(row.delta for row in read.rows))
        print(f"\n$ cat /proc/{file}\n{table(best)}")
    if not holds or len(list(by_file(trace))) != 2:
        print("\nThe tables do not show this. " + " ".join(said))
        return False
    return True


def main():
    """Prints, for each trace, a table and what was seen."""
    if sys.argv[1] == "--demo":
        sys.exit(not demo(Trace(sys.argv[2])))
    for path in sys.argv[1:]:
        trace = Trace(path)
        holds, said = judge(trace)
        if trace.reads:
            read = shown(trace)
            print(f"\n$ cat /proc/{read.file}\n{table(read)}\n")
        print("Seen: " + "\n      ".join(said))
        print(verdict(holds))


if __name__ == "__main__":
    main()
