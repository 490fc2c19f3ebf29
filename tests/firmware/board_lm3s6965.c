/* The LM3S6965 evaluation board: a Cortex-M3 with three PL011. UART0 is the console, the Tracer is on UART2. */
#include "board.h"

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
} pl011_t;

static pl011_t *registers(uart_t uart) {
    return (pl011_t *)(uart == CONSOLE ? 0x4000C000u : 0x4000E000u); /* UART0, UART2 */
}

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define SYSTEM_RIS REGISTER(0x400FE050u)
#define SYSTEM_RCC REGISTER(0x400FE060u)
#define SYSTEM_RCGC1 REGISTER(0x400FE104u)
#define SYSTEM_RCGC2 REGISTER(0x400FE108u)
#define GPIO_A 0x40004000u
#define GPIO_G 0x40026000u
#define GPIO_AFSEL 0x420u
#define GPIO_DEN 0x51Cu
#define SYSTICK_CONTROL REGISTER(0xE000E010u)
#define SYSTICK_RELOAD REGISTER(0xE000E014u)
#define SYSTICK_VALUE REGISTER(0xE000E018u)

#define SYSTICK_SPAN 0x00FFFFFFu /* it counts 24 bits, downwards */
#define TICKS_PER_2_US 25u       /* 12.5 MHz */

#define UART_TRANSMITTER_FULL (1u << 5)
#define UART_RECEIVER_EMPTY (1u << 4)

/* PLL (200 MHz) over 16 = 12.5 MHz from the board's 8 MHz crystal: plenty for 115200 baud, and the SysTick
 * counter then goes round only every 1.34 s, so now_us() survives a long stall between two calls (an emulator's
 * host under load). */
static void clock_init(void) {
    uint32_t rcc = SYSTEM_RCC;
    rcc = (rcc | (1u << 11)) & ~(1u << 22); /* BYPASS on, USESYSDIV off while the PLL locks */
    SYSTEM_RCC = rcc;
    rcc &= ~((0xFu << 6) | (3u << 4) | (1u << 13)); /* main oscillator, PLL power-down off */
    rcc |= 0xEu << 6;                               /* XTAL: 8 MHz */
    SYSTEM_RCC = rcc;
    rcc |= (0xFu << 23) | (1u << 22); /* SYSDIV /16, USESYSDIV */
    SYSTEM_RCC = rcc;
    while ((SYSTEM_RIS & (1u << 6)) == 0) { /* PLLLRIS */
    }
    SYSTEM_RCC = rcc & ~(1u << 11);
}

static void pins_to_uart(uint32_t gpio, uint32_t pins) {
    REGISTER(gpio + GPIO_AFSEL) |= pins;
    REGISTER(gpio + GPIO_DEN) |= pins;
}

static void uart_init(pl011_t *uart) {
    uart->control = 0;
    uart->baud_integer = 6; /* 12.5 MHz / (16 x 115200) = 6 + 50/64 */
    uart->baud_fraction = 50;
    uart->line_control = (3u << 5) | (1u << 4); /* 8 bits, no parity, 1 stop; FIFOs of 16 on */
    uart->control = (1u << 9) | (1u << 8) | 1u; /* receiver, transmitter, UART */
}

void board_init(void) {
    clock_init();
    SYSTEM_RCGC1 |= (1u << 0) | (1u << 2); /* UART0, UART2 */
    SYSTEM_RCGC2 |= (1u << 0) | (1u << 6); /* GPIO A, G */
    (void)SYSTEM_RCGC2;                    /* a clock gate needs a few cycles before first use */
    pins_to_uart(GPIO_A, 3u);              /* PA0 U0Rx, PA1 U0Tx */
    pins_to_uart(GPIO_G, 3u);              /* PG0 U2Rx, PG1 U2Tx */
    uart_init(registers(CONSOLE));
    uart_init(registers(TRACER));
    SYSTICK_CONTROL = 1u << 2; /* processor clock, no interrupt */
    SYSTICK_RELOAD = SYSTICK_SPAN;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL |= 1u;
    while (SYSTICK_VALUE == 0) { /* it loads on the next tick; now_us() starts from there */
    }
}

uint32_t now_us(void) {
    static uint32_t last, half_ticks, us;
    uint32_t ticks = SYSTICK_SPAN - SYSTICK_VALUE;
    half_ticks += 2 * ((ticks - last) & SYSTICK_SPAN);
    last = ticks;
    us += half_ticks / TICKS_PER_2_US;
    half_ticks %= TICKS_PER_2_US;
    return us;
}

void wait_us(uint32_t us) {
    uint32_t start = now_us();
    while (now_us() - start < us) {
    }
}

void uart_write(uart_t uart, uint8_t byte) {
    while (registers(uart)->flags & UART_TRANSMITTER_FULL) {
    }
    registers(uart)->data = byte;
}

bool uart_read(uart_t uart, uint8_t *byte) {
    if (registers(uart)->flags & UART_RECEIVER_EMPTY) {
        return false;
    }
    *byte = (uint8_t)registers(uart)->data;
    return true;
}
