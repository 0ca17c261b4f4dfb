/* Medians of FFTW 3, float32, for bench/fft.ts: fftw BATCH THREADS SIZE... -> a line of ms a size.
 * BATCH square 2D transforms in place, planned by measuring. */
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 51 };

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d > 0 ? 1 : d < 0 ? -1 : 0;
}

int main(int argc, char **argv) {
  int batch = atoi(argv[1]);
  fftwf_init_threads();
  fftwf_plan_with_nthreads(atoi(argv[2]));
  for (int a = 3; a < argc; a++) {
    int n = atoi(argv[a]);
    int size[] = {n, n};
    size_t count = (size_t)batch * n * n;
    fftwf_complex *x = fftwf_alloc_complex(count);
    fftwf_plan plan = fftwf_plan_many_dft(2, size, batch, x, 0, 1, n * n, x, 0, 1, n * n, FFTW_FORWARD, FFTW_MEASURE);
    for (size_t i = 0; i < count; i++) x[i][0] = x[i][1] = 0;
    double ms[CALLS];
    for (int i = 0; i < CALLS; i++) {
      double start = now_ms();
      fftwf_execute(plan);
      ms[i] = now_ms() - start;
    }
    qsort(ms, CALLS, sizeof ms[0], ascending);
    printf("%.3f\n", ms[CALLS / 2]);
    fftwf_destroy_plan(plan);
    fftwf_free(x);
  }
  return 0;
}
