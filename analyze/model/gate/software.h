// What recorded programs were built of, and what of it differs between two sides.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::model::gate {

// The build information of a Go program. Texts are those of the program: anything.
struct GoProgram {
  std::string version;                         // "go1.22.3"; empty: not known
  std::string revision;                        // "3f2a91…", "3f2a91… modified"; empty: not known
  std::map<std::string, std::string> modules;  // the program's own, and those that it was built with: "v1.2.3",
                                               // replaced ones "v1.2.3 => ../prices"
  bool operator==(const GoProgram&) const = default;
};

struct Software {
  std::map<std::string, std::vector<GoProgram>> go;        // by the path of its package, or its file's name
  std::map<std::string, std::set<std::string>> build_ids;  // in hexadecimal, by the name of the file that is executed
};

struct SoftwareChange {
  enum class Kind : std::uint8_t { revision, go_version, module, build_id };
  Kind kind = Kind::module;
  std::string program;                   // which Go program; of a build id the name of the file
  std::string module;                    // its path; empty: it is none
  std::vector<std::string> base, fresh;  // of the runs of a side, each once; empty: it is not there
};
std::string_view name_of(SoftwareChange::Kind kind);  // "revision", "go_version", "module", "build_id"

}  // namespace tailcap::model::gate
