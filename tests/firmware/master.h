/* A small Modbus RTU master: one question, one answer, a time-out, retries. */
#ifndef MASTER_H
#define MASTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t count, sum_us, min_us, max_us;
} latency_t;

typedef struct {
    uint32_t polls, retries, lost; /* questions put; asked again; given up after the last attempt */
    latency_t since_last;          /* from the request's last byte handed to the UART to the reply's last read */
    latency_t since_first;         /* from the request's first byte handed to the UART to the reply's last read */
} master_stats_t;

extern master_stats_t stats;

/* Read `count` input registers (function 4), at most 125. Each failed attempt is reported on the console.
 * False: no good answer after all attempts; words are untouched. */
bool master_read(uint16_t address, uint16_t count, uint16_t *words);

/* Write one holding register (function 6). False: no good answer after all attempts. */
bool master_write(uint16_t address, uint16_t word);

/* Start both latency accounts anew. */
void latency_reset(void);

#endif
