// The worker's protocol.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "fp/exact_json.hpp"

namespace ulpaudit::protocol {
namespace {

using Json = ExactJson<std::map>;

std::string line_of(const Json& j) {
  return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string excerpt(const std::string& line) {
  return line.size() <= 120 ? line : line.substr(0, 117) + "...";
}

/// Runs `read` on the parsed line and turns every fault into an Error that shows the line.
template <class Read>
auto parse(const std::string& line, Read read) {
  try {
    return read(parse_shallow<Json>(line));
  } catch (const Json::exception& e) {
    throw Error(
        fmt::format("not a message of the worker's protocol: '{}' ({})", excerpt(line), e.what()));
  }
}

Dtype dtype_of(const Json& j) {
  const auto text = j.get<std::string>();
  if (const auto d = dtype_from_name(text)) return *d;
  throw Error(fmt::format("unknown dtype '{}'", text));
}

}  // namespace

namespace {

Json facts_json(const std::vector<Fact>& facts) {
  Json out = Json::array();
  for (const Fact& f : facts)
    out.push_back({{"rule", f.rule}, {"text", f.text}, {"element", f.element}});
  return out;
}
/// One line, of what may be another's program.
std::string text_of(const Json& j) { return harmless(j.get<std::string>()); }
std::string text_of(const Json& j, const char* member) { return harmless(j.value(member, "")); }

std::vector<Fact> read_facts(const Json& j) {
  std::vector<Fact> facts;
  for (const Json& f : j.value("facts", Json::array()))
    facts.push_back(
        {text_of(f.at("rule")), text_of(f.at("text")), f.value("element", std::uint64_t{0})});
  return facts;
}

// What differs from a plain call on buffers that end at a guard page.
Json stage_json(const Stage& s) {
  return {{"edge", s.edge == Stage::Edge::end ? "end" : "start"},
          {"z_offset", s.z_offset},
          {"y_offset", s.y_offset},
          {"out_offset", s.out_offset},
          {"readable", s.readable},
          {"in_place", s.in_place},
          {"in_place_y", s.in_place_y},
          {"out_fill", s.out_fill},
          {"stack_fill", s.stack_fill},
          {"rounding", static_cast<int>(s.rounding)},
          {"flush", s.flush},
          {"flags_up", s.flags_up},
          {"process", s.process},
          {"threads", s.threads},
          {"repeats", s.repeats},
          {"tile", s.tile}};
}
Stage read_stage(const Json& j) {
  Stage s;
  const auto edge = j.value("edge", "end");
  if (edge != "end" && edge != "start")
    throw Error(fmt::format("unknown edge '{}'; accepted: end, start", edge));
  s.edge = edge == "end" ? Stage::Edge::end : Stage::Edge::start;
  s.z_offset = j.value("z_offset", 0u);
  s.y_offset = j.value("y_offset", 0u);
  s.out_offset = j.value("out_offset", 0u);
  s.readable = j.value("readable", false);
  s.in_place = j.value("in_place", false);
  s.in_place_y = j.value("in_place_y", false);
  s.out_fill = j.value("out_fill", s.out_fill);
  s.stack_fill = j.value("stack_fill", s.stack_fill);
  const int rounding = j.value("rounding", 0);
  if (rounding < 0 || rounding > 3) throw Error(fmt::format("unknown rounding {}", rounding));
  s.rounding = static_cast<Stage::Rounding>(rounding);
  s.flush = j.value("flush", false);
  s.flags_up = j.value("flags_up", false);
  s.process = j.value("process", false);
  s.threads = j.value("threads", 1u);
  s.repeats = j.value("repeats", 1u);
  s.tile = j.value("tile", std::uint64_t{0});
  return s;
}

Json hex_json(const DeviceHandle& handle) { return fmt::format("{:02x}", fmt::join(handle, "")); }
DeviceHandle read_handle(const Json& j) {
  const auto text = j.get<std::string>();
  DeviceHandle handle;
  if (text.size() != 2 * handle.size() || text.find_first_not_of("0123456789abcdef") != text.npos)
    throw Error(fmt::format("a device's handle is {} hexadecimal digits", 2 * handle.size()));
  for (std::size_t i = 0; i < handle.size(); ++i)
    handle[i] = static_cast<unsigned char>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return handle;
}

}  // namespace

namespace {

std::string name_of(const Json& j, const std::string& whose) {
  const auto name = j.get<std::string>();
  if (const std::string fault = fault_of_name(name); !fault.empty())
    throw Error(
        fmt::format("{}: its name '{}' {}; accepted: {}", whose, name, fault, kAcceptedNames));
  return name;
}

struct Tag {
  const char* word;
  bool KernelInfo::*flag;
};
constexpr Tag kTags[] = {{"deterministic", &KernelInfo::deterministic},
                         {"in_place", &KernelInfo::in_place},
                         {"elementwise", &KernelInfo::elementwise},
                         {"on_device", &KernelInfo::on_device},
                         {"device_arrays", &KernelInfo::device_arrays}};

void read_tags(const Json& j, KernelInfo& kernel) {
  if (!j.contains("tags")) return;
  std::string accepted;
  for (const Tag& t : kTags) accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", t.word);
  const Json& tags = j.at("tags");
  if (!tags.is_array())
    throw Error(fmt::format("kernel '{}': tags is {}; accepted: an array of {}", kernel.name,
                            tags.dump(), accepted));
  for (const Json& tag : tags) {
    const Tag* known = std::find_if(std::begin(kTags), std::end(kTags),
                                    [&](const Tag& t) { return tag == t.word; });
    if (known == std::end(kTags))
      throw Error(fmt::format("kernel '{}': unknown tag {}; accepted: {}", kernel.name, tag.dump(),
                              accepted));
    kernel.*(known->flag) = true;
  }
}

}  // namespace

std::string describe_request() { return line_of({{"type", "describe"}, {"protocol", kVersion}}); }

std::string run_request(const RunRequest& r) {
  Json j = {{"type", "run"}, {"id", r.id}, {"kernel", r.kernel}, {"dtype", name(r.dtype)},
            {"n", r.n},      {"z", r.z},   {"out", r.out},       {"deadline_ms", r.deadline_ms}};
  if (r.y) j["y"] = *r.y;
  if (r.stage) j["stage"] = stage_json(*r.stage);
  if (r.timing)
    j["timing"] = {{"elements", r.timing->elements}, {"nanoseconds", r.timing->nanoseconds}};
  if (r.timing && r.timing->device_copy) j["timing"]["device_copy"] = true;
  if (r.device)
    j["device"] = {{"z", hex_json(r.device->z)},
                   {"y", hex_json(r.device->y)},
                   {"out", hex_json(r.device->out)}};
  return line_of(j);
}

std::string stop_request() { return line_of({{"type", "stop"}}); }

Request parse_request(const std::string& line) {
  return parse(line, [&](const Json& j) {
    Request q;
    const auto type = j.at("type").get<std::string>();
    if (type == "describe") {
      q.kind = Request::Kind::describe;
    } else if (type == "stop") {
      q.kind = Request::Kind::stop;
    } else if (type == "run") {
      q.kind = Request::Kind::run;
      q.run.id = j.at("id");
      q.run.kernel = j.at("kernel");
      q.run.dtype = dtype_of(j.at("dtype"));
      q.run.n = j.at("n");
      q.run.z = j.at("z");
      q.run.out = j.at("out");
      if (j.contains("y")) q.run.y = j.at("y").get<std::uint64_t>();
      if (j.contains("stage")) q.run.stage = read_stage(j.at("stage"));
      if (j.contains("timing"))
        q.run.timing = {j.at("timing").at("elements"), j.at("timing").at("nanoseconds"),
                        j.at("timing").value("device_copy", false)};
      if (j.contains("device")) {
        const Json& arrays = j.at("device");
        q.run.device = {read_handle(arrays.at("z")), read_handle(arrays.at("y")),
                        read_handle(arrays.at("out"))};
      }
      q.run.deadline_ms = j.value("deadline_ms", std::uint64_t{0});
    } else {
      throw Error(fmt::format("unknown message type '{}'", type));
    }
    return q;
  });
}

std::string description_reply(const PluginInfo& info) {
  Json kernels = Json::array();
  for (const KernelInfo& k : info.kernels) {
    Json dtypes = Json::array();
    for (Dtype d : k.dtypes) dtypes.push_back(name(d));
    Json tags = Json::array();
    for (const Tag& t : kTags)
      if (k.*(t.flag)) tags.push_back(t.word);
    kernels.push_back({{"name", k.name},
                       {"op", k.op},
                       {"formula", k.formula},
                       {"requires", k.requirement},
                       {"unavailable", k.unavailable},
                       {"dtypes", dtypes},
                       {"tags", tags}});
  }
  return line_of({{"type", "description"},
                  {"protocol", kVersion},
                  {"name", info.name},
                  {"version", info.version},
                  {"build", info.build},
                  {"contract", info.contract},
                  {"kernels", kernels},
                  {"libraries", info.libraries},
                  {"facts", facts_json(info.facts)}});
}

std::string load_error_reply(const std::string& message) {
  return line_of({{"type", "load_error"}, {"protocol", kVersion}, {"message", message}});
}

std::string done_reply(std::uint64_t id, const Outcome& o) {
  Json j = {{"type", "done"},
            {"id", id},
            {"ok", o.kind == Outcome::Kind::ok},
            {"message", o.message},
            {"nanoseconds", o.nanoseconds}};
  if (!o.facts.empty()) j["facts"] = facts_json(o.facts);
  if (o.unwritten != 0) {
    j["unwritten"] = o.unwritten;
    j["poison"] = o.poison;
  }
  if (o.raised != 0) j["raised"] = o.raised;
  if (o.calls != 0) j["calls"] = o.calls;
  if (o.instructions != 0) j["instructions"] = o.instructions;
  if (o.kind == Outcome::Kind::crashed) j["ends"] = true;
  return line_of(j);
}

PluginInfo parse_description(const std::string& line) {
  return parse(line, [&](const Json& j) {
    const auto type = j.at("type").get<std::string>();
    if (type == "load_error") throw Error(j.at("message").get<std::string>());
    if (type != "description")
      throw Error(fmt::format("expected a description, got a message of type '{}'", type));
    if (j.at("protocol").get<int>() != kVersion)
      throw Error(fmt::format("the worker speaks version {} of the protocol; accepted: {}",
                              j.at("protocol").get<int>(), kVersion));
    PluginInfo info;
    info.name = name_of(j.at("name"), "the plug-in");
    info.version = text_of(j, "version");
    info.build = text_of(j, "build");
    info.contract = j.value("contract", "");
    for (const Json& k : j.at("kernels")) {
      KernelInfo kernel;
      kernel.name = name_of(k.at("name"), fmt::format("kernel {}", info.kernels.size()));
      kernel.op = text_of(k.at("op"));
      kernel.formula = text_of(k, "formula");
      kernel.requirement = text_of(k, "requires");
      kernel.unavailable = text_of(k, "unavailable");
      for (const Json& d : k.at("dtypes")) kernel.dtypes.push_back(dtype_of(d));
      read_tags(k, kernel);
      info.kernels.push_back(std::move(kernel));
    }
    if (const std::string twice = name_used_twice(info.kernels); !twice.empty()) throw Error(twice);
    info.facts = read_facts(j);
    info.libraries = j.value("libraries", std::vector<std::string>());
    for (const Json& offer : j.value("offers", Json::array()))
      info.offers.push_back(text_of(offer));
    return info;
  });
}

Outcome parse_done(const std::string& line, std::uint64_t id) {
  return parse(line, [&](const Json& j) {
    const auto type = j.at("type").get<std::string>();
    if (type != "done")
      throw Error(fmt::format("expected 'done', got a message of type '{}'", type));
    if (j.at("id").get<std::uint64_t>() != id)
      throw Error(fmt::format("reply to batch {} where {} was asked for",
                              j.at("id").get<std::uint64_t>(), id));
    Outcome o;
    if (!j.at("ok").get<bool>()) o.kind = Outcome::Kind::failed;
    o.message = text_of(j, "message");
    o.nanoseconds = j.value("nanoseconds", std::uint64_t{0});
    o.facts = read_facts(j);
    o.raised = j.value("raised", 0u);
    o.unwritten = j.value("unwritten", std::uint64_t{0});
    o.poison = j.value("poison", Bits{0});
    o.calls = j.value("calls", std::uint64_t{0});
    o.instructions = j.value("instructions", std::uint64_t{0});
    if (j.value("ends", false)) o.kind = Outcome::Kind::crashed;
    return o;
  });
}

}  // namespace ulpaudit::protocol
