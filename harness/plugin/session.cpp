// Sessions: a plug-in in a worker process, a program (--exec), or a plug-in loaded here.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/session.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "plugin/hosted_call.hpp"
#include "plugin/loader.hpp"
#include "plugin/plain_call.hpp"
#include "plugin/poison.hpp"
#include "plugin/program.hpp"
#include "plugin/protocol.hpp"
#include "plugin/staged_call.hpp"
#include "plugin/timed_call.hpp"
#include "plugin/worker_process.hpp"

namespace ulpaudit {
namespace {

/// Loading may take so many times as long as a batch: large libraries on a busy machine do.
constexpr int kLoadingFactor = 4;
constexpr std::uint64_t kLongBatchNanoseconds = 300;  // for each element of a tiled batch

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kBufferBytes = kBatchCapacity * 8;
// The buffers lie half a page off each other modulo 4096: equal offsets alias in the store buffer
// and slow kernels down (1.5 to 3.6 times, seen at distances of 64 to 256 bytes modulo 4096).
constexpr std::uint64_t kYOffset = kBufferBytes + kSlack;
constexpr std::uint64_t kOutOffset = 2 * (kBufferBytes + kSlack) + 2048;
constexpr std::uint64_t kDataBytes = 3 * (kBufferBytes + kSlack) + 4096;

/// The mapped file that holds z, y and out.
class DataFile {
 public:
  DataFile()
      : fd_(Fd::raised(::memfd_create("ulpaudit-data", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                       "memfd_create")) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(kDataBytes)) != 0) cannot_start("ftruncate");
    // A worker that cut it short would end the host by SIGBUS.
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
      cannot_start("sealing the data file");
    base_ = ::mmap(nullptr, kDataBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (base_ == MAP_FAILED) cannot_start("mmap");
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

class WorkerSession final : public Session {
 public:
  WorkerSession(std::string path, SessionOptions options)
      : path_(std::move(path)), options_(std::move(options)), command_(program_command(path_)) {
    z_ = data_.at(0);
    y_ = data_.at(kYOffset);
    out_ = data_.at(kOutOffset);
    set_deadline(options_.deadline);
    start();
  }
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  Outcome run(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments) override {
    if (!command_) return call(index, d, n, two_arguments, std::nullopt, std::nullopt);
    Outcome o = call_on_poison(
        d, n, out_, [&] { return call(index, d, n, two_arguments, std::nullopt, std::nullopt); });
    if (o.kind != Outcome::Kind::ok || n == 0 || o.unwritten != n) return o;
    worker_.end(false);
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
    return send(q, deadline() + std::chrono::milliseconds(n * kLongBatchNanoseconds / 1'000'000));
  }
  void restart() override { worker_.end(true); }
  void set_memory_limit(std::uint64_t mib) override {
    if (mib != options_.memory_limit_mib) restart();
    options_.memory_limit_mib = mib;
  }
  std::uint64_t memory_limit() const override { return options_.memory_limit_mib; }

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
    if (two_arguments) q.y = kYOffset + places.y;
    q.out = places.in_place ? q.z : places.in_place_y && q.y ? *q.y : kOutOffset + places.out;
    q.stage = stage;
    q.timing = timing;
    // A long batch is given time for each of its elements too.
    const Stage as_is = stage.value_or(Stage());
    const std::uint64_t long_batch = as_is.tile > kBatchCapacity ? as_is.tile : 0;
    const auto patience =
        deadline() + std::chrono::milliseconds(long_batch * kLongBatchNanoseconds / 1'000'000);
    // Tiled inputs are one copy in memory that is mapped over and over, where each place counts;
    // the results are the worker's own, and the kernel may want temporaries of their size.
    worker_.allow(6 * as_is.tile * static_cast<std::uint64_t>(format(d).bytes()));
    return send(q, patience);
  }

  Outcome send(protocol::RunRequest& q, std::chrono::milliseconds patience) {
    try {
      if (!worker_.runs()) start();
    } catch (const LoadError& e) {
      return {Outcome::Kind::load, e.what(), 0};
    }
    q.id = ++last_id_;
    q.deadline_ms = static_cast<std::uint64_t>(patience.count());
    std::string line;
    Outcome o = worker_.exchange(protocol::run_request(q), line, patience);
    if (o.kind != Outcome::Kind::ok) return o;
    try {
      o = protocol::parse_done(line, q.id);
      if (o.kind == Outcome::Kind::crashed) worker_.end(false);
      return o;
    } catch (const protocol::Error& e) {
      worker_.end(false);
      return {Outcome::Kind::protocol, e.what(), 0};
    }
  }

  std::vector<std::string> command_line() const {
    if (command_) {
      std::vector<std::string> words = words_of(*command_);
      words.insert(words.begin(), {worker_path(options_), "--guard"});
      return words;
    }
    return {worker_path(options_), path_, std::to_string(options_.memory_limit_mib)};
  }
  std::string shown() const { return command_ ? fmt::format("--exec '{}'", *command_) : path_; }

  void start() {
    worker_.start(command_line(), data_.fd());
    std::string line;
    const Outcome o =
        worker_.exchange(protocol::describe_request(), line, kLoadingFactor * options_.deadline);
    if (o.kind != Outcome::Kind::ok)
      throw LoadError(fmt::format("{}: while loading: {}", shown(), o.message));
    try {
      info_ = protocol::parse_description(line);
      info_.path = path_;
      info_.program = command_.has_value();
    } catch (const protocol::Error& e) {
      worker_.end(false);
      throw LoadError(command_ ? fmt::format("{}: {}", shown(), e.what()) : e.what());
    }
    worker_.limit_memory(options_.memory_limit_mib);
  }

  std::string path_;
  SessionOptions options_;
  std::optional<std::string> command_;  ///< of a program
  DataFile data_;
  WorkerProcess worker_;
  std::uint64_t last_id_ = 0;
};

class LocalSession final : public Session {
 public:
  explicit LocalSession(const std::string& path)
      : loaded_(load_plugin(path, Watch::surroundings)), plugin_(*loaded_) {
    info_ = plugin_.info();
    z_ = data_.at(0);
    y_ = data_.at(kYOffset);
    out_ = data_.at(kOutOffset);
  }
  Outcome run(std::size_t index, Dtype d, std::uint64_t n, bool two_arguments) override {
    return run_plain(plugin_, index, d, n, z_, two_arguments ? y_ : nullptr, out_);
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
    return keeping_environment(
        [&] { return plugin_.run_on_device(index, d, n, arrays, two_arguments); });
  }
  void restart() override {}

 private:
  std::unique_ptr<LoadedPlugin> loaded_;
  const LoadedPlugin& plugin_;
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
  // And so is a data file that is larger than files may be.
  static const bool too_large = (::signal(SIGXFSZ, SIG_IGN), true);
  (void)too_large;
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
