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

}  // namespace tailcap::model::gate
