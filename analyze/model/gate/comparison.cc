#include "analyze/model/gate/comparison.h"

namespace tailcap::model::gate {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::undecided:
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
