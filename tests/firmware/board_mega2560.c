/* Arduino Mega 2560: an ATmega2560 at 16 MHz. USART0 is the console, the Tracer is on USART2.
 * Registers: ATmega640/1280/1281/2560/2561 data sheet, chapters 17 (timer 1) and 22 (USART).
 */
#include "board.h"

#include <avr/io.h>

#define BAUD_115200 16   /* with U2X: 16 MHz / (8 x (16 + 1)) = 117647 baud, 2.1 % fast */
#define TICK_US 16u      /* timer 1 at 16 MHz / 256 goes round every 1.05 s */

void board_init(void) {
    UBRR0 = UBRR2 = BAUD_115200;
    UCSR0A = UCSR2A = 1 << U2X0;
    UCSR0C = UCSR2C = (1 << UCSZ01) | (1 << UCSZ00); /* 8 bits, no parity, 1 stop */
    UCSR0B = UCSR2B = (1 << RXEN0) | (1 << TXEN0);
    TCCR1A = 0;
    TCCR1B = 1 << CS12; /* over 256 */
}

uint32_t now_us(void) {
    static uint32_t us;
    static uint16_t last;
    uint16_t ticks = TCNT1;
    us += (uint32_t)(uint16_t)(ticks - last) * TICK_US;
    last = ticks;
    return us;
}

void wait_us(uint32_t us) {
    uint32_t start = now_us();
    while (now_us() - start < us) {
    }
}

void uart_write(uart_t uart, uint8_t byte) {
    if (uart == CONSOLE) {
        while (!(UCSR0A & (1 << UDRE0))) {
        }
        UDR0 = byte;
    } else {
        while (!(UCSR2A & (1 << UDRE2))) {
        }
        UDR2 = byte;
    }
}

bool uart_read(uart_t uart, uint8_t *byte) {
    if (!((uart == CONSOLE ? UCSR0A : UCSR2A) & (1 << RXC0))) {
        return false;
    }
    *byte = uart == CONSOLE ? UDR0 : UDR2;
    return true;
}
