#include "analyze/cli/summaries/limits.h"

#include <utility>

#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/query/slo_file.h"
#include "analyze/query/yaml.h"

namespace tailcap::cli {

std::optional<std::vector<model::gate::Slo>> limits_of(const char* command, const std::string& file,
                                                       const std::vector<std::string>& at_most) {
  std::vector<model::gate::Slo> out;
  const auto add = [&out](const std::string& text) {
    for (model::gate::Slo& slo : query::slos_of(text)) out.push_back(std::move(slo));
  };
  // One language for limits: what an option says is read as the file would be.
  for (const std::string& limits : at_most) {
    try {
      add("slos:\n- route: '*'\n  at_most: {" + limits + "}\n");
    } catch (const query::YamlError& e) {
      throw UsageError("--at-most: " + std::string(e.what()));
    }
  }
  if (!file.empty() && !read_yaml_file(command, file, add)) return std::nullopt;
  return out;
}

}  // namespace tailcap::cli
