// Which file of a person a result is judged by, and which version of tailcap judged it.
#pragma once

#include <string>
#include <string_view>

#include "analyze/report/json/shape.h"

namespace tailcap::report {

struct Provenance {
  std::string file;    // its name
  std::string sha256;  // of its bytes, in hexadecimal
  std::string tailcap;
};

inline const Shape<Provenance, Anywhere>& provenance_shape() {
  static const Shape<Provenance, Anywhere> shape{
      "file",
      {{"file", &Provenance::file, "its name"},
       {"sha256", &Provenance::sha256, "of its bytes", {.pattern = "^[0-9a-f]{64}$"}}}};
  return shape;
}

}  // namespace tailcap::report
