/* Kernels that leave something behind, one wrong thing each, where the first logit is 1; else they
 * copy z. Beside them clean ones that a state left behind would spoil. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ulpaudit/plugin.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

typedef struct {
  const float *z, *y;
  float* out;
  uint64_t n;
  char* message;
  size_t size;
} Call;

static int32_t copy(const Call* c) {
  memmove(c->out, c->z, c->n * sizeof *c->z);
  return ULPAUDIT_OK;
}

/* What is not written. */
static int32_t writes_nothing(const Call* c) { return (void)c, ULPAUDIT_OK; }
static int32_t leaves_third(const Call* c) {
  for (uint64_t i = 0; i < c->n; ++i)
    if (i != 3) c->out[i] = c->z[i];
  return ULPAUDIT_OK;
}
static int32_t leaves_by_turns(const Call* c) {
  static uint64_t calls;
  const uint64_t left = calls++ % 2;
  for (uint64_t i = 0; i < c->n; ++i)
    if (i != left) c->out[i] = c->z[i];
  return ULPAUDIT_OK;
}
/* Clean: every byte of every result is 0xa5. */
static int32_t same_bytes(const Call* c) {
  memset(c->out, 0xa5, c->n * sizeof *c->out);
  return ULPAUDIT_OK;
}

/* What is left in the processor. */
static int32_t rounding(const Call* c) { return fesetround(FE_UPWARD), copy(c); }
#if defined(__x86_64__)
static int32_t ftz_daz(const Call* c) { return _mm_setcsr(_mm_getcsr() | 0x8040), copy(c); }
static int32_t masks(const Call* c) { return _mm_setcsr(_mm_getcsr() & ~0x80u), copy(c); }
static int32_t x87(const Call* c) {
  const uint16_t single = 0x007f;
  __asm__ volatile("fldcw %0" : : "m"(single));
  return copy(c);
}
static int32_t mmx(const Call* c) {
  __asm__ volatile("pxor %%mm0, %%mm0" : : : "memory");
  return copy(c);
}
#endif
/* Clean: a subnormal number, and a third whose last bit depends on the rounding mode; long double
 * needs the x87 unit whole. */
static int32_t sensitive(const Call* c) {
  for (uint64_t i = 0; i < c->n; ++i) {
    const volatile float z = c->z[i];
    const volatile long double third = (long double)z / 3;
    c->out[i] = i % 3 == 0 ? z * 0x1p-130f : i % 3 == 1 ? z / 3 : (float)(third * 0x1p60L);
  }
  return ULPAUDIT_OK;
}

/* What is left in the process. */
static int32_t locale(const Call* c) { return setlocale(LC_ALL, "C.UTF-8"), copy(c); }
static int32_t folder(const Call* c) { return chdir("/") == 0 ? copy(c) : ULPAUDIT_FAILED; }
static int32_t mask(const Call* c) { return umask(0123), copy(c); }
/* Clean: 1 where locale, folder and umask are not those that the faults leave. */
static int32_t surroundings(const Call* c) {
  char at[4096];
  const mode_t now = umask(0);
  umask(now);
  const int spoilt = now == 0123 || getcwd(at, sizeof at) == NULL || strcmp(at, "/") == 0 ||
                     strcmp(setlocale(LC_ALL, NULL), "C") != 0;
  for (uint64_t i = 0; i < c->n; ++i) c->out[i] = spoilt ? 0 : 1;
  return ULPAUDIT_OK;
}

/* Processes. A child in a session of its own, whose parent has gone; its number is the result. */
static pid_t leave_orphan(void) {
  int ends[2];
  pid_t orphan = 0;
  if (pipe(ends) != 0) return 0;
  const pid_t between = fork();
  if (between == 0) {
    setsid();
    orphan = fork();
    if (orphan == 0)
      for (;;) pause();
    _exit(write(ends[1], &orphan, sizeof orphan) != sizeof orphan);
  }
  if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan) orphan = 0;
  waitpid(between, NULL, 0);
  close(ends[0]);
  close(ends[1]);
  return orphan;
}
static int32_t orphan(const Call* c) {
  const pid_t left = leave_orphan();
  for (uint64_t i = 0; i < c->n; ++i) c->out[i] = (float)left;
  return ULPAUDIT_OK;
}
static void tell(const char* what, pid_t pid) { fprintf(stderr, "%s %d\n", what, (int)pid); }
static int32_t orphan_and_crash(const Call* c) {
  (void)c;
  tell("orphan", leave_orphan());
  raise(SIGSEGV);
  return ULPAUDIT_OK;
}
static int32_t orphan_and_exit(const Call* c) {
  (void)c;
  tell("orphan", leave_orphan());
  exit(3);
}
static int32_t two_return(const Call* c) { return fork() < 0 ? ULPAUDIT_FAILED : copy(c); }

/* Memory that RLIMIT_DATA does not count, without end. */
static int32_t shared_memory(const Call* c) {
  (void)c;
  const size_t block = (size_t)32 << 20;
  for (;;) {
    void* p = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return ULPAUDIT_FAILED;
    memset(p, 1, block);
    usleep(2000);
  }
}
static int32_t memory_file(const Call* c) {
  (void)c;
  static char block[1 << 20];
  const int fd = memfd_create("mine", 0);
  for (;;) {
    for (int i = 0; i < 32; ++i)
      if (write(fd, block, sizeof block) < 0) return ULPAUDIT_FAILED;
    usleep(2000);
  }
}

/* Output. */
static int32_t prints_much(const Call* c) {
  static char block[1 << 20];
  memset(block, 'x', sizeof block);
  printf("the head\n");
  for (int i = 0; i < 32; ++i) fwrite(block, 1, sizeof block, stdout);
  fflush(stdout);
  return copy(c);
}
static int32_t prints_for_ever(const Call* c) {
  (void)c;
  static char block[1 << 16];
  for (;;)
    if (write(1, block, sizeof block) < 0) return ULPAUDIT_FAILED;
}
static int32_t commands(const Call* c) {
  snprintf(c->message, c->size, "\n::error::\033[31mred\302\205\xff ½ ##[error]");
  return ULPAUDIT_FAILED;
}
static int32_t last_words(const Call* c) {
  (void)c;
  fprintf(stderr, "first\n::error::\033[2Jgone\n");
  abort();
}

/* How many of the bytes that lie on the stack where this function's own frame is are 0x55. */
static int32_t stack(const Call* c) {
  unsigned char room[1024];
  int same = 0;
  __asm__ volatile("" : "=m"(room));
  for (size_t i = 0; i < sizeof room; ++i) same += room[i] == 0x55;
  for (uint64_t i = 0; i < c->n; ++i) c->out[i] = (float)same;
  return ULPAUDIT_OK;
}
static int32_t minus(const Call* c) {
  for (uint64_t i = 0; i < c->n; ++i) c->out[i] = c->z[i] - c->y[i];
  return ULPAUDIT_OK;
}

typedef int32_t (*Body)(const Call*);
typedef struct {
  const char* name;
  Body body;
  int always;
} Row;
static const Row rows[] = {
    {"copy", copy, 1},
    {"writes_nothing", writes_nothing, 0},
    {"leaves_third", leaves_third, 0},
    {"leaves_by_turns", leaves_by_turns, 0},
    {"same_bytes", same_bytes, 1},
    {"rounding", rounding, 0},
#if defined(__x86_64__)
    {"ftz_daz", ftz_daz, 0},
    {"masks", masks, 0},
    {"x87", x87, 0},
    {"mmx", mmx, 0},
#endif
    {"sensitive", sensitive, 1},
    {"locale", locale, 0},
    {"folder", folder, 0},
    {"mask", mask, 0},
    {"surroundings", surroundings, 1},
    {"orphan", orphan, 0},
    {"orphan_and_crash", orphan_and_crash, 0},
    {"orphan_and_exit", orphan_and_exit, 0},
    {"two_return", two_return, 0},
    {"shared_memory", shared_memory, 0},
    {"memory_file", memory_file, 0},
    {"prints_much", prints_much, 0},
    {"prints_for_ever", prints_for_ever, 0},
    {"commands", commands, 0},
    {"last_words", last_words, 0},
    {"stack", stack, 1},
    {"minus", minus, 1},
};
enum { kRows = sizeof rows / sizeof rows[0] };

static int32_t run(const ulpaudit_kernel* self, const ulpaudit_batch* b, char* message,
                   size_t size) {
  const Row* row = self->user;
  const Call c = {b->z, b->y, b->out, b->n, message, size};
  if (b->n != 0 && (row->always || c.z[0] == 1)) return row->body(&c);
  return copy(&c);
}

static ulpaudit_kernel kernels[kRows];
static const ulpaudit_kernel* pointers[kRows];
static ulpaudit_plugin plugin = {sizeof plugin, ULPAUDIT_ABI_VERSION, kRows, "manners", "", "", "",
                                 pointers};

const ulpaudit_plugin* ulpaudit_plugin_entry(uint32_t host_abi) {
  (void)host_abi;
  for (int i = 0; i < kRows; ++i) {
    kernels[i] = (ulpaudit_kernel){.struct_size = sizeof kernels[i],
                                   .name = rows[i].name,
                                   .op = rows[i].body == minus ? "bce_with_logits" : "sigmoid",
                                   .dtypes = ULPAUDIT_ALL_DTYPES,
                                   .formula = "z",
                                   .requires_what = "",
                                   .user = (void*)(uintptr_t)&rows[i],
                                   .run = run};
    pointers[i] = &kernels[i];
  }
  return &plugin;
}
