#include "capture/options/probe_choices.h"

#include <random>
#include <sstream>

#include "bpf/event.h"

namespace tailcap::capture {

namespace {

void add_groups(const std::string& list, std::vector<Group>& groups) {
  std::istringstream names(list);
  std::string name;
  while (std::getline(names, name, ',')) {
    bool found = false;
    for (auto group : kGroups) {
      if (name == name_of(group)) {
        groups.push_back(group);
        found = true;
      }
    }
    if (found) continue;
    std::string all;
    for (auto group : kGroups) all += (all.empty() ? "" : ", ") + std::string(name_of(group));
    throw UsageError("'" + name + "' is not a group of probes. They are " + all);
  }
}

// Whether there are samples their rate says, or their group. "0": none.
void choose_sampling(const std::string& rate, ProbeSettings& probes) {
  constexpr std::uint32_t kUsual = 99, kMost = 10000;
  probes.sample_rate = rate.empty() ? kUsual : number<std::uint32_t>(rate, "a number of samples a second", 0, kMost);
  probes.samples_asked = !rate.empty();
  if (probes.sample_rate == 0)
    std::erase(probes.groups, Group::samples);
  else if (rate.empty())
    probes.sample_rate = probes.has(Group::samples) ? kUsual : 0;
  else if (!probes.has(Group::samples))
    probes.groups.push_back(Group::samples);
}

// "1/16"
void choose_connections(const std::string& share, const std::string& seed, bool varies, ProbeSettings& probes) {
  probes.connections.varies = varies;
  if (share.empty() && !varies) {
    if (!seed.empty()) throw UsageError("--sample-seed belongs to --sample-connections, --sample-varies or --budget");
    return;
  }
  if (!share.empty() && !share.starts_with("1/"))
    throw UsageError("--sample-connections is one in N, like 1/16, not '" + share + "'");
  if (probes.node)
    throw UsageError(
        "--profile node records no connections: --sample-connections, --sample-varies and --budget do not go with it");
  if (!share.empty())
    probes.connections.of =
        number<std::uint32_t>(share.substr(2), "a number of connections of which one is recorded", 1, SAMPLED_OF_MAX);
  probes.connections.seed =
      seed.empty() ? std::random_device()() : number<std::uint32_t>(seed, "a seed", 0, 0xffffffff);
}

// Host problems, of all processes; no requests.
void choose_node(bool groups_given, ProbeSettings& probes) {
  if (groups_given)
    throw UsageError("--profile node is a choice of what to record: --only, --add and --sample do not go with it");
  if (!probes.selection.empty() && !probes.selection.all)
    throw UsageError("--profile node records the whole machine: no process, port, cgroup or command goes with it");
  probes.selection.all = true;
  probes.node = true;
  probes.payload_limit = 0;
  probes.groups = {Group::tasks, Group::net, Group::stalls};
}

// A stack belongs to a wait, so waits are recorded, too.
void choose_stacks(const std::string& given, ProbeSettings& probes) {
  if (!given.empty() && given != "on" && given != "off" && given != "all" && given != "long")
    throw UsageError("--stacks is all (or on), long or off, not '" + given + "'");
  if (!given.empty() && !probes.has(Group::stacks)) probes.groups.push_back(Group::stacks);
  probes.all_waits = !given.empty() && given != "long";
  probes.stacks_at_once = given != "off";
  if (probes.has(Group::stacks) && !probes.has(Group::offcpu)) probes.groups.push_back(Group::offcpu);
}

void choose_groups(const Given& given, ProbeSettings& probes) {
  if (given.has("only")) probes.groups.clear();
  for (const auto& list : given.texts("only")) add_groups(list, probes.groups);
  for (const auto& list : given.texts("add")) add_groups(list, probes.groups);
  if (given.has("no-sample") + given.has("sample") > 1 || given.has("no-stacks") + given.has("stacks") > 1)
    throw UsageError("--no-sample excludes --sample, --no-stacks excludes --stacks");
  if (given.has("no-stacks")) std::erase(probes.groups, Group::stacks);
  choose_sampling(given.has("sample") ? given.text("sample") : given.has("no-sample") ? "0" : "", probes);
  choose_stacks(given.text("stacks"), probes);
}

void choose_profile(const Given& given, ProbeSettings& probes) {
  if (!given.has("profile")) return;
  const auto profile = given.text("profile");
  if (profile != "default" && profile != "deep" && profile != "node")
    throw UsageError("'" + profile + "' is not a profile: default, deep or node");
  probes.deep = profile == "deep";
  if (profile == "node")
    choose_node(given.has("only") || given.has("add") || given.has("sample") || given.has("stacks"), probes);
  if (probes.deep && !probes.has(Group::go))
    throw UsageError("--profile deep is of Go programs: it needs the group go");
}

void choose_tls(const Given& given, bool budget, ProbeSettings& probes) {
  const std::string way = given.has("tls") ? given.text("tls") : "auto";
  if (way != "auto" && way != "probes" && way != "keys")
    throw UsageError("'" + way + "' is not a way to read TLS: auto, probes or keys");
  if (way == "keys" && probes.payload_limit == 0) throw UsageError("--tls keys needs payload: not with --payload 0");
  if (way == "keys" && probes.connections.varies)
    throw UsageError("--tls keys reads no connection again that was left out: " +
                     std::string(budget ? "--budget" : "--sample-varies") + " does not go with it");
  // Records are decrypted from the payload of sockets. Where the share varies, connections are left out and recorded
  // again.
  probes.tls_auto = way == "auto" && !probes.connections.varies && probes.payload_limit != 0 &&
                    probes.has(Group::tls) && probes.has(Group::io) && probes.selection.processes();
  probes.tls_keys = way == "keys" || probes.tls_auto;
}

}  // namespace

void choose_probes(const Given& given, bool budget, ProbeSettings& probes) {
  choose_groups(given, probes);
  choose_profile(given, probes);
  choose_connections(given.text("sample-connections"), given.text("sample-seed"), budget || given.has("sample-varies"),
                     probes);
  if (given.has("tier")) {
    const auto tier = given.text("tier");
    if (tier != "a" && tier != "c") throw UsageError("'" + tier + "' is not a hook tier: a or c (b is not built yet)");
    probes.tier = tier == "a" ? formats::HookTier::a : formats::HookTier::c;
  }
  choose_tls(given, budget, probes);
}

}  // namespace tailcap::capture
