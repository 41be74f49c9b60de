/* Rows of codes times a constant matrix. */
#include "ls_fixed.h"

#if LS_HELIUM
#include <arm_mve.h>

/* Two channels of packed weights with one row. */
static inline void dot2(const int8_t* row, const int8_t* w, int32_t depth, int32_t* sums) {
  int32_t s0 = sums[0], s1 = sums[1];
  for (; depth > 0; depth -= 16, row += 16, w += 32) {
    const int8x16_t v = vldrbq_z_s8(row, vctp8q((uint32_t)depth));
    s0 = vmladavaq_s8(s0, v, vldrbq_s8(w));
    s1 = vmladavaq_s8(s1, v, vldrbq_s8(w + 16));
  }
  sums[0] = s0;
  sums[1] = s1;
}

/* A row of `vectors` times 16 codes and the channels from `acc` to `end`, four at a time; the row
   is read in whole vectors, what lies behind its end meets weights of zero. The assembly below
   knows this layout. */
typedef struct {
  const int8_t* row;
  int32_t vectors;
  const int8_t* weights;
  const int32_t* bias;
  int32_t *acc, *end;
} fours;

/* Four sums at a time: ten instructions for 64 products; one more where FLIP takes 128 off uint8
 * codes. */
#define PRODUCTS(FLIP)                                       \
  __asm__ volatile(                                          \
      "push {r4-r11, lr}\n"                                  \
      "mov r12, r0\n"                                        \
      "ldrd r1, r9, [r12, #8]\n"   /* weights, bias */       \
      "ldrd r11, r8, [r12, #16]\n" /* sums, their end */     \
      "mov r7, #128\n"                                       \
      "1:\n"                                                 \
      "ldrd r5, lr, [r12]\n" /* the row, vectors */          \
      "ldrd r0, r2, [r9], #8\n"                              \
      "ldrd r4, r6, [r9], #8\n"                              \
      "add r3, r1, lr, lsl #5\n" /* the next two channels */ \
      "dls lr, lr\n"                                         \
      "2:\n"                                                 \
      "vldrb.8 q0, [r5], #16\n" FLIP                         \
      "vldrb.8 q1, [r1], #16\n"                              \
      "vmladava.s8 r0, q0, q1\n"                             \
      "vldrb.8 q2, [r1], #16\n"                              \
      "vmladava.s8 r2, q0, q2\n"                             \
      "vldrb.8 q3, [r3], #16\n"                              \
      "vmladava.s8 r4, q0, q3\n"                             \
      "vldrb.8 q1, [r3], #16\n"                              \
      "vmladava.s8 r6, q0, q1\n"                             \
      "le lr, 2b\n"                                          \
      "strd r0, r2, [r11], #8\n"                             \
      "strd r4, r6, [r11], #8\n"                             \
      "mov r1, r3\n"                                         \
      "cmp r11, r8\n"                                        \
      "bne 1b\n"                                             \
      "pop {r4-r11, pc}\n")

void ls_dense_products(const fours* b);
void ls_dense_products_flipped(const fours* b);
__attribute__((naked, noinline, used)) void ls_dense_products(const fours* b
                                                              __attribute__((unused))) {
  PRODUCTS();
}
__attribute__((naked, noinline, used)) void ls_dense_products_flipped(const fours* b
                                                                      __attribute__((unused))) {
  PRODUCTS("vadd.i8 q0, q0, r7\n");
}

/* The first channels in fours; how many. */
static int32_t in_fours(const ls_dense* p, const int8_t* row, const int8_t* w, int32_t channel,
                        int32_t count, int32_t centre, int32_t* acc) {
  const int32_t whole = count / 4 * 4;
  int32_t i;
  fours b;
  if (whole == 0 || p->depth == 0) return 0;
  b.row = row, b.vectors = (p->depth + 15) / 16, b.weights = w, b.bias = p->bias + channel;
  b.acc = acc, b.end = acc + whole;
  if (p->flip == 0)
    ls_dense_products(&b);
  else
    ls_dense_products_flipped(&b);
  if (centre != 0)
    for (i = 0; i < whole; ++i) acc[i] -= centre;
  return whole;
}

static int32_t sum_of(const int8_t* row, int32_t depth) {
  int32_t sum = 0;
  for (; depth > 0; depth -= 16, row += 16)
    sum = vaddvaq_s8(sum, vldrbq_z_s8(row, vctp8q((uint32_t)depth)));
  return sum;
}
static int32_t sum_of_unsigned(const int8_t* row, int32_t depth) {
  uint32_t sum = 0;
  for (; depth > 0; depth -= 16, row += 16)
    sum = vaddvaq_u8(sum, vldrbq_z_u8((const uint8_t*)row, vctp8q((uint32_t)depth)));
  return (int32_t)sum;
}
#else
static int32_t in_fours(const ls_dense* p, const int8_t* row, const int8_t* w, int32_t channel,
                        int32_t count, int32_t centre, int32_t* acc) {
  (void)p, (void)row, (void)w, (void)channel, (void)count, (void)centre, (void)acc;
  return 0;
}

static void dot2(const int8_t* row, const int8_t* w, int32_t depth, int32_t* sums) {
  int32_t s0 = sums[0], s1 = sums[1], k, i;
  for (k = 0; k < depth; k += 16, w += 32) {
    const int32_t rest = depth - k < 16 ? depth - k : 16;
    for (i = 0; i < rest; ++i) {
      s0 += row[k + i] * w[i];
      s1 += row[k + i] * w[16 + i];
    }
  }
  sums[0] = s0;
  sums[1] = s1;
}

static int32_t sum_of(const int8_t* row, int32_t depth) {
  int32_t sum = 0, k;
  for (k = 0; k < depth; ++k) sum += row[k];
  return sum;
}
static int32_t sum_of_unsigned(const int8_t* row, int32_t depth) {
  int32_t sum = 0, k;
  for (k = 0; k < depth; ++k) sum += (uint8_t)row[k];
  return sum;
}
#endif

/* A uint8 row in runs of 128: its codes less 128 are made on the stack. */
static void dot2_flipped(const int8_t* row, const int8_t* w, int32_t depth, uint8_t flip,
                         int32_t* sums) {
  int8_t run[128];
  int32_t k, i;
  for (k = 0; k < depth; k += 128) {
    const int32_t count = depth - k < 128 ? depth - k : 128;
    for (i = 0; i < count; ++i) run[i] = ls_flipped(row[k + i], flip);
    dot2(run, w + k * 2, count, sums);
  }
}

/* The sum of a row, where weights have a zero point. */
static int32_t row_sum(const ls_dense* p, const int8_t* row) {
  if (p->w_zero == 0 && p->w_zeros == NULL) return 0;
  return p->flip == 0 ? sum_of(row, p->depth) : sum_of_unsigned(row, p->depth) - 128 * p->depth;
}

void ls_dense_8(const ls_dense* p, const void* x, void* y) {
  const int8_t* row = (const int8_t*)x;
  uint8_t* out = (uint8_t*)y;
  const int32_t chunks = (p->depth + 15) / 16;
  int32_t acc[LS_RUN];
  int32_t r, o, i;
  for (r = 0; r < p->rows; ++r, row += p->depth) {
    const int32_t sum = row_sum(p, row), centre = p->w_zero * sum;
    const int8_t* w = p->weights;
    for (o = 0; o < p->out; o += LS_RUN) {
      const int32_t count = p->out - o < LS_RUN ? p->out - o : LS_RUN;
      const int32_t whole = in_fours(p, row, w, o, count, centre, acc);
      w += whole * chunks * 16;
      for (i = whole; i < count; i += 2, w += chunks * 32) {
        acc[i] = p->bias[o + i] - centre;
        acc[i + 1] = p->bias[o + i + 1] - centre; /* bias is padded to an even number */
        if (p->flip == 0)
          dot2(row, w, p->depth, acc + i);
        else
          dot2_flipped(row, w, p->depth, p->flip, acc + i);
      }
      if (p->w_zeros != NULL)
        for (i = 0; i < count; ++i) acc[i] -= p->w_zeros[o + i] * sum;
      p->finish(&p->q, acc, count, o, 1, out, 0);
      out += count * p->y_bytes;
    }
  }
}
