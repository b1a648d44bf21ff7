// SPDX-License-Identifier: GPL-2.0

//! Leaked work items.

use super::{again, await_runs, await_signal, leak_file, Calls, Empty, Shared, LEAVING, RUNS};
use crate::{
    bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler},
    proc_files::{ProcFile, Show},
    tasklet_wrap::Tasklet,
};
use core::{mem::forget, pin::Pin};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::{atomic::ordering::Relaxed, Arc, SetOnce},
};

/// An item's handler that calls a function.
struct Works(fn(&BhWorkContext<'_>));

impl BhWorkHandler for Works {
    type State = ();

    fn run(self: Pin<&Self>, (): &mut (), cx: &BhWorkContext<'_>) {
        RUNS.add(1, Relaxed);
        (self.get_ref().0)(cx);
    }
}

/// An item that any callback can queue, and its function.
struct Item {
    work: SetOnce<Arc<BhWork<Works>>>,
    run: fn(&BhWorkContext<'_>),
}

impl Item {
    const fn new(run: fn(&BhWorkContext<'_>)) -> Self {
        Self {
            work: SetOnce::new(),
            run,
        }
    }

    /// Leaks the item: a static is not dropped.
    fn leak(&'static self, queue: BhQueue) -> Result {
        let work = Arc::pin_init(BhWork::new(queue, Works(self.run), ()), GFP_KERNEL)?;

        self.work.populate(work);
        Ok(())
    }

    fn queue(&'static self) {
        if let Some(work) = self.work.as_ref() {
            work.queue();
        }
    }
}

pub(crate) fn work_itself() -> Result {
    static NORMAL: Item = Item::new(|cx| {
        cx.queue();
    });
    static HIGHPRI: Item = Item::new(|_| HIGHPRI.queue());
    static PROCESS: Item = Item::new(|_| PROCESS.queue());

    NORMAL.leak(BhQueue::Normal)?;
    HIGHPRI.leak(BhQueue::Highpri)?;
    PROCESS.leak(BhQueue::Process)?;
    NORMAL.queue();
    HIGHPRI.queue();
    PROCESS.queue();
    await_runs()
}

pub(crate) fn work_in_a_ring() -> Result {
    static FIRST: Item = Item::new(|_| SECOND.queue());
    static SECOND: Item = Item::new(|_| THIRD.queue());
    static THIRD: Item = Item::new(|_| {
        FIRST.queue();
        SECOND.queue();
    });

    FIRST.leak(BhQueue::Normal)?;
    SECOND.leak(BhQueue::Highpri)?;
    THIRD.leak(BhQueue::Process)?;
    FIRST.queue();
    await_runs()
}

pub(crate) fn work_and_tasklets() -> Result {
    static TASKLET: Shared = Shared::new(|_| {
        BH.queue();
        PROCESS.queue();
    });
    static BH: Item = Item::new(|_| TASKLET.schedule());
    static PROCESS: Item = Item::new(|_| TASKLET.hi_schedule());

    TASKLET.leak()?;
    BH.leak(BhQueue::Normal)?;
    PROCESS.leak(BhQueue::Process)?;
    TASKLET.schedule();
    await_runs()
}

/// Makes and leaks a running tasklet, a running item and a file.
fn make_all() -> Result {
    let tasklet = KBox::pin_init(Tasklet::new(Calls(again), ()), GFP_KERNEL)?;
    tasklet.schedule();
    forget(tasklet);

    let work = KBox::pin_init(
        BhWork::new(
            BhQueue::Process,
            Works(|cx| {
                cx.queue();
            }),
            (),
        ),
        GFP_KERNEL,
    )?;
    work.queue();
    forget(work);

    leak_file::<Empty>(c"unload_made")
}

pub(crate) fn work_makes() -> Result {
    static MAKES: Item = Item::new(|cx| {
        if LEAVING.load(Relaxed) == 0 || make_all().is_err() {
            cx.queue();
        }
    });

    MAKES.leak(BhQueue::Process)?;
    MAKES.queue();
    await_runs()
}

/// During the exit, drops what its state owns while that is running.
struct Drops;

/// A file, tasklets and items to drop.
struct Owned {
    file: Option<ProcFile<Empty>>,
    tasklets: KVec<Pin<KBox<Tasklet<Calls>>>>,
    works: KVec<Pin<KBox<BhWork<Works>>>>,
}

impl BhWorkHandler for Drops {
    type State = Owned;

    fn run(self: Pin<&Self>, owned: &mut Owned, cx: &BhWorkContext<'_>) {
        RUNS.add(1, Relaxed);
        if LEAVING.load(Relaxed) != 0 {
            owned.file = None;
            owned.tasklets.clear();
            owned.works.clear();
        }
        cx.queue();
    }
}

pub(crate) fn work_drops() -> Result {
    let mut owned = Owned {
        file: Some(ProcFile::new(c"unload_made", 0o444)?),
        tasklets: KVec::new(),
        works: KVec::new(),
    };

    for _ in 0..4 {
        let tasklet = KBox::pin_init(Tasklet::new(Calls(again), ()), GFP_KERNEL)?;
        tasklet.schedule();
        owned.tasklets.push(tasklet, GFP_KERNEL)?;

        for queue in [BhQueue::Normal, BhQueue::Process] {
            let works = Works(|cx| {
                cx.queue();
            });
            let work = KBox::pin_init(BhWork::new(queue, works, ()), GFP_KERNEL)?;
            work.queue();
            owned.works.push(work, GFP_KERNEL)?;
        }
    }
    let drops = KBox::pin_init(BhWork::new(BhQueue::Process, Drops, owned), GFP_KERNEL)?;
    drops.queue();
    forget(drops);
    await_runs()
}

pub(crate) fn show_queues() -> Result {
    static NORMAL: Item = Item::new(|cx| {
        cx.queue();
    });
    static HIGHPRI: Item = Item::new(|_| HIGHPRI.queue());
    static PROCESS: Item = Item::new(|_| PROCESS.queue());

    struct Queues;

    impl Show for Queues {
        fn show(_: &SeqFile) -> Result {
            await_signal();
            NORMAL.queue();
            HIGHPRI.queue();
            PROCESS.queue();
            Ok(())
        }
    }

    NORMAL.leak(BhQueue::Normal)?;
    HIGHPRI.leak(BhQueue::Highpri)?;
    PROCESS.leak(BhQueue::Process)?;
    leak_file::<Queues>(c"unload_waits")
}
