// SPDX-License-Identifier: GPL-2.0
/*
 * confine COMMAND...: runs a command that may make neither mounts nor namespaces, as the seccomp
 * filters of container engines have it by default.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
		    CLONE_NEWNET | CLONE_NEWCGROUP)

static const int refused[] = {
	__NR_mount, __NR_umount2, __NR_move_mount, __NR_open_tree, __NR_fsopen, __NR_fsmount,
	__NR_mount_setattr, __NR_pivot_root, __NR_unshare, __NR_setns, -1
};

static struct sock_filter filter[64];
static unsigned short len;

static void add(__u16 code, __u32 k, __u8 jt, __u8 jf)
{
	filter[len++] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
}

static void add_answer(int error)
{
	add(BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | error : SECCOMP_RET_ALLOW, 0, 0);
}

static void make_filter(void)
{
	const int *call;

	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (call = refused; *call >= 0; call++) {
		add(BPF_JMP | BPF_JEQ | BPF_K, *call, 0, 1);
		add_answer(EPERM);
	}
	/* Its flags are in memory, which a filter cannot read. The C library then uses clone. */
	add(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1);
	add_answer(ENOSYS);
	add(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 1, 0);
	add_answer(0);
	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]), 0, 0);
	add(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	add_answer(EPERM);
	add_answer(0);
}

int main(int argc, char **argv)
{
	struct sock_fprog program = { .filter = filter };

	if (argc < 2) {
		fputs("usage: confine COMMAND...\n", stderr);
		return 2;
	}
	make_filter();
	program.len = len;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("confine");
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
