/* Firmware that asks a Tracer on UART2 for its state, round after round, and shows it on UART0.
 *
 * Built as it is, it asks register by register for what the map `uart2` holds. With -DBLOCKS it asks for the long
 * blocks of the vendor's protocol (map `epever`); the two maps differ at 0x200C, 0x3200 and 0x3300 to 0x3307.
 */
#include "board.h"
#include "master.h"
#include "print.h"

#ifndef ROUNDS /* 0: for ever */
#define ROUNDS 0
#endif
#ifndef ROUND_PAUSE_MS
#define ROUND_PAUSE_MS 1000
#endif

typedef struct {
    uint32_t pv_v, pv_a, batt_v, load_v, load_a, load_w; /* hundredths */
    int32_t temp_c;                                      /* hundredths */
    uint32_t soc_percent, stage, day;
    uint32_t made_today, made_total, used_today, used_total; /* hundredths of a kWh */
} tracer_t;

static uint32_t word_pair(const uint16_t *low_first) {
#ifdef BUG_SWAPPED_WORDS
    return low_first[1] | (uint32_t)low_first[0] << 16;
#endif
    return low_first[0] | (uint32_t)low_first[1] << 16;
}

static uint32_t stage_of(uint16_t status) {
    return (status >> 2) & 3; /* 0 none, 1 float, 2 boost, 3 equalize */
}

#ifdef BLOCKS

static bool read_tracer(tracer_t *t) {
    uint16_t now[19], energy[20], soc, status;
    bool good = master_read(0x3100, 19, now);
    good &= master_read(0x311A, 1, &soc);
    good &= master_read(0x3201, 1, &status);
    good &= master_read(0x3300, 20, energy);
    if (good) {
        *t = (tracer_t){
            .pv_v = now[0x00],
            .pv_a = now[0x01],
            .batt_v = now[0x04],
            .load_v = now[0x0C],
            .load_a = now[0x0D],
            .load_w = word_pair(&now[0x0E]),
            .temp_c = (int16_t)now[0x10],
            .soc_percent = soc,
            .stage = stage_of(status),
            .day = stage_of(status) != 0, /* no day flag among the input registers: charging will do */
            .used_today = word_pair(&energy[0x04]),
            .used_total = word_pair(&energy[0x0A]),
            .made_today = word_pair(&energy[0x0C]),
            .made_total = word_pair(&energy[0x12]),
        };
    }
    return good;
}

#else

static bool read_tracer(tracer_t *t) {
    static const uint16_t singles[] = {0x3100, 0x3101, 0x3104, 0x310C, 0x310D,
                                       0x310E, 0x3110, 0x311A, 0x3200, 0x200C};
    uint16_t single[10], energy[8];
    bool good = true;
    for (int i = 0; i < 10; i++) {
        good &= master_read(singles[i], 1, &single[i]);
    }
    for (int i = 0; i < 8; i += 2) {
        good &= master_read(0x3300 + i, 2, &energy[i]);
    }
    if (good) {
        *t = (tracer_t){
            .pv_v = single[0],
            .pv_a = single[1],
            .batt_v = single[2],
            .load_v = single[3],
            .load_a = single[4],
            .load_w = single[5],
            .temp_c = (int16_t)single[6],
            .soc_percent = single[7],
            .stage = stage_of(single[8]),
            .day = (single[9] >> 3) & 1,
            .made_today = word_pair(&energy[0]),
            .made_total = word_pair(&energy[2]),
            .used_today = word_pair(&energy[4]),
            .used_total = word_pair(&energy[6]),
        };
    }
    return good;
}

#endif

static void print_latency(const char *name, const latency_t *l) {
    print(" %s %u %u %u", name, l->min_us, l->count ? l->sum_us / l->count : 0, l->max_us);
}

static void print_tracer(const tracer_t *t) {
    print(" pv %h V %h A batt %h V", t->pv_v, t->pv_a, t->batt_v);
    print(" load %h V %h A %h W", t->load_v, t->load_a, t->load_w);
    print(" temp %h C soc %u %% stage %u day %u", t->temp_c, t->soc_percent, t->stage, t->day);
    print(" made %h %h kWh used %h %h kWh", t->made_today, t->made_total, t->used_today, t->used_total);
}

int main(void) {
    board_init();
    print("\nmaster up\n");
    for (uint32_t round = 1;; round++) {
        tracer_t tracer;
        latency_reset();
        bool good = read_tracer(&tracer);
#ifdef BUG_UNMAPPED
        uint16_t nothing;
        good &= master_read(0x5000, 1, &nothing);
#endif
#ifdef BUG_WRITES
        good &= master_write(0x9000, 1);
#endif
        print("round %u", round);
        if (good) {
            print_tracer(&tracer);
        } else {
            print(" incomplete");
        }
        print(" polls %u lost %u retries %u", stats.polls, stats.lost, stats.retries);
        print_latency("us", &stats.since_last);
        print_latency("whole", &stats.since_first);
        print("\n");
        if (round == ROUNDS) {
            print("done %u rounds\n", round);
#ifdef HALT_WHEN_DONE
            return 0;
#endif
        }
        wait_us(ROUND_PAUSE_MS * 1000ul);
    }
}
