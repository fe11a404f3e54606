/* Conversion of FP32 operands to block floating point: the bits of lowtide_torch.conversion.

   A value is |x| * 2**(m - 1 - E - B + F), truncated to an integer with F bits after the point. The addend of the
   rounding is added, and the F bits are discarded. All scales are powers of two of normal numbers, so every step is exact.
   Loops over c have independent iterations, which a compiler turns into vector instructions. */

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { TRUNCATE, NEAREST, STOCHASTIC };
enum { BLOCK = 64, LANES = 64 };

typedef struct {
    int32_t lanes, mantissa, top, bias, rounding, random_bits, fraction, chunk;
} form;

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static inline float power(int32_t exponent) {
    uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline int32_t code_of(uint32_t largest, const form *f) {
    int32_t code = (int32_t)(largest >> 23) - 127 - f->bias;
    return code < 0 ? 0 : code > f->top ? f->top : code;
}

/* Addend of a random word R: 2 R + 1, in units of the bits that the rounder evaluates. */
static inline int32_t addend_of(int32_t word, const form *f) {
    return (2 * word + 1) << (f->fraction - f->random_bits - 1);
}

/* Addend of a rounding without random words. */
static inline int32_t constant_addend(const form *f) {
    return f->rounding == NEAREST ? 1 << (f->fraction - 1) : 0;
}

/* Groups of `n` rows of `width` numbers, n <= lanes: each column is a group. Loops over columns are innermost.
   words[c] is the word of column c and lane 0, or `words` is null; inverted[c] is all ones where lane 0 inverts it. */
__attribute__((always_inline)) static inline void block_columns(
    const float *const *rows, int n, int width, const form *f, const uint8_t *restrict words,
    const uint8_t *restrict inverted, float *out, int64_t step, double *squares, double *low, double *high, int32_t *lowest)
{
    uint32_t largest[BLOCK] = {0};
    float scale[BLOCK], weight[BLOCK];
    int32_t square[BLOCK] = {0}, lows[BLOCK] = {0}, highs[BLOCK] = {0}, addends[BLOCK];
    const int32_t limit = (1 << f->mantissa) - 1, shift = f->fraction;
    const uint8_t mask = (uint8_t)((1 << f->random_bits) - 1);
    const float cap = (float)((limit + 1) << shift);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < width; c++) {
            const uint32_t size = bits_of(rows[i][c]) & 0x7fffffff;
            largest[c] = size > largest[c] ? size : largest[c];
        }
    for (int c = 0; c < width; c++) {
        int32_t code = code_of(largest[c], f);
        scale[c] = power(f->mantissa - 1 - f->bias + shift - code);
        weight[c] = power(code);
        code = largest[c] ? code : f->top;
        lowest[c] = code < lowest[c] ? code : lowest[c];
    }
    for (int c = 0; c < width; c++)
        addends[c] = constant_addend(f);
    for (int i = 0; i < n; i++) {
        const float *restrict x = rows[i];
        float *restrict y = out + i * step;
        if (words) {
            const uint8_t other = i % 2 ? 255 : 0;
            for (int c = 0; c < width; c++)
                addends[c] = addend_of(words[c + i / 2] ^ (mask & (inverted[c] ^ other)), f);
        }
        for (int c = 0; c < width; c++) {
            float size = fabsf(x[c]) * scale[c];
            int32_t q = (int32_t)(size < cap ? size : cap);
            int32_t r = (q + addends[c]) >> shift;
            r = r < limit ? r : limit;
            square[c] += r * r;
            y[c] = copysignf((float)r * weight[c], x[c]);
            if (f->chunk) {
                int32_t all = (1 << 2 * f->chunk) - 1;
                int32_t t = q >> (shift - (2 * f->chunk - f->mantissa));
                t = t < all ? t : all;
                lows[c] += t & ((1 << f->chunk) - 1);
                highs[c] += t & ~((1 << f->chunk) - 1);
            }
        }
    }
    for (int c = 0; c < width; c++) {
        squares[c] += (double)square[c] * weight[c] * weight[c];
        if (f->chunk) {
            low[c] += (double)lows[c] * weight[c];
            high[c] += (double)highs[c] * weight[c];
        }
    }
}

/* One vector along K: groups of consecutive numbers. The words of lanes 0 and 1 of the first group are at words[0] and
   words[1], or `words` is null; `odd` tells whether the first group inverts them. */
__attribute__((always_inline)) static inline void vector_row(
    const float *x, int64_t k, int lanes, const form *f, const uint8_t *restrict words, int32_t odd, float *y, double *squares,
    double *low, double *high, int32_t *lowest)
{
    const int32_t limit = (1 << f->mantissa) - 1, shift = f->fraction, mask = (1 << f->random_bits) - 1;
    const float cap = (float)((limit + 1) << shift);
    int32_t addends[LANES];
    for (int i = 0; i < lanes; i++)
        addends[i] = constant_addend(f);
    double sum = 0, low_sum = 0, high_sum = 0;
    int32_t least = f->top;
    for (int64_t start = 0, group = 0; start < k; start += lanes, group++) {
        const float *restrict in = x + start;
        float *restrict out = y + start;
        float padded[LANES], rounded[LANES];
        int n = k - start < lanes ? (int)(k - start) : lanes;
        if (n < lanes) {
            memset(padded, 0, sizeof padded);
            memcpy(padded, in, n * sizeof *in);
            in = padded, out = rounded;
        }
        uint32_t largest = 0;
        for (int i = 0; i < lanes; i++) {
            uint32_t size = bits_of(in[i]) & 0x7fffffff;
            largest = size > largest ? size : largest;
        }
        int32_t code = code_of(largest, f), square = 0, lows = 0, highs = 0;
        float scale = power(f->mantissa - 1 - f->bias + shift - code), weight = power(code);
        least = largest && code < least ? code : least;
        if (words) {
            const uint8_t *restrict word = words + 2 * group;
            const int32_t invert = (odd + group) & 1 ? mask : 0;
            for (int i = 0; i < lanes; i++)
                addends[i] = addend_of(word[i] ^ invert, f);
        }
        for (int i = 0; i < lanes; i++) {
            float size = fabsf(in[i]) * scale;
            int32_t q = (int32_t)(size < cap ? size : cap);
            int32_t r = (q + addends[i]) >> shift;
            r = r < limit ? r : limit;
            square += r * r;
            out[i] = copysignf((float)r * weight, in[i]);
            if (f->chunk) {
                int32_t all = (1 << 2 * f->chunk) - 1;
                int32_t t = q >> (shift - (2 * f->chunk - f->mantissa));
                t = t < all ? t : all;
                lows += t & ((1 << f->chunk) - 1);
                highs += t & ~((1 << f->chunk) - 1);
            }
        }
        sum += (double)square * weight * weight;
        low_sum += (double)lows * weight;
        high_sum += (double)highs * weight;
        if (n < lanes)
            memcpy(y + start, rounded, n * sizeof *y);
    }
    *squares = sum;
    *low = low_sum;
    *high = high_sum;
    *lowest = least;
}

/* A call without measurement, or with it, as code without branches in its loops. */
#define SPECIALIZED(CALL)                                                                                                \
    do {                                                                                                                 \
        form g = *f;                                                                                                     \
        if (f->chunk)                                                                                                    \
            CALL;                                                                                                        \
        else {                                                                                                           \
            g.chunk = 0;                                                                                                 \
            CALL;                                                                                                        \
        }                                                                                                                \
    } while (0)

/* Matrices of vectors along K. Vector v of matrix m is at x + m * step_matrix + v * step_vector; outputs are contiguous.
   `pairs` has each word of the table, and then its inverse. */
void lowtide_rows(const float *x, int64_t matrices, int64_t vectors, int64_t k, int64_t step_matrix, int64_t step_vector,
                  const form *f, const uint8_t *pairs, const int64_t *starts, int64_t high, float *out, double *squares,
                  double *low, double *high_sums, int32_t *lowest)
{
    const int64_t down = pairs ? (vectors + high - 1) / high : 0;
    for (int64_t m = 0; m < matrices; m++)
        for (int64_t v = 0; v < vectors; v++) {
            const float *in = x + m * step_matrix + v * step_vector;
            const int64_t place = m * vectors + v;
            const uint8_t *words = pairs ? pairs + 2 * (starts[m * down + v / high] + v % high) : 0;
            const int32_t odd = pairs ? (int32_t)(v % high) : 0;
            float *y = out + place * k;
            if (f->lanes == 16)
                SPECIALIZED(vector_row(in, k, 16, &g, words, odd, y, squares + place, low + place, high_sums + place, lowest + place));
            else
                vector_row(in, k, f->lanes, f, words, odd, y, squares + place, low + place, high_sums + place, lowest + place);
        }
}

typedef struct {
    int64_t height, width, channels, depth, offset, down, across, rows, columns, stride_h, stride_w, pad_h, pad_w,
        dilation_h, dilation_w;
} geometry;

/* Columns of the matrix of windows, for windows first to last: each column is a vector along K, in groups of windows.
   Channels `offset` to `offset + depth` of images (N, height, width, channels). Output (last - first, elements). */
void lowtide_columns(const float *x, const geometry *s, int64_t first, int64_t last, const form *f, const uint8_t *table,
                     const int64_t *starts, int64_t high, float *out, double *squares, double *low, double *high_sums,
                     int32_t *lowest)
{
    static const float zeros[BLOCK];
    const int64_t elements = s->rows * s->columns * s->depth;
    memset(squares, 0, elements * sizeof *squares);
    memset(low, 0, elements * sizeof *low);
    memset(high_sums, 0, elements * sizeof *high_sums);
    for (int64_t i = 0; i < elements; i++)
        lowest[i] = f->top;
    for (int64_t start = first, group = 0; start < last; start += f->lanes, group++) {
        const int n = last - start < f->lanes ? (int)(last - start) : f->lanes;
        int64_t top[LANES], left[LANES], image[LANES];
        for (int i = 0; i < n; i++) {
            int64_t place = start + i;
            left[i] = place % s->across * s->stride_w - s->pad_w;
            place /= s->across;
            top[i] = place % s->down * s->stride_h - s->pad_h;
            image[i] = place / s->down;
        }
        for (int64_t p = 0; p < s->rows; p++)
            for (int64_t q = 0; q < s->columns; q++) {
                const float *pixels[LANES];
                for (int i = 0; i < n; i++) {
                    int64_t h = top[i] + p * s->dilation_h, w = left[i] + q * s->dilation_w;
                    int inside = h >= 0 && h < s->height && w >= 0 && w < s->width;
                    pixels[i] = inside ? x + ((image[i] * s->height + h) * s->width + w) * s->channels + s->offset : 0;
                }
                for (int64_t c = 0; c < s->depth; c += BLOCK) {
                    const int width = s->depth - c < BLOCK ? (int)(s->depth - c) : BLOCK;
                    const int64_t element = (p * s->columns + q) * s->depth + c;
                    const float *rows[LANES];
                    uint8_t inverted[BLOCK];
                    float *y = out + (start - first) * elements + element;
                    double *sq = squares + element, *lo = low + element, *hi = high_sums + element;
                    int32_t *least = lowest + element;
                    for (int i = 0; i < n; i++)
                        rows[i] = pixels[i] ? pixels[i] + c : zeros;
                    if (!table) {
                        if (width == 16 && n == 16)
                            SPECIALIZED(block_columns(rows, 16, 16, &g, 0, 0, y, elements, sq, lo, hi, least));
                        else
                            SPECIALIZED(block_columns(rows, n, width, &g, 0, 0, y, elements, sq, lo, hi, least));
                        continue;
                    }
                    /* Columns of one panel have consecutive words. */
                    for (int b = 0; b < width;) {
                        const int64_t v = element + b, place = v % high;
                        const int64_t left_over = high - place;
                        const int part = width - b < left_over ? width - b : (int)left_over;
                        const float *parts[LANES];
                        for (int i = 0; i < n; i++)
                            parts[i] = rows[i] + b;
                        for (int j = 0; j < part; j++)
                            inverted[j] = (place + j + group) & 1 ? 255 : 0;
                        const uint8_t *words = table + starts[v / high] + place + group;
                        SPECIALIZED(block_columns(parts, n, part, &g, words, inverted, y + b, elements, sq + b, lo + b, hi + b,
                                                  least + b));
                        b += part;
                    }
                }
            }
    }
}

/* Adds windows first to last of a product (rows, elements) into images (N, height, width, channels), in the order of kernel
   rows, then kernel columns; the images start with zeros. Windows arrive in several calls only at whole images. */
void lowtide_fold(const float *rows, const geometry *s, int64_t first, int64_t last, float *images)
{
    const int64_t elements = s->rows * s->columns * s->depth;
    for (int64_t h = 0, image = first; image < last; h = 0, image++)
        for (; h < s->height; h++)
            for (int64_t w = 0; w < s->width; w++) {
                float *sum = images + ((image * s->height + h) * s->width + w) * s->channels + s->offset;
                for (int64_t p = 0; p < s->rows; p++) {
                    int64_t i = h + s->pad_h - p * s->dilation_h;
                    if (i < 0 || i % s->stride_h || i / s->stride_h >= s->down)
                        continue;
                    for (int64_t q = 0; q < s->columns; q++) {
                        int64_t j = w + s->pad_w - q * s->dilation_w;
                        if (j < 0 || j % s->stride_w || j / s->stride_w >= s->across)
                            continue;
                        const float *row = rows +
                            (((image - first) * s->down + i / s->stride_h) * s->across + j / s->stride_w) * elements +
                            (p * s->columns + q) * s->depth;
                        for (int64_t c = 0; c < s->depth; c++)
                            sum[c] += row[c];
                    }
                }
            }
}
