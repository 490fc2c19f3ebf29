/* The LM3S6965 as far as a Modbus master needs it: three UARTs and a clock. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

/* ARM PL011, LM3S6965 data sheet chapter 12: registers by offset from the base address. */
typedef volatile struct {
    uint32_t data;          /* 0x00 */
    uint32_t receive_error; /* 0x04 */
    uint32_t unused_a[4];
    uint32_t flags; /* 0x18 */
    uint32_t unused_b[2];
    uint32_t baud_integer;  /* 0x24 */
    uint32_t baud_fraction; /* 0x28, in 64ths */
    uint32_t line_control;  /* 0x2C */
    uint32_t control;       /* 0x30 */
} uart_t;

#define CONSOLE ((uart_t *)0x4000C000u) /* UART0 */
#define TRACER ((uart_t *)0x4000E000u)  /* UART2 */

void board_init(void);

/* Microseconds since board_init, wrapping after 71 minutes: compare by unsigned difference only. */
uint32_t now_us(void);
void wait_us(uint32_t us);

void uart_write(uart_t *uart, uint8_t byte);
bool uart_read(uart_t *uart, uint8_t *byte);

#endif
