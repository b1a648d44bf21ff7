# SPDX-License-Identifier: GPL-2.0
"""The pictures of an experiment. Each kind of task has a colour that the colour-blind can tell from
the others, and a hatch and a marker, so that the pictures can also be read in grey. Times are
shares or multiples of others: those of an emulator mean nothing by themselves."""

from statistics import median

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reads import HOG, IDLE, KSOFTIRQD, KTIMERS, OTHER, READER

# A colour, a hatch and a marker.
STYLE = {
    READER: ("#F0E442", "///", "o"),
    HOG: ("#D55E00", "xxx", "s"),
    KSOFTIRQD: ("#0072B2", "", "^"),
    KTIMERS: ("#56B4E9", "...", "v"),
    IDLE: ("#FFFFFF", "", "D"),
    OTHER: ("#009E73", "\\\\\\", "P"),
}
FILES = {"jitasklet": ("#56B4E9", "", "o"), "jitasklethi": ("#E69F00", "///", "s")}
WIDTH = 4.8

plt.rcParams.update(
    {
        "font.size": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": "lab",
        "hatch.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
    }
)


def save(figure, path):
    """Saves a figure as SVG, for the page, and as PNG, for slides."""
    figure.savefig(f"{path}.svg", metadata={"Date": None})
    figure.savefig(f"{path}.png", dpi=150)
    plt.close(figure)


def bar(axes, begin, end, y, who, height=0.6):
    """Draws a bar for a span of time in which a task had the CPU."""
    colour, hatch, _ = STYLE[who]
    axes.barh(
        y, end - begin, height, begin, color=colour, hatch=hatch, edgecolor="black", linewidth=0.5
    )


def legend(target, kinds, more=(), columns=3):
    """Adds a legend of the kinds of task that are in the picture."""
    handles = [
        Patch(facecolor=STYLE[who][0], hatch=STYLE[who][1], edgecolor="black", label=who)
        for who in STYLE
        if who in kinds
    ]
    target.legend(
        handles=handles + list(more), loc="outside lower center", ncols=columns, frameon=False
    )


TICK = Line2D([], [], color="black", linestyle="--", linewidth=1, label="timer tick")


def occupants(read, end):
    """The tasks that had the read's CPU, with their times, from the context switches."""
    who, since, found = READER, read.raised, []
    for event in read.events:
        if event.name == "sched_switch" and read.raised < event.ns < end:
            found.append((since, event.ns, who))
            since, who = event.ns, read.who_next(event)
    return found + [(since, end, who)]


def one_read(axes, zoom, read):
    """Draws one read: the tasks on the CPU, the runs and the ticks, and below it the runs alone."""
    end = read.back or read.wakeup or read.end
    span = end - read.raised

    def share(ns):
        return 100 * (ns - read.raised) / span

    kinds = set()
    for begin, until, who in occupants(read, end):
        bar(axes, share(begin), share(until), 0, who)
        kinds.add(who)
    for tick in read.ticks:
        if read.raised < tick < end:
            axes.axvline(share(tick), color="black", linestyle="--", linewidth=1)
    first, last = read.runs[0], read.runs[-1]
    for number, run in enumerate(read.runs, 1):
        who = read.who(run)
        kinds.add(who)
        axes.plot(share(run.entry), 1, marker=STYLE[who][2], color="black", markersize=5)
        bar(zoom, share(run.entry), share(run.leave), 0, who)
        zoom.annotate(str(number), (share((run.entry + run.leave) / 2), 0.45), ha="center")
    margin = (share(last.leave) - share(first.entry)) / 20
    zoom.set_xlim(share(first.entry) - margin, share(last.leave) + margin)
    zoom.set_ylim(-0.5, 0.8)
    zoom.set_yticks([0], ["runs"])
    zoom.set_title("The five runs, enlarged", fontsize=9, loc="left")
    zoom.set_xlabel("% of the time from the schedule to the reader's return")
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.5, 1.5)
    axes.set_yticks([0, 1], ["on the CPU", "runs"])
    axes.set_title(f"One read of {read.file}, in time", fontsize=9, loc="left")
    return kinds


def all_reads(axes, reads, title):
    """A line for each read, a cell for each run, and a bar where a tick came before."""
    kinds = set()
    for y, read in enumerate(reads):
        before = read.raised
        for x, run in enumerate(read.runs):
            who = read.who(run)
            kinds.add(who)
            bar(axes, x, x + 1, y, who, 1)
            if any(before < tick < run.entry for tick in read.ticks):
                axes.plot([x, x], [y - 0.5, y + 0.5], color="black", linewidth=3)
            before = run.entry
    axes.set_xlim(-0.1, 5)
    axes.set_ylim(len(reads) - 0.5, -0.5)
    axes.set_xticks([x + 0.5 for x in range(5)], range(1, 6))
    axes.set_xlabel("run")
    axes.set_title(title, fontsize=9, loc="left")
    return kinds


def timeline(trace, read, path):
    """One read in time, and the tasks that the runs of all reads borrowed."""
    files = [f for f in FILES if any(r.file == f for r in trace.reads)]
    figure, axes = plt.subplot_mosaic(
        [["one"] * 2, ["zoom"] * 2, files if len(files) == 2 else files * 2],
        figsize=(WIDTH, 5.2),
        height_ratios=[1, 1, 2.6],
    )
    kinds = one_read(axes["one"], axes["zoom"], read)
    for file in files:
        reads = [r for r in trace.reads if r.file == file][:30]
        kinds |= all_reads(axes[file], reads, f"{len(reads)} reads of {file}")
    axes[files[0]].set_ylabel("read")
    solid = Line2D([], [], color="black", linewidth=3, label="after a tick")
    legend(figure, kinds, [TICK, solid])
    save(figure, path)


def strip(read, path):
    """Draws the events of one read in their order, and each step's share of the time."""
    steps = []
    for run in read.runs:
        steps += [(run.raised, 3), (read.softirq_entry(run), 2), (run.entry, 1)]
    steps += [(ns, 0) for ns in (read.wakeup, read.back) if ns]
    span = steps[-1][0] - steps[0][0]
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6))
    axes.plot(range(len(steps)), [y for _, y in steps], color="black", linewidth=1)
    for x, (_, y) in enumerate(steps):
        axes.plot(x, y, marker="ov^s"[y], markersize=6, color="black", markerfacecolor="white")
    for x, ((begin, y), (end, z)) in enumerate(zip(steps, steps[1:])):
        share = 100 * (end - begin) / span
        if share >= 3:
            axes.annotate(
                f"{share:.0f}%",
                (x + 0.6, (y + z) / 2 if y != z else y + 0.25),
                fontsize=9,
                fontweight="bold",
                ha="left" if y != z else "center",
            )
    axes.set_yticks(range(4), ["reader: woken, runs", "tasklet", "softirq entered", "raised"])
    axes.set_ylim(-0.5, 3.6)
    axes.set_xticks([])
    axes.set_xlabel("events in their order; steps of 3% or more")
    axes.set_title(f"One read of {read.file}: from the raise to the wake-up", fontsize=9,
                   loc="left")
    save(figure, path)


def distributions(groups, unit, path):
    """Latencies side by side: `groups` are pairs of a label and {file: latencies}; `unit` is the
    latency that counts as 1, and what it is called."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    one, called = unit
    ticks = []
    for place, (label, files) in enumerate(groups):
        shown = [(file, values) for file, values in files.items() if values]
        for n, (file, values) in enumerate(shown):
            x = place + (n - (len(shown) - 1) / 2) * 0.36
            colour, hatch, marker = FILES[file]
            values = [value / one for value in values]
            box = axes.boxplot(
                [values], positions=[x], widths=0.3, patch_artist=True, showfliers=False
            )
            box["boxes"][0].set(facecolor=colour, hatch=hatch)
            box["medians"][0].set(color="black", linewidth=2)
            spread = [x + 0.12 * ((7 * k) % 11 - 5) / 5 for k in range(len(values))]
            axes.plot(
                spread, values, marker, markersize=2.2, color="black", alpha=0.6, linestyle=""
            )
        ticks.append(label)
    axes.set_yscale("log")
    axes.axhline(1, color="black", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_ylabel(f"raise to run, as multiples of\n{called}")
    figure.legend(
        handles=[
            Patch(facecolor=c, hatch=h, edgecolor="black", label=file)
            for file, (c, h, _) in FILES.items()
        ],
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    save(figure, path)


def first_latencies(reads):
    """The latencies of the first runs, for each file."""
    return {f: [r.runs[0].latency for r in reads if r.file == f] for f in FILES}


def unit(trace):
    """What counts as 1: the median first latency of jitasklet."""
    return median(first_latencies(trace.reads)["jitasklet"])
