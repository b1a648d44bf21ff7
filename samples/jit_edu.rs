// SPDX-License-Identifier: GPL-2.0

//! `/proc/jitirq`: where the halves of an interrupt handler run.
//!
//! A driver for `edu`, the PCI device that QEMU has for teaching. Each read of the file makes the
//! device interrupt once, and shows where the handler ran and where all that ran that it deferred:
//! tasklets, BH work items, a thread and an ordinary work item. See docs/driver.md.
//!
//! ```text
//! read(2) -> Device::measure, which writes to the device, and waits
//!                 |
//!            interrupt -> Handler::handle: acknowledges, and defers to
//!                            |  the tasklets and work items -> Deferred::run
//!                            |  the thread                  -> Handler::handle_threaded
//!                            v
//!                         Device::ran, each time; the last one wakes the reader
//! ```
//!
//! # Who owns what
//!
//! The driver core owns the [`Data`] of a device from probe to unbind, and drops it in the order of
//! its fields: first the file, which waits for the readers; then the registration, which waits for
//! the handler and its thread, and drops the handler with all that it defers to, which waits for
//! that; then the vectors. [`Device`] is what all of them share. It has the registers, which the
//! kernel unmaps last.
//!
//! A reader may wait for an interrupt that will never come, because the device is going. So
//! `unbind` wakes it, before anything waits for the reader.

#![expect(
    unreachable_pub,
    reason = "the files that this includes are written as parts of a larger crate"
)]

use core::pin::Pin;
use kernel::{
    device::Core,
    io::Io,
    irq::{Flags, IrqRequest, IrqReturn, ThreadedHandler, ThreadedIrqReturn, ThreadedRegistration},
    pci,
    prelude::*,
    seq_file::{seq_print, SeqFile},
    str::CString,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        new_condvar, new_spinlock_irq, Arc, CondVar, SpinLockIrq, SpinLockIrqGuard,
    },
    time::{Instant, Monotonic},
};

#[expect(dead_code, reason = "library code; this module uses only part of it")]
#[path = "../bh_work.rs"]
mod bh_work;
#[expect(dead_code, reason = "library code; this module uses only part of it")]
#[path = "../context.rs"]
mod context;
#[expect(dead_code, reason = "library code; this module uses only part of it")]
#[path = "../proc_files.rs"]
mod proc_files;
#[expect(dead_code, reason = "library code; this module uses only part of it")]
#[path = "../tasklet_wrap.rs"]
mod tasklet_wrap;
#[path = "../unload.rs"]
mod unload;
#[path = "../versions.rs"]
mod versions;

use bh_work::{BhQueue, BhWork, BhWorkContext, BhWorkHandler};
use context::{Context, Kind};
use proc_files::{print, DataFile, ShowData};
use tasklet_wrap::{Tasklet, TaskletContext, TaskletHandler};

/// QEMU's docs/specs/edu.rst describes the device.
mod edu {
    pub(super) const VENDOR: u16 = 0x1234;
    pub(super) const DEVICE: u16 = 0x11e8;
    /// "Unassigned class".
    pub(super) const CLASS: u32 = 0x00ff00;

    /// The BAR with the registers, and how much of it is used.
    pub(super) const BAR: u32 = 0;
    pub(super) const SIZE: usize = 0x68;

    /// Constant, and never all ones.
    pub(super) const IDENTIFICATION: usize = 0x00;
    /// The bits that were raised and not acknowledged. The device interrupts while there are any.
    pub(super) const STATUS: usize = 0x24;
    pub(super) const RAISE: usize = 0x60;
    pub(super) const ACKNOWLEDGE: usize = 0x64;
}

/// The bit that this driver raises.
const BIT: u32 = 1;

/// The halves, in no particular order: the table has them in the order in which they ran.
#[derive(Clone, Copy, Default, PartialEq)]
enum Half {
    #[default]
    Reader,
    Handler,
    HiTasklet,
    Tasklet,
    HiBhWork,
    BhWork,
    Thread,
    Work,
}

const HALVES: usize = Half::Work as usize + 1;

impl Half {
    fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Handler => "handler",
            Self::HiTasklet => "hi tasklet",
            Self::Tasklet => "tasklet",
            Self::HiBhWork => "hi bh work",
            Self::BhWork => "bh work",
            Self::Thread => "irq thread",
            Self::Work => "work",
        }
    }
}

/// Where and when a half ran.
#[derive(Clone, Copy, Default)]
struct Row {
    half: Half,
    nanoseconds: i64,
    kind: Kind,
    context: Context,
}

impl Row {
    fn print(&self, m: &SeqFile) {
        let kind = match (self.half, self.kind) {
            (_, Kind::Hardirq) => "hardirq",
            (_, Kind::Softirq) => "softirq",
            (Half::Handler, Kind::Thread) => "forced",
            (_, Kind::Thread) => "thread",
        };

        seq_print!(
            m,
            "{:<10}  {:>11}  {:<7}  {:>7}  {:>3}  ",
            self.half.name(),
            self.nanoseconds,
            kind,
            self.context.pid,
            self.context.cpu
        );
        // As C's `seq_escape`: no name can break or forge a row.
        for &byte in self.context.comm().to_bytes() {
            match byte {
                b'\\' | 0..b' ' | 0x7f => seq_print!(m, "\\{:03o}", byte),
                _ => print(m, &[byte]),
            }
        }
        print(m, b"\n");
    }
}

/// What the halves and the readers share.
#[pin_data]
struct Device {
    registers: pci::DevresBar<{ edu::SIZE }>,
    #[pin]
    state: SpinLockIrq<State>,
    /// Wakes readers, to look at the state again.
    #[pin]
    changed: CondVar,
}

struct State {
    /// The driver is leaving the device.
    gone: bool,
    /// A reader is waiting for its interrupt, or copying the rows.
    reading: bool,
    /// The device was made to interrupt, and not all halves have run. If the reader was
    /// interrupted by a signal, the next one waits for the rest.
    pending: bool,
    /// When the device was made to interrupt.
    raised: Instant<Monotonic>,
    rows: [Row; HALVES],
    count: usize,
}

impl Device {
    fn new(registers: pci::DevresBar<{ edu::SIZE }>) -> impl PinInit<Self> {
        pin_init!(Self {
            registers,
            state <- new_spinlock_irq!(State {
                gone: false,
                reading: false,
                pending: false,
                raised: Instant::now(),
                rows: [Row::default(); HALVES],
                count: 0,
            }),
            changed <- new_condvar!(),
        })
    }

    /// Acknowledges the bits that are raised, each once, and returns them. If there are none, the
    /// interrupt came from another device on the same line.
    ///
    /// Any context.
    fn acknowledge(&self, _locked: &State) -> u32 {
        let acknowledged = self.registers.try_access_with(|registers| {
            let status = registers.read32(edu::STATUS);

            // A device that was pulled out reads as all ones. This register may read so, too.
            if status == 0 || status == !0 && registers.read32(edu::IDENTIFICATION) == !0 {
                return 0;
            }
            registers.write32(status, edu::ACKNOWLEDGE);
            status
        });

        acknowledged.unwrap_or(0)
    }

    /// Makes the device interrupt, waits until all halves have run, and returns their rows. One
    /// reader at a time does this; others wait.
    fn measure(&self) -> Result<[Row; HALVES]> {
        let mut state = self.state.lock();
        self.wait(&mut state, |state| !state.reading && !state.pending)?;

        state.count = 0;
        state.push(Half::Reader, 0, Kind::current(), Context::current());
        state.raised = Instant::now();
        // Under the lock, so that nothing is raised once the driver is leaving.
        self.registers
            .try_access_with(|registers| registers.write32(BIT, edu::RAISE))
            .ok_or(ENODEV)?;
        state.reading = true;
        state.pending = true;

        let waited = self.wait(&mut state, |state| !state.pending);
        let rows = state.rows;
        state.reading = false;
        drop(state);
        self.changed.notify_all();
        waited.map(|()| rows)
    }

    /// Waits until `ready` returns true.
    ///
    /// # Errors
    ///
    /// `ENODEV` if the driver is leaving the device, and `ERESTARTSYS` if a signal is pending.
    fn wait(
        &self,
        state: &mut SpinLockIrqGuard<'_, State>,
        ready: impl Fn(&State) -> bool,
    ) -> Result {
        loop {
            if state.gone {
                return Err(ENODEV);
            }
            if ready(state) {
                return Ok(());
            }
            if self.changed.wait_interruptible(state) {
                return Err(ERESTARTSYS);
            }
        }
    }

    /// Records that a half is running. Each half calls this once for each interrupt.
    ///
    /// Any context.
    fn ran(&self, half: Half) {
        let (kind, context) = (Kind::current(), Context::current());
        let mut state = self.state.lock();

        // Somebody else may have made the device interrupt.
        if !state.pending || state.has(half) || half != Half::Handler && !state.has(Half::Handler) {
            return;
        }
        // The time is taken under the lock, so that it never decreases from row to row.
        let nanoseconds = state.raised.elapsed().as_nanos();
        state.push(half, nanoseconds, kind, context);
        if state.count == HALVES {
            state.pending = false;
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Ends all reads, and lets nothing raise a bit again.
    fn leave(&self) {
        let mut state = self.state.lock();
        state.gone = true;
        // What is raised while there is no handler would disturb others on the same line.
        self.acknowledge(&state);
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    fn has(&self, half: Half) -> bool {
        self.rows
            .iter()
            .take(self.count)
            .any(|row| row.half == half)
    }

    fn push(&mut self, half: Half, nanoseconds: i64, kind: Kind, context: Context) {
        if let Some(row) = self.rows.get_mut(self.count) {
            *row = Row {
                half,
                nanoseconds,
                kind,
                context,
            };
            self.count += 1;
        }
    }
}

/// What a tasklet or a work item does.
struct Deferred {
    device: Arc<Device>,
    half: Half,
}

impl Deferred {
    fn new(device: &Arc<Device>, half: Half) -> Self {
        Self {
            device: device.clone(),
            half,
        }
    }
}

impl TaskletHandler for Deferred {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &TaskletContext<'_>) {
        self.device.ran(self.half);
    }
}

impl BhWorkHandler for Deferred {
    type State = ();

    fn run(self: Pin<&Self>, _state: &mut (), _cx: &BhWorkContext<'_>) {
        self.device.ran(self.half);
    }
}

/// The interrupt handler, and what it defers to.
///
/// It owns its tasklets and work items, so whatever drops it has freed the interrupt before: the
/// handler cannot schedule one that is gone.
#[pin_data]
struct Handler {
    #[pin]
    hi_tasklet: Tasklet<Deferred>,
    #[pin]
    tasklet: Tasklet<Deferred>,
    #[pin]
    hi_bh_work: BhWork<Deferred>,
    #[pin]
    bh_work: BhWork<Deferred>,
    #[pin]
    work: BhWork<Deferred>,
    device: Arc<Device>,
}

impl Handler {
    fn new(device: Arc<Device>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            hi_tasklet <- Tasklet::new(Deferred::new(&device, Half::HiTasklet), ()),
            tasklet <- Tasklet::new(Deferred::new(&device, Half::Tasklet), ()),
            hi_bh_work <- BhWork::new(
                BhQueue::Highpri,
                Deferred::new(&device, Half::HiBhWork),
                (),
            ),
            bh_work <- BhWork::new(BhQueue::Normal, Deferred::new(&device, Half::BhWork), ()),
            work <- BhWork::new(BhQueue::Process, Deferred::new(&device, Half::Work), ()),
            device,
        })
    }
}

impl ThreadedHandler for Handler {
    /// The top half, in hard interrupt context; in a thread if the kernel forces that (PREEMPT_RT,
    /// or the parameter `threadirqs`).
    fn handle(&self) -> ThreadedIrqReturn {
        let status = self.device.acknowledge(&self.device.state.lock());

        if status == 0 {
            return ThreadedIrqReturn::None;
        }
        if status & BIT != 0 {
            self.device.ran(Half::Handler);
        }
        self.work.queue();
        self.bh_work.queue();
        self.tasklet.schedule();
        self.hi_bh_work.queue();
        self.hi_tasklet.hi_schedule();
        ThreadedIrqReturn::WakeThread
    }

    fn handle_threaded(&self) -> IrqReturn {
        self.device.ran(Half::Thread);
        IrqReturn::Handled
    }
}

/// The file of a device.
struct JitIrq(Arc<Device>);

impl ShowData for JitIrq {
    fn show(&self, m: &SeqFile) -> Result {
        let rows = self.0.measure()?;

        print(
            m,
            b"half        nanoseconds  context      pid  cpu  command\n",
        );
        for row in &rows {
            row.print(m);
        }
        Ok(())
    }
}

/// The number of a file: `/proc/jitirq`, `/proc/jitirq1`, and so on.
struct Number(u32);

/// The numbers in use, as bits.
static NUMBERS: Atomic<u32> = Atomic::new(0);

impl Number {
    fn lowest_free() -> Result<Self> {
        let mut used = NUMBERS.load(Relaxed);

        loop {
            let number = used.trailing_ones();
            let bit = 1u32.checked_shl(number).ok_or(ENOSPC)?;

            match NUMBERS.cmpxchg(used, used | bit, Full) {
                Ok(_) => return Ok(Self(number)),
                Err(now) => used = now,
            }
        }
    }

    fn file_name(&self) -> Result<CString> {
        match self.0 {
            0 => CString::try_from_fmt(fmt!("jitirq")),
            number => CString::try_from_fmt(fmt!("jitirq{number}")),
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        NUMBERS.fetch_sub(1 << self.0, Full);
    }
}

/// What belongs to a device while the driver is bound to it. It is dropped in this order.
#[pin_data]
struct Data<'bound> {
    file: DataFile<JitIrq>,
    #[pin]
    registration: ThreadedRegistration<'bound, Handler>,
    /// Borrowed by the registration.
    vectors: pci::IrqVectorRegistration<'bound>,
    number: Number,
}

struct Edu;

// The kernel crate makes no `Vendor` from a number, and knows none with this one. So the table has
// the class, and probe checks the rest.
kernel::pci_device_table!(
    TABLE,
    <Edu as pci::Driver>::IdInfo,
    [(pci::DeviceId::from_class(edu::CLASS, 0xff_ffff), ())]
);

impl pci::Driver for Edu {
    type IdInfo = ();
    type Data<'bound> = Data<'bound>;
    const ID_TABLE: pci::IdTable<()> = &TABLE;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound ()>,
    ) -> impl PinInit<Data<'bound>, Error> + 'bound {
        pin_init::pin_init_scope(move || {
            if (pdev.vendor_id().as_raw(), pdev.device_id()) != (edu::VENDOR, edu::DEVICE) {
                return Err(ENODEV);
            }

            pdev.enable_device_mem()?;
            // A message-signalled interrupt is a write by the device.
            pdev.set_master();
            let registers = pdev.iomap_region_sized::<{ edu::SIZE }>(edu::BAR, c"jit_edu")?;
            let device = Arc::pin_init(Device::new(registers.into_devres()?), GFP_KERNEL)?;
            // What was raised before anybody was there to handle it.
            device.acknowledge(&device.state.lock());

            let number = Number::lowest_free()?;
            let name = number.file_name()?;

            // The fields are made in the reverse order of the drop, also of one that comes early,
            // because something failed.
            Ok(try_pin_init!(Data {
                number,
                vectors: pdev.alloc_irq_vectors(1, 1, pci::IrqTypes::all())?,
                registration <- {
                    // SAFETY: The registration alone has what borrows the vectors. It is dropped
                    // before them, here as well as in `Data`, which is pinned and so never moves.
                    let vectors: &'bound pci::IrqVectorRegistration<'bound> =
                        unsafe { &*core::ptr::from_ref(vectors) };
                    let request = IrqRequest::from(vectors.index(0)?);

                    dev_info!(
                        pdev,
                        "/proc/{}: interrupt {} ({:?})\n",
                        &*name,
                        request.irq(),
                        vectors.irq_type()
                    );

                    // SAFETY: The registration is dropped: it is a field of `Data`, which the
                    // driver core drops at unbind.
                    unsafe {
                        ThreadedRegistration::new(
                            request,
                            Flags::SHARED,
                            c"jit_edu",
                            Handler::new(device.clone()),
                        )
                    }
                },
                // Last, because from here on it is read.
                file: DataFile::new(&name, 0o444, JitIrq(device))?,
            }))
        })
    }

    fn unbind<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Data<'bound>>) {
        this.file.data().0.leave();
    }
}

kernel::module_pci_driver! {
    type: Edu,
    name: "jit_edu",
    authors: ["The jitasklet authors"],
    description: "A driver for QEMU's edu device, which shows where the halves of its handler run",
    license: "GPL",
}
