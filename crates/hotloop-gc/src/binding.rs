//! What MMTk asks of a virtual machine: how objects look, how they are scanned, how the mutator
//! is stopped and what its roots are.
//!
//! The object reference is the address of the header; nothing ever moves. Objects are scanned
//! precisely from their type's [`Layout`](crate::Layout); roots are found conservatively by the
//! mutator itself, before it reports that it has stopped (see [`world`](crate::world)), so that
//! the worker threads never read a stack and root scanners run on the thread they belong to.

use crate::heap::machine_memory;
use crate::scan::{self, WorkerState, describe, size_of_object};
use crate::types::HEADER_FLAGS_OFFSET;
use crate::world::{self, MIN_ALIGNMENT};
use mmtk::util::alloc::AllocationError;
use mmtk::util::copy::{CopySemantics, GCWorkerCopyContext};
use mmtk::util::heap::{GCTriggerPolicy, SpaceStats};
use mmtk::util::opaque_pointer::{VMMutatorThread, VMThread, VMWorkerThread};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::slot::{SimpleSlot, UnimplementedMemorySlice};
use mmtk::vm::{
    ActivePlan, Collection, GCThreadContext, ObjectModel, ObjectTracer, ReferenceGlue, RootsWorkFactory,
    Scanning, SlotVisitor, VMBinding, VMGlobalLogBitSpec, VMLocalForwardingBitsSpec,
    VMLocalForwardingPointerSpec, VMLocalLOSMarkNurserySpec, VMLocalMarkBitSpec,
};
use mmtk::{Mutator, Plan};

/// How many root objects go into one work packet.
const ROOTS_PER_PACKET: usize = 1024;

/// The type that stands for hotloop in MMTk's generic parameters.
#[derive(Default)]
pub(crate) struct Hotloop;

impl VMBinding for Hotloop {
    type VMObjectModel = Hotloop;
    type VMScanning = Hotloop;
    type VMCollection = Hotloop;
    type VMActivePlan = Hotloop;
    type VMReferenceGlue = Hotloop;
    type VMSlot = SimpleSlot;
    type VMMemorySlice = UnimplementedMemorySlice;

    const MIN_ALIGNMENT: usize = MIN_ALIGNMENT;
    const MAX_ALIGNMENT: usize = MIN_ALIGNMENT;
    const USE_ALLOCATION_OFFSET: bool = false;
}

impl ObjectModel<Hotloop> for Hotloop {
    // `FLAG_OLD`, where a store into the object finds it at once.
    const GLOBAL_LOG_BIT_SPEC: VMGlobalLogBitSpec =
        VMGlobalLogBitSpec::in_header(8 * HEADER_FLAGS_OFFSET as isize);
    // Nothing moves, so nothing is ever forwarded and the two forwarding fields are not used;
    // "in the header" keeps MMTk from reserving address space for them.
    const LOCAL_FORWARDING_POINTER_SPEC: VMLocalForwardingPointerSpec =
        VMLocalForwardingPointerSpec::in_header(0);
    const LOCAL_FORWARDING_BITS_SPEC: VMLocalForwardingBitsSpec = VMLocalForwardingBitsSpec::in_header(0);
    // Mark bits on the side: MMTk then makes the valid-object bits of the survivors by copying.
    const LOCAL_MARK_BIT_SPEC: VMLocalMarkBitSpec = VMLocalMarkBitSpec::side_first();
    const LOCAL_LOS_MARK_NURSERY_SPEC: VMLocalLOSMarkNurserySpec =
        VMLocalLOSMarkNurserySpec::side_after(Self::LOCAL_MARK_BIT_SPEC.as_spec());

    const UNIFIED_OBJECT_REFERENCE_ADDRESS: bool = true;
    const OBJECT_REF_OFFSET_LOWER_BOUND: isize = 0;

    fn copy(_: ObjectReference, _: CopySemantics, _: &mut GCWorkerCopyContext<Hotloop>) -> ObjectReference {
        unreachable!("the heap does not move objects")
    }

    fn copy_to(_: ObjectReference, _: ObjectReference, _: Address) -> Address {
        unreachable!("the heap does not move objects")
    }

    fn get_reference_when_copied_to(_: ObjectReference, _: Address) -> ObjectReference {
        unreachable!("the heap does not move objects")
    }

    #[inline(always)]
    fn get_current_size(object: ObjectReference) -> usize {
        size_of_object(object)
    }

    fn get_size_when_copied(_: ObjectReference) -> usize {
        unreachable!("the heap does not move objects")
    }

    fn get_align_when_copied(_: ObjectReference) -> usize {
        unreachable!("the heap does not move objects")
    }

    fn get_align_offset_when_copied(_: ObjectReference) -> usize {
        unreachable!("the heap does not move objects")
    }

    fn get_type_descriptor(_: ObjectReference) -> &'static [i8] {
        &[]
    }

    #[inline(always)]
    fn ref_to_object_start(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    #[inline(always)]
    fn ref_to_header(object: ObjectReference) -> Address {
        object.to_raw_address()
    }

    fn dump_object(object: ObjectReference) {
        let (registered, len) = describe(object);
        eprintln!("{object}: {} with {len} trailing elements", registered.layout.name);
    }
}

impl Scanning<Hotloop> for Hotloop {
    // Edges are traced as they are found: queues of slots only cost.
    #[inline(always)]
    fn support_slot_enqueuing(_: VMWorkerThread, _: ObjectReference) -> bool {
        false
    }

    fn scan_object<SV: SlotVisitor<SimpleSlot>>(_: VMWorkerThread, _: ObjectReference, _: &mut SV) {
        unreachable!("edges are traced directly")
    }

    #[inline(always)]
    fn scan_object_and_trace_edges<OT: ObjectTracer>(
        worker: VMWorkerThread,
        object: ObjectReference,
        tracer: &mut OT,
    ) {
        scan::scan(WorkerState::of(worker), object, tracer);
    }

    fn notify_initial_thread_scan_complete(_: bool, _: VMWorkerThread) {}

    fn scan_roots_in_mutator_thread(
        _: VMWorkerThread,
        mutator: &'static mut Mutator<Hotloop>,
        mut factory: impl RootsWorkFactory<SimpleSlot>,
    ) {
        for packet in world::take_roots(mutator.mutator_tls).chunks(ROOTS_PER_PACKET) {
            factory.create_process_pinning_roots_work(packet.to_vec());
        }
    }

    // All roots are the mutators'; see `world::stop`.
    fn scan_vm_specific_roots(_: VMWorkerThread, _: impl RootsWorkFactory<SimpleSlot>) {}

    fn supports_return_barrier() -> bool {
        false
    }

    // The roots of a collection are kept until its end.
    fn prepare_for_roots_re_scanning() {}
}

impl Collection<Hotloop> for Hotloop {
    fn stop_all_mutators<F>(_: VMWorkerThread, mut visitor: F)
    where
        F: FnMut(&'static mut Mutator<Hotloop>),
    {
        world::wait_until_stopped();
        for mutator in world::mutators() {
            // SAFETY: the mutator's thread does not run until `resume_mutators`, and MMTk asks for
            // the mutator in one place at a time.
            visitor(unsafe { &mut *mutator });
        }
    }

    fn resume_mutators(_: VMWorkerThread) {
        world::resume();
    }

    fn block_for_gc(mutator: VMMutatorThread) {
        world::block_for_gc(mutator);
    }

    fn spawn_gc_thread(_: VMThread, context: GCThreadContext<Hotloop>) {
        let GCThreadContext::Worker(worker) = context;
        world::spawn_worker(worker);
    }

    fn out_of_memory(_: VMThread, error: AllocationError) {
        world::out_of_memory(&format!("the operating system gave no memory ({error:?})"));
    }

    fn create_gc_trigger() -> Box<dyn GCTriggerPolicy<Hotloop>> {
        Box::new(Trigger::new())
    }
}

impl ActivePlan<Hotloop> for Hotloop {
    fn is_mutator(thread: VMThread) -> bool {
        world::is_mutator(thread)
    }

    fn mutator(thread: VMMutatorThread) -> &'static mut Mutator<Hotloop> {
        // SAFETY: see `stop_all_mutators`.
        unsafe { &mut *world::mutator_of(thread) }
    }

    fn mutators<'a>() -> Box<dyn Iterator<Item = &'a mut Mutator<Hotloop>> + 'a> {
        // SAFETY: see `stop_all_mutators`.
        Box::new(world::mutators().into_iter().map(|mutator| unsafe { &mut *mutator }))
    }

    fn number_of_mutators() -> usize {
        world::number_of_mutators()
    }
}

/// There are no weak references yet; MMTk is told so by options and calls none of this.
impl ReferenceGlue<Hotloop> for Hotloop {
    type FinalizableType = ObjectReference;

    fn clear_referent(_: ObjectReference) {
        unreachable!("no weak references")
    }

    fn get_referent(_: ObjectReference) -> Option<ObjectReference> {
        unreachable!("no weak references")
    }

    fn set_referent(_: ObjectReference, _: ObjectReference) {
        unreachable!("no weak references")
    }

    fn enqueue_references(_: &[ObjectReference], _: VMWorkerThread) {
        unreachable!("no weak references")
    }
}

/// MMTk's own trigger, which collects only when the address space is full: when to collect is the
/// [`Pacer`](crate::pacer::Pacer)'s decision, made before MMTk is asked for memory.
struct Trigger {
    /// The heap size that MMTk believes in, in pages of 4 KiB: more than the machine has, but no more address space
    /// than it must be, as MMTk notes the state of all of it when it starts (of a tebibyte in 3 ms).
    pages: usize,
}

impl Trigger {
    /// How many times the machine's memory it is.
    const TIMES_MEMORY: usize = 4;
    /// The least one: 64 GiB.
    const LEAST_PAGES: usize = 1 << 24;
    /// The largest one, which MMTk has room for: one tebibyte.
    const MOST_PAGES: usize = 1 << 28;

    fn new() -> Trigger {
        let memory = machine_memory().unwrap_or(0) >> 12;
        let pages = memory.saturating_mul(Trigger::TIMES_MEMORY);
        Trigger { pages: pages.clamp(Trigger::LEAST_PAGES, Trigger::MOST_PAGES) }
    }
}

impl GCTriggerPolicy<Hotloop> for Trigger {
    fn is_gc_required(
        &self,
        space_full: bool,
        _: Option<SpaceStats<Hotloop>>,
        _: &dyn Plan<VM = Hotloop>,
    ) -> bool {
        space_full
    }

    fn is_heap_full(&self, _: &dyn Plan<VM = Hotloop>) -> bool {
        false
    }

    fn get_current_heap_size_in_pages(&self) -> usize {
        self.pages
    }

    fn get_max_heap_size_in_pages(&self) -> usize {
        self.pages
    }

    fn can_heap_size_grow(&self) -> bool {
        false
    }
}
