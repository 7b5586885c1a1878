// Sessions: what a plug-in does to its worker is a fact about the plug-in.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/session.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plugin/call_times.hpp"
#include "plugin/loader.hpp"

namespace ulpaudit {
namespace {

using Kind = Outcome::Kind;

/// The logit at which the plug-ins of faults/behaviour.c misbehave.
constexpr float kTrigger = 1;

std::string fault(const std::string& name) {
  return std::string(ULPAUDIT_FAULT_DIR) + "/" + name + ".so";
}

SessionOptions options() {
  SessionOptions o;
  o.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  o.deadline = std::chrono::milliseconds(10000);
  return o;
}

/// Runs kernel 0 on one logit.
Outcome run_one(Session& s, float z) {
  static_cast<float*>(s.z())[0] = z;
  static_cast<float*>(s.out())[0] = -1;
  return s.run(0, Dtype::f32, 1, false);
}

/// The misbehaving input ends as `kind`, with `words` in the message, and the next input works.
void expect_end(const std::string& name, Kind kind, const std::string& words,
                SessionOptions o = options()) {
  const auto s = open_session(fault(name), o);
  ASSERT_EQ(run_one(*s, 4).kind, Kind::ok);
  EXPECT_EQ(static_cast<float*>(s->out())[0], 4);
  const Outcome end = run_one(*s, kTrigger);
  EXPECT_EQ(end.kind, kind) << end.message;
  EXPECT_NE(end.message.find(words), std::string::npos) << end.message;
  EXPECT_EQ(run_one(*s, 2).kind, Kind::ok) << "the run goes on behind the offending input";
  EXPECT_EQ(static_cast<float*>(s->out())[0], 2);
}

/// Loading fails with `words` in the message, which names the file.
void expect_refused(const std::string& path, const std::string& words,
                    const SessionOptions& o = options()) {
  try {
    open_session(path, o);
    ADD_FAILURE() << path << " was loaded";
  } catch (const LoadError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find(words), std::string::npos) << text;
    EXPECT_NE(text.find(std::filesystem::path(path).filename().string()), std::string::npos)
        << text;
  }
}

TEST(Worker, Describes) {
  const auto s = open_session(fault("fine"), options());
  EXPECT_EQ(s->info().name, "fine");
  EXPECT_EQ(s->info().path, fault("fine"));
  ASSERT_EQ(s->info().kernels.size(), 1u);
  EXPECT_EQ(s->info().kernels[0].op, "sigmoid");
  EXPECT_EQ(s->info().kernels[0].dtypes, std::vector<Dtype>{Dtype::f32});
  EXPECT_TRUE(s->info().kernels[0].deterministic);
}

TEST(Worker, RunsWholeBatches) {
  const auto s = open_session(fault("fine"), options());
  float* z = static_cast<float*>(s->z());
  for (std::uint64_t i = 0; i < kBatchCapacity; ++i) z[i] = static_cast<float>(i);
  ASSERT_EQ(s->run(0, Dtype::f32, kBatchCapacity, false).kind, Kind::ok);
  const float* out = static_cast<float*>(s->out());
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[kBatchCapacity - 1], static_cast<float>(kBatchCapacity - 1));
  EXPECT_EQ(s->run(0, Dtype::f32, 0, false).kind, Kind::ok);
}

TEST(Worker, RefusesADevicesArraysWhereTheKernelTakesNone) {
  const auto s = open_session(fault("crash"), options());
  EXPECT_FALSE(s->info().kernels.at(0).device_arrays);
  for (const bool two : {false, true}) {
    const Outcome o = s->run_on_device(0, Dtype::f32, 4, two, {});
    EXPECT_EQ(o.kind, Kind::failed);
    EXPECT_NE(o.message.find("takes no arrays of a device"), std::string::npos) << o.message;
  }
  EXPECT_EQ(s->run_on_device(99, Dtype::f32, 4, false, {}).message, "no such kernel");
  EXPECT_EQ(run_one(*s, 2).kind, Kind::ok);
}
TEST(Worker, SurvivesACrash) { expect_end("crash", Kind::crashed, "SIGSEGV"); }
TEST(Worker, SurvivesAnAbort) { expect_end("abort", Kind::crashed, "SIGABRT"); }
TEST(Worker, ShowsTheLastWords) {
#ifdef ULPAUDIT_EMULATED
  GTEST_SKIP() << "the last words are those of qemu-user";
#endif
  expect_end("abort", Kind::crashed, "giving up: no luck");
}
TEST(Worker, AnExitIsNoSuccess) { expect_end("exit", Kind::exited, "exited with code 0"); }
TEST(Worker, AStatusIsAFailure) {
  expect_end("status", Kind::failed, "status 2: the logit is one");
}
TEST(Worker, AStatusNeedsNoMessage) { expect_end("silent_status", Kind::failed, "status 7"); }

TEST(Worker, EndsAHang) {
  SessionOptions o = options();
  o.deadline = std::chrono::milliseconds(500);
  const auto start = std::chrono::steady_clock::now();
  expect_end("hang", Kind::hung, "500 ms", o);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
}

// Sanitizers answer a failed allocation by ending the process.
TEST(Worker, LimitsMemory) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer ends the worker where malloc would return NULL";
#elif defined(ULPAUDIT_EMULATED)
  GTEST_SKIP() << "qemu-user does not pass limits of memory on";
#endif
  SessionOptions o = options();
  o.memory_limit_mib = 1024;
  expect_end("greedy", Kind::failed, "out of memory after 3 blocks", o);
}

TEST(Worker, PrintingDoesNotReachTheProtocol) {
  const auto s = open_session(fault("prints"), options());
  EXPECT_EQ(run_one(*s, kTrigger).kind, Kind::ok);
  EXPECT_EQ(static_cast<float*>(s->out())[0], kTrigger);
}

TEST(Worker, CatchesAnException) {
  const auto s = open_session(fault("throws"), options());
  const Outcome o = run_one(*s, 1);
  EXPECT_EQ(o.kind, Kind::failed);
  EXPECT_NE(o.message.find("exception crossed the plug-in boundary: loose cannon"),
            std::string::npos)
      << o.message;
}

TEST(Loading, RefusesFilesThatAreNoPlugins) {
  expect_refused(std::string(ULPAUDIT_FAULT_DIR) + "/missing.so", "does not exist");
  expect_refused(fault("no_entry"), "does not export ulpaudit_plugin_entry");
  const std::string text_file = std::string(ULPAUDIT_FAULT_DIR) + "/text.so";
  std::ofstream(text_file) << "this is not a library\n";
  expect_refused(text_file, "cannot load plug-in");
}

TEST(Loading, RefusesWrongDescriptions) {
  expect_refused(fault("wrong_size"), "struct_size of the plug-in is 16");
  expect_refused(fault("wrong_abi"), "version 77");
  expect_refused(fault("null_plugin"), "refuses version 1");
  expect_refused(fault("no_name"), "no name");
  expect_refused(fault("no_kernels"), "kernel_count 1 with no kernels");
  expect_refused(fault("kernel_size"), "struct_size is 24");
  expect_refused(fault("kernel_no_name"), "kernel 0: no name");
  expect_refused(fault("kernel_no_run"), "no run function");
  expect_refused(fault("kernel_dtypes"), "dtypes 0x40");
  expect_refused(fault("twice"), "kernels 0 and 1 are both named 'zero'; accepted: each name once");
  expect_refused(fault("slash"), "the name 'mine/own' of the plug-in has a '/'; accepted: ");
  expect_refused(fault("control_character"), "has the control character \\x1b; accepted: ");
}

TEST(Loading, TagsOfALaterHeaderAreAccepted) {
  const auto s = open_session(fault("later_tag"), options());
  EXPECT_TRUE(s->info().kernels.at(0).in_place);
  EXPECT_FALSE(s->info().kernels.at(0).deterministic);
}

TEST(Loading, SurvivesConstructors) {
  expect_refused(fault("constructor_crash"), "SIGSEGV");
  expect_refused(fault("constructor_exit"), "exited with code 3");
  SessionOptions o = options();
  o.deadline = std::chrono::milliseconds(500);
  expect_refused(fault("constructor_hang"), "no reply within 2000 ms", o);  // four times as long
}

TEST(Loading, SaysThatTheWorkerIsMissing) {
#ifdef ULPAUDIT_EMULATED
  GTEST_SKIP() << "qemu-user's vfork is a fork: a failed exec is not seen by posix_spawn";
#endif
  SessionOptions o = options();
  o.worker = "/no/such/worker";
  EXPECT_THROW(
      {
        try {
          open_session(fault("fine"), o);
        } catch (const std::runtime_error& e) {
          EXPECT_NE(std::string(e.what()).find("/no/such/worker"), std::string::npos);
          throw;
        }
      },
      std::runtime_error);
}

TEST(Local, RunsInThisProcess) {
  SessionOptions o;
  o.isolate = false;
  const auto s = open_session(fault("status"), o);
  EXPECT_EQ(run_one(*s, 4).kind, Kind::ok);
  EXPECT_EQ(static_cast<float*>(s->out())[0], 4);
  EXPECT_EQ(run_one(*s, kTrigger).message, "status 2: the logit is one");
}

TEST(CallTimes, CallsThatLostTheirProcessorAreLeftOut) {
  CallTimes times;
  times.add(3'000'000);
  EXPECT_FALSE(times.enough(1'000'000, 1000)) << "one call tells nothing";
  for (std::uint64_t i = 0; i < 100; ++i) times.add(i % 10 == 5 ? 2'500'000 : 4000 + i);
  EXPECT_TRUE(times.enough(1'000'000, 1000));
  EXPECT_TRUE(times.enough(1'000'000'000, 101)) << "not without end";
  Outcome o;
  times.into(o);
  EXPECT_EQ(o.calls, 90u);
  EXPECT_EQ(o.nanoseconds, 90u * 4000 + (4950 - 500));
}

/// Long calls are not repeated for their number alone.
TEST(CallTimes, AFewLongCallsAreEnough) {
  CallTimes times;
  times.add(50'000'000);
  EXPECT_TRUE(times.enough(5'000'000, 1000));
}

}  // namespace
}  // namespace ulpaudit
