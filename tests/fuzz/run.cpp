// The loop over corpus and mutations, and what is said when a run does not come back.
// SPDX-License-Identifier: Apache-2.0
#include "run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "mutate.hpp"

// Of the sanitizers, where the program is built with them.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace ulpaudit::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 1;
constexpr unsigned kMostSeconds = 10;              // of one run, under sanitizers too
constexpr std::uint64_t kMostMemory = 2ull << 30;  // beyond what the program has at its start
constexpr std::size_t kFileBytes = kLongestInput + 4096;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return text.str();
}

/// The input of the current run in a mapped file: it is there whatever ends the process.
class Current {
 public:
  explicit Current(const std::string& name)
      : path_(fs::path(ULPAUDIT_FUZZ_DIR) / (name + ".input")) {
    fs::create_directories(path_.parent_path());
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0 || ::ftruncate(fd_, kFileBytes) != 0)
      throw std::runtime_error("cannot write " + path_.string());
    base_ = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (base_ == MAP_FAILED) throw std::runtime_error("cannot map " + path_.string());
    current_ = this;
  }
  ~Current() {
    current_ = nullptr;
    ::munmap(base_, kFileBytes);
    ::close(fd_);
    if (!kept_) fs::remove(path_);
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

  void set(const std::string& input, std::uint64_t seed, std::uint64_t run) {
    size_ = std::min(input.size(), kFileBytes);
    std::memcpy(base_, input.data(), size_);
    std::snprintf(where_, sizeof where_, "seed %llu, run %llu, input in %s\n",
                  static_cast<unsigned long long>(seed), static_cast<unsigned long long>(run),
                  path_.c_str());
  }
  std::string where() const { return where_; }
  void keep() {
    kept_ = true;
    cut();
  }
  /// Of a process that is about to end: async-signal-safe.
  static void last_words() {
    if (current_ == nullptr) return;
    current_->cut();
    const char* begin = "\nfuzzing ended the process: ";
    (void)!::write(2, begin, std::strlen(begin));
    (void)!::write(2, current_->where_, std::strlen(current_->where_));
  }

 private:
  void cut() const { (void)!::ftruncate(fd_, static_cast<off_t>(size_)); }
  static Current* current_;
  fs::path path_;
  int fd_ = -1;
  void* base_ = nullptr;
  std::size_t size_ = 0;
  char where_[4600] = "";
  bool kept_ = false;
};
Current* Current::current_ = nullptr;

void on_signal(int signal) {
  Current::last_words();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// Crashes (of an overflowed stack too), hangs and sanitizers' reports leave last words.
void watch_signals() {
  static std::vector<char> stack(1 << 16);
  stack_t other = {};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  ::sigaltstack(&other, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  for (int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF})
    ::sigaction(s, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr)
    __sanitizer_set_death_callback(Current::last_words);
}

/// Memory asked for without bound ends as std::bad_alloc, which no header declares.
void limit_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  std::uint64_t kib = 0;
  while (status >> word)
    if (word == "VmData:") status >> kib;
  const rlim_t bytes = kib * 1024 + kMostMemory;
  const rlimit limit = {bytes, bytes};
  if (kib != 0) ::setrlimit(RLIMIT_DATA, &limit);
}

struct Corpus {
  std::vector<std::string> entries;
  std::vector<std::string> names;  ///< of files, as many as entries
  std::vector<std::string> good;   ///< those to mutate: bad ones are large, and refused early
  void add(const std::string& entry, const std::string& name) {
    entries.push_back(entry);
    names.push_back(name);
    if (!is_bad(name)) good.push_back(entry);
  }
  static bool is_bad(const std::string& name) { return name.rfind("bad_", 0) == 0; }
};

Corpus read_corpus(const std::string& name) {
  std::vector<fs::path> files;
  for (const auto& f : fs::directory_iterator(fs::path(ULPAUDIT_TEST_DATA) / "fuzz/corpus" / name))
    files.push_back(f.path());
  std::sort(files.begin(), files.end());
  Corpus c;
  for (const fs::path& f : files) {
    const std::string text = read(f);
    std::istringstream lines(f.extension() == ".lines" ? text : "");
    std::string line;
    while (std::getline(lines, line)) c.add(line, f.filename().string());
    if (f.extension() != ".lines") c.add(text, f.filename().string());
  }
  return c;
}

/// In seconds of this process, whatever else the machine does; 0: no limit.
void limit_time(unsigned seconds) {
  const itimerval t = {{0, 0}, {static_cast<time_t>(seconds), 0}};
  ::setitimer(ITIMER_PROF, &t, nullptr);
}

/// One run; false, and a failure of the test, where it went wrong.
bool try_once(const Parser& parser, const std::string& input, Current& current, bool& taken) {
  std::string wrong;
  limit_time(kMostSeconds);
  try {
    taken = parser(input);
  } catch (const std::exception& e) {
    wrong = std::string(typeid(e).name()) + ": " + e.what();
  } catch (...) {
    wrong = "something that is no std::exception";
  }
  limit_time(0);
  if (wrong.empty()) return true;
  current.keep();
  ADD_FAILURE() << "the parser threw " << wrong.substr(0, 500) << "\n" << current.where();
  return false;
}

}  // namespace

void fuzz(const std::string& name, std::uint64_t runs, const Parser& parser) {
  static const bool watched = (watch_signals(), limit_memory(), true);
  (void)watched;
  Current current(name);
  bool taken = false;
  if (const char* file = std::getenv("ULPAUDIT_FUZZ_INPUT")) {
    const std::string input = read(file);
    current.set(input, 0, 0);
    if (try_once(parser, input, current, taken)) std::printf("%s\n", taken ? "taken" : "refused");
    return;
  }
  const Corpus corpus = read_corpus(name);
  ASSERT_FALSE(corpus.good.empty());
  for (std::size_t i = 0; i < corpus.entries.size(); ++i) {
    SCOPED_TRACE("corpus: " + corpus.names[i]);
    current.set(corpus.entries[i], 0, i);
    if (!try_once(parser, corpus.entries[i], current, taken)) return;
    EXPECT_TRUE(taken || Corpus::is_bad(corpus.names[i])) << corpus.entries[i].substr(0, 200);
  }
  const std::uint64_t seed = from_environment("ULPAUDIT_FUZZ_SEED", kSeed);
  std::uint64_t refused = 0;
  runs = from_environment("ULPAUDIT_FUZZ_RUNS", runs);
  for (std::uint64_t run = 0; run < runs; ++run) {
    const std::string input = Mutator(corpus.good, seed, run).next();
    current.set(input, seed, run);
    if (!try_once(parser, input, current, taken)) return;
    refused += taken ? 0 : 1;
  }
  std::printf("%llu runs, %llu of them refused\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(refused));
  // Neither is the corpus too brittle to get past the first check, nor does anything go.
  EXPECT_GT(refused, 0u);
  EXPECT_LT(refused, runs);
}

}  // namespace ulpaudit::fuzz
