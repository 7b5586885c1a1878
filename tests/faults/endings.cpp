// Faults that end, stop or fill the process at certain inputs and lengths, or leave something of it
// behind.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "frame.hpp"

namespace {

void crash() {
  volatile std::uintptr_t nowhere = 8;
  *reinterpret_cast<volatile int*>(nowhere) = 1;
}

void hang() {
  for (volatile bool for_ever = true; for_ever;) {
  }
}

constexpr std::size_t kPiece = std::size_t{64} << 20;

/// Shared memory without end: 64 MiB each time, all of it touched.
void map_all() {
  for (;;) {
    void* p = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) std::abort();
    std::memset(p, 1, kPiece);
  }
}

/// A file in memory without end.
void fill_file() {
  const int fd = ::memfd_create("corpus", 0);
  static const char piece[1 << 20] = {1};
  for (;;)
    if (::write(fd, piece, sizeof piece) < 0) std::abort();
}

/// A child that lives on; in a session of its own, no signal to the group reaches it.
void leave_child(bool own_session) {
  static bool left = false;
  if (left) return;
  left = true;
  if (::fork() != 0) return;
  if (own_session) ::setsid();
  for (;;) ::pause();
}

/// Eight megabytes, a line each kilobyte.
void print_much() {
  static char line[1024];
  std::memset(line, '#', sizeof line);
  line[sizeof line - 1] = '\n';
  for (int i = 0; i < 8 * 1024; ++i) std::fwrite(line, 1, sizeof line, stdout);
  std::fflush(stdout);
}

/// Small blocks of memory without end.
void fill_heap() {
  for (;;) {
    auto* p = static_cast<char*>(std::malloc(64));
    if (p == nullptr) std::abort();
    *p = 1;
  }
}

/// Every signal that can be.
void ignore_signals() {
  for (int s = 1; s < 32; ++s) ::signal(s, SIG_IGN);
}

void at_input(const Call& c, std::uint64_t i) {
  const double x = c.z_number(i);
  if (fault("hangs_at_three") && x == 3) hang();
  if (fault("small_blocks") && x == 1) fill_heap();
  if (fault("exits_with_success") && x == 2) std::exit(0);
  if (fault("ignores_signals_and_hangs") && x == 3) {
    ignore_signals();
    hang();
  }
  if (fault("maps_all") && x == 1) map_all();
  if (fault("fills_file") && x == 1) fill_file();
  if (fault("aborts_between") && x > 5 && x < 5.01) std::abort();
  if (fault("kills_itself") && x == 2) ::kill(::getpid(), SIGKILL);
  if (fault("stops_itself") && x == 2) ::raise(SIGSTOP);
  if (fault("throws_at_label") && number(c.dtype, c.y(i)) == 0.25) throw std::runtime_error("y");
  if (fault("crashes_with_child") && x == 1) {
    leave_child(true);
    crash();
  }
}

std::int32_t compute(const Call& c, char* message, std::size_t size) {
  if (fault("hangs_when_long") && c.n > 20) hang();
  if (fault("every_call_hangs") && c.n != 0) hang();
  if (fault("every_call_crashes") && c.n != 0) crash();
  if (fault("hangs_late")) {
    static int calls = 0;
    if (++calls == 1000) hang();
  }
  if (fault("closes_all") && c.n > 5)
    for (int fd = 0; fd < 64; ++fd) ::close(fd);
  if (fault("exits_when_long") && c.n >= 7) ::_exit(3);
  if (fault("crashes_when_very_long") && c.n > 3000) crash();
  if (fault("prints_much") && c.n != 0) print_much();
  if (fault("child_left") && c.n != 0) leave_child(false);
  if (fault("child_in_session") && c.n != 0) leave_child(true);
  for (std::uint64_t i = 0; i < c.n; ++i) {
    at_input(c, i);
    if (fault("fails_at_subnormals") && is_subnormal(c.dtype, c.z(i))) {
      std::snprintf(message, size, "a subnormal logit");
      return ULPAUDIT_FAILED;
    }
    c.put(i, c.right(i));
  }
  return ULPAUDIT_OK;
}

}  // namespace
