// Checkpoints: a first line, the length, the state, a hash of the state.
// SPDX-License-Identifier: Apache-2.0
#include "sweep/checkpoint.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "record/fnv.hpp"
#include "record/json.hpp"
#include "sweep/state.hpp"

namespace ulpaudit {
namespace {

constexpr std::string_view kFirstLine = "ulpaudit checkpoint 2\n";

/// Bits of `done`, eight to a byte.
std::string packed(const std::vector<char>& done) {
  std::string bytes((done.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < done.size(); ++i)
    if (done[i] != 0) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 1 << i % 8);
  return bytes;
}

void same_run(const RunIdentity& here, StateReader& in, const std::string& path) {
  RunIdentity there;
  for (std::size_t n = in.size(); n > 0; --n) {
    std::string name = in.text();
    there.emplace_back(std::move(name), in.text());
  }
  for (std::size_t i = 0; i < std::max(here.size(), there.size()); ++i) {
    if (i < here.size() && i < there.size() && here[i] == there[i]) continue;
    const bool other_value = i < here.size() && i < there.size() && here[i].first == there[i].first;
    throw BadCheckpoint(fmt::format(
        "checkpoint '{}' is of another run: {}", path,
        other_value ? fmt::format("{} '{}' there, '{}' here", here[i].first, there[i].second,
                                  here[i].second)
                    : fmt::format("other {}", (i < here.size() ? here : there)[i].first)));
  }
}

void read_state(StateReader& in, Progressed& p) {
  const auto agree = [](std::size_t there, std::size_t here) {
    if (there != here) throw BadState("its chunks are not those of the run");
  };
  agree(in.number(), p.done.size());
  const std::string bits = in.text();
  agree(bits.size(), (p.done.size() + 7) / 8);
  for (std::size_t i = 0; i < p.done.size(); ++i)
    p.done[i] = static_cast<char>(bits[i / 8] >> i % 8 & 1);
  for (std::size_t j = 0; j < p.results.size(); ++j) {
    const std::size_t targets = p.results[j].size();
    p.results[j] = in.all_counts();
    agree(p.results[j].size(), targets);
    for (std::int64_t& left : p.time_left[j]) left = static_cast<std::int64_t>(in.number());
  }
  if (!in.at_end()) throw BadState("it goes on after its end");
}

}  // namespace

void write_checkpoint(const CheckpointOptions& o, const Progressed& p) {
  StateWriter state;
  state.number(o.identity.size());
  for (const auto& [name, value] : o.identity) {
    state.text(name);
    state.text(value);
  }
  state.number(p.done.size());
  state.text(packed(p.done));
  for (std::size_t j = 0; j < p.results.size(); ++j) {
    state.counts(p.results[j]);
    for (std::int64_t left : p.time_left[j]) state.number(static_cast<std::uint64_t>(left));
  }
  const std::string payload = state.take();
  StateWriter file;
  file.text(payload);
  file.number(fnv1a(payload));
  try {
    write_file(o.path, std::string(kFirstLine) + file.take());
  } catch (const std::runtime_error& e) {
    throw BadCheckpoint(e.what());
  }
}

bool read_checkpoint(const CheckpointOptions& o, Progressed& p) {
  std::error_code error;
  if (!std::filesystem::exists(o.path, error)) return false;
  std::string content;
  try {
    content = read_file(o.path);
  } catch (const std::runtime_error& e) {
    throw BadCheckpoint(e.what());
  }
  if (content.rfind(kFirstLine, 0) != 0)
    throw BadCheckpoint(fmt::format("'{}' is not a checkpoint of this ulpaudit", o.path));
  try {
    StateReader file(std::string_view(content).substr(kFirstLine.size()));
    const std::string payload = file.text();
    if (file.number() != fnv1a(payload) || !file.at_end()) throw BadState("its hash is wrong");
    StateReader state(payload);
    same_run(o.identity, state, o.path);
    read_state(state, p);
  } catch (const BadState& e) {
    throw BadCheckpoint(fmt::format("checkpoint '{}' is damaged: {}", o.path, e.what()));
  }
  return true;
}

}  // namespace ulpaudit
