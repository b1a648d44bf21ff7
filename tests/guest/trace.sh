#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# trace.sh BUILD: the tasklets, and the BH work item, as the kernel's own tracepoints and counters
# see them, in the guest.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"
. "${BASH_SOURCE[0]%/*}/../../lab/ftrace.sh"

ko=${1?"usage: trace.sh BUILD"}/jitasklet.ko
reader=$1/tests/reader
cpus=$(busybox nproc)
before=0 after=0
# The vectors, as the kernel numbers and names them.
declare -A vec=([jitasklet]=6 [jitasklethi]=0 [jitbh]=6)
declare -A action=([jitasklet]=TASKLET [jitasklethi]=HI [jitbh]=TASKLET)

# Adds probes to tracepoints, which also record the jiffies. The runs of a work item get the same
# event names as those of a tasklet.
set_up() {
	local event
	while read -r event; do
		echo "e:$event now=@jiffies_64:s64" >>"$tracing/dynamic_events" || return
	done <<'EOF'
jit/raise irq.softirq_raise vec=$vec:u32
jit/entry irq.tasklet_entry func=$func:symbol
jit/exit irq.tasklet_exit func=$func:symbol
jitbh/entry workqueue.workqueue_execute_start func=$function:symbol
jitbh/exit workqueue.workqueue_execute_end func=$function:symbol
EOF
}

# trace [EVENT...]: traces the probes and these events. The clock is a counter, which orders the
# events of all CPUs. Other clocks give many events the same time when the kernel has given up the
# TSC, as on slow machines.
trace() {
	begin_trace counter 'jit:*' 'jitbh:*' "$@"
}

# As read_trace, without the runs of other modules' tasklets and work items.
read_ours() {
	read_trace "${@:1:$#-1}" '
	event ~ /^(entry|exit)$/ && text !~ / \[jitasklet\] / { next }
	'"${*: -1}"
}

on_cpu() {
	busybox taskset -p "$(printf %x $((1 << $1)))" "${2-$BASHPID}" >/dev/null
}

# reads PATH COUNT CPU: reads the file COUNT times, without starting a process. Marks the CPU.
reads() {
	local i table
	for ((i = 0; i < $2; i++)); do
		echo "read $3" >&"$marker" || return
		mapfile -t table <"$1"
		printf 'row %s\n' "${table[@]:1}" >&"$marker"
	done
}

reads_everywhere() {
	local cpu
	for ((cpu = 0; cpu < cpus; cpu++)); do
		on_cpu "$cpu" && reads "/proc/$1" "$2" "$cpu" || return
	done
}

# rows_fit READS [earlier]: each read has one run for each row, one after another, on the CPU, at
# the time and in the task that the row shows, and there are no other runs. With "earlier", runs
# before the mark "ended" are only counted, and there must be some.
rows_fit() {
	read_ours -v want="$1" -v earlier="${2-0}" '
	# The first time, also prints the last events.
	function bad(why, i) {
		for (i = events - 30; !bads && i <= events; i++)
			if (i > 0)
				print "#   " seen[i % 31]
		if (bads++ < 5)
			print "# read " reads + 0 ": " why
	}
	{ seen[++events % 31] = $0 }
	function note(k, from) {
		where[k] = sprintf("%d    %6d   %d   %s", flags ~ /s/, pid, cpu,
			comm == "<idle>" ? "swapper/" cpu : comm)
		begin[k] = from + 0
		end[k] = value("now") + 0
	}
	mark == "ended" { ended = 1 }
	earlier && !ended { before += event == "entry"; next }
	value("now") != "" { now[cpu] = value("now") }
	mark ~ /^read / {
		if (reading || mark != "read " cpu)
			bad("the table before is incomplete, or this is on CPU " cpu ": " mark)
		reads++
		reading = 1
		reader = pid
		low = now[cpu]
		runs = row = running = 0
	}
	# The reader schedules the tasklet, or queues the work item.
	event == "raise" && reading && !runs && pid == reader && flags !~ /[hH]/ { note(0, low) }
	event == "entry" {
		if (!reading || running || runs == 5)
			bad("run " runs + 1 " should not be there")
		note(++runs, value("now"))
		running = cpu " " pid
	}
	event == "exit" {
		if (running != cpu " " pid)
			bad("run " runs " ends on another CPU or in another task")
		running = 0
		end[runs] = value("now") + 0
	}
	mark ~ /^row / {
		split(mark, field, / +/)
		time = field[2] + 0
		k = row++
		should = sprintf("row %9s  %3d     %s", field[2], k ? time - last : 0, where[k])
		if (mark != should || time < begin[k] || time > end[k])
			bad("\"" mark "\" should be \"" should "\", in " begin[k] " to " end[k])
		last = time
		if (row == 6 && (runs != 5 || running))
			bad(runs " runs")
		reading = row < 6
	}
	END {
		if (reads != want || reading)
			bad("should be the last, and complete, of " want)
		if (earlier)
			print "# " before + 0 " runs before the end of the interrupted reads"
		exit bads || earlier && !before
	}'
}

same_as_rows() {
	before=$(count_softirqs "${action[$1]}")
	trace irq:softirq_entry irq:softirq_exit && reads_everywhere "$1" 10 || return
	end_trace && after=$(count_softirqs "${action[$1]}") && rows_fit $((10 * cpus))
}

# Each run is in its vector, which was raised once for it: for the first run by the reader, for the
# others by the previous run. On PREEMPT_RT a task can be preempted in a vector, so this keeps the
# vector of each task.
right_vector() {
	read_ours -v vec="${vec[$1]}" -v name="${action[$1]}" -v grown=$((after - before)) '
	function bad(why) { if (bads++ < 5) print "# run " runs ": " why }
	mark ~ /^read / { reader = pid; raised = 0; running = "" }
	event == "softirq_entry" { vector[cpu, pid] = value("vec") }
	event == "softirq_exit" { delete vector[cpu, pid] }
	event == "raise" && value("vec") == vec && flags !~ /[hH]/ {
		raised += running == cpu " " pid || runs % 5 == 0 && pid == reader
	}
	event == "entry" {
		runs++
		running = cpu " " pid
		if (vector[cpu, pid] "" != vec || raised != 1)
			bad("in vector " vector[cpu, pid] ", and raised " raised " times in " vec)
		raised = 0
	}
	event == "exit" {
		running = ""
		if (runs % 5 == 0 && raised)
			bad("the last run raised vector " vec)
	}
	END {
		print "# " runs + 0 " runs; in /proc/softirqs " name " grew by " grown
		exit bads || !runs || grown < runs
	}'
}

# Work items differ: one that is queued while it runs also runs again in the same pass of the
# vector, without another raise. A pass ends early when the jiffies advance, so not every read takes
# one pass only.
one_pass() {
	read_ours -v vec="${vec[$1]}" -v grown=$((after - before)) '
	function bad(why) { if (bads++ < 5) print "# read " reads ": " why }
	mark ~ /^read / { reads++; reader = pid; raised = passes = runs = 0; last = running = "" }
	event == "softirq_entry" { vector[cpu, pid] = value("vec"); pass[cpu, pid]++ }
	event == "softirq_exit" { delete vector[cpu, pid] }
	event == "raise" && value("vec") == vec && flags !~ /[hH]/ {
		raised += running == cpu " " pid || !runs && pid == reader
	}
	event == "entry" {
		running = cpu " " pid
		if (vector[cpu, pid] "" != vec)
			bad("run " runs + 1 " is in vector " vector[cpu, pid])
		passes += last != running " " pass[cpu, pid]
		last = running " " pass[cpu, pid]
		if (++runs == 5) {
			alone += passes == 1
			if (passes == 1 && raised != 1)
				bad("raised " raised " times in " vec)
		}
	}
	event == "exit" { running = "" }
	END {
		print "# " alone + 0 " of " reads + 0 " reads took one pass; " \
			"in /proc/softirqs TASKLET grew by " grown
		exit bads || alone < reads / 2 || grown < reads
	}'
}

# waited FILE WANT UNDER HOGS: counts the local timer interrupts on the CPU between the schedule and
# the first run. If one interrupts a running softirq, as on a slow machine, the run did not wait for
# it.
#
# Without hogs, the CPU must not be idle in between, in any read. The number of ticks does not
# matter: on a slow machine the way to ksoftirqd may take longer than a tick. On PREEMPT_RT the CPU
# may be idle in fewer than half of the reads: a task that has softirqs disabled may sleep there,
# waiting for a lock, and raise_softirq_irqoff() leaves the run to that task. With hogs, most of the
# UNDER reads that compete with one have their first run in a hog, after at most one tick. That tick
# may be late, so the jiffies do not matter.
waited() {
	read_ours -v vec="${vec[$1]}" -v want="$2" -v under="$3" -v hogs="$4" \
		-v rt="$(is_rt && echo 1)" '
	mark ~ /^read / {
		reader = pid
		home = cpu
		raised = run = row = ticks = outside = idled = 0
	}
	event == "raise" && value("vec") == vec && pid == reader && flags !~ /[hH]/ { raised = 1 }
	raised && !run && cpu == home && pid == 0 { idled = 1 }
	event == "local_timer_entry" && raised && !run && cpu == home {
		ticks++
		outside += flags !~ /H/
	}
	event == "entry" && !run++ {
		reads += raised
		none += !ticks
		slept += idled
		most = outside > most ? outside : most
		all = ticks > all ? ticks : all
	}
	mark ~ /^row / && ++row == 2 {
		split(mark, field, / +/)
		hogged += index(hogs, " " field[5] " ") && field[4] == 1
	}
	END {
		printf "# %d reads: local timer interrupts before the first run: none in %d, " \
			"at most %d (%d with those in softirqs); %d on a CPU that was idle; " \
			"%d first runs in a hog\n", reads, none, most, all, slept, hogged
		exit reads != want || (hogs ? most > 1 || 2 * hogged <= under : \
			rt ? 2 * slept >= reads : slept)
	}'
}

idle() {
	trace irq_vectors:local_timer_entry sched:sched_switch && reads_everywhere "$1" 25 || return
	end_trace && rows_fit $((25 * cpus)) && waited "$1" $((25 * cpus)) 0 ''
}

# A hog runs on the reader's CPU. The reader outranks it, and it outranks ksoftirqd, so softirqs run
# only at the end of interrupts. It also outranks the file system's workers, so nothing may be read
# from there meanwhile: no program, no absolute path, no page of bash or libc that earlier reads
# have not loaded. If something is, the test fails instead of hanging, because the hog ends by
# itself. On PREEMPT_RT even the reader would wait for the hog, so there it is an ordinary task.
busy() (
	hog='' hogs=' '
	trap '[ -z "$hog" ] || kill -KILL "$hog"; restore_settings' EXIT
	is_rt || disable_rt_throttling || exit
	trace irq_vectors:local_timer_entry && cd /proc || exit
	for ((cpu = 0; cpu < cpus; cpu++)); do
		coproc { read -r && for ((spin = 0; spin < 1000000; spin++)); do :; done; }
		# shellcheck disable=SC2153 # COPROC_PID comes with coproc
		hog=$COPROC_PID
		hogs+="$hog "
		on_cpu "$cpu" "$hog" && on_cpu "$cpu" || exit
		is_rt || { chrt -f -p 10 "$hog" && chrt -f -p 20 "$BASHPID"; } || exit
		reads "$1" 5 "$cpu"
		kill -0 "$hog" && echo go >&"${COPROC[1]}"
		reads "$1" 20 "$cpu"
		kill -KILL "$hog"
		wait "$hog"
		hog=''
		is_rt || chrt -o -p 0 "$BASHPID" || exit
	done
	end_trace && rows_fit $((25 * cpus)) && waited "$1" $((25 * cpus)) $((20 * cpus)) "$hogs"
)

# Once each CPU has made a table in each vector, everything scheduled earlier has run.
nothing_left() {
	trace || return
	"$reader" "/proc/$1" storm 300 && "$reader" "/proc/$1" kill 20 || return
	echo ended >&"$marker"
	reads_everywhere jitasklet 1 && reads_everywhere jitasklethi 1 || return
	end_trace && rows_fit $((2 * cpus)) earlier
}

set_up && insmod "$ko" bh=1 || exit
plan 15
for file in jitasklet jitasklethi jitbh; do
	check "$file: five runs where the rows say, and none elsewhere" same_as_rows "$file"
	if [ "$file" = jitbh ]; then
		check "$file: its runs share a pass of ${action[$file]}_SOFTIRQ" one_pass "$file"
	else
		check "$file: every run is in ${action[$file]}_SOFTIRQ" right_vector "$file"
	fi
	check "$file: an idle CPU does not wait for the tick" idle "$file"
	busy_name="$file: a busy CPU runs it at the next tick"
	if is_rt; then
		busy "$file" </dev/null
		skip "$busy_name" 'on PREEMPT_RT a thread runs it'
	else
		check "$busy_name" busy "$file"
	fi
	check "$file: interrupted reads leave nothing scheduled" nothing_left "$file"
done
rmmod jitasklet
: >"$tracing/dynamic_events"
restore_settings
end
