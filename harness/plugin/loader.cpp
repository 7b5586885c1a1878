// Loads a plug-in into this process.
// SPDX-License-Identifier: Apache-2.0
#include "plugin/loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace ulpaudit {
namespace {

// Sizes of the structs in version 1 of the boundary: up to and with their last member then.
constexpr std::size_t kPluginSize = sizeof(ulpaudit_plugin);
constexpr std::size_t kKernelSize = offsetof(ulpaudit_kernel, run) + sizeof(ulpaudit_kernel::run);
constexpr std::uint32_t kMostKernels = 4096;

/// Of a kernel on a device; null of the others and of those built before there was the member.
auto timer(const ulpaudit_kernel& k) -> decltype(k.time) {
  return k.struct_size >= offsetof(ulpaudit_kernel, time) + sizeof k.time ? k.time : nullptr;
}

/// Null likewise.
auto device_runner(const ulpaudit_kernel& k) -> decltype(k.run_on_device) {
  constexpr std::size_t kSize = offsetof(ulpaudit_kernel, run_on_device) + sizeof k.run_on_device;
  return k.struct_size >= kSize ? k.run_on_device : nullptr;
}

/// One line.
std::string text(const char* s) { return s != nullptr ? harmless(s) : ""; }

KernelInfo describe(const std::string& path, std::uint32_t i, const ulpaudit_kernel* k) {
  const auto refuse = [&](const std::string& why) {
    throw LoadError(fmt::format("{}: kernel {}: {}", path, i, why));
  };
  if (k == nullptr) refuse("null pointer");
  if (k->struct_size < kKernelSize)
    refuse(fmt::format("struct_size is {}, version 1 has {}", k->struct_size, kKernelSize));
  if (k->name == nullptr || k->name[0] == '\0') refuse("no name");
  if (const std::string fault = fault_of_name(k->name); !fault.empty())
    refuse(fmt::format("its name '{}' {}; accepted: {}", k->name, fault, kAcceptedNames));
  if (k->op == nullptr || k->op[0] == '\0') refuse("no op");
  if (k->run == nullptr) refuse("no run function");
  if ((k->dtypes & ~ULPAUDIT_ALL_DTYPES) != 0)
    refuse(fmt::format("dtypes 0x{:x} has bits outside 0x{:x}", k->dtypes, ULPAUDIT_ALL_DTYPES));
  KernelInfo info;
  info.name = k->name;
  info.op = text(k->op);
  info.formula = text(k->formula);
  info.requirement = text(k->requires_what);
  info.unavailable = text(k->unavailable);
  for (Dtype d : kDtypes)
    if ((k->dtypes >> static_cast<unsigned>(d)) & 1u) info.dtypes.push_back(d);
  info.deterministic = (k->tags & ULPAUDIT_TAG_DETERMINISTIC) != 0;
  info.in_place = (k->tags & ULPAUDIT_TAG_IN_PLACE) != 0;
  info.elementwise = (k->tags & ULPAUDIT_TAG_ELEMENTWISE) != 0;
  info.on_device = timer(*k) != nullptr;
  info.device_arrays = device_runner(*k) != nullptr;
  return info;
}

constexpr std::size_t kStackRoom = 48 * 1024;

/// Its pages are there before they are written below the stack's pointer: valgrind and old kernels
/// let a stack grow with its pointer only.
__attribute__((noinline)) void touch_stack() {
  unsigned char room[kStackRoom];
  for (std::size_t i = 0; i < kStackRoom; i += 1024) room[i] = 0;
  __asm__ volatile("" : : "r"(room) : "memory");  // or the stores would be left out
}

// Each byte below the stack's pointer, so that a kernel that reads what lay in its own frame shows
// it. Not a function: the frame of one would be left as it is, and lies where the kernel's will.
#if defined(__x86_64__)
#define FILL_STACK(value)                                                      \
  do {                                                                         \
    void* at_ = nullptr;                                                       \
    std::size_t count_ = kStackRoom;                                           \
    __asm__ volatile("lea -%c3(%%rsp), %0\n\trep stosb"                        \
                     : "=&D"(at_), "+c"(count_)                                \
                     : "a"(static_cast<unsigned char>(value)), "i"(kStackRoom) \
                     : "memory", "cc");                                        \
  } while (false)
#else
__attribute__((noinline)) void fill_stack(std::uint8_t value) {
  unsigned char room[kStackRoom];
  std::memset(room, value, sizeof room);
  __asm__ volatile("" : : "r"(room) : "memory");  // or the store would be left out
}
#define FILL_STACK(value) fill_stack(value)
#endif

std::uint32_t bit_of(Dtype d) { return 1u << static_cast<unsigned>(d); }

/// Calls through the boundary: a status other than OK, or an exception, becomes a failure.
template <class Call>
Outcome guarded(Call call) {
  std::array<char, 512> message{};
  Outcome o;
  std::int32_t status = ULPAUDIT_OK;
  try {
    status = call(message.data(), message.size());
  } catch (const std::exception& e) {
    o.kind = Outcome::Kind::failed;
    o.message = fmt::format("an exception crossed the plug-in boundary: {}", harmless(e.what()));
    return o;
  } catch (...) {
    o.kind = Outcome::Kind::failed;
    o.message = "an exception crossed the plug-in boundary";
    return o;
  }
  if (status != ULPAUDIT_OK) {
    message.back() = '\0';
    o.kind = Outcome::Kind::failed;
    o.message = fmt::format("status {}: {}", status,
                            message[0] != '\0' ? harmless(message.data()) : "no message was given");
  }
  return o;
}

/// Files of the objects in this process; the program itself and the vdso have no path.
int note_library(dl_phdr_info* object, std::size_t, void* files) {
  if (object->dlpi_name != nullptr && object->dlpi_name[0] == '/')
    static_cast<std::vector<std::string>*>(files)->emplace_back(object->dlpi_name);
  return 0;
}

}  // namespace

LoadedPlugin::LoadedPlugin(const std::string& path) {
  // A path without '/' would be looked up in the system's library folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  handle_ = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) throw LoadError(fmt::format("cannot load plug-in: {}", ::dlerror()));
  const auto entry = reinterpret_cast<ulpaudit_entry_fn>(::dlsym(handle_, ULPAUDIT_ENTRY_SYMBOL));
  if (entry == nullptr)
    throw LoadError(
        fmt::format("{}: not a plug-in: it does not export {}", path, ULPAUDIT_ENTRY_SYMBOL));
  plugin_ = entry(ULPAUDIT_ABI_VERSION);
  if (plugin_ == nullptr)
    throw LoadError(
        fmt::format("{}: refuses version {} of the plug-in boundary", path, ULPAUDIT_ABI_VERSION));
  if (plugin_->struct_size < kPluginSize)
    throw LoadError(fmt::format("{}: struct_size of the plug-in is {}, version 1 has {}", path,
                                plugin_->struct_size, kPluginSize));
  if (plugin_->abi_version != ULPAUDIT_ABI_VERSION)
    throw LoadError(fmt::format("{}: built for version {} of the plug-in boundary; accepted: {}",
                                path, plugin_->abi_version, ULPAUDIT_ABI_VERSION));
  if (plugin_->name == nullptr || plugin_->name[0] == '\0')
    throw LoadError(fmt::format("{}: the plug-in has no name", path));
  if (const std::string fault = fault_of_name(plugin_->name); !fault.empty())
    throw LoadError(fmt::format("{}: the name '{}' of the plug-in {}; accepted: {}", path,
                                plugin_->name, fault, kAcceptedNames));
  if (plugin_->kernel_count > kMostKernels ||
      (plugin_->kernel_count > 0 && plugin_->kernels == nullptr))
    throw LoadError(fmt::format("{}: kernel_count {} with {} kernels", path, plugin_->kernel_count,
                                plugin_->kernels == nullptr ? "no" : "too many"));
  info_.path = path;
  info_.name = plugin_->name;
  info_.version = text(plugin_->version);
  info_.build = text(plugin_->build);
  info_.contract = plugin_->contract != nullptr ? plugin_->contract : "";
  for (std::uint32_t i = 0; i < plugin_->kernel_count; ++i)
    info_.kernels.push_back(describe(path, i, plugin_->kernels[i]));
  if (const std::string twice = name_used_twice(info_.kernels); !twice.empty())
    throw LoadError(fmt::format("{}: {}", path, twice));
  ::dl_iterate_phdr(&note_library, &info_.libraries);
}

// The library stays loaded: kernels may have left threads or exit handlers behind.
LoadedPlugin::~LoadedPlugin() = default;

Outcome LoadedPlugin::run(std::size_t index, Dtype d, std::uint64_t n, const void* z, const void* y,
                          void* out, std::optional<std::uint8_t> stack) const {
  const ulpaudit_kernel* k = plugin_->kernels[index];
  const ulpaudit_batch batch = {sizeof(ulpaudit_batch), bit_of(d), 0, n, z, y, out};
  if (stack) touch_stack();
  const auto start = std::chrono::steady_clock::now();
  Outcome o = guarded([&](char* message, std::size_t size) {
    if (stack) FILL_STACK(*stack);
    return k->run(k, &batch, message, size);
  });
  const auto spent = std::chrono::steady_clock::now() - start;
  o.nanoseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count());
  return o;
}

Outcome LoadedPlugin::run_on_device(std::size_t index, Dtype d, std::uint64_t n,
                                    const DeviceArrays& arrays, bool two_arguments) const {
  const ulpaudit_kernel* k = plugin_->kernels[index];
  if (device_runner(*k) == nullptr)
    return {Outcome::Kind::failed, "the kernel takes no arrays of a device", 0};
  const ulpaudit_device_batch batch = {sizeof(ulpaudit_device_batch),
                                       bit_of(d),
                                       0,
                                       n,
                                       arrays.z.data(),
                                       two_arguments ? arrays.y.data() : nullptr,
                                       arrays.out.data()};
  return guarded(
      [&](char* message, std::size_t size) { return device_runner(*k)(k, &batch, message, size); });
}

Outcome LoadedPlugin::time(std::size_t index, Dtype d, std::uint64_t n, const void* z,
                           const void* y, const Timing& timing) const {
  const ulpaudit_kernel* k = plugin_->kernels[index];
  const std::uint32_t flags = timing.device_copy ? ULPAUDIT_TIME_COPY : 0;
  ulpaudit_timing t = {sizeof(ulpaudit_timing), bit_of(d),          flags, n, z, y,
                       timing.elements,         timing.nanoseconds, 0,     0};
  Outcome o =
      guarded([&](char* message, std::size_t size) { return timer(*k)(k, &t, message, size); });
  o.calls = t.calls;
  o.nanoseconds = static_cast<std::uint64_t>(std::llround(t.spent));
  return o;
}

}  // namespace ulpaudit
