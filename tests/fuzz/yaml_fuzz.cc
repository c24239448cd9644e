// Any text as limits, as a policy, as network policies and as a list of pods: refused with line and column, or read.
#include <cassert>
#include <cctype>
#include <cstdint>
#include <string_view>

#include "analyze/query/audit/network_policy_file.h"
#include "analyze/query/audit/services_file.h"
#include "analyze/query/policy_file.h"
#include "analyze/query/slo_file.h"
#include "analyze/query/yaml.h"

namespace {

using namespace tailcap::query;

template <class Read>
void read(Read read, std::string_view text) {
  try {
    read(text);
  } catch (const YamlError& e) {
    assert(std::isdigit(static_cast<unsigned char>(*e.what())) != 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMostYamlBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read([](std::string_view t) { slos_of(t); }, text);
  read([](std::string_view t) { policy_of(t); }, text);
  read([](std::string_view t) { network_policies_of(t, "fuzz.yaml"); }, text);
  read([](std::string_view t) { pods_of(t); }, text);
  read([](std::string_view t) { services_of(t); }, text);
  return 0;
}
