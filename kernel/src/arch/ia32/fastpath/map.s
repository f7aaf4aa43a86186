// Update of one page and Unmap of one page: what a pager does for each fault.
//
// Slots are named by their addresses here; a link is that and {in_table}.

// \element := the frame table's element of the Table or Directory at \object, less the direct map.
.macro element_of element, object
    mov     \element, \object
    shr     \element, 8
    add     \element, ss:[{kernel} + {frame_table}]
.endm

// Requires what is at \object to be a Directory that is not being destroyed. Uses \element.
.macro require_directory element, object
    element_of \element, \object
    cmp     byte ptr ss:[\element + {map}], {type_directory}
    jne     ordinary_call
.endm

// ECX := the entry for page \page of the space at EBX, in a Table of its own which is not the area's, and EDI := that
// Table's element. Uses EAX, ECX.
.macro find_entry page
    mov     eax, \page
    shr     eax, 10
    mov     eax, ss:[ebx + eax*4 + {map}]
    test    al, {present}
    jz      ordinary_call
    and     eax, -{frame}
    element_of edi, eax
    mov     ecx, ss:[edi + {map} + {owner}]
    sub     ecx, ebx
    dec     ecx
    cmp     ecx, {table} - 1
    jae     ordinary_call
    mov     ecx, \page
    and     ecx, {entries} - 1
    lea     ecx, [eax + ecx*4]
.endm

// ECX := the slot of the own space that \name names. Uses \name.
.macro find_cap name
    mov     ecx, \name
    shr     ecx, 5
    and     ecx, 31 * 4
    add     ecx, [esp + {directory}]
    mov     ecx, ss:[ecx + {nodes}]
    test    ecx, ecx
    jz      ordinary_call
    and     \name, 127
    shl     \name, 5
    add     ecx, \name
.endm

// The call is done; its other results are in the saved registers.
.macro go_back
    mov     dword ptr [esp + {regs_eax}], 0
    popad
    sti
    sysexit
.endm

.balign 16
// One mapping, as `mapping::update` makes it.
.globl fast_update
fast_update:
    cmp     ebx, 1
    jne     ordinary_call
    test    esi, esi
    jnz     ordinary_call
    // The source: ESI := its slot. EBP := what is allowed: bit 0, Write.
    mov     edx, [esp + {utcb}]
    mov     eax, ss:[edx + {update}]
    find_cap eax
    mov     ebp, ss:[ecx + {map} + {slot_meta}]
    mov     eax, ebp
    and     eax, {kind_and_edit}
    cmp     eax, {container}
    jne     ordinary_call
    mov     esi, ss:[ecx + {map} + {object}]
    mov     ecx, ss:[ecx + {map} + {badge}]
    element_of eax, esi
    cmp     byte ptr ss:[eax + {map}], {type_table}
    jne     ordinary_call
    mov     eax, ss:[edx + {update} + 4]
    test    eax, ({entries} - 1) << 10          // one page?
    jnz     ordinary_call
    and     eax, {entries} - 1
    mov     ebx, ecx
    and     ebx, {entries} - 1
    add     ebx, eax
    lea     esi, [esi + ebx*4]
    shr     ecx, 10
    and     ecx, {entries} - 1
    cmp     eax, ecx
    ja      ordinary_call
    // The destination: ECX := its slot, EDI := the element of its Table.
    mov     ebx, [esp + {directory}]
    mov     eax, ss:[edx + {update} + 8]
    mov     edx, ss:[edx + {update} + 12]
    test    edx, 63 << 3                        // a total that has to be paid
    jnz     ordinary_call
    and     eax, 0xFFF
    jnz     fast_update_elsewhere
1:  shr     ebp, {cap_rights}
    and     ebp, edx
    and     ebp, {write}
    shr     edx, 12
    cmp     edx, {user_pages}
    jae     ordinary_call
    require_directory eax, ebx
    find_entry edx
    cmp     byte ptr ss:[edi + {map}], {type_table}
    jne     ordinary_call
    test    dword ptr ss:[ecx + {map} + {meta}], {kind}
    jnz     ordinary_call
    // The parent: EAX := its node.
    mov     eax, ss:[esi + {map} + {meta}]
    mov     edx, eax
    and     edx, {holds_frame} | {revoking}
    cmp     edx, {holds_frame}
    jne     ordinary_call
    mov     edx, eax
    and     edx, {depth}
    cmp     edx, {depth}
    je      ordinary_call
    test    eax, {bounded}
    jz      2f
    cmp     eax, {credit}
    jb      ordinary_call
    // From here on nothing fails.
    sub     dword ptr ss:[esi + {map} + {meta}], {credit}
2:  mov     edx, ebp
    shl     edx, {meta_rights}
    or      edx, {depth}
    and     eax, edx
    add     eax, {child}
    mov     ss:[ecx + {map} + {meta}], eax
    lea     edx, [ebp*2 - {frame}]              // the frame, and whether it may be written
    and     edx, ss:[esi + {map}]
    or      edx, {present} | {user}
    mov     ss:[ecx + {map}], edx
    or      ecx, {in_table}
    lea     edx, [esi + {in_table}]
    mov     eax, ss:[esi + {map} + {next}]
    mov     ss:[ecx + {map} + {next} - {in_table}], eax
    mov     ss:[ecx + {map} + {prev} - {in_table}], edx
    mov     ss:[esi + {map} + {next}], ecx
    test    eax, eax
    jz      3f
    mov     ss:[eax + {map} + {prev} - {in_table}], ecx
3:  inc     dword ptr ss:[edi + {map} + {live}]
    mov     dword ptr [esp + {regs_esi}], 1 << 16
    inc     dword ptr [esp + {regs_edi}]
    go_back

// Into the space that EAX names.
fast_update_elsewhere:
    find_cap eax
    mov     eax, ss:[ecx + {map} + {slot_meta}]
    and     eax, {kind_and_edit}
    cmp     eax, {space}
    jne     ordinary_call
    mov     ebx, ss:[ecx + {map} + {object}]
    jmp     1b

.balign 16
// One mapping of the own space, as `mapping::unmap` takes it back.
.globl fast_unmap
fast_unmap:
    test    ebx, 0xFFF
    jnz     ordinary_call
    cmp     edi, 1
    jne     ordinary_call
    cmp     esi, {user_pages}
    jae     ordinary_call
    mov     ebx, [esp + {directory}]
    require_directory eax, ebx
    find_entry esi
    cmp     dword ptr ss:[edi + {map}], {type_table} | 1 << {links}
    jne     ordinary_call
    mov     eax, ss:[ecx + {map} + {meta}]
    mov     edx, eax
    and     edx, {kind}
    cmp     edx, {mapping}
    jne     ordinary_call
    // EDX := what is behind it, not deeper; EBX := what is before it.
    mov     edx, ss:[ecx + {map} + {next}]
    test    edx, edx
    jz      1f
    mov     ebx, ss:[edx + {map} + {meta} - {in_table}]
    and     ebx, {depth}
    and     eax, {depth}
    cmp     ebx, eax
    ja      ordinary_call
1:  mov     ebx, ss:[ecx + {map} + {prev}]
    test    dword ptr ss:[ebx + {map} + {meta} - {in_table}], {bounded}
    jnz     ordinary_call
    // From here on nothing fails.
    mov     ss:[ebx + {map} + {next} - {in_table}], edx
    test    edx, edx
    jz      2f
    mov     ss:[edx + {map} + {prev} - {in_table}], ebx
2:  xor     eax, eax
    mov     ss:[ecx + {map} + {next}], eax
    mov     ss:[ecx + {map} + {prev}], eax
    mov     ss:[ecx + {map} + {meta}], eax
    xchg    ss:[ecx + {map}], eax
    dec     dword ptr ss:[edi + {map} + {live}]
    inc     dword ptr [esp + {regs_esi}]
    mov     dword ptr [esp + {regs_edi}], 0
    and     eax, {accessed} | {dirty}
    or      [esp + {regs_ebp}], eax
    test    al, {accessed}
    jz      3f
    shl     esi, 12
    invlpg  ss:[esi]
3:  go_back
