// Programs that run other programs, which their arguments name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tailcap::capture::targets {

using Words = std::vector<std::string_view>;

enum class Language { python, ruby, node, deno, bun, perl, php, java, shell, lua, dotnet };

// "python" of "python3.11", "php" of "php8.2". name: of the executable.
std::optional<Language> language_of(std::string_view name);

// What arguments say about the program, before its name is bounded.
struct Found {
  std::string_view main;  // a script's path, a module, a class; empty: nothing that names it
  std::size_t after = 0;  // the argument behind it
  bool path = false;      // main is a path
  bool part = false;      // of what its parent runs
};

Found main_of(Language language, const Words& words);

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }
// A module's or class's name: a.b_c.D
bool is_module(std::string_view text);

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace tailcap::capture::targets
