//! QEMU's plugin interface, as much of it as is used here, and a safe face to it: [`Watch`].
//!
//! Declared by hand from QEMU's documentation, since Debian's package has no header. QEMU itself has the functions:
//! nothing is linked, they are found when the plugin is loaded. What must hold: the declarations agree with every
//! version of the interface that [`qemu_plugin_version`] can name; there is one processor, so callbacks come one at a
//! time (each mode locks what it keeps all the same).

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::arguments::Arguments;
use crate::code::{Code, LONGEST};
use crate::watch::{Access, Watch};

type Id = u64;
type MemoryInfo = u32;
type OnBlock = unsafe extern "C" fn(Id, *mut Block);
type OnEnd = unsafe extern "C" fn(Id, *mut c_void);
type OnExecution = unsafe extern "C" fn(c_uint, *mut c_void);
type OnAccess = unsafe extern "C" fn(c_uint, MemoryInfo, u64, *mut c_void);

/// A block of instructions that is being translated.
#[repr(C)]
struct Block([u8; 0]);

/// An instruction of such a block.
#[repr(C)]
struct Instruction([u8; 0]);

/// Where an access leads.
#[repr(C)]
struct Target([u8; 0]);

/// The beginning of what QEMU says about itself; more follows.
#[repr(C)]
pub struct Info {
    target: *const c_char,
    oldest: c_int,
    version: c_int,
}

/// A callback neither reads nor writes registers.
const NO_REGISTERS: c_int = 0;
/// Loads and stores.
const LOADS_AND_STORES: c_int = 3;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: OnBlock);
    fn qemu_plugin_register_atexit_cb(id: Id, callback: OnEnd, data: *mut c_void);
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        callback: OnExecution,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        callback: OnAccess,
        flags: c_int,
        kinds: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
    /// Its type changed with version 3; see [`bytes`].
    fn qemu_plugin_insn_data();
    fn qemu_plugin_mem_size_shift(info: MemoryInfo) -> c_uint;
    fn qemu_plugin_get_hwaddr(info: MemoryInfo, address: u64) -> *mut Target;
    fn qemu_plugin_hwaddr_phys_addr(target: *const Target) -> u64;

    /// Of the C library.
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The first version in which an instruction's bytes are copied.
const COPIES_BYTES: i32 = 3;

/// The version of the interface that this plugin wants; QEMU reads it when it has loaded the plugin. QEMU 7 and 8 have
/// version 1 only, QEMU since 9.1 has none before 2 or 3.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "QEMU gives the name")]
pub static qemu_plugin_version: AtomicI32 = AtomicI32::new(1);

/// Runs when the plugin is loaded, before QEMU reads the version.
#[used]
#[unsafe(link_section = ".init_array")]
static CHOOSE_VERSION: extern "C" fn() = {
    extern "C" fn choose() {
        // SAFETY: the null handle stands for all that is loaded; the name is ended by a zero.
        let of_version_1 = unsafe { dlsym(null_mut(), c"qemu_plugin_n_vcpus".as_ptr()) };
        if of_version_1.is_null() {
            qemu_plugin_version.store(COPIES_BYTES, Ordering::Relaxed);
        }
    }
    choose
};

/// The mode that this process has. It stays until the process ends.
static MODE: OnceLock<Box<dyn Watch>> = OnceLock::new();

/// What the callbacks of an instruction get: the instruction, which stays until the process ends, since QEMU does not
/// say when it forgets a block.
fn code_at(data: *mut c_void) -> &'static Code {
    // SAFETY: `on_block` gave QEMU the address of a leaked `Code`, which nothing changes.
    unsafe { &*data.cast::<Code>() }
}

/// QEMU calls this once, when it has loaded the plugin. 0 means that all is well.
///
/// # Safety
/// `arguments` are `count` strings, as QEMU passes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    _: *const Info,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    let words = (0..count as usize).map(|index| {
        // SAFETY: there are `count` of them, each ended by a zero.
        unsafe { CStr::from_ptr(*arguments.add(index)) }.to_string_lossy().into_owned()
    });
    let mode = match Arguments::read(words).and_then(crate::mode) {
        Ok(mode) => mode,
        Err(error) => {
            eprintln!("freehold-plugin: {error:#}");
            return 1;
        }
    };
    if MODE.set(mode).is_err() {
        eprintln!("freehold-plugin: it is loaded already");
        return 1;
    }
    // SAFETY: the callbacks have the types that QEMU wants and are there as long as the plugin, which never asks to
    // be unloaded.
    unsafe {
        qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
        qemu_plugin_register_atexit_cb(id, on_end, null_mut());
    }
    0
}

unsafe extern "C" fn on_end(_: Id, _: *mut c_void) {
    if let Some(mode) = MODE.get() {
        mode.ends();
    }
}

unsafe extern "C" fn on_block(_: Id, block: *mut Block) {
    let Some(mode) = MODE.get() else { return };
    // SAFETY: QEMU's block, good until this returns, as its instructions are.
    let count = unsafe { qemu_plugin_tb_n_insns(block) };
    for index in 0..count {
        // SAFETY: as above, and there are more than `index`.
        let (instruction, address) = unsafe {
            let instruction = qemu_plugin_tb_get_insn(block, index);
            (instruction, qemu_plugin_insn_vaddr(instruction))
        };
        let code = Code::decode(address as u32, bytes(instruction, &mut [0; LONGEST]));
        if !mode.wants_executions(&code) {
            continue;
        }
        let wants_accesses = mode.wants_accesses(&code);
        let data = std::ptr::from_mut(Box::leak(Box::new(code))).cast();
        // SAFETY: the callbacks have the types that QEMU wants; `data` is what they make of it.
        unsafe {
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_execution, NO_REGISTERS, data);
            if wants_accesses {
                qemu_plugin_register_vcpu_mem_cb(
                    instruction,
                    on_access,
                    NO_REGISTERS,
                    LOADS_AND_STORES,
                    data,
                );
            }
        }
    }
}

/// The bytes of an instruction, which go into `buffer`.
fn bytes(instruction: *const Instruction, buffer: &mut [u8; LONGEST]) -> &[u8] {
    type Where = unsafe extern "C" fn(*const Instruction) -> *const u8;
    type Copy = unsafe extern "C" fn(*const Instruction, *mut u8, usize) -> usize;
    let function = qemu_plugin_insn_data as unsafe extern "C" fn();
    // SAFETY: the instruction is QEMU's and good; no instruction is longer than the buffer; the function has one of
    // the two types, by the version of the interface.
    let size = unsafe {
        let size = qemu_plugin_insn_size(instruction).min(LONGEST);
        if qemu_plugin_version.load(Ordering::Relaxed) < COPIES_BYTES {
            let bytes = std::mem::transmute::<unsafe extern "C" fn(), Where>(function)(instruction);
            buffer[..size].copy_from_slice(std::slice::from_raw_parts(bytes, size));
        } else {
            std::mem::transmute::<unsafe extern "C" fn(), Copy>(function)(
                instruction,
                buffer.as_mut_ptr(),
                size,
            );
        }
        size
    };
    &buffer[..size]
}

unsafe extern "C" fn on_execution(_: c_uint, data: *mut c_void) {
    if let Some(mode) = MODE.get() {
        mode.executes(code_at(data));
    }
}

unsafe extern "C" fn on_access(_: c_uint, info: MemoryInfo, address: u64, data: *mut c_void) {
    let Some(mode) = MODE.get() else { return };
    // SAFETY: `info` and `address` are those of the access for which this is called, which is when QEMU answers
    // questions about it. The target, if there is one, is good until the next such question.
    let look = || unsafe {
        let target = qemu_plugin_get_hwaddr(info, address);
        let physical = if target.is_null() { address } else { qemu_plugin_hwaddr_phys_addr(target) };
        Access { physical, size: 1 << qemu_plugin_mem_size_shift(info) }
    };
    mode.accesses(code_at(data), &look);
}
