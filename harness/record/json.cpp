// report.json, both ways. The schema is harness/record/report.schema.json.
// SPDX-License-Identifier: Apache-2.0
#include "record/json.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "record/json_values.hpp"

namespace ulpaudit {

static void to_json(Json& j, const Finding& f) {
  j = {{"rule", f.rule},
       {"severity", f.severity == Severity::error ? "error" : "note"},
       {"implementation", f.implementation},
       {"op", f.op},
       {"dtype", f.dtype},
       {"region", f.region},
       {"message", f.message},
       {"count", f.count}};
  j["phase"] = f.phase;
  if (f.range) j["range"] = {{"first", f.range->first}, {"last", f.range->last}};
  put(j, "witness", f.witness);
  if (f.witness_length != 0) {
    j["witness_length"] = f.witness_length;
    j["position"] = f.position;
    j["setting"] = f.setting;
  }
  put(j, "simplest", f.simplest);
  put(j, "neighbour", f.neighbour);
  if (!f.expected_failure.empty()) j["expected_failure"] = f.expected_failure;
  j["replay"] = f.replay;
  if (f.replay_runs != 0) j["replayed"] = {{"shown", f.replay_shown}, {"runs", f.replay_runs}};
  if (f.cause != 0) j["cause"] = f.cause;
}
static void from_json(const Json& j, Finding& f) {
  f.rule = j.at("rule");
  const auto severity = j.at("severity").get<std::string>();
  if (severity != "error" && severity != "note")
    throw BadReport("unknown severity '" + severity + "'; accepted: error, note");
  f.severity = severity == "error" ? Severity::error : Severity::note;
  f.implementation = j.at("implementation");
  f.op = j.at("op");
  f.dtype = j.at("dtype");
  f.region = j.at("region");
  f.message = j.at("message");
  f.count = j.at("count");
  f.phase = j.at("phase");
  if (j.contains("range"))
    f.range = {j.at("range").at("first").get<Number>(), j.at("range").at("last").get<Number>()};
  get(j, "witness", f.witness);
  f.witness_length = j.value("witness_length", std::uint64_t{0});
  f.position = j.value("position", std::uint64_t{0});
  f.setting = j.value("setting", "");
  get(j, "simplest", f.simplest);
  get(j, "neighbour", f.neighbour);
  f.expected_failure = j.value("expected_failure", "");
  f.replay = j.at("replay");
  if (j.contains("replayed")) {
    f.replay_shown = j.at("replayed").at("shown");
    f.replay_runs = j.at("replayed").at("runs");
  }
  f.cause = j.value("cause", std::uint64_t{0});
}

// Rules that were checked are one object, rule → cases: there are thousands of them.
static void to_json(Json& j, const Coverage& c) {
  j = {{"implementation", c.implementation}, {"op", c.op}, {"dtype", c.dtype}};
  Json checked = Json::object(), rest = Json::array();
  for (const RuleCoverage& r : c.rules) {
    if (r.status == "checked")
      checked[r.rule] = r.cases;
    else
      rest.push_back({{"rule", r.rule},
                      {"status", r.status},
                      {"cases", r.cases},
                      {"of", r.of},
                      {"why", r.why}});
  }
  j["checked"] = checked;
  if (!rest.empty()) j["not_checked"] = rest;
}
static void from_json(const Json& j, Coverage& c) {
  c.implementation = j.at("implementation");
  c.op = j.at("op");
  c.dtype = j.at("dtype");
  for (const auto& [rule, cases] : j.at("checked").items()) {
    const auto n = cases.get<std::uint64_t>();
    c.rules.push_back({rule, "checked", n, n, ""});
  }
  for (const Json& r : j.value("not_checked", Json::array())) {
    const auto status = r.at("status").get<std::string>();
    if (status != "stopped" && status != "not_applicable")
      throw BadReport("unknown status '" + status + "'; accepted: stopped, not_applicable");
    c.rules.push_back({r.at("rule"), status, r.at("cases"), r.at("of"), r.at("why")});
  }
}

static void to_json(Json& j, const Implementation& i) {
  j = {{"name", i.name},   {"plugin", i.plugin},        {"kernel", i.kernel},
       {"op", i.op},       {"formula", i.formula},      {"version", i.version},
       {"build", i.build}, {"requires", i.requirement}, {"dtypes", i.dtypes},
       {"tags", i.tags},   {"build_id", i.build_id},    {"unavailable", i.unavailable}};
  if (!i.given_path.empty()) j["given_path"] = i.given_path;
  if (!i.given_contract.empty()) j["given_contract"] = i.given_contract;
}
static void from_json(const Json& j, Implementation& i) {
  i.name = j.at("name");
  i.plugin = j.at("plugin");
  i.kernel = j.at("kernel");
  i.op = j.at("op");
  i.formula = j.at("formula");
  i.version = j.at("version");
  i.build = j.at("build");
  i.requirement = j.at("requires");
  i.dtypes = j.at("dtypes").get<std::vector<std::string>>();
  i.tags = j.at("tags").get<std::vector<std::string>>();
  i.build_id = j.at("build_id");
  i.unavailable = j.at("unavailable");
  i.given_path = j.value("given_path", "");
  i.given_contract = j.value("given_contract", "");
}

void to_json(Json& j, const Benchmark& b) {
  j = {{"implementation", b.implementation},
       {"op", b.op},
       {"dtype", b.dtype},
       {"inputs", b.inputs},
       {"level", b.level},
       {"elements", b.elements}};
  if (!b.failure.empty()) j["failure"] = b.failure;
  j["ns"] = b.ns;
  j["median"] = b.median;
  j["low"] = b.low;
  j["high"] = b.high;
  j["noisy"] = b.noisy;
  j["gigabytes_per_second"] = b.gigabytes_per_second;
  put(j, "to_copy", b.to_copy);
  put(j, "to_naive", b.to_naive);
  put(j, "instructions", b.instructions);
  if (!b.counted_by.empty()) j["counted_by"] = b.counted_by;
}
void from_json(const Json& j, Benchmark& b) {
  b.implementation = j.at("implementation");
  b.op = j.at("op");
  b.dtype = j.at("dtype");
  b.inputs = j.at("inputs");
  b.level = j.at("level");
  b.elements = j.at("elements");
  b.failure = j.value("failure", "");
  b.ns = j.at("ns").get<std::vector<double>>();
  b.median = j.at("median");
  b.low = j.at("low");
  b.high = j.at("high");
  b.noisy = j.at("noisy");
  b.gigabytes_per_second = j.at("gigabytes_per_second");
  get(j, "to_copy", b.to_copy);
  get(j, "to_naive", b.to_naive);
  get(j, "instructions", b.instructions);
  b.counted_by = j.value("counted_by", "");
}

static void to_json(Json& j, const TextbookAnswer& t) {
  j = {{"id", t.id},           {"claim", t.claim}, {"verdict", t.verdict}, {"answer", t.answer},
       {"columns", t.columns}, {"rows", t.rows},   {"replay", t.replay}};
}
static void from_json(const Json& j, TextbookAnswer& t) {
  t.id = j.at("id");
  t.claim = j.at("claim");
  t.verdict = j.at("verdict");
  t.answer = j.at("answer");
  t.columns = j.at("columns").get<std::vector<std::string>>();
  t.rows = j.at("rows").get<std::vector<std::vector<std::string>>>();
  t.replay = j.at("replay");
}

static void to_json(Json& j, const Verdict& v) {
  j = {{"implementation", v.implementation},
       {"status", v.status},
       {"errors", v.errors},
       {"expected_failures", v.expected_failures},
       {"notes", v.notes}};
  if (!v.unfinished.empty()) j["unfinished"] = v.unfinished;
  if (!v.scope.empty()) j["scope"] = v.scope;
}
static void from_json(const Json& j, Verdict& v) {
  v = {j.at("implementation"),    j.at("status"), j.at("errors"),
       j.at("expected_failures"), j.at("notes"),  {},
       j.value("scope", "")};
  if (j.contains("unfinished")) v.unfinished = j.at("unfinished").get<std::vector<std::string>>();
}

static void to_json(Json& j, const Context& c) {
  j = {{"version", c.version},   {"commit", c.commit},   {"compiler", c.compiler},
       {"flags", c.flags},       {"libm", c.libm},       {"mpfr", c.mpfr},
       {"rounding", c.rounding}, {"ftz_daz", c.ftz_daz}, {"isa", c.isa},
       {"profile", c.profile},   {"seed", c.seed}};
  j["shard"] = {{"index", c.shard.index}, {"count", c.shard.count}};
}
static void from_json(const Json& j, Context& c) {
  c = {j.at("version"),  j.at("commit"),  j.at("compiler"),
       j.at("flags"),    j.at("libm"),    j.at("mpfr"),
       j.at("rounding"), j.at("ftz_daz"), j.at("isa"),
       j.at("profile"),  j.at("seed"),    {j.at("shard").at("index"), j.at("shard").at("count")}};
  if (c.shard.index >= c.shard.count)
    throw BadReport(fmt::format("no shard {} of {}", c.shard.index, c.shard.count));
}

static void to_json(Json& j, const ContractText& c) {
  j = {{"plugin", c.plugin}, {"text", c.text}};
}
static void from_json(const Json& j, ContractText& c) { c = {j.at("plugin"), j.at("text")}; }

static void to_json(Json& j, const Volatile& v) {
  j = {{"started", v.started},
       {"host", v.host},
       {"cpu", v.cpu},
       {"argv", v.argv},
       {"wall_seconds", v.wall_seconds},
       {"points_per_second", v.points_per_second},
       {"threads", v.threads},
       {"ended_early", v.ended_early}};
  if (!v.ended_by.empty()) j["ended_by"] = v.ended_by;
  if (!v.gpu.empty()) j["gpu"] = v.gpu;
}
static void from_json(const Json& j, Volatile& v) {
  v.started = j.at("started");
  v.host = j.at("host");
  v.cpu = j.at("cpu");
  v.argv = j.at("argv").get<std::vector<std::string>>();
  v.wall_seconds = j.at("wall_seconds");
  v.points_per_second = j.at("points_per_second");
  v.threads = j.at("threads");
  v.ended_early = j.at("ended_early");
  v.ended_by = j.value("ended_by", "");
  v.gpu = j.value("gpu", "");
}

std::string json_lines(const Json& j) {
  const auto compact = [](const Json& x) {
    return x.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string out = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : j.items()) {
    out += separator + Json(key).dump() + ": ";
    separator = ",\n";
    if (!value.is_array() || value.empty()) {
      out += compact(value);
      continue;
    }
    out += "[";
    for (std::size_t i = 0; i < value.size(); ++i)
      out += (i == 0 ? "\n " : ",\n ") + compact(value[i]);
    out += "\n]";
  }
  return out + "\n}\n";
}

std::string to_json(const Report& r) {
  Json j;
  j["schema_version"] = fmt::format("{}.{}", kSchemaMajor, kSchemaMinor);
  j["context"] = r.context;
  j["volatile"] = r.run;
  j["implementations"] = r.implementations;
  j["contracts"] = r.contracts;
  j["properties_checked"] = r.properties;
  j["results"] = r.results;
  j["findings"] = r.findings;
  j["coverage"] = r.coverage;
  j["benchmarks"] = r.benchmarks;
  j["training"] = r.training;
  j["textbook"] = r.textbook;
  j["verdicts"] = r.verdicts;
  return json_lines(j);
}

Report from_json(const std::string& text) {
  try {
    const auto j = parse_shallow<Json>(text);
    if (!j.is_object() || !j.contains("schema_version"))
      throw BadReport("no schema_version: this is not a report.json of ulpaudit");
    const auto version = j.at("schema_version").get<std::string>();
    if (version.substr(0, version.find('.')) != std::to_string(kSchemaMajor))
      throw BadReport(fmt::format("schema_version {} is not accepted; this ulpaudit reads {}.x",
                                  version, kSchemaMajor));
    Report r;
    r.context = j.at("context");
    r.run = j.at("volatile");
    r.implementations = j.at("implementations").get<std::vector<Implementation>>();
    r.contracts = j.at("contracts").get<std::vector<ContractText>>();
    r.properties = j.value("properties_checked", false);
    r.results = j.at("results").get<std::vector<Result>>();
    r.findings = j.at("findings").get<std::vector<Finding>>();
    r.coverage = j.value("coverage", Json::array()).get<std::vector<Coverage>>();
    r.benchmarks = j.at("benchmarks").get<std::vector<Benchmark>>();
    r.training = j.at("training").get<std::vector<Training>>();
    r.textbook = j.at("textbook").get<std::vector<TextbookAnswer>>();
    r.verdicts = j.at("verdicts").get<std::vector<Verdict>>();
    return r;
  } catch (const nlohmann::json::exception& e) {
    throw BadReport(e.what());
  } catch (const std::out_of_range& e) {
    throw BadReport(e.what());
  }
}

namespace {

[[noreturn]] void cannot(const char* doing, const std::string& path, int error) {
  throw std::runtime_error(fmt::format("cannot {} '{}': {}", doing, path, std::strerror(error)));
}

/// Where a write to `path` goes: links are followed, a link to nothing yet too.
std::string behind_links(std::string path) {
  for (int links = 0; std::filesystem::is_symlink(path); ++links) {
    if (links == 40) cannot("write", path, ELOOP);
    const std::filesystem::path to = std::filesystem::read_symlink(path);
    path = (std::filesystem::path(path).parent_path() / to).string();
  }
  return path;
}

/// The open file that a name like /dev/stdout stands for; -1 for others.
int open_already(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    int fd = -1;
    const char* end = path.data() + path.size();
    if (path.rfind(folder, 0) == 0 &&
        std::from_chars(path.data() + folder.size(), end, fd).ptr == end)
      return fd;
  }
  return -1;
}

/// A device, a pipe, a terminal: written as it is, never replaced by a file.
bool is_special(const std::string& path) {
  struct stat s = {};
  if (::stat(path.c_str(), &s) != 0) return false;
  return !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode);
}

/// 0, or the errno of what went wrong.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string temporary_of(const std::string& path) {
  return fmt::format("{}.{}.tmp", path, ::getpid());
}

/// The errno of a target that no file can be made at, or 0; leaves nothing behind.
int trouble_with(const std::string& path) {
  if (const int fd = open_already(path); fd >= 0) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags < 0 ? errno : (flags & O_ACCMODE) == O_RDONLY ? EBADF : 0;
  }
  struct stat s = {};
  if (::stat(path.c_str(), &s) == 0) {
    if (S_ISDIR(s.st_mode)) return EISDIR;
    if (!S_ISREG(s.st_mode)) return ::access(path.c_str(), W_OK) == 0 ? 0 : errno;
  }
  const std::string temporary = temporary_of(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  ::close(fd);
  ::unlink(temporary.c_str());
  return 0;
}

}  // namespace

void check_writable(const std::string& path) {
  const bool as_it_is = open_already(path) >= 0 || is_special(path);
  if (const int error = trouble_with(as_it_is ? path : behind_links(path)); error != 0)
    cannot("write", path, error);
}

void write_file(const std::string& path, const std::string& content) {
  const int known = open_already(path);
  if (known >= 0 || is_special(path)) {
    if (known == STDOUT_FILENO) std::fflush(stdout);  // what was printed before comes before
    const int fd = known >= 0 ? ::dup(known) : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) cannot("write", path, errno);
    const int error = write_all(fd, content);
    const int closed = ::close(fd) == 0 ? 0 : errno;
    // A reader that has read enough is no fault.
    if (error != 0 && error != EPIPE) cannot("write", path, error);
    if (error == 0 && closed != 0) cannot("write", path, closed);
    return;
  }
  const std::string target = behind_links(path);
  const std::string temporary = temporary_of(target);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) cannot("write", path, errno);
  int error = write_all(fd, content);
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) == 0) return;
  const char* doing = error == 0 ? "replace" : "write";
  if (error == 0) error = errno;
  ::unlink(temporary.c_str());
  cannot(doing, path, error);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  if (in) content << in.rdbuf();
  if (!in)
    throw std::runtime_error(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  return content.str();
}

}  // namespace ulpaudit
