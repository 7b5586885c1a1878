// Training checkpoints: a first line, a hash of the rest, the run's identity, rows as a report.
// SPDX-License-Identifier: Apache-2.0
#include "audit/train_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "record/fnv.hpp"
#include "record/json.hpp"

namespace ulpaudit {
namespace {

constexpr std::string_view kFirstLine = "ulpaudit training checkpoint 1\n";

/// A line.
std::string hash(std::string_view bytes) { return fmt::format("{:016x}\n", fnv1a(bytes)); }

/// Takes a line, its end included.
std::string_view line_of(std::string_view& text) {
  const std::size_t n = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view line = text.substr(0, n);
  text.remove_prefix(n);
  return line;
}

bool same(const Training& t, const TrainingRun& r) {
  return t.network == name(r.network) && t.path == name(r.path) && t.dtype == name(r.dtype) &&
         t.implementation == r.implementation &&
         (r.data == DataKind::file || t.data == name(r.data));
}

}  // namespace

TrainCheckpoint::TrainCheckpoint(const Request& request, Identity identity)
    : path_(request.checkpoint), every_(request.checkpoint_every) {
  for (const auto& [key, value] : identity) identity_ += fmt::format("{}: {}\n", key, value);
  if (path_.empty() || !request.resume) return;
  std::error_code error;
  if (std::filesystem::exists(path_, error))
    read();
  else
    request.tell(fmt::format("no checkpoint '{}' yet: the run starts from its beginning", path_));
}

void TrainCheckpoint::read() {
  std::string content;
  try {
    content = read_file(path_);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
  const auto damaged = [&](std::string_view why) {
    return UsageError(fmt::format("checkpoint '{}' is damaged: {}", path_, why));
  };
  if (content.rfind(kFirstLine, 0) != 0)
    throw UsageError(
        fmt::format("'{}' is not a checkpoint of this ulpaudit's training runs", path_));
  std::string_view rest = std::string_view(content).substr(kFirstLine.size());
  if (rest.empty()) throw damaged("it ends after its first line");
  const std::string_view check = line_of(rest);
  if (check != hash(rest)) throw damaged("its hash is wrong");
  std::string_view here = identity_;
  while (!rest.empty() && rest.front() != '\n') {
    const std::string_view there = line_of(rest);
    const std::string_view own = here.empty() ? std::string_view("nothing\n") : line_of(here);
    if (there != own)
      throw UsageError(fmt::format("checkpoint '{}' is of another run: '{}' there, '{}' here",
                                   path_, there.substr(0, there.size() - 1),
                                   own.substr(0, own.size() - 1)));
  }
  if (!here.empty())
    throw UsageError(fmt::format("checkpoint '{}' is of another run: it lacks '{}'", path_,
                                 here.substr(0, here.find('\n'))));
  try {
    before_ = from_json(std::string(rest));
    rows_ = before_;
  } catch (const BadReport& e) {
    throw damaged(e.what());
  }
}

const Training* TrainCheckpoint::known(const TrainingRun& run) const {
  for (const Training& t : before_.training)
    if (same(t, run)) return &t;
  return nullptr;
}

void TrainCheckpoint::add(const Training& row) {
  if (path_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    rows_.training.push_back(row);
    if (std::chrono::steady_clock::now() - last_ < every_) return;
    last_ = std::chrono::steady_clock::now();
  }
  write();
}

void TrainCheckpoint::write() {
  if (path_.empty()) return;
  const std::lock_guard lock(mutex_);
  const std::string rest = identity_ + "\n" + to_json(rows_);
  try {
    write_file(path_, std::string(kFirstLine) + hash(rest) + rest);
  } catch (const std::runtime_error& e) {
    throw UsageError(e.what());
  }
}

}  // namespace ulpaudit
