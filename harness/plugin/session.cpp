// Sessions: a plug-in in a worker process, a program (--exec), or a plug-in loaded here.
#include "plugin/session.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "plugin/hosted_call.hpp"
#include "plugin/loader.hpp"
#include "plugin/program.hpp"
#include "plugin/protocol.hpp"
#include "plugin/staged_call.hpp"
#include "plugin/timed_call.hpp"

extern char** environ;

namespace ulpaudit {
namespace {

/// Loading may take so many times as long as a batch: large libraries on a busy machine do.
constexpr int kLoadingFactor = 4;
constexpr std::uint64_t kLongBatchNanoseconds = 300;  // for each element of a tiled batch
constexpr std::uint64_t kRepeatedCallMilliseconds = 10;

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBufferBytes = kBatchCapacity * 8;
// The buffers lie half a page off each other modulo 4096: equal offsets alias in the store buffer
// and slow kernels down (../shared/PEERS.md, "Traps of measuring").
constexpr std::uint64_t kYOffset = kBufferBytes + kSlack;
constexpr std::uint64_t kOutOffset = 2 * (kBufferBytes + kSlack) + 2048;
constexpr std::uint64_t kDataBytes = 3 * (kBufferBytes + kSlack) + 4096;

/// What lies in `out` before a plain call of a program: left there, no result was written.
constexpr int kUnwritten = 0xa5;

[[noreturn]] void system_failure(const char* what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

/// A file descriptor that closes itself; numbers below 10 are left to the worker.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    reset();
    fd_ = std::exchange(o.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Takes over `fd` under a number of at least 10, close-on-exec.
  static Fd raised(int fd, const char* what) {
    if (fd < 0) system_failure(what);
    const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    ::close(fd);
    if (high < 0) system_failure(what);
    return Fd(high);
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) system_failure("pipe");
  Pipe p;
  p.read = Fd::raised(ends[0], "pipe");
  p.write = Fd::raised(ends[1], "pipe");
  return p;
}

/// The mapped file that holds z, y and out.
class DataFile {
 public:
  DataFile()
      : fd_(Fd::raised(::memfd_create("ulpaudit-data", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                       "memfd_create")) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(kDataBytes)) != 0) system_failure("ftruncate");
    // A worker that cut it short would end the host by SIGBUS.
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
      system_failure("sealing the data file");
    base_ = ::mmap(nullptr, kDataBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (base_ == MAP_FAILED) system_failure("mmap");
  }
  ~DataFile() { ::munmap(base_, kDataBytes); }
  DataFile(const DataFile&) = delete;
  DataFile& operator=(const DataFile&) = delete;
  int fd() const { return fd_.get(); }
  char* at(std::uint64_t offset) const { return static_cast<char*>(base_) + offset; }

 private:
  Fd fd_;
  void* base_ = nullptr;
};

std::string signal_name(int s) {
  const char* abbreviation = ::sigabbrev_np(s);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("signal {}", s);
}

class WorkerSession final : public Session {
 public:
  WorkerSession(std::string path, SessionOptions options)
      : path_(std::move(path)), options_(std::move(options)), command_(program_command(path_)) {
    z_ = data_.at(0);
    y_ = data_.at(kYOffset);
    out_ = data_.at(kOutOffset);
    start();
  }
  ~WorkerSession() override { end(true); }
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  Outcome run(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments) override {
    if (!command_) return call(index, d, n, two_arguments, std::nullopt, std::nullopt);
    const std::uint64_t bytes = n * static_cast<std::uint64_t>(format(d).bytes());
    std::memset(out_, kUnwritten, bytes);
    Outcome o = call(index, d, n, two_arguments, std::nullopt, std::nullopt);
    if (o.kind != Outcome::Kind::ok || n == 0 || !unwritten(bytes)) return o;
    end(false);
    return {Outcome::Kind::protocol, "it says that the batch is done, and wrote no result", 0};
  }
  Outcome run_staged(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                     const Stage& stage) override {
    if (!command_) return call(index, d, n, two_arguments, stage, std::nullopt);
    // Its own part of the stage: what the host cannot see from outside.
    std::optional<Stage> own;
    if (!info_.offers.empty()) {
      own.emplace();
      own->threads = stage.threads;
      own->repeats = stage.threads > 1 ? stage.repeats : 1;
      own->process = stage.process;
      own->flags_up = stage.flags_up;
      own->rounding = stage.rounding;
      own->flush = stage.flush;
      own->stack_fill = stage.stack_fill;
    }
    Stage rest = stage;
    if (stage.threads > 1) rest.repeats = 1;
    return stage_by_host(buffers(d, n, two_arguments), rest, [&](const PlainCall& c) {
      return call(index, d, c.n, two_arguments, own, std::nullopt, c);
    });
  }
  Outcome run_timed(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                    const Timing& timing) override {
    if (!command_ || info_.offers_rule("timing"))
      return call(index, d, n, two_arguments, std::nullopt, timing);
    return time_by_host(buffers(d, n, two_arguments), timing, [&](const PlainCall& c) {
      return call(index, d, c.n, two_arguments, std::nullopt, std::nullopt, c);
    });
  }
  Outcome run_on_device(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                        const DeviceArrays& arrays) override {
    protocol::RunRequest q;
    q.kernel = index;
    q.dtype = d;
    q.n = n;
    q.device = arrays;
    if (two_arguments) q.y = 0;
    return send(
        q, options_.deadline + std::chrono::milliseconds(n * kLongBatchNanoseconds / 1'000'000));
  }
  void restart() override { end(true); }

 private:
  HostedBuffers buffers(Dtype d, std::uint64_t n, bool two_arguments) const {
    const auto bytes = [](void* p) { return static_cast<unsigned char*>(p); };
    return {bytes(z_),    bytes(y_), bytes(out_),
            kBufferBytes, n,         static_cast<std::uint64_t>(format(d).bytes()),
            two_arguments};
  }

  Outcome call(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
               const std::optional<Stage>& stage, const std::optional<Timing>& timing,
               const PlainCall& places = {}) {
    protocol::RunRequest q;
    q.kernel = index;
    q.dtype = d;
    q.n = n;
    q.z = places.z;
    q.out = places.in_place ? q.z : kOutOffset + places.out;
    if (two_arguments) q.y = kYOffset + places.y;
    q.stage = stage;
    q.timing = timing;
    // A long batch is given time for each of its elements too, and repetitions for each call: on a
    // GPU with 15 other processes 2,500 calls took more than 5 s.
    const Stage as_is = stage.value_or(Stage());
    const std::uint64_t long_batch = as_is.tile > kBatchCapacity ? as_is.tile : 0;
    const std::uint64_t more = as_is.repeats > 1 ? as_is.repeats : 0;
    const auto patience = options_.deadline +
                          std::chrono::milliseconds(long_batch * kLongBatchNanoseconds / 1'000'000 +
                                                    more * kRepeatedCallMilliseconds);
    return send(q, patience);
  }

  Outcome send(protocol::RunRequest& q, std::chrono::milliseconds patience) {
    try {
      if (pid_ < 0) start();
    } catch (const LoadError& e) {
      return {Outcome::Kind::load, e.what(), 0};
    }
    q.id = ++last_id_;
    q.deadline_ms = static_cast<std::uint64_t>(patience.count());
    std::string line;
    Outcome o = exchange(protocol::run_request(q), line, patience);
    if (o.kind != Outcome::Kind::ok) return o;
    try {
      o = protocol::parse_done(line, q.id);
      if (o.kind == Outcome::Kind::crashed) end(false);
      return o;
    } catch (const protocol::Error& e) {
      end(false);
      return {Outcome::Kind::protocol, e.what(), 0};
    }
  }

  bool unwritten(std::uint64_t bytes) const {
    const char* at = static_cast<const char*>(out_);
    return std::all_of(at, at + bytes,
                       [](char c) { return static_cast<unsigned char>(c) == kUnwritten; });
  }

  std::vector<std::string> command_line() const {
    if (command_) return words_of(*command_);
    return {worker_path(options_), path_, std::to_string(options_.memory_limit_mib)};
  }
  std::string shown() const { return command_ ? fmt::format("--exec '{}'", *command_) : path_; }

  void start() {
    const std::vector<std::string> words = command_line();
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
    posix_spawn_file_actions_adddup2(&actions, data_.fd(), protocol::kDataFd);
    // A group of its own: Ctrl-C is for the host, and what a program started ends with it.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error = ::posix_spawnp(&pid_, argv[0], &actions, &attributes,
                                     const_cast<char**>(argv.data()), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      pid_ = -1;
      if (command_)
        throw LoadError(fmt::format("{}: cannot start it: {}", shown(), std::strerror(error)));
      throw std::runtime_error(
          fmt::format("cannot start the worker '{}': {}", words[0], std::strerror(error)));
    }
    // The worker's ends: kept open here, its death would not be seen as an end of the stream.
    requests.read.reset();
    replies.write.reset();
    requests_ = std::move(requests.write);
    replies_ = std::move(replies.read);
    pending_.clear();
    std::string line;
    const Outcome o =
        exchange(protocol::describe_request(), line, kLoadingFactor * options_.deadline);
    if (o.kind != Outcome::Kind::ok)
      throw LoadError(fmt::format("{}: while loading: {}", shown(), o.message));
    try {
      info_ = protocol::parse_description(line);
      info_.path = path_;
      info_.program = command_.has_value();
    } catch (const protocol::Error& e) {
      end(false);
      throw LoadError(command_ ? fmt::format("{}: {}", shown(), e.what()) : e.what());
    }
  }

  /// Sends a request and waits for one line; an end of the worker becomes the outcome.
  Outcome exchange(const std::string& request, std::string& line,
                   std::chrono::milliseconds patience) {
    std::size_t sent = 0;
    while (sent < request.size()) {
      const ssize_t k = ::write(requests_.get(), request.data() + sent, request.size() - sent);
      if (k < 0 && errno == EINTR) continue;
      if (k <= 0) return died();
      sent += static_cast<std::size_t>(k);
    }
    const auto deadline = Clock::now() + patience;
    while (true) {
      if (const std::size_t end_of_line = pending_.find('\n'); end_of_line != pending_.npos) {
        line = pending_.substr(0, end_of_line);
        pending_.erase(0, end_of_line + 1);
        return {};
      }
      if (pending_.size() > protocol::kLongestLine) {
        end(false);
        return {Outcome::Kind::protocol,
                fmt::format("the reply is longer than {} bytes", protocol::kLongestLine), 0};
      }
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd p = {replies_.get(), POLLIN, 0};
      const int ready = left > 0 ? ::poll(&p, 1, static_cast<int>(left)) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) {
        end(false);
        return {Outcome::Kind::hung, fmt::format("no reply within {} ms", patience.count()), 0};
      }
      char buffer[65536];
      const ssize_t k = ::read(replies_.get(), buffer, sizeof buffer);
      if (k < 0 && errno == EINTR) continue;
      if (k <= 0) return died();
      pending_.append(buffer, static_cast<std::size_t>(k));
    }
  }

  /// The worker closed its stream: how did it end, and what did it print last?
  Outcome died() {
    int status = 0;
    const pid_t pid = pid_;
    // A worker that closed the stream but lives on is ended.
    for (int i = 0; i < 50; ++i) {
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        break;
      }
      ::usleep(10000);
    }
    if (pid_ >= 0) {
      end(false);
      return {Outcome::Kind::protocol, "the worker closed its reply stream and went on", 0};
    }
    ::kill(-pid, SIGKILL);  // what it started
    requests_.reset();
    replies_.reset();
    const std::string printed = last_output();
    const std::string tail = printed.empty() ? "" : fmt::format(" (it printed: {})", printed);
    if (WIFSIGNALED(status)) {
      // The worker's own timer: the deadline passed while the host was not waiting for it.
      if (WTERMSIG(status) == SIGALRM)
        return {Outcome::Kind::hung,
                fmt::format("no reply within {} ms", options_.deadline.count()), 0};
      return {Outcome::Kind::crashed,
              fmt::format("the worker was ended by {}{}", signal_name(WTERMSIG(status)), tail), 0};
    }
    return {Outcome::Kind::exited,
            fmt::format("the worker exited with code {}{}", WEXITSTATUS(status), tail), 0};
  }

  /// The last line that the worker printed, at most 200 characters.
  std::string last_output() const {
    const off_t size = ::lseek(log_.get(), 0, SEEK_END);
    if (size <= 0) return "";
    std::string text(static_cast<std::size_t>(std::min<off_t>(size, 4096)), '\0');
    const ssize_t k =
        ::pread(log_.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
    text.resize(k > 0 ? static_cast<std::size_t>(k) : 0);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const std::size_t start = text.rfind('\n');
    if (start != text.npos) text.erase(0, start + 1);
    return text.substr(0, 200);
  }

  void end(bool politely) {
    requests_.reset();
    if (pid_ >= 0) {
      int status = 0;
      bool gone = false;
      for (int i = 0; politely && !gone && i < 50; ++i) {
        gone = ::waitpid(pid_, &status, WNOHANG) == pid_;
        if (!gone) ::usleep(2000);
      }
      if (!gone) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
      }
      ::kill(-pid_, SIGKILL);  // what it started
    }
    pid_ = -1;
    replies_.reset();
  }

  std::string path_;
  SessionOptions options_;
  std::optional<std::string> command_;  ///< of a program
  DataFile data_;
  Fd requests_, replies_, log_;
  std::string pending_;
  pid_t pid_ = -1;
  std::uint64_t last_id_ = 0;
};

class LocalSession final : public Session {
 public:
  explicit LocalSession(const std::string& path) : plugin_(path) {
    info_ = plugin_.info();
    z_ = data_.at(0);
    y_ = data_.at(kYOffset);
    out_ = data_.at(kOutOffset);
  }
  Outcome run(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments) override {
    return plugin_.run(index, d, n, z_, two_arguments ? y_ : nullptr, out_);
  }
  Outcome run_staged(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                     const Stage& stage) override {
    return ulpaudit::run_staged(plugin_, index, d, n, z_, two_arguments ? y_ : nullptr, out_,
                                stage);
  }
  Outcome run_timed(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                    const Timing& timing) override {
    return ulpaudit::run_timed(plugin_, index, d, n, z_, two_arguments ? y_ : nullptr, timing);
  }
  Outcome run_on_device(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments,
                        const DeviceArrays& arrays) override {
    return plugin_.run_on_device(index, d, n, arrays, two_arguments);
  }
  void restart() override {}

 private:
  LoadedPlugin plugin_;
  DataFile data_;
};

}  // namespace

std::string worker_path(const SessionOptions& options) {
  return options.worker.empty() ? program_folder() + "/ulpaudit-worker" : options.worker;
}

std::unique_ptr<Session> open_session(const std::string& path, const SessionOptions& options) {
  const bool program = program_command(path).has_value();
  if (program && !options.isolate)
    throw LoadError(fmt::format("{}: --isolate off cannot take a program into this process", path));
  if (!program && !std::filesystem::exists(path))
    throw LoadError(fmt::format("cannot load plug-in: '{}' does not exist", path));
  static const bool ignored = (::signal(SIGPIPE, SIG_IGN), true);  // a dead worker is an outcome
  (void)ignored;
  if (options.isolate) return std::make_unique<WorkerSession>(path, options);
  return std::make_unique<LocalSession>(path);
}

std::string program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

std::vector<std::string> discover_plugins() {
  std::vector<std::string> folders = {program_folder() + "/plugins",
                                      program_folder() + "/../lib/ulpaudit/plugins"};
  if (const char* path = std::getenv("ULPAUDIT_PLUGIN_PATH")) {
    std::string_view rest = path;
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) folders.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().extension() == ".so") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end(), [](const std::string& a, const std::string& b) {
    const auto fa = std::filesystem::path(a).filename(), fb = std::filesystem::path(b).filename();
    return fa != fb ? fa < fb : a < b;
  });
  return files;
}

}  // namespace ulpaudit
