/* GCC calls these two even from freestanding code, for structure assignments. */
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int value, size_t size) {
    for (uint8_t *byte = to; size--; byte++) {
        *byte = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t size) {
    const uint8_t *source = from;
    for (uint8_t *byte = to; size--; byte++) {
        *byte = *source++;
    }
    return to;
}
