#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ci.sh OUT: the files for CI systems do what they should: their steps are executed, in order. The
# chroot of chroot.sh stands in for GitHub's runner, with all rights, and for GitLab's container.
# What they would restore of the cache is this cache, and its archive is that of this host.

. "${BASH_SOURCE[0]%/*}/../../scripts/lib.sh"
. "$top/tests/ktap.sh"
. "$top/tests/host/chroot.sh"

[ $# -ge 1 ] || usage
out=$(realpath "$1")
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/jitasklet-ci.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
project=$tmp/copy/project

# A project of somebody else's, and a repository with this checkout.
make_projects() {
	cp -r "$top/samples/minimal" "$project" && copy_checkout "$tmp/git" &&
		git -C "$tmp/git" init -q && git -C "$tmp/git" add -A &&
		git -C "$tmp/git" -c user.name=a -c user.email=a@b.invalid commit -qm first &&
		git clone -q --bare "file://$tmp/git" "$tmp/copy/repository"
}

# steps FILE JOB [NAME=VALUE...]: writes the steps of a job into the copy.
steps() {
	"$top/scripts/enter.sh" --layer schema "$out/tree" \
		python3 -B /jitasklet/tests/buildroot/ci-steps.py "$@" >"$tmp/copy/steps"
}

# prints PATTERN...: the job has printed lines like these.
prints() {
	local pattern
	for pattern; do
		grep -qE "$pattern" "$tmp/said" && continue
		echo "# there is no $pattern in:"
		sed 's/^/# /' "$tmp/said"
		return 1
	done
}

# Of the packages of the roots, a runner of GitHub has those of a host, and compilers.
on_runner() {
	local -x lower runner=1
	lower=../$(basename "$("$top/scripts/root.sh" image)"):../$(basename \
		"$("$top/scripts/root.sh" build)")
	container env -C /src GITHUB_WORKSPACE=/src bash steps >"$tmp/said" 2>&1
}

github_module() {
	steps .github/workflows/check.yml module mirror= && on_runner
	prints '^## the runner has actions/cache@' '^  ok  make demo$' \
		'^ok 1 it loads$' '^2 passed, 0 failed$' \
		'^artifact: /src/build/.*/m/minimal/junit.xml' \
		'^artifact: /src/build/.*/m/minimal/test.out'
}

github_check() {
	steps .github/workflows/check.yml check kernel=cloud suites=files mirror= && on_runner
	prints '^[1-9][0-9]* passed, 0 failed$' '^artifact: /src/build/check/junit.xml' \
		'^artifact: /src/build/check/files-.*.ktap'
}

in_gitlab() {
	steps samples/gitlab-ci.yml module KERNEL=cloud JIT_CACHE="$cache" && container env \
		-C /src/project CI_PROJECT_DIR=/src/project \
		JITASKLET_URL=file:///src/repository GIT_CONFIG_COUNT=1 \
		GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
		bash /src/steps >"$tmp/said" 2>&1
}

gitlab_module() {
	in_gitlab
	prints '^ok 1 it loads$' '^2 passed, 0 failed$' \
		'^artifact: jitasklet/build/.*/m/project/junit.xml' \
		'^artifact: jitasklet/build/.*/m/project/test.out'
}

gitlab_failure() {
	echo 'this is no Rust' >>"$project/minimal.rs"
	! in_gitlab && prints 'error: expected' '^artifact: jitasklet/build/report.txt'
}

plan 4
[ -e "$image" ] || { make_container && make_projects; } || exit
mounts 'the GitHub workflow tests a module' github_module
mounts 'the GitHub workflow tests jitasklet' github_check
mounts 'the GitLab example tests a module' gitlab_module
mounts 'the GitLab example keeps the report of a failure' gitlab_failure
end
