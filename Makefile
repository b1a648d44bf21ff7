# SPDX-License-Identifier: GPL-2.0
#
# What a person types. What Kbuild reads is in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= cloud
KVER ?=
asked_kernel := $(if $(filter command line environment,$(origin KERNEL)),$(KERNEL))
modules-of-kdir = $(MAKE) -C '$(KDIR)' M='$(CURDIR)'
export MIRROR STALE_OK JIT_CACHE ACCEL

.DEFAULT_GOAL := module
.PHONY: module modules_install rust-analyzer demo lab lab-check check check-all check-debug suites stress bench shell doc lint kernels clean distclean help

# KERNEL= or KVER= on the command line asks for one of Debian's kernels, and not for KDIR.
ifneq ($(filter command line environment,$(origin KERNEL) $(origin KVER)),)
module: ## Build jitasklet.ko for KDIR; with KERNEL= for a Debian kernel, in build/RELEASE/
	@scripts/build.sh '$(KERNEL)' '$(KVER)'
else
module:
	@scripts/check-kdir.sh '$(KDIR)'
	$(modules-of-kdir) modules

modules_install: module ## Install what a plain make builds (INSTALL_MOD_PATH=DIR: below DIR)
	$(modules-of-kdir) modules_install
endif

rust-analyzer: ## Write rust-project.json, for rust-analyzer in an editor
	@scripts/rust-analyzer.sh "$$(scripts/build.sh '$(KERNEL)' '$(KVER)')"

demo: ## Boot a stock Debian kernel in QEMU, load the module and print both tables
	@scripts/demo.sh '$(KERNEL)' '$(KVER)'

shell: ## The same guest for you to type in, module loaded
	@scripts/shell.sh '$(KERNEL)' '$(KVER)'

lab: ## Run the experiments of docs/lab.md in guests; makes build/lab/report.html
	@scripts/lab.sh

lab-check: ## Which exercises of docs/lab.md are done
	@scripts/lab-check.sh '$(KERNEL)' '$(KVER)'

check: suites ## Run all tests; the last line is the summary
	@:

check-all: suites ## The guest's tests, on all flavours of the two newest Linux versions
	@:

check-debug: suites ## The guest's tests and failing allocations, on a kernel built to find defects
	@:

# Those that are asked for together share the machine, and the last line. With a recipe that does
# nothing make says nothing after that line.
suites:
	@SUITES='$(SUITES)' KERNEL='$(asked_kernel)' KVER='$(KVER)' JOBS='$(JOBS)' SPEED='$(SPEED)' \
		scripts/check.sh $(filter check check-all check-debug,$(MAKECMDGOALS))

stress: ## The load at its full counts, about half an hour; KERNEL=debug: a twentieth of them
	@scripts/stress.sh '$(KERNEL)' '$(KVER)' '$(SHARE)'

doc: ## Render the documentation of the Rust code into build/doc/
	@scripts/doc.sh "$$(scripts/build.sh cloud)"

lint: ## rustfmt, clippy, checkpatch, shellcheck and flake8
	@scripts/lint.sh

bench: ## Measure Rust against C; a table, build/bench/results.json and pictures
	@scripts/bench.sh '$(KERNEL)' '$(KVER)'

kernels: ## List what KERNEL= and KVER= can choose
	@scripts/kernels.sh list

clean: ## Remove what was built here
	rm -rf --one-file-system build
	find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '*.bc' -o -name '.*.cmd' -o -name Module.symvers -o -name modules.order \) \
		-exec rm -f {} +

distclean: clean ## Remove also the cache: the roots and the kernel trees
	@scripts/distclean.sh

help: ## This list
	@sed -nE 's/^([a-z_-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24
	@echo
	@echo '  KERNEL=cloud|generic|rt|RELEASE   a Debian kernel (default: cloud), for demo, shell, module, ...'
	@echo '  KERNEL=debug                      a kernel built here from the same source, to find defects'
	@echo '  SUITES="files trace"  JOBS=2      of check, check-debug, ...: only these suites; how many at a time'
	@echo '  SPEED=fast|slow                   ... the suites of the guest, on a fast or on a crowded machine'
	@echo '  KVER=7.2                          its Linux version (default: the newest)'
	@echo '  KDIR=/path/to/build               the kernel that a plain make builds for'
	@echo '  MIRROR=URL  STALE_OK=1            another Debian archive; go on with a stale one'
	@echo '  JIT_CACHE=DIR                     where the roots and the kernel trees are kept'
