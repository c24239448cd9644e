#include "analyze/spans/resources.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <variant>

#include "formats/event.h"
#include "formats/machine.h"
#include "formats/recorder_event.h"

namespace tailcap::spans {
namespace {

// "2026-03-01T12:34:56.789Z", as the conventions want it.
std::string iso_time(std::int64_t ns) {
  const std::time_t seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm t{};
  if (gmtime_r(&seconds, &t) == nullptr) return {};
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &t);
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(ns / 1'000'000 % 1000));
  return text;
}

}  // namespace

void Resources::push(const formats::Event& event) {
  const std::uint32_t pid = event.thread.pid;
  if (formats::machine_of(pid) > 0) merged_ = true;
  if (const auto* n = std::get_if<formats::NetInterface>(&event.body)) {
    if (interfaces_.size() >= kMaxInterfaces) return;
    const auto [at, is_new] = interfaces_.try_emplace({n->net_namespace, n->family, n->address.bytes}, n->name);
    if (!is_new && at->second != n->name) at->second.clear();
    return;
  }
  containers_.push(event);
  processes_.push(event);
}

model::Attributes Resources::of(std::uint32_t pid, formats::Time alive, const model::NamedService& service,
                                const formats::Preamble& preamble, const model::WallClock& clock) const {
  model::Attributes out;
  static const model::Processes::Life kUnknown;
  const auto* const known_life = processes_.at(pid, alive);
  const model::Processes::Life& p = known_life ? *known_life : kUnknown;
  out.set("service.name", service.name);
  out.set("service.name.source", service.source);
  if (pid != 0) out.set("process.pid", std::int64_t{formats::number_of(pid)});
  out.set_known("process.executable.path", p.executable);
  if (const auto slash = p.executable.rfind('/'); slash != p.executable.npos)
    out.set_known("process.executable.name", p.executable.substr(slash + 1));
  // In merged captures the other machines' paths have their names before them.
  const auto path = std::min(p.cgroup.find('/'), p.cgroup.size());
  const std::string_view cgroup = std::string_view(p.cgroup).substr(path);
  out.set_known("process.linux.cgroup", cgroup);
  if (formats::known(p.started) && clock.known())
    out.set_known("process.creation.time", iso_time(clock.realtime(p.started)));
  const model::Container container = containers_.of(cgroup);
  out.set_known("container.id", container.id);
  out.set_known("container.runtime", container.runtime);
  out.set_known("k8s.pod.uid", container.pod_uid);
  out.set_known("k8s.namespace.name", container.name_space);
  out.set_known("k8s.pod.name", container.pod);
  out.set_known("k8s.container.name", container.name);
  out.set("os.type", "linux");
  if (merged_) {
    out.set("tailcap.machine", std::int64_t{formats::machine_of(pid)} + 1);
    if (path > 1) out.set_known("host.name", p.cgroup.substr(0, path - 1));
  } else {
    out.set_known("host.name", preamble.host);
    out.set_known("host.arch", preamble.architecture == "x86_64"    ? "amd64"
                               : preamble.architecture == "aarch64" ? "arm64"
                                                                    : std::string_view(preamble.architecture));
    out.set_known("os.version", preamble.kernel);
    out.set_known("tailcap.boot_id", preamble.boot_id);
  }
  out.set_known("tailcap.capture_id", preamble.capture_id);
  return out;
}

std::string_view Resources::interface_of(const EndpointTexts& ends) const {
  const HostPort local = host_port(ends.local);
  if (local.is_unix || local.host.empty() || ends.net_namespace == 0) return {};
  std::array<std::uint8_t, 16> bytes{};
  formats::Family family = formats::Family::inet;
  const std::string host(local.host);
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) != 1) {
    family = formats::Family::inet6;
    if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return {};
    constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
      family = formats::Family::inet;
      std::copy(bytes.begin() + kMapped.size(), bytes.end(), bytes.begin());
      std::fill(bytes.begin() + 4, bytes.end(), std::uint8_t{0});
    }
  }
  const auto at = interfaces_.find({ends.net_namespace, family, bytes});
  return at == interfaces_.end() ? std::string_view{} : at->second;
}

}  // namespace tailcap::spans
