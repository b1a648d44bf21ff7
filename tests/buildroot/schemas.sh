#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# schemas.sh PACKAGES: checks the files for CI systems against their schemas, with check-jsonschema
# from the directory PACKAGES. Runs in the build root, with the layer schema.

set -euo pipefail

export PYTHONPATH=${1?"usage: schemas.sh PACKAGES"}
# Python's requests wants to read this, although nothing is downloaded.
certificates=/etc/ssl/certs/ca-certificates.crt
if [ ! -e "$certificates" ]; then
	mkdir -p "${certificates%/*}"
	cat /usr/share/ca-certificates/mozilla/*.crt >"$certificates"
fi
failed=0
while read -r schema file; do
	python3 -B -m check_jsonschema --builtin-schema "vendor.$schema" "/jitasklet/$file" |
		sed "s/^/# /" ||
		failed=1
done <<END
github-workflows .github/workflows/check.yml
github-actions action.yml
gitlab-ci samples/gitlab-ci.yml
END
exit "$failed"
