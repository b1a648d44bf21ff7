// SPDX-License-Identifier: GPL-2.0
/*
 * kernel.c: the kernel's own helpers, for the bitcode: see Kbuild.
 */

#include <linux/module.h>

/* What their headers import, this module does not use. */
#undef MODULE_IMPORT_NS
#define MODULE_IMPORT_NS(ns)

#include <helpers.c>
