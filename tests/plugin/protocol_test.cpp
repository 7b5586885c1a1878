// The worker's protocol: every message there and back, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/protocol.hpp"

#include <gtest/gtest.h>

namespace ulpaudit::protocol {
namespace {

PluginInfo sample() {
  PluginInfo p;
  p.name = "mine";
  p.version = "1.2";
  p.build = "g++ -O2";
  p.contract = "contract = 1\n# \"quoted\" ½\n";
  KernelInfo k;
  k.name = "fast";
  k.op = "sigmoid";
  k.formula = "1/(1+exp(-z))";
  k.requirement = "AVX2";
  k.unavailable = "this CPU has none";
  k.dtypes = {Dtype::bf16, Dtype::f64};
  k.in_place = true;
  p.kernels = {k,
               KernelInfo{"slow", "bce_with_logits", "", "", "", {Dtype::f32}, true, false, true}};
  return p;
}

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Protocol, MessagesAreOneLineEach) {
  for (const std::string& line :
       {describe_request(), stop_request(), run_request({}), description_reply(sample()),
        load_error_reply("two\nlines"), done_reply(3, {Outcome::Kind::failed, "a\nb", 0})}) {
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  }
}

TEST(Protocol, RequestsComeBack) {
  EXPECT_EQ(parse_request(describe_request()).kind, Request::Kind::describe);
  EXPECT_EQ(parse_request(stop_request()).kind, Request::Kind::stop);
  RunRequest r;
  r.id = 0xffffffffffffffffu;
  r.kernel = 3;
  r.dtype = Dtype::bf16;
  r.n = 262144;
  r.z = 64;
  r.out = 4096;
  r.deadline_ms = 500;
  EXPECT_FALSE(parse_request(run_request(r)).run.y);
  r.y = 2048;
  const Request back = parse_request(run_request(r));
  EXPECT_EQ(back.kind, Request::Kind::run);
  EXPECT_EQ(back.run.id, r.id);
  EXPECT_EQ(back.run.kernel, 3u);
  EXPECT_EQ(back.run.dtype, Dtype::bf16);
  EXPECT_EQ(back.run.n, 262144u);
  EXPECT_EQ(back.run.z, 64u);
  EXPECT_EQ(back.run.y, 2048u);
  EXPECT_EQ(back.run.out, 4096u);
  EXPECT_EQ(back.run.deadline_ms, 500u);
  EXPECT_FALSE(back.run.device);
  DeviceArrays arrays{};
  for (std::size_t i = 0; i < arrays.z.size(); ++i) {
    arrays.z[i] = static_cast<unsigned char>(i);
    arrays.out[i] = static_cast<unsigned char>(255 - i);
  }
  r.device = arrays;
  const auto device = parse_request(run_request(r)).run.device;
  ASSERT_TRUE(device);
  EXPECT_EQ(device->z, arrays.z);
  EXPECT_EQ(device->y, arrays.y);
  EXPECT_EQ(device->out, arrays.out);
}

TEST(Protocol, DescriptionComesBack) {
  const PluginInfo a = sample(), b = parse_description(description_reply(a));
  EXPECT_EQ(b.name, a.name);
  EXPECT_EQ(b.version, a.version);
  EXPECT_EQ(b.build, a.build);
  EXPECT_EQ(b.contract, a.contract);
  ASSERT_EQ(b.kernels.size(), 2u);
  EXPECT_EQ(b.kernels[0].name, "fast");
  EXPECT_EQ(b.kernels[0].op, "sigmoid");
  EXPECT_EQ(b.kernels[0].formula, a.kernels[0].formula);
  EXPECT_EQ(b.kernels[0].requirement, "AVX2");
  EXPECT_EQ(b.kernels[0].unavailable, a.kernels[0].unavailable);
  EXPECT_EQ(b.kernels[0].dtypes, a.kernels[0].dtypes);
  EXPECT_TRUE(b.kernels[0].in_place && !b.kernels[0].deterministic && !b.kernels[0].elementwise);
  EXPECT_TRUE(!b.kernels[1].in_place && b.kernels[1].deterministic && b.kernels[1].elementwise);
}

TEST(Protocol, OutcomeComesBack) {
  const Outcome ok = parse_done(done_reply(7, {Outcome::Kind::ok, "", 123}), 7);
  EXPECT_EQ(ok.kind, Outcome::Kind::ok);
  EXPECT_EQ(ok.nanoseconds, 123u);
  const Outcome bad = parse_done(done_reply(8, {Outcome::Kind::failed, "why", 0}), 8);
  EXPECT_EQ(bad.kind, Outcome::Kind::failed);
  EXPECT_EQ(bad.message, "why");
}

TEST(Protocol, BrokenTextIsMadeValid) {
  PluginInfo p = sample();
  p.name = "a\xff";
  EXPECT_EQ(parse_description(description_reply(p)).name, "a\xef\xbf\xbd");
}

TEST(Protocol, RefusesAndSaysWhy) {
  EXPECT_NE(error_of([] { parse_request("hello"); }).find("'hello'"), std::string::npos);
  EXPECT_NE(error_of([] { parse_request("{\"type\":\"dance\"}"); }).find("dance"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_request("{\"type\":\"run\",\"id\":1}"); }).find("kernel"),
            std::string::npos);
  EXPECT_EQ(error_of([] { parse_description(load_error_reply("no such file")); }), "no such file");
  EXPECT_NE(error_of([] { parse_description(done_reply(1, {})); }).find("'done'"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              parse_description("{\"type\":\"description\",\"protocol\":9,\"name\":\"x\"}");
            }).find("version 9"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_done(done_reply(1, {}), 2); }).find("batch 1 where 2"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              parse_done("{\"type\":\"done\",\"id\":2,\"ok\":\"yes\"}", 2);
            }).find("not a message"),
            std::string::npos);
  const std::string dtype =
      "{\"type\":\"run\",\"id\":1,\"kernel\":0,\"dtype\":\"f8\",\"n\":1,\"z\":0,\"out\":0}";
  EXPECT_NE(error_of([&] { parse_request(dtype); }).find("f8"), std::string::npos);
  const std::string run =
      "{\"type\":\"run\",\"id\":1,\"kernel\":0,\"dtype\":\"f32\",\"n\":1,\"z\":0,\"out\":0,"
      "\"device\":";
  for (const char* handle : {"\"\"", "\"0\"", "7", "null"})
    EXPECT_NE(error_of([&] {
                parse_request(run + "{\"z\":" + handle + ",\"y\":\"\",\"out\":\"\"}}");
              }).find(handle[0] == '"' ? "128 hexadecimal digits" : "not a message"),
              std::string::npos)
        << handle;
  EXPECT_NE(error_of([&] {
              parse_request(run + "{\"z\":\"" + std::string(128, 'g') + "\"}}");
            }).find("128 hexadecimal digits"),
            std::string::npos);
}

TEST(Protocol, RefusesNamesAndTagsThatCannotBe) {
  const auto error = [](const std::string& name, const std::string& tags) {
    return error_of([&] {
      parse_description(R"({"type": "description", "protocol": 1, "name": "p", "kernels": [)"
                        R"({"name": "a", "op": "sigmoid", "dtypes": ["f32"]}, {"name": ")" +
                        name + R"(", "op": "sigmoid", "dtypes": ["f32"])" + tags + "}]}");
    });
  };
  EXPECT_EQ(error("b", ""), "nothing was thrown");
  EXPECT_EQ(error("b", R"(, "tags": ["in_place", "elementwise"])"), "nothing was thrown");
  EXPECT_EQ(error("a", ""), "kernels 0 and 1 are both named 'a'; accepted: each name once");
  EXPECT_NE(error("b/c", "").find("kernel 1: its name 'b/c' has a '/'; accepted: "),
            std::string::npos);
  EXPECT_NE(error("b\\u001b", "").find("control character"), std::string::npos);
  EXPECT_NE(error("", "").find("is empty"), std::string::npos);
  EXPECT_NE(error("b", R"(, "tags": ["inplace"])")
                .find("kernel 'b': unknown tag \"inplace\"; "
                      "accepted: deterministic, in_place"),
            std::string::npos);
  EXPECT_NE(error("b", R"(, "tags": "in_place")").find("tags is \"in_place\"; accepted: an array"),
            std::string::npos);
  EXPECT_NE(error("b", R"(, "tags": [1])").find("unknown tag 1"), std::string::npos);
}

TEST(Protocol, TextOfAProgramIsHarmless) {
  const Outcome o = parse_done(
      R"({"type": "done", "id": 1, "ok": false, "message": "::error::\u001b[2J\nx", "facts":)"
      R"( [{"rule": "a\nb", "text": "\u001b"}]})",
      1);
  EXPECT_EQ(o.message, ": :error::\\x1b[2J x");
  EXPECT_EQ(o.facts.at(0).rule, "a b");
  EXPECT_EQ(o.facts.at(0).text, "\\x1b");
  EXPECT_EQ(error_of([] { parse_description(load_error_reply("::error::a\nb")); }),
            ": :error::a b");
}

TEST(Protocol, LongLinesAreShownShortened) {
  EXPECT_LT(error_of([] { parse_request(std::string(5000, 'x')); }).size(), 600u);
}

}  // namespace
}  // namespace ulpaudit::protocol
