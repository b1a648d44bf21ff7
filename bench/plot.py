# SPDX-License-Identifier: GPL-2.0
"""plot.py DIR: draws DIR/results.json, as PNG and SVG: the ratios, and reads by concurrent readers."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def save(figure, name):
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(f"{sys.argv[1]}/{name}.{kind}", dpi=120, metadata={"Date": None}
                       if kind == "svg" else None)


def ratios(results, kernel):
    rows = [r for r in results if not r["name"].startswith("(g)")]
    figure, axes = plt.subplots(figsize=(9, 0.45 * len(rows) + 1.5))
    places = range(len(rows), 0, -1)
    axes.barh(places, [r["ratio"] for r in rows],
              color=["tab:green" if r["met"] else "tab:orange" for r in rows])
    for place, r in zip(places, rows):
        axes.plot([r["target"]] * 2, [place - 0.4, place + 0.4], color="black")
        axes.annotate(f"  {r['ratio']:.3f}", (max(r["ratio"], r["target"]), place), va="center")
    axes.axvline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set_yticks(places, [r["name"] for r in rows])
    axes.margins(x=0.1)
    axes.set_xlabel("Rust / C; less is better, the black line is the target")
    axes.set_title(f"Linux {kernel}")
    save(figure, "ratios")


def crowd(results, kernel):
    figure, both = plt.subplots(1, 2, figsize=(11, 4.5))
    for axes, what in zip(both, ("2 CPUs", "1 CPU, counted")):
        rows = [r for r in results if r["name"].startswith(f"(g) readers on {what}: ")]
        readers = [int(r["name"].split(": ")[1]) for r in rows]
        for key, label in (("rust", "Rust"), ("c", "C")):
            axes.errorbar(readers, [r[key] for r in rows], marker="o", label=label, capsize=3,
                          yerr=[r[key] * r["spread"] / 2 for r in rows])
        axes.set_xscale("log", base=2)
        axes.set_xticks(readers, readers)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("concurrent readers")
        axes.set_ylabel(rows[0]["unit"])
        axes.set_title(what)
        axes.legend(loc="lower right")
    figure.suptitle(f"Linux {kernel}: reads of /proc/jitasklet, more is better")
    save(figure, "readers")


with open(f"{sys.argv[1]}/results.json", encoding="utf-8") as file:
    found = json.load(file)
ratios(found["results"], found["kernel"])
crowd(found["results"], found["kernel"])
