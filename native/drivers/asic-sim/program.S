// The device's program, whole, within the driver: one file is one hash to approve.
    .section .rodata
    .hidden asic_sim_program
    .hidden asic_sim_program_end
    .globl asic_sim_program
    .globl asic_sim_program_end
asic_sim_program:
    .incbin DEVICE_PROGRAM
asic_sim_program_end:
    .section .note.GNU-stack,"",%progbits
