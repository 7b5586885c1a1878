// The guard of a worker.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "plugin/processes.hpp"
#include "plugin/protocol.hpp"

namespace ulpaudit {
namespace {

sigset_t guarded_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  ::sigaddset(&set, SIGTERM);
  return set;
}

/// Waits for everything that ended; true when `child` was among it.
bool reap(pid_t child, int& status) {
  bool ended = false;
  int s = 0;
  for (pid_t p; (p = ::waitpid(-1, &s, WNOHANG)) > 0;)
    if (p == child) {
      ended = true;
      status = s;
    }
  return ended;
}

[[noreturn]] void end_as(int status) {
  if (WIFSIGNALED(status)) {
    const rlimit none = {0, 0};  // the worker has left its own core
    ::setrlimit(RLIMIT_CORE, &none);
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, WTERMSIG(status));
    ::signal(WTERMSIG(status), SIG_DFL);
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ::raise(WTERMSIG(status));
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

[[noreturn]] void keep_guard(pid_t child) {
  // Held open here, the worker's end would not be seen by the host.
  for (const int fd : {protocol::kRequestFd, protocol::kReplyFd, protocol::kDataFd}) ::close(fd);
  const sigset_t set = guarded_signals();
  int status = 0;
  while (!reap(child, status)) {
    siginfo_t what = {};
    if (::sigwaitinfo(&set, &what) == SIGTERM) ::kill(child, SIGKILL);
  }
  end_descendants();
  end_as(status);
}

struct Forked {
  pid_t child, guard;
};

/// In the child, `child` is 0.
Forked fork_child() {
  const pid_t guard = ::getpid();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const sigset_t set = guarded_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &set, &before);
  ::signal(SIGCHLD, SIG_DFL);  // ignored, the ends of children would not be told
  const pid_t child = ::fork();
  if (child < 0) {
    std::fprintf(stderr, "cannot start the worker's process: %s\n", std::strerror(errno));
    ::_exit(71);
  }
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != guard) ::_exit(71);  // it was ended meanwhile
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  return {child, guard};
}

}  // namespace

pid_t fork_under_guard() {
  const Forked f = fork_child();
  if (f.child != 0) keep_guard(f.child);
  return f.guard;
}

void guard_program(char** words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    std::fprintf(stderr, "pipe: %s\n", std::strerror(errno));
    ::_exit(71);
  }
  const Forked f = fork_child();
  if (f.child == 0) {
    ::close(ends[0]);
    ::execvp(words[0], words);
    const int error = errno;
    if (::write(ends[1], &error, sizeof error) != sizeof error) ::_exit(71);
    ::_exit(71);
  }
  ::close(ends[1]);
  int error = 0;
  if (::read(ends[0], &error, sizeof error) == sizeof error) {
    const std::string reply =
        protocol::load_error_reply(fmt::format("cannot start it: {}", std::strerror(error)));
    if (::write(protocol::kReplyFd, reply.data(), reply.size()) < 0) ::_exit(71);
    ::_exit(0);
  }
  ::close(ends[0]);
  keep_guard(f.child);
}

}  // namespace ulpaudit
