/* SiFive HiFive Unleashed as QEMU has it: UART0 is the console, the Tracer is on UART1.
 * Registers: SiFive FU540-C000 manual, chapters 9 (CLINT) and 13 (UART). QEMU ignores the baud rate.
 */
#include "board.h"

typedef volatile struct {
    uint32_t transmit; /* bit 31: full */
    uint32_t receive;  /* bit 31: empty */
    uint32_t transmit_control;
    uint32_t receive_control;
} sifive_uart_t;

#define NOT_NOW (1u << 31)
#define ENABLE 1u
#define CLOCK_1_MHZ (*(volatile uint64_t *)0x0200BFF8ul) /* mtime */

static sifive_uart_t *registers(uart_t uart) {
    return (sifive_uart_t *)(uart == CONSOLE ? 0x10010000ul : 0x10011000ul);
}

void board_init(void) {
    for (uart_t uart = CONSOLE; uart <= TRACER; uart++) {
        registers(uart)->transmit_control = ENABLE;
        registers(uart)->receive_control = ENABLE;
    }
}

uint32_t now_us(void) {
    return (uint32_t)CLOCK_1_MHZ;
}

void wait_us(uint32_t us) {
    uint32_t start = now_us();
    while (now_us() - start < us) {
    }
}

void uart_write(uart_t uart, uint8_t byte) {
    while (registers(uart)->transmit & NOT_NOW) {
    }
    registers(uart)->transmit = byte;
}

bool uart_read(uart_t uart, uint8_t *byte) {
    uint32_t received = registers(uart)->receive; /* reading takes it out */
    *byte = (uint8_t)received;
    return !(received & NOT_NOW);
}
