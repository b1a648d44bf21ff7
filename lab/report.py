# SPDX-License-Identifier: GPL-2.0
"""report.py DIR: draws pictures of the traces in DIR/RELEASE/, and writes DIR/report.html, which
contains everything it shows."""

import base64
import html
import os
import re
import sys

import pictures
from observe import by_load, judge, shown, table, verdict
from reads import Trace

LAB = os.path.dirname(os.path.abspath(__file__))
ORDER = ("idle", "busy", "hog", "hi", "pinned", "two", "rt", "compile")

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #111; background: #fff; margin: 0 auto;
  max-width: 72rem; padding: 0 1rem 3rem; }
h1 { line-height: 1.2; }
h2 { margin: 3rem 0 0; border-top: 2px solid #111; padding-top: .5rem; }
h3 { margin: 1.5rem 0 .5rem; }
pre { overflow-x: auto; background: #f3f3f3; padding: .6rem; font-size: min(.8rem, 2.65vw); line-height: 1.35; }
code { background: #f3f3f3; }
img { width: 100%; height: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; align-items: start; }
figure { margin: 0; border: 1px solid #ccc; padding: .5rem; }
figcaption, .small { font-size: .875rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ccc;
  vertical-align: top; }
.verdict { font-weight: bold; }
.no { text-decoration: underline wavy; }
summary { cursor: pointer; padding: .3rem 0; }
"""


def text(words):
    """Escapes words for the page."""
    return html.escape(str(words))


def picture(path, caption):
    """Embeds an SVG in the page."""
    with open(f"{path}.svg", "rb") as file:
        data = base64.b64encode(file.read()).decode()
    return (
        f'<figure><img alt="{text(caption)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def described(name):
    """The description in the script of an experiment: its first comment."""
    with open(f"{LAB}/{name}.sh", encoding="utf-8") as script:
        found = re.search(rf"# {name}\.sh: ((?:.*\n#? ?)*?)\n", script.read())
    words = re.sub(r"\n# ?", " ", found[1]).strip()
    return words[0].upper() + words[1:]


def questions(name):
    """The handout's questions on an experiment."""
    with open(f"{LAB}/../docs/lab.md", encoding="utf-8") as handout:
        part = handout.read().partition(f'<a id="{name}"></a>')[2].partition("<a id=")[0]
    found = re.findall(r"^- (\*\*Q\d+\.\*\* (?:.*\n(?:  .*\n)*))", part, re.M)
    items = "".join(
        "<li>" + re.sub(r"`(.*?)`", r"<code>\1</code>", text(" ".join(q.replace("*", "").split())))
        for q in found
    )
    link = f'<a href="../../docs/lab.md#{name}">the handout</a>'
    return f"<h3>Questions, from {link}</h3><ul>{items}</ul>" if items else ""


def kernel(trace):
    """A kernel's release, and whether it is PREEMPT_RT."""
    return f"{trace.kernel} ({'PREEMPT_RT' if trace.rt else 'ordinary'})"


class Report:
    """The page, as it grows."""

    def __init__(self, where):
        self.where, self.traces, self.body, self.rows = where, [], [], []
        for directory in sorted(os.scandir(where), key=lambda entry: entry.name):
            if directory.is_dir():
                for file in os.scandir(directory.path):
                    if file.name.endswith(".trace"):
                        self.traces.append(Trace(file.path))
        self.traces.sort(key=lambda trace: (ORDER.index(trace.name), trace.rt))

    def named(self, name):
        """The traces of an experiment, the ordinary kernel's first."""
        return [trace for trace in self.traces if trace.name == name]

    def path(self, trace, what):
        """Where a picture is kept."""
        return f"{self.where}/{trace.name}{'-rt' if trace.rt else ''}-{what}"

    def experiment(self, trace):
        """One experiment on one kernel."""
        print(f"{trace.name}, {kernel(trace)} ...", file=sys.stderr)
        holds, said = judge(trace)
        words = "as expected" if holds else "not as expected"
        self.rows.append((trace.name, kernel(trace), words))
        add = self.body.append
        add(f"<h3>On {text(kernel(trace))}</h3><ul>")
        add("".join(f"<li>{text(sentence)}" for sentence in said))
        add(f'</ul><p class="verdict{"" if holds else " no"}">{text(verdict(holds))}</p>')
        if not trace.reads:
            return
        read = shown(trace)
        pictures.timeline(trace, read, self.path(trace, "timeline"))
        pictures.strip(read, self.path(trace, "strip"))
        add('<div class="pictures">')
        add(
            picture(
                self.path(trace, "timeline"),
                "The tasks that the runs borrowed: at the top in the read that is shown below as a "
                "table, beneath it in all reads.",
            )
        )
        add("<div>")
        add(
            picture(
                self.path(trace, "strip"),
                "The same read, event by event: the softirq is raised and entered, the tasklet "
                "runs, and at the end the reader is woken.",
            )
        )
        add(self.extra(trace))
        add(f"<pre>$ cat /proc/{read.file}\n{text(table(read))}</pre></div></div>")
        tables = "\n\n".join(f"$ cat /proc/{r.file}\n{table(r)}" for r in trace.reads)
        add(f"<details><summary>All {len(trace.reads)} tables as read</summary>")
        add(f"<pre>{text(tables)}</pre></details>")

    def extra(self, trace):
        """The additional picture of the experiment hi."""
        if trace.name != "hi":
            return ""
        loads = list(by_load(trace))
        first = [
            (vector, {"jitasklet": latencies(normal), "jitasklethi": latencies(high)})
            for vector, normal, high in loads
        ]
        one = sorted(first[0][1]["jitasklethi"])[len(loads[0][2]) // 2]
        path = self.path(trace, "latency")
        pictures.distributions(first, (one, f"that of jitasklethi under {loads[0][0]}"), path)
        return picture(path, "From the raise to the first run, under each load.")

    def latencies(self):
        """All experiments side by side."""
        idle = next((t for t in self.named("idle") if not t.rt and t.reads), None)
        if not idle:
            return
        groups = [
            (trace.name + ("\nRT" if trace.rt else ""), pictures.first_latencies(trace.reads))
            for trace in self.traces
            if trace.name != "hi" and trace.reads
        ]
        path = f"{self.where}/latency"
        unit = (pictures.unit(idle), "the median of jitasklet, idle")
        pictures.distributions(groups, unit, path)
        self.body.append('<h2 id="latency">From raise to run</h2><div class="pictures">')
        self.body.append(
            picture(
                path,
                "From softirq_raise to tasklet_entry of the first run, in each read (dots); the "
                "boxes hold the middle half. The scale is logarithmic.",
            )
        )
        self.body.append("</div>")

    def compared(self):
        """Judges 'rt', which needs both kernels."""
        both = [(trace.rt, judge(trace)[0]) for trace in self.named("rt")]
        if len(both) == 2:
            held = all(holds for _, holds in both)
            words = "differ as expected" if held else "do not differ as expected"
            self.body.append(f"<p>Taken together, the two kernels {words}.</p>")

    def write(self):
        """The whole page."""
        for name in ORDER:
            traces = self.named(name)
            if not traces:
                continue
            expected = traces[0].notes.get("expect", "")
            self.body.append(f'<h2 id="{name}">{name}</h2><p>{text(described(name))}</p>')
            self.body.append(
                f'<p class="small">By hand: <code>lab/{name}.sh</code> in <code>make shell</code>'
                f"</p><p><b>Expected:</b> {text(expected)}</p>"
            )
            for trace in traces:
                self.experiment(trace)
            if name == "rt":
                self.compared()
            self.body.append(questions(name))
        self.latencies()
        rows = "".join(
            f'<tr><td><a href="#{name}">{name}</a><td>{text(on)}<td>{words}'
            for name, on, words in self.rows
        )
        head = (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Softirq context: what was seen</title><style>{STYLE}</style>"
            "<h1>Softirq context: what was seen</h1>"
            "<p>Each read of <code>/proc/jitasklet</code> or <code>/proc/jitasklethi</code> "
            "schedules a tasklet that reschedules itself until it has run five times, and shows "
            "the current task of each run. The softirq only <i>borrows</i> this task, which did "
            "not ask for the work. The experiments below ran in a guest; times are from the kernel's "
            "own tracepoints. If the guest's CPUs were emulated, compare times with each other "
            "only. All sentences under <i>On ...</i> are computed from the data.</p>"
            f"<table><tr><th>experiment<th>kernel<th>result{rows}</table>"
        )
        with open(f"{self.where}/report.html", "w", encoding="utf-8") as page:
            page.write(head + "\n".join(self.body) + "</html>\n")
        for name, on, words in self.rows:
            print(f"{name:9} {on:42} {words}")


def latencies(reads):
    """Of the first runs."""
    return [read.runs[0].latency for read in reads]


Report(sys.argv[1]).write()
