// What a kernel leaves unwritten or behind: told, put back, ended, and no neighbour's fault.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fp/bits.hpp"
#include "plugin/foreign_text.hpp"
#include "plugin/loader.hpp"
#include "plugin/poison.hpp"
#include "plugin/processes.hpp"
#include "plugin/program.hpp"
#include "plugin/session.hpp"

namespace ulpaudit {
namespace {

using Kind = Outcome::Kind;

std::string fault(const std::string& name) {
  return std::string(ULPAUDIT_FAULT_DIR) + "/" + name + ".so";
}

SessionOptions options() {
  SessionOptions o;
  o.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  o.deadline = std::chrono::milliseconds(10000);
  return o;
}

std::size_t kernel(const Session& s, const std::string& name) {
  const auto& kernels = s.info().kernels;
  const auto at = std::find_if(kernels.begin(), kernels.end(),
                               [&](const KernelInfo& k) { return k.name == name; });
  if (at == kernels.end()) throw std::runtime_error("no kernel " + name);
  return static_cast<std::size_t>(at - kernels.begin());
}

float* zs(const Session& s) { return static_cast<float*>(s.z()); }
float* ys(const Session& s) { return static_cast<float*>(s.y()); }
const float* outs(const Session& s) { return static_cast<const float*>(s.out()); }

/// Runs on n logits that are all `z`.
Outcome run(Session& s, const std::string& name, std::uint64_t n = 7, float z = 1) {
  std::fill_n(zs(s), n, z);
  return s.run(kernel(s, name), Dtype::f32, n, false);
}
Outcome stage(Session& s, const std::string& name, const Stage& how, std::uint64_t n = 7) {
  std::fill_n(zs(s), n, 1.0f);
  return s.run_staged(kernel(s, name), Dtype::f32, n, false, how);
}

std::string rules(const Outcome& o) {
  std::string all;
  for (const Fact& f : o.facts) all += (all.empty() ? "" : " ") + f.rule;
  return all;
}

bool lives(pid_t pid) {
  return ::kill(pid, 0) == 0;  // an ended one that nobody waited for counts
}
bool gone_soon(pid_t pid) {
  for (int i = 0; i < 100 && lives(pid); ++i) ::usleep(10000);
  return !lives(pid);
}

/// In a worker, and with --isolate off.
class Plain : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Session> open(const std::string& name = "manners") {
    SessionOptions o = options();
    o.isolate = GetParam();
    return open_session(fault(name), o);
  }
};
INSTANTIATE_TEST_SUITE_P(Sessions, Plain, testing::Values(true, false),
                         [](const auto& p) { return std::string(p.param ? "Worker" : "Local"); });

TEST_P(Plain, WhatIsNotWrittenIsTold) {
  const auto s = open();
  ASSERT_EQ(run(*s, "copy").kind, Kind::ok);
  Outcome o = run(*s, "writes_nothing");
  EXPECT_EQ(o.kind, Kind::ok);
  ASSERT_EQ(rules(o), "batch.not_written");
  EXPECT_EQ(o.facts[0].text, "element 0 of 7 is not written, nor 6 others");
  EXPECT_EQ(o.facts[0].element, 0u);
  EXPECT_EQ(o.unwritten, 7u);
  o = run(*s, "leaves_third");
  ASSERT_EQ(rules(o), "batch.not_written");
  EXPECT_EQ(o.facts[0].text, "element 3 of 7 is not written");
  EXPECT_EQ(o.facts[0].element, 3u);
  EXPECT_EQ(o.unwritten, 1u);
  for (std::uint64_t i = 0; i < 7; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, outs(*s) + i, sizeof bits);
    EXPECT_EQ(bits, i == 3 ? o.poison : Bits{0x3f800000}) << i;
  }
  EXPECT_EQ(run(*s, "leaves_third", 3).unwritten, 0u) << "there is no element 3";
  EXPECT_EQ(rules(run(*s, "leaves_by_turns")), "batch.not_written");
}

TEST_P(Plain, AllOfALongBatchIsCounted) {
  const auto s = open();
  for (const Dtype d : kDtypes) {
    const Outcome o = [&] {
      std::memset(s->z(), 0, 1 << 21);
      const Bits one = encode(Dtype::f32, 1);  // what the kernel asks for, whatever the dtype
      std::memcpy(s->z(), &one, 4);
      return s->run(kernel(*s, "writes_nothing"), d, kBatchCapacity, false);
    }();
    EXPECT_EQ(o.unwritten, kBatchCapacity) << name(d);
    EXPECT_TRUE(is_nan(d, o.poison) && (o.poison & (Bits{1} << (format(d).p - 2))) == 0)
        << name(d) << " signalling";
  }
}

/// A kernel that returns the pattern does so twice.
TEST_P(Plain, AResultThatEqualsThePatternIsAResult) {
  const auto s = open();
  // Every pattern of 32 bits that next_poison gives has its turn, and every one of bf16.
  for (std::uint32_t i = 0; i < kBatchCapacity; ++i)
    zs(*s)[i] = [&] {
      const std::uint32_t bits = 0x7f800001u + i * 16;
      float f;
      std::memcpy(&f, &bits, sizeof f);
      return f;
    }();
  for (int i = 0; i < 4; ++i) {
    const Outcome o = s->run(kernel(*s, "copy"), Dtype::f32, kBatchCapacity, false);
    EXPECT_EQ(rules(o), "") << o.facts[0].text;
    EXPECT_EQ(std::memcmp(s->out(), s->z(), kBatchCapacity * 4), 0);
  }
  EXPECT_EQ(rules(stage(*s, "same_bytes", Stage())), "");
  Stage tiles;
  tiles.tile = 100;
  EXPECT_EQ(rules(stage(*s, "same_bytes", tiles)), "");
  EXPECT_EQ(rules(stage(*s, "leaves_third", tiles)), "batch.not_written");
}

/// A kernel that differs from call to call is not one that leaves elements out.
TEST(Poison, AResultThatWasTheFillingOnceIsNoAccusation) {
  const std::uint16_t first[] = {7, 0, 0}, second[] = {7, 3, 9};
  const Untouched untouched(first, 3, 2, 0);
  ASSERT_TRUE(untouched.any());
  EXPECT_EQ(untouched.left_by_both(second, 9).count, 1u);
  EXPECT_EQ(untouched.left_by_both(second, 9).first, 2u);
  EXPECT_EQ(untouched.left_by_either(second, 9).count, 2u);
  EXPECT_EQ(untouched.left_by_either(first, 9).count, 0u);
}

TEST(Poison, DiffersFromCallToCallAndNamesEveryPayload) {
  for (const Dtype d : kDtypes) {
    Bits before = 0;
    for (int i = 0; i < 300; ++i) {
      const Bits p = next_poison(d);
      EXPECT_NE(p, before);
      EXPECT_TRUE(is_nan(d, p));
      EXPECT_EQ(p & ~format(d).mask(), 0u);
      before = p;
    }
  }
}

TEST_P(Plain, TheProcessorsStateIsToldAndPutBack) {
  const auto s = open();
  std::fill_n(zs(*s), 9, 3.14f);
  ASSERT_EQ(s->run(kernel(*s, "sensitive"), Dtype::f32, 9, false).kind, Kind::ok);
  const std::vector<float> clean(outs(*s), outs(*s) + 9);
  ASSERT_NE(clean[0], 0) << "a subnormal number";
  std::vector<std::pair<const char*, const char*>> faults = {
      {"rounding", "environment.rounding_mode"}};
#if defined(__x86_64__)
  faults.insert(faults.end(), {{"ftz_daz", "environment.ftz_daz"},
                               {"masks", "environment.exception_masks"},
                               {"x87", "environment.x87"},
                               {"mmx", "environment.x87"}});
#endif
  for (const auto& [name, rule] : faults) {
    const auto neighbour_is_clean = [&, n = name](const char* call) {
      std::fill_n(zs(*s), 9, 3.14f);
      const Outcome o = s->run(kernel(*s, "sensitive"), Dtype::f32, 9, false);
      EXPECT_EQ(o.kind, Kind::ok) << n << call << ": " << o.message;
      EXPECT_EQ(rules(o), "") << n << call;
      EXPECT_EQ(std::memcmp(clean.data(), s->out(), 36), 0) << n << call;
    };
    EXPECT_NE(rules(run(*s, name)).find(rule), std::string::npos) << name;
    neighbour_is_clean(" plain");
    EXPECT_NE(rules(stage(*s, name, Stage())).find(rule), std::string::npos) << name;
    neighbour_is_clean(" staged");
    std::fill_n(zs(*s), 7, 1.0f);
    const Outcome timed = s->run_timed(kernel(*s, name), Dtype::f32, 7, false, {7, 1000});
    EXPECT_NE(rules(timed).find(rule), std::string::npos) << name;
    neighbour_is_clean(" timed");
  }
}

TEST_P(Plain, TheProcesssStateIsToldAndPutBack) {
  const auto s = open();
  const std::pair<const char*, const char*> faults[] = {{"locale", "environment.locale"},
                                                        {"folder", "environment.working_directory"},
                                                        {"mask", "environment.umask"}};
  for (const auto& [name, rule] : faults) {
    EXPECT_EQ(rules(run(*s, name)), rule);
    EXPECT_EQ(rules(run(*s, "surroundings")), "");
    EXPECT_EQ(outs(*s)[0], 1) << name;
    Stage watched;
    watched.process = true;
    EXPECT_EQ(rules(stage(*s, name, watched)), rule);
    EXPECT_EQ(rules(run(*s, "surroundings")), "");
    EXPECT_EQ(outs(*s)[0], 1) << name;
  }
}

TEST_P(Plain, WhatAConstructorChangedIsNotTheCallsState) {
  const auto s = open("constructor_state");
  std::string found;
  for (const Fact& f : s->info().facts) found += f.rule + " ";
  for (const char* rule : {"environment.rounding_mode", "environment.locale",
                           "environment.working_directory", "environment.umask"})
    EXPECT_NE(found.find(rule), std::string::npos) << rule << " not in " << found;
  EXPECT_EQ(rules(run(*s, "zero")), "");
  EXPECT_EQ(outs(*s)[0], 1);
}

TEST_P(Plain, TheStackIsFilledUpToTheCall) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer has local arrays elsewhere than on the stack";
#endif
  const auto s = open();
  for (const std::uint8_t fill : {0x55, 0x33}) {
    Stage how;
    how.stack_fill = fill;
    ASSERT_EQ(stage(*s, "stack", how).kind, Kind::ok);
    EXPECT_EQ(outs(*s)[0], fill == 0x55 ? 1024 : 0);
  }
  ASSERT_EQ(run(*s, "stack").kind, Kind::ok);
  EXPECT_EQ(outs(*s)[0], 0) << "filled with zeros";
}

TEST_P(Plain, InPlaceOfTheLabels) {
  const auto s = open();
  Stage how;
  how.in_place_y = true;
  std::fill_n(zs(*s), 5, 3.0f);
  std::fill_n(ys(*s), 5, 1.0f);
  Outcome o = s->run_staged(kernel(*s, "minus"), Dtype::f32, 5, true, how);
  EXPECT_EQ(o.kind, Kind::ok) << o.message;
  EXPECT_EQ(rules(o), "");
  EXPECT_EQ(outs(*s)[4], 2);
  o = stage(*s, "copy", how);
  EXPECT_EQ(o.kind, Kind::failed);
  EXPECT_NE(o.message.find("takes no labels"), std::string::npos) << o.message;
  how.in_place = true;
  o = s->run_staged(kernel(*s, "minus"), Dtype::f32, 5, true, how);
  EXPECT_EQ(o.kind, Kind::failed);
  EXPECT_NE(o.message.find("at once"), std::string::npos) << o.message;
}

TEST_P(Plain, MessagesAreOneHarmlessLine) {
  const auto s = open();
  EXPECT_EQ(run(*s, "commands").message,
            "status 2:  : :error::\\x1b[31mred\\x85\\xff ½ ## [error]");
}

TEST(Leftovers, AProcessIsToldAndEnded) {
  const auto s = open_session(fault("manners"), options());
  Stage watched;
  watched.process = true;
  const Outcome o = stage(*s, "orphan", watched);
  EXPECT_EQ(rules(o), "environment.process");
  EXPECT_EQ(o.facts.at(0).text, "a process was left behind");
  const auto orphan = static_cast<pid_t>(outs(*s)[0]);
  ASSERT_GT(orphan, 1);
  EXPECT_TRUE(gone_soon(orphan));
  EXPECT_EQ(rules(stage(*s, "copy", watched)), "");
}

TEST(Leftovers, AProcessOfTheConstructorIsTold) {
  const auto s = open_session(fault("constructor_process"), options());
  std::string found;
  for (const Fact& f : s->info().facts) found += f.rule + " ";
  EXPECT_NE(found.find("environment.process"), std::string::npos) << found;
  Stage watched;
  watched.process = true;
  EXPECT_EQ(rules(stage(*s, "zero", watched)), "") << "no call's";
}

TEST(Leftovers, NothingOutlivesTheWorker) {
  const auto s = open_session(fault("manners"), options());
  ASSERT_EQ(run(*s, "orphan").kind, Kind::ok);
  const auto orphan = static_cast<pid_t>(outs(*s)[0]);
  ASSERT_TRUE(lives(orphan));
  s->restart();
  EXPECT_TRUE(gone_soon(orphan));
}

TEST(Leftovers, NorAWorkerThatCrashesOrExits) {
  const auto s = open_session(fault("manners"), options());
  for (const auto& [name, kind] :
       {std::pair{"orphan_and_crash", Kind::crashed}, std::pair{"orphan_and_exit", Kind::exited}}) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome o = run(*s, name);
    EXPECT_EQ(o.kind, kind) << o.message << ": a child that holds the replies is no hang";
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    const std::size_t at = o.message.find("orphan ");
    ASSERT_NE(at, std::string::npos) << o.message;
    EXPECT_TRUE(gone_soon(std::atoi(o.message.c_str() + at + 7)));
    EXPECT_EQ(run(*s, "copy").kind, Kind::ok);
  }
}

TEST(Leftovers, AChildThatReturnsSendsNoReply) {
  const auto s = open_session(fault("manners"), options());
  for (int i = 0; i < 20; ++i) {
    const Outcome o = run(*s, "two_return");
    ASSERT_EQ(o.kind, Kind::ok) << o.message;
    ASSERT_EQ(run(*s, "copy").kind, Kind::ok);
  }
}

#ifndef ULPAUDIT_EMULATED
TEST(Limits, SharedMemoryCounts) {
  SessionOptions o = options();
  o.memory_limit_mib = 128;
  const auto s = open_session(fault("manners"), o);
  for (const char* name : {"shared_memory", "memory_file"}) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome end = run(*s, name);
    EXPECT_EQ(end.kind, Kind::crashed) << name << ": " << end.message;
    EXPECT_NE(end.message.find("more than 128 MiB"), std::string::npos) << end.message;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << name;
    EXPECT_EQ(run(*s, "copy").kind, Kind::ok);
  }
}
#endif

TEST(Limits, TheDeadlineAndTheMemoryLimitCanChange) {
  const auto s = open_session(fault("manners"), options());
  s->set_deadline(std::chrono::milliseconds(200));
  EXPECT_EQ(run(*s, "prints_for_ever").message, "no reply within 200 ms");
  s->set_deadline(std::chrono::milliseconds(5000));
#ifndef ULPAUDIT_EMULATED
  s->set_memory_limit(64);
  EXPECT_NE(run(*s, "memory_file").message.find("more than 64 MiB"), std::string::npos);
#endif
}

std::unique_ptr<Session> program(const std::string& command) {
  return open_session(program_address(command), options());
}
std::string python_worker(const std::string& mode) {
  return "/usr/bin/python3 " ULPAUDIT_TEST_DATA "/cli/programs/worker.py " + mode;
}

#ifndef ULPAUDIT_EMULATED
TEST(Program, WhatItDoesNotWriteIsTold) {
  const auto s = program(python_worker("last_element"));
  Outcome o = run(*s, "sigmoid", 7, 2);
  EXPECT_EQ(o.kind, Kind::ok);
  ASSERT_EQ(rules(o), "batch.not_written");
  EXPECT_EQ(o.facts[0].text, "element 6 of 7 is not written");
  EXPECT_EQ(o.facts[0].element, 6u);
  EXPECT_EQ(rules(run(*s, "sigmoid", 3, 2)), "");
  EXPECT_EQ(rules(stage(*s, "sigmoid", Stage())), "batch.not_written");
  Stage tiles;
  tiles.tile = 16;
  o = stage(*s, "sigmoid", tiles);
  ASSERT_EQ(rules(o), "batch.not_written");
  EXPECT_EQ(o.facts[0].text, "element 15 of 16 is not written");
  EXPECT_EQ(o.facts[0].element, 1u) << "of the 7 that were given";
  o = run(*program(python_worker("writes_nothing")), "sigmoid", 7, 2);
  EXPECT_EQ(o.kind, Kind::protocol);
  EXPECT_NE(o.message.find("wrote no result"), std::string::npos) << o.message;
}

TEST(Program, NothingOutlivesIt) {
  const auto s =
      program("sh -c 'setsid sleep 1000 & echo $! >&2; exec " + python_worker("dies") + "'");
  const Outcome o = run(*s, "sigmoid");
  EXPECT_EQ(o.kind, Kind::crashed) << o.message;
  const std::size_t at = o.message.find("printed: ");
  ASSERT_NE(at, std::string::npos) << o.message;
  const int left = std::atoi(o.message.c_str() + at + 9);
  ASSERT_GT(left, 1) << o.message;
  EXPECT_TRUE(gone_soon(left));
}

TEST(Program, OneThatCannotBeStartedSaysWhy) {
  try {
    program("/no/such/program with words");
    ADD_FAILURE() << "it was started";
  } catch (const LoadError& e) {
    EXPECT_STREQ(e.what(),
                 "--exec '/no/such/program with words': cannot start it: No such file or "
                 "directory");
  }
}
#endif

TEST(Log, KeepsHeadAndTailAlone) {
  const auto s = open_session(fault("manners"), options());
  Stage watched;
  watched.process = true;
  const std::uint64_t before = memory_of(::getpid());  // which holds the log open
  for (int i = 0; i < 10; ++i) {
    const Outcome o = stage(*s, "prints_much", watched);
    ASSERT_EQ(rules(o), "environment.output");
    EXPECT_EQ(o.facts[0].text, "33554441 bytes were printed to stdout or stderr");
  }
  EXPECT_LT(memory_of(::getpid()), before + (64 << 20)) << "of 320 MiB that were printed";
}

TEST(Log, LastWordsAreHarmless) {
#ifdef ULPAUDIT_EMULATED
  GTEST_SKIP() << "the last words are those of qemu-user";
#endif
  const auto s = open_session(fault("manners"), options());
  EXPECT_EQ(run(*s, "last_words").message,
            "the worker was ended by SIGABRT (it printed: : :error::\\x1b[2Jgone)");
}

/// Runs `work` in a child with one limit lowered; its text comes back.
template <class Work>
std::string under_limit(int resource, rlim_t limit, Work work) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit r = {limit, limit};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &r);
    std::string text;
    try {
      text = work();
    } catch (const LoadError& e) {
      text = std::string("LoadError: ") + e.what();
    } catch (const std::exception& e) {
      text = std::string("another exception: ") + e.what();
    }
    ::_exit(::write(ends[1], text.data(), text.size()) < 0);
  }
  ::close(ends[1]);
  std::string text;
  char part[4096];
  for (ssize_t k; (k = ::read(ends[0], part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(k));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status)) : text;
}

TEST(Limits, FewDescriptorsAreSaidInOneSentence) {
  const auto open_three = [] {
    std::vector<std::unique_ptr<Session>> all;
    for (int i = 0; i < 3; ++i) all.push_back(open_session(fault("fine"), options()));
    return std::string("opened");
  };
  const std::string text = under_limit(RLIMIT_NOFILE, 16, open_three);
  EXPECT_NE(text.find("LoadError: cannot start a worker: no file descriptors are left (ulimit -n "
                      "is 16); accepted: "),
            std::string::npos)
      << text;
  EXPECT_NE(under_limit(RLIMIT_NOFILE, 8, open_three).find("(ulimit -n is 8)"), std::string::npos);
  EXPECT_EQ(under_limit(RLIMIT_NOFILE, 64, open_three), "opened");
}

TEST(Limits, SmallFilesAreSaidInOneSentence) {
  const std::string text = under_limit(
      RLIMIT_FSIZE, 1 << 20, [] { return open_session(fault("fine"), options())->info().name; });
  EXPECT_NE(text.find("LoadError: cannot start a worker: files may have 1048576 bytes here"),
            std::string::npos)
      << text;
}

TEST(ForeignText, IsOneLineWithoutControlCharacters) {
  EXPECT_EQ(harmless("std::bad_alloc ½ 中"), "std::bad_alloc ½ 中");
  EXPECT_EQ(harmless("a\nb\r\tc"), "a b  c");
  EXPECT_EQ(harmless("\x1b[31m\x7f"), "\\x1b[31m\\x7f");
  EXPECT_EQ(harmless("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(harmless("\xe2\x80\xaegnp"), "\\u202egnp");
  EXPECT_EQ(harmless("::error::no"), ": :error::no");
  EXPECT_EQ(harmless("\n ::error::no"), "  : :error::no");
  EXPECT_EQ(harmless("say ##[error]no"), "say ## [error]no");
  EXPECT_EQ(harmless(""), "");
}

}  // namespace
}  // namespace ulpaudit
