// SPDX-License-Identifier: Apache-2.0
// Every parser of ours on a corpus and on seeded mutations of it (README.md): it takes the input or
// refuses it with the exception that its header declares, and what it took survives being written
// and read again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/options.hpp"
#include "contract/contract.hpp"
#include "fp/text.hpp"
#include "gate/compare.hpp"
#include "plugin/loader.hpp"
#include "plugin/protocol.hpp"
#include "plugin/session.hpp"
#include "properties/trial.hpp"
#include "record/json.hpp"
#include "record/merge.hpp"
#include "reports/renderer.hpp"
#include "run.hpp"
#include "sweep/checkpoint.hpp"
#include "sweep/results.hpp"
#include "sweep/state.hpp"
#include "verdict/verdict.hpp"

namespace ulpaudit {
namespace {

using fuzz::fuzz;
using fuzz::require;

void round_trip_and_render(const Report& r) {
  const std::string once = to_json(r);
  require(to_json(from_json(once)) == once, "report.json does not come back");
  for (const Renderer& x : renderers())
    for (const RenderOptions& o :
         {RenderOptions{}, RenderOptions{true, 20}, RenderOptions{true, 0}})
      x.function(r, o);
}

TEST(Fuzz, Reports) {
  fuzz("report", 3000, [](const std::string& text) {
    Report r;
    try {
      r = from_json(text);
    } catch (const BadReport&) {
      return false;
    }
    round_trip_and_render(r);
    return true;
  });
}

TEST(Fuzz, Baselines) {
  fuzz("baseline", 3000, [](const std::string& text) {
    Baseline b;
    try {
      // Most changes break the checksum: half of the mutants get a new one, to reach the rest.
      b = baseline_from_json(text.size() % 2 == 0 ? text : with_checksum(text));
    } catch (const BadBaseline&) {
      return false;
    }
    require(to_json(baseline_from_json(to_json(b))) == to_json(b),
            "the baseline does not come back");
    compare(Report(), &b, {});
    return true;
  });
}

/// The text as a shard, alone and with the true others: merged, derived and judged as `merge` does.
TEST(Fuzz, Merges) {
  const std::string folder = std::string(ULPAUDIT_TEST_DATA) + "/fuzz/corpus/shards/";
  const std::vector<Report> whole = {from_json(read_file(folder + "0.json")),
                                     from_json(read_file(folder + "1.json"))};
  // It promises so much that every way of failing it comes up.
  const Contracts contracts = {{"stable", parse_contract(R"(contract = 1
[[kernel]]
name = "bce"
monotone = true
correctly_rounded = ["bf16"]
max_ulp = { bf16 = { all = 0, core = 0, right_tail = 0 } }
)",
                                                         "fuzz")}};
  fuzz("shards", 4000, [&](const std::string& text) {
    Report r;
    try {
      r = from_json(text);
    } catch (const BadReport&) {
      return false;
    }
    bool taken = false;
    for (const std::vector<ShardFile>& shards :
         {std::vector<ShardFile>{{"a", r}, {"b", whole[r.context.shard.index == 0 ? 1 : 0]}},
          std::vector<ShardFile>{{"a", r}}}) {
      try {
        Report merged = merge_shards(shards);
        derive_results(true, merged);
        judge_report(contracts, false, merged);
        round_trip_and_render(merged);
        taken = true;
      } catch (const BadMerge&) {
      }
    }
    return taken;
  });
}

TEST(Fuzz, Contracts) {
  fuzz("contract", 25'000, [](const std::string& text) {
    try {
      parse_contract(text, "fuzz");
      return true;
    } catch (const BadContract&) {
      return false;
    }
  });
}

TEST(Fuzz, Numbers) {
  fuzz("numbers", 60'000, [](const std::string& text) {
    bool taken = false;
    for (Dtype d : kDtypes) {
      Bits b = 0;
      try {
        b = parse_number(d, text);
      } catch (const std::invalid_argument&) {
        continue;
      }
      taken = true;
      require((b & ~format(d).mask()) == 0, "more bits than the dtype has");
      require(parse_number(d, bits_text(d, b)) == b, "the bit pattern does not come back");
      if (is_nan(d, b)) continue;
      require(parse_number(d, hex_float(d, b)) == b, "the hex float does not come back");
      require(parse_number(d, decimal(d, b)) == b, "the decimal does not come back");
    }
    return taken;
  });
}

TEST(Fuzz, WorkerMessages) {
  constexpr std::uint64_t kId = 1;
  const auto takes = [](auto read) {
    try {
      read();
      return true;
    } catch (const protocol::Error&) {
      return false;
    }
  };
  fuzz("messages", 15'000, [&](const std::string& line) {
    protocol::Request q;
    PluginInfo info;
    Outcome o;
    const bool load_error = line.rfind("{\"type\":\"load_error\"", 0) == 0;  // always an Error
    const bool request = takes([&] { q = protocol::parse_request(line); });
    const bool description = takes([&] { info = protocol::parse_description(line); });
    const bool done = takes([&] { o = protocol::parse_done(line, kId); });
    if (request && q.kind == protocol::Request::Kind::run) {
      const std::string once = protocol::run_request(q.run);
      require(protocol::run_request(protocol::parse_request(once).run) == once,
              "a request does not come back");
    }
    if (description) {
      const std::string once = protocol::description_reply(info);
      require(protocol::description_reply(protocol::parse_description(once)) == once,
              "a description does not come back");
    }
    if (done) {
      const std::string once = protocol::done_reply(kId, o);
      require(protocol::done_reply(kId, protocol::parse_done(once, kId)) == once,
              "an outcome does not come back");
    }
    return request || description || done || load_error;
  });
}

TEST(Fuzz, Trials) {
  fuzz("trial", 15'000, [](const std::string& text) {
    bool taken = false;
    for (Dtype d : kDtypes) {
      Trial t;
      try {
        t = parse_trial(d, text);
      } catch (const std::invalid_argument&) {
        continue;
      }
      taken = true;
      const std::string once = to_text(d, t);
      require(to_text(d, parse_trial(d, once)) == once, "a trial does not come back");
      in_words(t);
    }
    return taken;
  });
}

TEST(Fuzz, ShardOptions) {
  fuzz("shard_option", 100'000, [](const std::string& text) {
    try {
      const Shard s = parse_shard(text);
      require(s.index < s.count, "no such shard");
      return true;
    } catch (const UsageError&) {
      return false;
    }
  });
}

/// The run that the corpus's checkpoints are of.
CheckpointOptions checkpoint_options(const std::string& path) {
  return {path, true, {}, {{"seed", "1"}, {"op", "sigmoid"}}};
}
Progressed blank_progress() {
  Progressed p;
  p.done.resize(11);
  p.results.resize(2, std::vector<Accumulator>(1));
  p.time_left = {{3}, {3}};
  return p;
}
std::string scratch(const std::string& name) {
  std::filesystem::create_directories(ULPAUDIT_FUZZ_DIR);
  return std::string(ULPAUDIT_FUZZ_DIR) + "/" + name;
}
bool reads_checkpoint(const std::string& path, Progressed& p) {
  try {
    return read_checkpoint(checkpoint_options(path), p);
  } catch (const BadCheckpoint&) {
    return false;
  }
}
/// Written twice: what was read may have been written in another way.
void round_trip(const Progressed& p, const std::string& path) {
  write_checkpoint(checkpoint_options(path), p);
  const std::string once = read_file(path);
  Progressed again = blank_progress();
  require(reads_checkpoint(path, again), "a checkpoint written here is refused");
  write_checkpoint(checkpoint_options(path), again);
  require(read_file(path) == once, "a checkpoint does not come back");
}

TEST(Fuzz, CheckpointFiles) {
  const std::string path = scratch("checkpoint");
  fuzz("checkpoint", 500, [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    Progressed p = blank_progress();
    if (!reads_checkpoint(path, p)) return false;
    round_trip(p, path);
    return true;
  });
}

/// Mutations behind a right hash, as another version's or another process's state might be.
TEST(Fuzz, States) {
  const std::string path = scratch("state");
  fuzz("state", 1000, [&](const std::string& payload) {
    std::uint64_t hash = 0xcbf29ce484222325u;  // as in record/fnv.hpp
    for (const char c : payload) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    StateWriter file;
    file.text(payload);
    file.number(hash);
    std::ofstream(path, std::ios::binary) << "ulpaudit checkpoint 2\n" << file.take();
    Progressed p = blank_progress();
    if (!reads_checkpoint(path, p)) return false;
    round_trip(p, path);
    return true;
  });
}

/// A plug-in whose description follows the input (descriptor_plugin.c), in a worker each time.
TEST(Fuzz, Descriptors) {
  const std::string path = scratch("descriptor");
  ASSERT_EQ(::setenv("ULPAUDIT_FUZZ_DESCRIPTION", path.c_str(), 1), 0);
  SessionOptions options;
  options.worker = std::string(ULPAUDIT_BIN_DIR) + "/ulpaudit-worker";
  options.deadline = std::chrono::milliseconds(30000);
  fuzz("descriptor", 300, [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    std::unique_ptr<Session> session;
    try {
      session = open_session(ULPAUDIT_FUZZ_PLUGIN, options);
    } catch (const LoadError& e) {
      require(std::string(e.what()).find("while loading") == std::string::npos,
              "the worker did not survive the description");
      return false;
    }
    const PluginInfo& info = session->info();
    require(!info.name.empty(), "a plug-in without a name");
    const std::string once = protocol::description_reply(info);
    require(protocol::description_reply(protocol::parse_description(once)) == once,
            "a description does not come back");
    try {
      parse_contract(info.contract, "fuzz");
    } catch (const BadContract&) {
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(info.kernels.size(), 3); ++i) {
      const KernelInfo& k = info.kernels[i];
      require(!k.name.empty() && !k.op.empty(), "a kernel without name or op");
      for (Dtype d : k.dtypes)
        require(session->run(i, d, 1, false).kind == Outcome::Kind::ok, "a kernel does not run");
    }
    return true;
  });
}

}  // namespace
}  // namespace ulpaudit
