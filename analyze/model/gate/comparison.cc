#include "analyze/model/gate/comparison.h"

namespace tailcap::model::gate {

std::string_view name_of(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::pass:
      return "pass";
    case GateVerdict::fail:
      return "fail";
    case GateVerdict::undecided:
      break;
  }
  return "undecided";
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::runs_welch:
      return "runs-welch";
    case Method::blocks:
      return "blocks";
    case Method::duet_paired:
      break;
  }
  return "duet-paired";
}

}  // namespace tailcap::model::gate
