// ulpaudit-mpi: sweep and audit over the ranks of an MPI run. Rank 0 hands out the numbers of
// chunks, collects counts and makes the report; every rank, 0 too, runs chunks as it gets free.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "audit/distribution.hpp"
#include "cli/options.hpp"
#include "cli/program.hpp"
#include "sweep/state.hpp"

namespace ulpaudit {
namespace {

enum Tag { kRequest = 1, kAssign, kCounts, kBye };
constexpr std::uint64_t kNoMore = ~std::uint64_t{0};

/// FNV-1a; never 0, which says that a rank failed before it could agree.
std::uint64_t hash(const std::string& text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h | 1;
}

class Ranks {
 public:
  Ranks() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &count_);
  }
  int rank() const { return rank_; }

  /// Everybody's hash, once. True where rank 0 can run.
  void agree(std::uint64_t own) {
    agreed_ = true;
    hashes_.resize(static_cast<std::size_t>(count_));
    MPI_Allgather(&own, 1, MPI_UINT64_T, hashes_.data(), 1, MPI_UINT64_T, MPI_COMM_WORLD);
  }
  bool agreed() const { return agreed_; }
  bool first_is_fine() const { return hashes_[0] != 0; }
  /// The rank, other than the first, that cannot run what the first one runs; 0 for none.
  int odd_one() const {
    for (int i = 1; i < count_; ++i)
      if (hashes_[static_cast<std::size_t>(i)] != hashes_[0]) return i;
    return 0;
  }

  /// Answers the other ranks until each has said good-bye.
  void serve(ChunkQueue* queue) {
    while (byes_ < count_ - 1) {
      int there = 0;
      MPI_Status status;
      MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
      if (there == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(100));  // the core is a lane's
      else
        answer(queue, status);
    }
  }

 private:
  void answer(ChunkQueue* queue, const MPI_Status& status) {
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    MPI_Recv(bytes.data(), size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    if (status.MPI_TAG == kBye) {
      ++byes_;
    } else if (status.MPI_TAG == kRequest) {
      const std::vector<std::size_t> items =
          queue != nullptr ? queue->next(1) : std::vector<std::size_t>();
      const std::uint64_t number = items.empty() ? kNoMore : items[0];
      MPI_Send(&number, 1, MPI_UINT64_T, status.MPI_SOURCE, kAssign, MPI_COMM_WORLD);
    } else if (queue != nullptr) {
      StateReader in(bytes);
      const std::size_t item = in.number();
      queue->finish({item}, in.all_counts());
    }
  }

  int rank_ = 0, count_ = 1, byes_ = 0;
  bool agreed_ = false;
  std::vector<std::uint64_t> hashes_;
};

/// The queue of a rank other than the first. MPI is entered by one thread at a time.
class RemoteQueue : public ChunkQueue {
 public:
  /// One, whatever the most.
  std::vector<std::size_t> next(std::size_t) override {
    const std::lock_guard lock(mutex_);
    std::uint64_t number = kNoMore;
    MPI_Send(nullptr, 0, MPI_BYTE, 0, kRequest, MPI_COMM_WORLD);
    MPI_Recv(&number, 1, MPI_UINT64_T, 0, kAssign, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (number == kNoMore) return {};
    return {number};
  }

  void finish(const std::vector<std::size_t>& chunks,
              const std::vector<Accumulator>& counts) override {
    StateWriter out;
    out.number(chunks.at(0));
    out.counts(counts);
    const std::string bytes = out.take();
    const std::lock_guard lock(mutex_);
    MPI_Send(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, 0, kCounts, MPI_COMM_WORLD);
  }

 private:
  std::mutex mutex_;
};

std::vector<Command> commands(CLI::App& parser, const Distribution& d) {
  return {add_sweep(parser, &d), add_audit(parser, &d)};
}

int run_first(int argc, char** argv, Ranks& ranks) {
  bool served = false;
  Distribution d;
  d.agree = [&](const std::string& identity) {
    ranks.agree(hash(identity));
    if (const int odd = ranks.odd_one())
      throw UsageError(
          fmt::format("rank {} cannot run what rank 0 runs: another version, CPU or "
                      "plug-in, or an error there",
                      odd));
  };
  d.serve = [&](ChunkQueue& queue) {
    ranks.serve(&queue);
    served = true;
  };
  const int code = run_program(argc, argv, [&](CLI::App& p) { return commands(p, d); });
  if (!ranks.agreed()) ranks.agree(0);
  if (!served && ranks.first_is_fine()) ranks.serve(nullptr);  // failed: the others are sent home
  return code;
}

/// What every rank says alike is said by the first: the others are heard where they alone fail.
class Muted {
 public:
  Muted() : saved_(::dup(STDERR_FILENO)), log_(std::tmpfile()) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDOUT_FILENO);
    ::close(null);
    if (log_ != nullptr) ::dup2(::fileno(log_), STDERR_FILENO);
  }
  Muted(const Muted&) = delete;
  ~Muted() { end(false); }

  void end(bool say) {
    if (log_ == nullptr) return;
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    std::rewind(log_);
    for (int c = std::fgetc(log_); say && c != EOF; c = std::fgetc(log_)) std::fputc(c, stderr);
    std::fclose(log_);
    log_ = nullptr;
  }

 private:
  int saved_;
  std::FILE* log_;
};

int run_other(int argc, char** argv, Ranks& ranks) {
  Muted muted;
  RemoteQueue queue;
  Distribution d;
  d.collects = false;
  d.queue = &queue;
  bool runs = false;
  d.agree = [&](const std::string& identity) {
    ranks.agree(hash(identity));
    if (!ranks.first_is_fine() || ranks.odd_one() != 0) throw UsageError("the ranks do not agree");
    muted.end(false);
    runs = true;
  };
  const int code = run_program(argc, argv, [&](CLI::App& p) { return commands(p, d); });
  if (!ranks.agreed()) {
    ranks.agree(0);
    muted.end(ranks.first_is_fine());
  }
  if (runs && code != 0) MPI_Abort(MPI_COMM_WORLD, code);  // its chunk would be missing
  if (ranks.first_is_fine()) MPI_Send(nullptr, 0, MPI_BYTE, 0, kBye, MPI_COMM_WORLD);
  return 0;
}

}  // namespace
}  // namespace ulpaudit

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level);
  if (level < MPI_THREAD_SERIALIZED) {
    fmt::print(stderr, "ulpaudit: this MPI offers no MPI_THREAD_SERIALIZED\n");
    MPI_Abort(MPI_COMM_WORLD, 70);
  }
  ulpaudit::Ranks ranks;
  const int code = ranks.rank() == 0 ? ulpaudit::run_first(argc, argv, ranks)
                                     : ulpaudit::run_other(argc, argv, ranks);
  MPI_Finalize();
  return code;
}
