/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel has because gcc built it, and clang must not have: see arch/x86/Kconfig.
 *
 * In an operand of inline assembly clang forgets the segment of a per-CPU variable.
 */

#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_USE_X86_SEG_SUPPORT
