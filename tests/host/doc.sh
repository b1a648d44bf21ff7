#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doc.sh OUT: the documentation renders without a warning, and its examples compile.

. "${BASH_SOURCE[0]%/*}/../ktap.sh"

plan 1
t 'rustdoc and the examples' "${BASH_SOURCE[0]%/*}/../../scripts/doc.sh" "${1?"usage: doc.sh OUT"}"
end
