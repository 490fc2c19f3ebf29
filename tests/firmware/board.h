/* A board as far as a Modbus master needs it: two UARTs and a clock. Each board_*.c is one. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { CONSOLE, TRACER } uart_t;

void board_init(void);

/* Microseconds since board_init, wrapping after 71 minutes: compare by unsigned difference only. */
uint32_t now_us(void);
void wait_us(uint32_t us);

void uart_write(uart_t uart, uint8_t byte);
bool uart_read(uart_t uart, uint8_t *byte);

#endif
