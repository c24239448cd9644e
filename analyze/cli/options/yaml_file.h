// A YAML file that a person wrote and an option names.
#pragma once

#include <functional>
#include <string>

namespace tailcap::cli {

// read: of the whole text; it may throw query::YamlError, which is said with the file's name and the place. False: it
// threw. Throws std::system_error where the file cannot be read.
bool read_yaml_file(const char* command, const std::string& path, const std::function<void(const std::string&)>& read);

}  // namespace tailcap::cli
