#include "master.h"

#include "board.h"
#include "print.h"

#ifndef UNIT
#define UNIT 1
#endif
#ifndef TIMEOUT_MS
#define TIMEOUT_MS 500
#endif
#ifndef RETRIES
#define RETRIES 2
#endif
#ifndef BYTE_GAP_US /* a pause after each byte sent, as a driver with a slow task behind it makes */
#define BYTE_GAP_US 0
#endif
#ifndef DEAF_US /* RS-485: drop what arrives while the driver is being turned round after the last byte */
#define DEAF_US 0
#endif

enum { READ_INPUT = 4, WRITE_WORD = 6, WORDS_MAX = 125 }; /* functions; what fits into a frame of 256 bytes */
enum { ANSWERED, TIMED_OUT, BAD_CRC, EXCEPTION, STRAY };

master_stats_t stats;

static uint16_t crc16(const uint8_t *data, uint32_t size) {
    uint16_t crc = 0xFFFF;
    while (size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) ? (crc >> 1) ^ 0xA001 : crc >> 1;
        }
    }
    return crc;
}

static void drain(void) {
    uint8_t byte;
    while (uart_read(TRACER, &byte)) {
    }
}

static void send(const uint8_t *frame, uint32_t size) {
    while (size--) {
        uart_write(TRACER, *frame++);
        if (BYTE_GAP_US && size) {
            wait_us(BYTE_GAP_US);
        }
    }
}

/* Read a whole reply of `expected` bytes, or 5 if it is an exception; 0 when the time is up. */
static uint32_t receive(uint8_t *frame, uint32_t expected, uint32_t sent_us) {
    uint32_t got = 0;
    while (now_us() - sent_us < TIMEOUT_MS * 1000ul) {
        if (!uart_read(TRACER, &frame[got])) {
            continue;
        }
        got++;
        if (got == 2 && (frame[1] & 0x80)) {
            expected = 5;
        }
        if (got == expected) {
            return got;
        }
    }
    return 0;
}

static void latency_add(latency_t *latency, uint32_t us) {
    if (latency->count == 0 || us < latency->min_us) {
        latency->min_us = us;
    }
    if (us > latency->max_us) {
        latency->max_us = us;
    }
    latency->sum_us += us;
    latency->count++;
}

void latency_reset(void) {
    stats.since_last = (latency_t){0};
    stats.since_first = (latency_t){0};
}

static int attempt(uint16_t address, uint16_t count, uint16_t *words) {
    uint8_t request[8] = {UNIT, READ_INPUT, address >> 8, address & 0xFF, count >> 8, count & 0xFF};
    uint16_t crc = crc16(request, 6);
    request[6] = crc & 0xFF;
    request[7] = crc >> 8;

    uint8_t reply[5 + 2 * WORDS_MAX];
    drain(); /* a late reply to the question before must not answer this one */
    uint32_t start_us = now_us();
    send(request, sizeof request);
    uint32_t sent_us = now_us();
    if (DEAF_US) {
        wait_us(DEAF_US);
        drain();
    }
    uint32_t size = receive(reply, 5 + 2 * count, sent_us);
    uint32_t end_us = now_us();

    if (size == 0) {
        return TIMED_OUT;
    }
    crc = crc16(reply, size - 2);
    if (reply[size - 2] != (crc & 0xFF) || reply[size - 1] != crc >> 8) {
        return BAD_CRC;
    }
    if (reply[0] == UNIT && reply[1] == (READ_INPUT | 0x80)) {
        return EXCEPTION;
    }
    if (reply[0] != UNIT || reply[1] != READ_INPUT || reply[2] != 2 * count) {
        return STRAY;
    }
    for (uint32_t i = 0; i < count; i++) {
        words[i] = reply[3 + 2 * i] << 8 | reply[4 + 2 * i];
    }
    latency_add(&stats.since_last, end_us - sent_us);
    latency_add(&stats.since_first, end_us - start_us);
    return ANSWERED;
}

bool master_write(uint16_t address, uint16_t word) {
    uint8_t request[8] = {UNIT, WRITE_WORD, address >> 8, address & 0xFF, word >> 8, word & 0xFF};
    uint16_t crc = crc16(request, 6);
    request[6] = crc & 0xFF;
    request[7] = crc >> 8;
    stats.polls++;
    for (uint32_t tries = 0; tries <= RETRIES; tries++) {
        uint8_t reply[8];
        drain();
        send(request, sizeof request);
        if (receive(reply, sizeof reply, now_us()) != 0) {
            return (reply[1] & 0x80) == 0; /* its echo, or an exception */
        }
    }
    stats.lost++;
    return false;
}

bool master_read(uint16_t address, uint16_t count, uint16_t *words) {
    static const char *const what[] = {"", "timeout", "bad-crc", "exception", "stray"};
    stats.polls++;
    for (uint32_t tries = 0; tries <= RETRIES; tries++) {
        if (tries > 0) {
            stats.retries++;
        }
        uint32_t start_us = now_us();
        int result = attempt(address, count, words);
        if (result == ANSWERED) {
            return true;
        }
        print("miss %x %s asked-at %u us\n", (uint32_t)address, what[result], start_us);
        if (result == EXCEPTION) {
            break; /* heard and refused: asking again gives the same */
        }
    }
    stats.lost++;
    return false;
}
