/* The loop of the sizing fidelity in plain C, as the peer of our compiled Python: sizing INPUTS
 *
 * One lead-acid plant, one step a minute. Each step does the greater part of what the sizing kernel does (no slow
 * polarisation, no side reaction of the charge, no dim light, heat sink, meters): charge stage and load switch by
 * comparison; the battery's electrode quasi-static, by Newton on "main reaction + gassing = terminal current"; the
 * converter's quadratic inside it; both wells moved exactly (a linear system of two); heat by one explicit step; every
 * flow into an account with Kahan's carry. Equations as in plant/battery/leadacid.py and plant/power/converter.py.
 *
 * INPUTS is binary: the struct `parameters`, then (as doubles) five columns of `steps` values. Prints the seconds of
 * the fastest of nine years, then the state of charge at the end and the energies [Wh] of PV, load and battery.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 9, FLOWS = 14, NEWTON = 60 };
enum { NONE, BULK, BOOST, FLOAT };

typedef struct {
    double steps, dt_s, soc, t_c;
    double cells, q, c, k, rk, e0, e1, e2, i0, b, md, cd, r0, i0c, bc, mc, ig0, cn, c_th, h_a, vented; /* battery */
    double i_max, p_max, above, efficiency, k_c, k_s, r_eq, own_w, path; /* controller */
    double boost_v, float_v, boost_s, reconnect_v, lvd_v, lvr_v, compensation, start_above; /* set-points */
} parameters;

typedef struct {
    double h1, h2, t_c, held_s, v_node;
    int stage, load_on;
    double account[FLOWS], carry[FLOWS];
} state;

typedef struct {
    double i_main, slope, i_gas, slope_gas;
} electrode;

/* Open-circuit voltage of the battery at a well filled to h. */
static double emf(double h, double t_c, const parameters *p) {
    return p->cells * (p->e0 + h * (p->e1 + h * p->e2) + 2e-4 * (t_c - 25.0));
}

/* Currents into the reactions at a node voltage, and how they rise with it. */
static electrode react(double v, double e1, double h1, double theta, double gas, double left, const parameters *p) {
    electrode r = {0.0, 0.0, 0.0, 0.0};
    double u = v - e1, room = 1.0 - h1, z = u / 0.010;
    double charging = z > 20.0 ? 1.0 : z < -20.0 ? 0.0 : 1.0 / (1.0 + exp(-2.0 * z));
    double i_dis = 0.0, s_dis = 0.0, i_chg = 0.0, s_chg = 0.0;
    if (charging < 1.0) {
        double gain = theta * p->i0 * left / (left + p->md * room);
        double up = exp(fmax(-40.0, fmin(40.0, u / (p->cells * p->b))));
        i_dis = gain * 0.5 * (up - 1.0 / up);
        s_dis = gain * 0.5 * (up + 1.0 / up) / (p->cells * p->b);
    }
    if (charging > 0.0) {
        double gain = theta * p->i0c * room / (fabs(room) + p->mc * h1);
        double up = exp(fmax(-40.0, fmin(40.0, u / (p->cells * p->bc))));
        i_chg = gain * 0.5 * (up - 1.0 / up);
        s_chg = gain * 0.5 * (up + 1.0 / up) / (p->cells * p->bc);
    }
    double turn = charging * (1.0 - charging) * 2.0 / 0.010;
    r.i_main = charging * i_chg + (1.0 - charging) * i_dis;
    r.slope = charging * s_chg + (1.0 - charging) * s_dis + turn * (i_chg - i_dis);
    r.i_gas = gas * exp(11.0 * (v / p->cells - 2.23));
    r.slope_gas = 11.0 / p->cells * r.i_gas;
    return r;
}

/* Where a rising function was seen below and above 0. */
typedef struct {
    double low, high;
} bracket;

/* One step of Newton, kept between those; 0 when it was so short that what is left of it doesn't matter. */
static int moved(double *v, double off, double slope, double enough, bracket *b) {
    double step = off / slope, next = *v - step;
    if (off < 0.0) b->low = *v;
    else b->high = *v;
    *v = next > b->low && next < b->high ? next : 0.5 * (b->low + b->high);
    return fabs(step) > enough;
}

static double output_current(double left, double v_pv, double v, const parameters *p) {
    if (left <= 0.0) return 0.0;
    double b = v + p->k_s * v_pv;
    return 2.0 * left / (b + sqrt(b * b + 4.0 * p->r_eq * left));
}

static double load_current(double w, double v, const parameters *p) {
    double room = v * v - 4.0 * p->path * w;
    if (w <= 0.0 || room < 0.0) return 0.0;
    return 2.0 * w / (v + sqrt(room));
}

static void book(state *s, const double *flow, double hours) {
    for (int j = 0; j < FLOWS; j++) {
        double term = hours * flow[j] - s->carry[j], total = s->account[j] + term;
        s->carry[j] = (total - s->account[j]) - term;
        s->account[j] = total;
    }
}

/* What the battery is at the beginning of a step, as far as its currents depend on it. */
typedef struct {
    double e1, h1, theta, gas, left, r0;
} battery;

typedef struct {
    double v_node, volt, i, i_chg, i_load;
    electrode r;
} bus;

/* Nothing holds the voltage: the array gives what it can, 0 for none. */
static bus free_bus(double v, double out_w, double v_track, double p_load, const battery *x, const parameters *p) {
    bus s = {v, v, 0.0, 0.0, 0.0, {0.0, 0.0, 0.0, 0.0}};
    bracket b = {v - 3.0, v + 3.0};
    double net = 0.0;
    for (int n = 0; n < NEWTON; n++) {
        s.r = react(s.v_node, x->e1, x->h1, x->theta, x->gas, x->left, p);
        s.i = s.r.i_main + s.r.i_gas;
        s.volt = fmax(s.v_node + x->r0 * s.i, 1.0); /* a trial may lie far off */
        s.i_chg = fmin(fmin(output_current(out_w, v_track, s.volt, p), p->i_max), p->p_max / s.volt);
        s.i_load = load_current(p_load, s.volt, p);
        net = s.i_chg - s.i_load - p->own_w / s.volt;
        double slope = s.r.slope + s.r.slope_gas;
        if (!moved(&s.v_node, s.i - net, slope + net / s.volt * (1.0 + x->r0 * slope), 3e-4, &b)) break;
    }
    s.i = net; /* what the terminals carry goes into the wells, to the last digit */
    s.r.i_main = s.i - s.r.i_gas;
    return s;
}

/* The converter holds the voltage: the battery takes what it wants. */
static bus held_bus(double v, double target, double p_load, const battery *x, const parameters *p) {
    bus s = {v, target, 0.0, 0.0, load_current(p_load, target, p), {0.0, 0.0, 0.0, 0.0}};
    bracket b = {v - 3.0, v + 3.0};
    for (int n = 0; n < NEWTON; n++) {
        s.r = react(s.v_node, x->e1, x->h1, x->theta, x->gas, x->left, p);
        s.i = s.r.i_main + s.r.i_gas;
        double slope = 1.0 + x->r0 * (s.r.slope + s.r.slope_gas);
        if (!moved(&s.v_node, s.v_node + x->r0 * s.i - target, slope, 1e-5, &b)) break;
    }
    s.i = (target - s.v_node) / x->r0;
    s.r.i_main = s.i - s.r.i_gas;
    s.i_chg = s.i + s.i_load + p->own_w / target;
    return s;
}

static void step(state *s, double p_mp, double v_mp, double v_oc, double demand, double room_c, const parameters *p) {
    double warm = s->t_c - 25.0, dt_h = p->dt_s / 3600.0;
    double x = p->cd - 0.0042 * fmax(0.0, -warm) - (1.0 - s->h1);
    battery at = {emf(s->h1, s->t_c, p), s->h1, exp(0.02 * warm), p->cn / 100.0 * p->ig0 * exp(0.06 * warm),
                  0.5 * (x + sqrt(x * x + 4e-6)), p->r0 * exp(-0.012 * warm)};
    double e1 = at.e1, e2 = emf(s->h2, s->t_c, p);
    double p_load = s->load_on ? demand : 0.0;
    double v_track = fmax(v_mp, s->v_node + p->above);
    double p_pv = s->stage != NONE && v_track < v_oc ? p->efficiency * p_mp : 0.0;
    double out_w = p_pv - p->k_c * v_track;
    double target = (s->stage == FLOAT ? p->float_v : p->boost_v) - p->compensation * warm;
    bus now = free_bus(s->v_node, out_w, v_track, p_load, &at, p);
    int held = now.i_chg > 0.0 && now.volt > target;
    if (held) {
        now = held_bus(now.v_node, target, p_load, &at, p);
        if (now.i_chg <= 0.0) now = free_bus(now.v_node, 0.0, v_track, p_load, &at, p);
    }
    double volt = now.volt, i = now.i, i_chg = now.i_chg, i_load = now.i_load, v = now.v_node, r0 = at.r0;
    electrode r = now.r;
    s->v_node = v;

    /* stage and load switch */
    if (v_oc - volt < p->start_above) {
        s->stage = NONE;
        s->held_s = 0.0;
    } else if (s->stage == NONE) {
        s->stage = BULK;
    } else if (s->stage == BULK && held) {
        s->stage = BOOST;
    } else if (s->stage == BOOST) {
        s->held_s += held ? p->dt_s : 0.0;
        if (s->held_s >= p->boost_s) s->stage = FLOAT;
    } else if (s->stage == FLOAT && volt < p->reconnect_v) {
        s->stage = BULK;
        s->held_s = 0.0;
    }
    if (s->load_on && volt < p->lvd_v) s->load_on = 0;
    if (!s->load_on && volt >= p->lvr_v) s->load_on = 1;

    /* wells, exactly for a constant current */
    double faster = 1.0 + (p->rk - 1.0) / (1.0 + exp(-2.0 * fmax(-20.0, fmin(20.0, (s->h1 - s->h2) / 0.005))));
    double rate = p->k * exp(0.011 * warm) * faster, stay = exp(-rate * dt_h);
    double apart = s->h2 - s->h1, settled = -r.i_main / (p->c * p->q * rate);
    double soc = p->c * s->h1 + (1.0 - p->c) * s->h2;
    double new_apart = settled + (apart - settled) * stay, new_soc = soc + r.i_main * dt_h / p->q;
    double flow = ((1.0 - p->c) * p->q) * (s->h2 - (new_soc + p->c * new_apart)) / dt_h;
    s->h1 = new_soc - (1.0 - p->c) * new_apart;
    s->h2 = new_soc + p->c * new_apart;

    /* heat and account */
    double ohmic = r0 * i * i, polarisation = (v - e1) * r.i_main, side = v * r.i_gas, diffusion = flow * (e2 - e1);
    double heat = ohmic + polarisation + diffusion + r.i_gas * (v - p->vented * p->cells * 1.48);
    double loss = i_chg > 0.0 ? p->k_c * v_track + p->k_s * v_track * i_chg + p->r_eq * i_chg * i_chg : 0.0;
    double chg = volt * i_chg, path = p->path * i_load * i_load, load = volt * i_load - path;
    double flows[FLOWS] = {p_mp, chg + loss, loss, chg, path, load, p->own_w, volt * i, demand - load,
                           ohmic, polarisation, side, diffusion, r.i_gas};
    book(s, flows, dt_h);
    s->t_c += p->dt_s * (heat - p->h_a * (s->t_c - room_c)) / p->c_th;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

int main(int argc, char **argv) {
    parameters p;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file || fread(&p, sizeof p, 1, file) != 1) return 2;
    size_t steps = (size_t)p.steps;
    double *in = malloc(5 * steps * sizeof *in), best = INFINITY;
    if (!in || fread(in, sizeof *in, 5 * steps, file) != 5 * steps) return 2;
    state s;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        s = (state){p.soc, p.soc, p.t_c, 0.0, emf(p.soc, p.t_c, &p), NONE, 1, {0.0}, {0.0}};
        double began = now_s();
        for (size_t n = 0; n < steps; n++)
            step(&s, in[n], in[steps + n], in[2 * steps + n], in[3 * steps + n], in[4 * steps + n], &p);
        best = fmin(best, now_s() - began);
    }
    printf("%.9g %.9g %.9g %.9g %.9g\n", best, p.c * s.h1 + (1.0 - p.c) * s.h2, s.account[1], s.account[5], s.account[7]);
    return 0;
}
