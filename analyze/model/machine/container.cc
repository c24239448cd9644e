#include "analyze/model/machine/container.h"

#include <variant>

#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::model {

bool in_cgroup(std::string_view group, std::string_view above) {
  if (group.empty() || !group.starts_with(above)) return false;
  return above == "/" || group.size() == above.size() || group[above.size()] == '/';
}

// "ID NAMESPACE/POD/CONTAINER"
void Containers::push(const formats::Event& event) {
  const auto* note = std::get_if<formats::Note>(&event.body);
  if (!note || note->key != "tailcap.pod" || named_.size() >= kMost) return;
  const std::string_view value = note->value;
  const auto space = value.find(' '), slash = value.find('/', space), second = value.find('/', slash + 1);
  if (space == value.npos || slash == value.npos || second == value.npos) return;
  Container& named = named_[std::string(value.substr(0, space))];
  named.name_space = value.substr(space + 1, slash - space - 1);
  named.pod = value.substr(slash + 1, second - slash - 1);
  named.name = value.substr(second + 1);
}

Container Containers::of(std::string_view cgroup) const {
  Container out{ground::container_of(cgroup), {}, {}, {}};
  if (const auto named = named_.find(out.id); named != named_.end()) {
    out.name_space = named->second.name_space;
    out.pod = named->second.pod;
    out.name = named->second.name;
  }
  return out;
}

}  // namespace tailcap::model
