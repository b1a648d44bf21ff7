# SPDX-License-Identifier: GPL-2.0
#
# The commands. The rules for building the modules are in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= cloud
KVER ?=
# What the user asked for: a Debian kernel, or one that was built in KDIR.
asked = $(filter command environment,$(origin $(1)))
asked_kernel := $(if $(call asked,KERNEL),$(KERNEL),$(if $(call asked,KDIR),$(abspath $(KDIR))))
kernel := $(or $(asked_kernel),$(KERNEL))
modules-of-kdir = $(MAKE) -C '$(KDIR)' M='$(or $(MODULE),$(CURDIR))' $(addprefix MO=,$(module-out))
export MIRROR STALE_OK JIT_CACHE ACCEL SUITE

# Somebody else's module. As in Kbuild, M= counts on the command line only; every make that is
# started from here inherits it, so those that build a module have an M= of their own.
ifeq ($(origin M),command line)
ifneq ($(word 2,$(M)),)
$(error M=$(M): make cannot build in a directory with a space in its name)
endif
ifneq ($(filter-out module modules_install demo shell check,$(MAKECMDGOALS)),)
$(error M= goes with these only: make, make modules_install, make demo, make shell, make check)
endif
MODULE := $(or $(realpath $(M)),$(abspath $(M)))
module-out := $(CURDIR)/build/m/$(notdir $(MODULE))
else
MODULE :=
endif
export MODULE TEST
unexport M

# A failure leaves a report.
run = scripts/run.sh
export JIT_COMMAND := $(strip make $(MAKECMDGOALS) $(MAKEOVERRIDES))
export JIT_KERNEL := $(kernel)
export JIT_KDIR := $(KDIR)

.DEFAULT_GOAL := module
.PHONY: module modules_install rust-analyzer demo device lab lab-check check check-all check-debug suites stress bench figures shell doc lint kernels kconfig doctor clean prune distclean help

# With KERNEL= or KVER= on the command line, the module is built for a Debian kernel, not for KDIR.
ifneq ($(call asked,KERNEL)$(call asked,KVER),)
module: ## Build jitasklet.ko for KDIR; with KERNEL= for a Debian kernel, in build/RELEASE/
	@$(run) scripts/build.sh '$(KERNEL)' '$(KVER)'
else
module:
	@$(run) scripts/check-kdir.sh '$(KDIR)'
ifneq ($(MODULE),)
	@mkdir -p '$(module-out)'
	@$(run) $(modules-of-kdir) modules
	@echo 'jitasklet: the modules are in $(module-out)' >&2
else
	@$(run) $(modules-of-kdir) modules
endif

modules_install: module ## Install what a plain make builds (INSTALL_MOD_PATH=DIR: below DIR)
	@$(run) $(modules-of-kdir) modules_install
endif

rust-analyzer: ## Write rust-project.json, for rust-analyzer in an editor
	@$(run) sh -c 'exec "$$0" "$$(scripts/build.sh "$(kernel)" "$(KVER)")"' scripts/rust-analyzer.sh

demo: ## Boot a stock Debian kernel in QEMU, load the module and print both tables
	@$(run) scripts/$(if $(MODULE),module.sh demo,demo.sh) '$(kernel)' '$(KVER)'

device: ## Boot one with QEMU's device edu, load its driver, and print /proc/jitirq
	@$(run) scripts/device.sh '$(kernel)' '$(KVER)'

shell: ## Open a shell in that guest, module loaded
	@$(run) scripts/shell.sh '$(kernel)' '$(KVER)'

lab: ## Run the experiments of docs/lab.md in guests; write build/lab/report.html
	@$(run) scripts/lab.sh

lab-check: ## Check which exercises of docs/lab.md are done
	@$(run) scripts/lab-check.sh '$(kernel)' '$(KVER)'

check: suites ## Run all tests; the last line is the summary
	@:

check-all: ## Run suites of the guest on the kernels of all of Debian's suites, and print a table
	@SUITES='$(SUITES)' KERNEL='$(asked_kernel)' JOBS='$(JOBS)' SPEED='$(SPEED)' \
		$(run) scripts/check-all.sh

check-debug: suites ## Run suites of the guest, and more, on a kernel with debugging options
	@:

# Sets that are requested together share the machine and the summary. With an empty recipe, make
# would print a message after the summary.
suites:
ifneq ($(MODULE),)
	@$(run) scripts/module.sh check '$(kernel)' '$(KVER)'
else
	@SUITES='$(SUITES)' KERNEL='$(asked_kernel)' KVER='$(KVER)' JOBS='$(JOBS)' SPEED='$(SPEED)' \
		$(run) scripts/check.sh $(filter check check-debug,$(MAKECMDGOALS))
endif

stress: ## Run the load tests at full counts, for half an hour; KERNEL=debug: a twentieth
	@$(run) scripts/stress.sh '$(kernel)' '$(KVER)' '$(SHARE)'

doc: ## Render the documentation of the Rust code into build/doc/
	@$(run) sh -c 'exec "$$0" "$$(scripts/build.sh cloud)"' scripts/doc.sh

lint: ## Run rustfmt, clippy, checkpatch, shellcheck and flake8; check the CI files
	@$(run) scripts/lint.sh

bench: ## Compare Rust with C: a table, and build/bench/ with results.json and pictures
	@$(run) scripts/bench.sh '$(kernel)' '$(KVER)'

figures: ## Update the output that README.md and docs/ show (after make bench)
	@$(run) scripts/figures.sh

kconfig: ## Print what the kernel of KDIR= lacks for the guest and its tests
	@$(run) scripts/kconfig.sh '$(KDIR)'

doctor: ## Say what this machine, and the kernel of KDIR=, have of what is needed
	@scripts/doctor.sh '$(KDIR)'

kernels: ## List what KERNEL=, KVER= and SUITE= can choose
	@$(run) scripts/kernels.sh list

clean: ## Remove what was built here
	rm -rf --one-file-system build
	find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '*.bc' -o -name '.*.cmd' -o -name Module.symvers -o -name modules.order \) \
		-exec rm -f {} +

prune: ## Remove from the cache what the default kernels do not need
	@scripts/prune.sh

distclean: clean ## Also remove the cache: the roots and the kernel trees
	@scripts/distclean.sh

help: ## Show this list
	@sed -nE 's/^([a-z_-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 24
	@echo
	@echo '  KERNEL=cloud|generic|rt|RELEASE   a Debian kernel (default: cloud), for demo, shell, module, ...'
	@echo '  KERNEL=debug                      a kernel with debugging options, built here from the same source'
	@echo '  SUITES="files trace"  JOBS=2      for check, check-debug, ...: only these suites; how many at a time'
	@echo '  SPEED=fast|slow                   ... simulate a fast or an overloaded machine for the guests'
	@echo '  KVER=7.2                          its Linux version (default: the newest)'
	@echo '  SUITE=forky|sid|experimental      the Debian suite of that kernel (default: trixie-backports)'
	@echo '  KDIR=/path/to/build               a kernel that was built there, for module, demo, shell, check, ...'
	@echo '  M=../mine  TEST=test.sh           another module, for module, demo, shell, check; a script to test it'
	@echo '  ACCEL=kvm|tcg                     run guests with KVM, or emulate (default: KVM where it works)'
	@echo '  MIRROR=URL  STALE_OK=1            another Debian archive; accept a stale one'
	@echo '  JIT_CACHE=DIR                     where to keep the roots and the kernel trees'
