# SPDX-License-Identifier: GPL-2.0
#
# awk -v part=NAME -f parts.awk FILE: prints the code of one function, without comments and blanks.
#
# NAME is FUNCTION in C; in Rust it is FUNCTION, TYPE::FUNCTION, MODULE::FUNCTION or `mod MODULE`.
# The code is formatted as rustfmt and the kernel do it: an item ends with the first brace that
# stands where the item begins. If there are several of that name they are all printed.

function name_of(line) {
	sub(/^ */, "", line)
	sub(/^.*(fn|mod) /, "", line)
	sub(/[^A-Za-z0-9_].*/, "", line)
	return line
}

function type_of(line) {
	sub(/^(unsafe )?impl(<[^>]*>)? /, "", line)
	sub(/^.* for /, "", line)
	sub(/[^A-Za-z0-9_].*/, "", line)
	return line
}

function print_code(line) {
	gsub(/[ \t]/, "", line)
	if (line != "")
		print line
}

{
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "")
	if (in_comment) {
		if (!sub(/^.*\*\//, ""))
			next
		in_comment = 0
	}
	if (sub(/\/\*.*/, ""))
		in_comment = 1
	sub(/\/\/.*/, "")
}

FILENAME ~ /\.rs$/ {
	if (!inside) {
		if ($0 ~ /^(unsafe )?impl/)
			outer = type_of($0) "::"
		else if ($0 ~ /^(pub )?mod .*\{/)
			outer = name_of($0) "::"
		else if ($0 ~ /^}/)
			outer = ""

		if (($0 ~ /^ *(pub(\([a-z]*\))? )?(const )?(unsafe )?(extern "C" )?fn / &&
		     (outer name_of($0)) == part) ||
		    ($0 ~ /^(pub )?mod .*\{/ && ("mod " name_of($0)) == part)) {
			inside = 1
			match($0, /^ */)
			end = substr($0, 1, RLENGTH) "}"
		}
	}
	if (inside) {
		print_code($0)
		if (index($0, end) == 1) {
			inside = 0
			if (end == "}")
				outer = ""
		}
	}
	next
}

# C: a definition begins in the first column, perhaps with its type in a line of its own.
!inside && /^[A-Za-z_]/ && $0 !~ /;[ \t]*$/ && match($0, part "\\(") &&
    (RSTART == 1 || substr($0, RSTART - 1, 1) ~ /[ *\t]/) {
	inside = 1
}

inside {
	print_code($0)
	if ($0 ~ /^}/)
		inside = 0
	else if ($0 ~ /;[ \t]*$/ && $0 ~ /^[A-Za-z_]/)
		inside = 0
}
