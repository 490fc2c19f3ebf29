#include "print.h"

#include <stdarg.h>

#include "board.h"

static void put(char c) {
    uart_write(CONSOLE, (uint8_t)c);
}

static void put_unsigned(uint32_t value) {
    if (value >= 10) {
        put_unsigned(value / 10);
    }
    put((char)('0' + value % 10));
}

static void put_hex(uint32_t value) {
    for (int shift = 12; shift >= 0; shift -= 4) {
        put("0123456789ABCDEF"[(value >> shift) & 0xF]);
    }
}

static void put_hundredths(int32_t value) {
    uint32_t size = value < 0 ? -(uint32_t)value : (uint32_t)value;
    if (value < 0) {
        put('-');
    }
    put_unsigned(size / 100);
    put('.');
    put((char)('0' + size / 10 % 10));
    put((char)('0' + size % 10));
}

void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case '%':
            put('%');
            break;
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text; text++) {
                put(*text);
            }
            break;
        case 'u':
            put_unsigned(va_arg(arguments, uint32_t));
            break;
        case 'x':
            put_hex(va_arg(arguments, uint32_t));
            break;
        case 'h':
            put_hundredths(va_arg(arguments, int32_t));
            break;
        }
    }
    va_end(arguments);
}
