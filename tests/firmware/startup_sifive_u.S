/* Start-up for RISC-V: one hart runs, the others sleep. The master is polled: no interrupt is used. */
    .section .start, "ax"
    .global start
start:
    csrr t0, mhartid
    bnez t0, sleep
    la sp, stack_top
    la t0, bss_start
    la t1, bss_end
clear:
    bgeu t0, t1, run
    sd zero, 0(t0)
    addi t0, t0, 8
    j clear
run:
    call main
sleep:
    wfi
    j sleep
