// YAML as a tree in which everything knows its place, for files that people write. The home of yaml-cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::query {

// what() begins with line and column: "3:5: unknown key 'p98'".
class YamlError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::size_t kMostYamlBytes = 1 << 20;

struct Yaml {
  enum class Kind : std::uint8_t { nothing, scalar, list, map };
  Kind kind = Kind::nothing;
  std::size_t line = 0, column = 0;  // from 1; 0: not known
  std::string text = {};
  std::vector<Yaml> items = {};                     // of a list
  std::vector<std::pair<Yaml, Yaml>> entries = {};  // of a map
};

// One document; `expected` says what it holds: "a list slos". Throws YamlError.
Yaml yaml_of(std::string_view text, const std::string& expected);
// One or several, at most `most`; the bounds are those of all together. Documents without content are left out.
std::vector<Yaml> yaml_documents_of(std::string_view text, const std::string& expected, std::size_t most);

[[noreturn]] void fail(const Yaml& at, const std::string& why);

// The text of a scalar that is not empty. `what` says what is expected there.
const std::string& scalar(const Yaml& node, const std::string& what);

// The items of a list, at most `most`.
const std::vector<Yaml>& list(const Yaml& node, const std::string& what, std::size_t most);

// The value of a key; null: it has none.
const Yaml* entry_of(const Yaml& map, std::string_view key);

// Every key once, and only known ones: a mistyped key would otherwise promise nothing.
void each(const Yaml& map, const std::string& what, std::span<const std::string_view> known,
          const std::function<void(const std::string& key, const Yaml& at, const Yaml& value)>& take);

}  // namespace tailcap::query
