#include "analyze/model/gate/software.h"

namespace tailcap::model::gate {

std::string_view name_of(SoftwareChange::Kind kind) {
  switch (kind) {
    case SoftwareChange::Kind::revision:
      return "revision";
    case SoftwareChange::Kind::go_version:
      return "go_version";
    case SoftwareChange::Kind::module:
      return "module";
    case SoftwareChange::Kind::build_id:
      break;
  }
  return "build_id";
}

}  // namespace tailcap::model::gate
