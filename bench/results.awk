# SPDX-License-Identifier: GPL-2.0
#
# results.awk: makes the table, and with -v json=FILE -v release=RELEASE results.json, from lines of
# NAME WHAT TIMES FIGURE as bench/measure.sh prints them. The C twin's WHAT ends in _c.
#
# Fails if a figure is missing or, without -v lenient=1, misses its target for no known reason.
# docs/performance.md explains the figures.

# A row of the table: its name in the lines; whether less or more is better; the target of Rust / C;
# its unit; its name in the table; and, if known, why the target is missed.
function row(id, better, target, unit, name, why)
{
	ids[++rows] = id
	better_[id] = better
	target_[id] = target
	unit_[id] = unit
	name_[id] = name
	why_[id] = why
}

BEGIN {
	instructions = "instructions"
	row("a", "less", 1.02, instructions, "(a) schedule itself, dispatch and run")
	row("b", "less", 1.02, instructions, "(b) schedule one that is scheduled")
	row("c", "less", 1.02, instructions, "(c) disable and enable")
	row("d", "less", 1.10, instructions, "(d) init and kill, on the stack")
	row("d-heap", "less", 1.60, instructions, "(d) init and kill, on the heap",
	    "safe code can leak it, so it is in the list of unload.rs; " \
	    "and KBox allocates through krealloc")
	row("callback", "less", 0.25, instructions, "(e) a run, inside the callback")
	row("read", "less", 1.05, instructions, "(f) read(2)")
	row("raw-read", "less", 1.05, instructions, "(f) read(2), C without escapes")
	for (n = 1; n <= 64; n *= 2)
		row("readers-" n, "more", 1, "reads/s", "(g) readers on 2 CPUs: " n)
	for (n = 1; n <= 64; n *= 2)
		row("exact-readers-" n, "more", 1, "reads/10^9 instructions",
		    "(g) readers on 1 CPU, counted: " n)
	row("bytes", "less", 1, "bytes", "(h) allocated by a read in flight")
	row("size.text", "less", 4, "bytes", "(i) .text",
	    "it also ends leaked tasklets before its code is freed, which the C module does not")
	row("size.data", "less", 1, "bytes", "(i) .data")
}

{
	key = $1 ($2 ~ /_c$/ ? " c" : " rust")
	figures[key, ++count[key]] = $4 / $3
}

function sort(key,    i, j, figure)
{
	for (i = 2; i <= count[key]; i++) {
		figure = figures[key, i]
		for (j = i - 1; j > 0 && figures[key, j] > figure; j--)
			figures[key, j + 1] = figures[key, j]
		figures[key, j + 1] = figure
	}
}

# The quantile p of the figures.
function quantile(key, p,    at, below)
{
	at = 1 + (count[key] - 1) * p
	below = int(at)
	if (below == count[key])
		return figures[key, below]
	return figures[key, below] + (at - below) * (figures[key, below + 1] - figures[key, below])
}

function spread(key)
{
	if (quantile(key, 0.5) == 0)
		return 0
	return (quantile(key, 0.75) - quantile(key, 0.25)) / quantile(key, 0.5)
}

function number(value)
{
	return sprintf(value >= 10000 ? "%.0f" : "%.5g", value)
}

END {
	format = "%-36s %-23s %10s %10s %7s %7s %8s %s\n"
	printf format, "name", "unit", "Rust", "C", "ratio", "spread", "target", "met"
	for (r = 1; r <= rows; r++) {
		id = ids[r]
		if (!count[id " rust"] || !count[id " c"]) {
			print "results.awk: there is no figure for " name_[id] >"/dev/stderr"
			failed = 1
			continue
		}
		sort(id " rust")
		sort(id " c")
		rust = quantile(id " rust", 0.5)
		c = quantile(id " c", 0.5)
		wide = spread(id " rust") > spread(id " c") ? spread(id " rust") : spread(id " c")
		# If both are 0, the ratio is 1.
		ratio = c ? rust / c : 1 + rust
		met = better_[id] == "less" ? ratio <= target_[id] : ratio >= target_[id] - wide
		if (!met && why_[id] == "" && !lenient) {
			print "results.awk: no known reason for missing the target: " name_[id] \
				>"/dev/stderr"
			failed = 1
		}
		printf format, name_[id], unit_[id], number(rust), number(c),
			sprintf("%.3f", ratio), sprintf("%.2f %%", 100 * wide),
			(better_[id] == "less" ? "<= " : ">= ") sprintf("%.2f", target_[id]),
			met ? "yes" : "no"
		if (!met && why_[id] != "")
			notes = notes "\n" name_[id] ": " why_[id] "."
		lines = lines (lines == "" ? "" : ",\n") sprintf( \
			"    {\"name\": \"%s\", \"unit\": \"%s\", \"rust\": %s, \"c\": %s, " \
			"\"ratio\": %.4f, \"spread\": %.4f, \"target\": %.2f, \"met\": %s, " \
			"\"why\": \"%s\"}", name_[id], unit_[id], number(rust), number(c), ratio,
			wide, target_[id], met ? "true" : "false", met ? "" : why_[id])
	}
	if (notes != "")
		print notes
	if (json != "")
		printf "{\"kernel\": \"%s\", \"results\": [\n%s\n]}\n", release, lines >json
	exit failed
}
