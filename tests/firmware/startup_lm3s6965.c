/* Vector table and C start-up for a Cortex-M3. The master is polled: no interrupt is used. */
#include "board.h"

extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];

int main(void);

static void reset(void) {
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    main();
    for (;;) {
    }
}

static void fault(void) {
    for (const char *text = "fault\n"; *text; text++) {
        uart_write(CONSOLE, (uint8_t)*text);
    }
    for (;;) {
    }
}

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    (vector_t)stack_top, reset, fault, fault, fault, fault, fault, 0,
    0,                   0,     0,     fault, fault, 0,     fault, fault,
};
