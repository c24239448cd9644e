#include "analyze/model/audit/audit.h"

namespace tailcap::model::audit {

std::string_view name_of(ConnectionVerdict verdict) {
  constexpr std::string_view names[kVerdicts] = {"allowed", "denied", "unknown"};
  return names[static_cast<std::size_t>(verdict)];
}

std::string_view name_of(Named::Kind kind) {
  constexpr std::string_view names[] = {"unknown", "pod", "process", "address"};
  return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Missing missing) {
  constexpr std::string_view names[kMissing] = {"direction", "address", "process", "pod", "labels"};
  return names[static_cast<std::size_t>(missing)];
}

std::string_view sentence_of(Missing missing) {
  constexpr std::string_view sentences[kMissing] = {"it is older than the recording, so which end made it is not known",
                                                    "an address is not known", "the process of an end is not known",
                                                    "which pod an end is in is not known",
                                                    "labels of a pod or a namespace are not known"};
  return sentences[static_cast<std::size_t>(missing)];
}

}  // namespace tailcap::model::audit
