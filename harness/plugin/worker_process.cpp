// Workers as processes.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "plugin/foreign_text.hpp"
#include "plugin/loader.hpp"
#include "plugin/processes.hpp"
#include "plugin/protocol.hpp"

extern char** environ;

namespace ulpaudit {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{25};       ///< while the host waits: at the memory and the log
constexpr milliseconds kClosing{1000};  ///< from the end of the replies to that of the process
constexpr milliseconds kPolite{100};    ///< for a worker that was told to stop
/// A deadline is put off by so many times itself at the most, in steps of no less than this.
constexpr int kBusyFactor = 4;
constexpr milliseconds kShortWait{5};
constexpr milliseconds kKilled{3000};  ///< for its guard to end what it left behind
/// Memory of a call that is worth a word.
constexpr std::uint64_t kNoticed = std::uint64_t{16} << 20;
/// Beyond the limit: the data file and the log, which are files in memory too.
constexpr std::uint64_t kOwnFiles = std::uint64_t{16} << 20;
// The log keeps its head and its tail; what is between takes no memory.
constexpr off_t kLogMost = 4 << 20, kLogEnd = 64 << 10;

milliseconds left_until(Clock::time_point end) {
  return std::chrono::ceil<milliseconds>(end - Clock::now());
}

struct Pipe {
  Fd read, write;
};
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) cannot_start("pipe");
  Fd second(ends[1]);  // closed where the first finds no number
  Pipe p;
  p.read = Fd::raised(ends[0], "pipe");
  p.write = Fd::raised(second.release(), "pipe");
  return p;
}

int open_process(pid_t pid) {
#ifdef SYS_pidfd_open
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
#else
  (void)pid;
  return -1;
#endif
}

std::string signal_name(int s) {
  const char* abbreviation = ::sigabbrev_np(s);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("signal {}", s);
}

rlim_t limit_of(decltype(RLIMIT_NOFILE) resource) {
  rlimit r = {};
  ::getrlimit(resource, &r);
  return r.rlim_cur;
}

}  // namespace

void cannot_start(const char* what) {
  const int error = errno;
  // F_DUPFD gives EINVAL where the lowest number asked for is beyond the limit.
  if (error == EMFILE || error == ENFILE || error == EINVAL)
    throw LoadError(fmt::format(
        "cannot start a worker: no file descriptors are left (ulimit -n is {}); accepted: 32, and "
        "8 more for each further plug-in and thread",
        limit_of(RLIMIT_NOFILE)));
  if (error == EFBIG)
    throw LoadError(
        fmt::format("cannot start a worker: files may have {} bytes here (ulimit -f); accepted: "
                    "16777216 (16 MiB) or more, for the file that it shares with the host",
                    limit_of(RLIMIT_FSIZE)));
  throw LoadError(fmt::format("cannot start a worker: {}: {}", what, std::strerror(error)));
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Fd Fd::raised(int fd, const char* what) {
  if (fd < 0) cannot_start(what);
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  const int error = errno;
  ::close(fd);
  errno = error;
  if (high < 0) cannot_start(what);
  return Fd(high);
}

void WorkerProcess::start(const std::vector<std::string>& words, int data_fd) {
  std::vector<const char*> argv;
  for (const std::string& w : words) argv.push_back(w.c_str());
  argv.push_back(nullptr);
  Pipe requests = make_pipe(), replies = make_pipe();
  log_ = Fd::raised(::memfd_create("ulpaudit-log", MFD_CLOEXEC), "memfd_create");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, log_.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, log_.get(), 2);
  posix_spawn_file_actions_adddup2(&actions, requests.read.get(), protocol::kRequestFd);
  posix_spawn_file_actions_adddup2(&actions, replies.write.get(), protocol::kReplyFd);
  posix_spawn_file_actions_adddup2(&actions, data_fd, protocol::kDataFd);
  // A group of its own: Ctrl-C is for the host.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(&pid_, argv[0], &actions, &attributes,
                                   const_cast<char**>(argv.data()), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    throw LoadError(
        fmt::format("cannot start the worker '{}': {}", words[0], std::strerror(error)));
  }
  process_ = Fd(open_process(pid_));
  worker_ = 0;
  limit_mib_ = 0;
  // The worker's ends: kept open here, its death would not be seen as an end of the stream.
  requests.read.reset();
  replies.write.reset();
  requests_ = std::move(requests.write);
  replies_ = std::move(replies.read);
  pending_.clear();
}

void WorkerProcess::limit_memory(std::uint64_t mib) {
  limit_mib_ = mib;
  if (pid_ < 0) return;
  const std::vector<pid_t> children = children_of(pid_);
  worker_ = children.empty() ? 0 : children[0];
  if (mib == 0) return;
  used_before_ = worker_ != 0 ? memory_of(worker_) : 0;
}

Outcome WorkerProcess::exchange(const std::string& request, std::string& line,
                                milliseconds patience) {
  asked_ = Clock::now();
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t k = ::write(requests_.get(), request.data() + sent, request.size() - sent);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return died();
    sent += static_cast<std::size_t>(k);
  }
  auto deadline = Clock::now() + patience;
  const auto latest = deadline + kBusyFactor * patience;
  std::optional<std::chrono::nanoseconds> waited;  // from the first look on
  while (true) {
    if (const std::size_t end_of_line = pending_.find('\n'); end_of_line != pending_.npos) {
      line = pending_.substr(0, end_of_line);
      pending_.erase(0, end_of_line + 1);
      trim_log();
      return {};
    }
    if (pending_.size() > protocol::kLongestLine) {
      end(false);
      return {Outcome::Kind::protocol,
              fmt::format("the reply is longer than {} bytes", protocol::kLongestLine), 0};
    }
    const milliseconds left = left_until(deadline);
    // Its process too: a child that it left may hold the stream of replies open.
    pollfd p[2] = {{replies_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
    const int ready =
        ::poll(p, 2, static_cast<int>(std::clamp(left, milliseconds(0), kLook).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      if (left.count() <= 0 && waited && deadline < latest) {
        // On a busy machine the time in which the worker had no processor does not count.
        const auto waits = waited_for_processor(worker_) - *waited;
        *waited += waits;
        if (waits >= kShortWait) {
          deadline = std::min<Clock::time_point>(latest, Clock::now() + waits);
          continue;
        }
      }
      if (left.count() <= 0) {
        // Memory without end takes its time to fill.
        const std::uint64_t base = used_before_ + kOwnFiles + allowed_;
        const std::uint64_t now = worker_ != 0 ? memory_of(worker_) : 0;
        end(false);
        if (limit_mib_ != 0 && now > base + kNoticed)
          return {
              Outcome::Kind::crashed,
              fmt::format("the worker was ended: no reply within {} ms, in which it took {} MiB "
                          "of memory",
                          patience.count(), (now - base) >> 20),
              0};
        return {Outcome::Kind::hung, fmt::format("no reply within {} ms", patience.count()), 0};
      }
      trim_log();
      if (!waited && worker_ != 0) waited = waited_for_processor(worker_);
      const std::uint64_t most = used_before_ + (limit_mib_ << 20) + kOwnFiles + allowed_;
      if (limit_mib_ != 0 && worker_ != 0 && memory_of(worker_) > most) return over_limit();
      continue;
    }
    if (p[0].revents == 0) return died();
    char buffer[65536];
    const ssize_t k = ::read(replies_.get(), buffer, sizeof buffer);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return died();
    pending_.append(buffer, static_cast<std::size_t>(k));
  }
}

Outcome WorkerProcess::over_limit() {
  end(false);
  return {Outcome::Kind::crashed,
          fmt::format("the worker was ended: it used more than {} MiB of memory, shared memory "
                      "included (--memory-limit)",
                      limit_mib_),
          0};
}

/// The worker closed its stream: how did it end, and what did it print last?
Outcome WorkerProcess::died() {
  if (!gone_within(kClosing)) {
    end(false);
    return {Outcome::Kind::protocol, "the worker closed its reply stream and went on", 0};
  }
  requests_.reset();
  replies_.reset();
  trim_log();
  const std::string printed = last_output();
  const std::string tail = printed.empty() ? "" : fmt::format(" (it printed: {})", printed);
  if (WIFSIGNALED(status_)) {
    // The worker's own timer: the deadline passed while the host was not waiting for it, or one of
    // many calls took too long.
    if (WTERMSIG(status_) == SIGALRM) {
      const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - asked_);
      return {Outcome::Kind::hung, fmt::format("no reply within {} ms", waited.count()), 0};
    }
    return {Outcome::Kind::crashed,
            fmt::format("the worker was ended by {}{}", signal_name(WTERMSIG(status_)), tail), 0};
  }
  return {Outcome::Kind::exited,
          fmt::format("the worker exited with code {}{}", WEXITSTATUS(status_), tail), 0};
}

/// What was printed is counted by the log's size (environment.output), which stays.
void WorkerProcess::trim_log() const {
  struct stat s = {};
  if (::fstat(log_.get(), &s) != 0 || s.st_blocks * 512 <= kLogMost) return;
  const off_t tail = (s.st_size - kLogEnd) / kLogEnd * kLogEnd;
  ::fallocate(log_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kLogEnd, tail - kLogEnd);
}

/// The last line that the worker printed, at most 200 characters.
std::string WorkerProcess::last_output() const {
  const off_t size = ::lseek(log_.get(), 0, SEEK_END);
  if (size <= 0) return "";
  std::string text(static_cast<std::size_t>(std::min<off_t>(size, 4096)), '\0');
  const ssize_t k =
      ::pread(log_.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(k > 0 ? static_cast<std::size_t>(k) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t start = text.rfind('\n');
  if (start != text.npos) text.erase(0, start + 1);
  if (text.size() > 200) {
    std::size_t cut = 200;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0u) == 0x80) --cut;
    text.resize(cut);
  }
  return harmless(text);
}

bool WorkerProcess::gone_within(milliseconds time) {
  const auto end = Clock::now() + time;
  while (true) {
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
      pid_ = -1;
      process_.reset();
      return true;
    }
    const milliseconds left = left_until(end);
    if (left.count() <= 0) return false;
    pollfd p = {process_.get(), POLLIN, 0};
    if (process_.get() >= 0)
      ::poll(&p, 1, static_cast<int>(left.count()));
    else
      ::usleep(500);
  }
}

void WorkerProcess::end(bool politely) {
  requests_.reset();
  if (pid_ >= 0 && !(politely && gone_within(kPolite))) {
    ::kill(pid_, SIGTERM);
    ::kill(-pid_, SIGCONT);  // a kernel may have stopped its whole group
    if (!gone_within(kKilled)) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
      pid_ = -1;
      process_.reset();
    }
  }
  replies_.reset();
}

}  // namespace ulpaudit
