#include "capture/targets/interpreter.h"

#include <array>
#include <span>

#include "capture/targets/service_name.h"

namespace tailcap::capture::targets {
namespace {

struct Interpreter {
  std::string_view name;  // of the executable, without its version
  Language language;
};
constexpr auto kInterpreters = std::to_array<Interpreter>({
    {"python", Language::python}, {"pypy", Language::python}, {"node", Language::node},
    {"nodejs", Language::node},   {"deno", Language::deno},   {"bun", Language::bun},
    {"ruby", Language::ruby},     {"jruby", Language::ruby},  {"truffleruby", Language::ruby},
    {"perl", Language::perl},     {"php", Language::php},     {"php-cli", Language::php},
    {"java", Language::java},     {"sh", Language::shell},    {"bash", Language::shell},
    {"dash", Language::shell},    {"zsh", Language::shell},   {"ksh", Language::shell},
    {"busybox", Language::shell}, {"lua", Language::lua},     {"luajit", Language::lua},
    {"dotnet", Language::dotnet},
});

// Options whose value is the next argument; all others have none, or have it in their own argument.
constexpr auto kNode = std::to_array<std::string_view>({"-r",
                                                        "--require",
                                                        "--import",
                                                        "--loader",
                                                        "--experimental-loader",
                                                        "-C",
                                                        "--conditions",
                                                        "--env-file",
                                                        "--env-file-if-exists",
                                                        "--title",
                                                        "--input-type",
                                                        "--icu-data-dir",
                                                        "--openssl-config",
                                                        "--redirect-warnings",
                                                        "--experimental-config-file",
                                                        "--watch-path",
                                                        "--dns-result-order",
                                                        "--unhandled-rejections",
                                                        "--preload",
                                                        "--config",
                                                        "-c",
                                                        "--cwd",
                                                        "--import-map",
                                                        "--lock",
                                                        "--cert",
                                                        "--ext"});
constexpr auto kJava =
    std::to_array<std::string_view>({"-cp", "-classpath", "--class-path", "-p", "--module-path",
                                     "--upgrade-module-path", "--add-modules", "--enable-native-access", "--add-reads",
                                     "--add-exports", "--add-opens", "--limit-modules", "--patch-module", "--source"});
constexpr auto kShell = std::to_array<std::string_view>({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"});
constexpr auto kPhp = std::to_array<std::string_view>({"-d", "-c", "-z", "-S", "-t", "--docroot", "--server"});

Found script(const Words& words, std::size_t at) {
  if (at >= words.size() || words[at].empty() || words[at] == "-") return {};
  return {words[at], at + 1, true};
}

// python [option] ... [-c cmd | -m mod | file | -] [arg] ...
Found python(const Words& words) {
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (word == "--check-hash-based-pycs") {
      ++at;
      continue;
    }
    if (word == "--") return script(words, at + 1);
    if (!word.starts_with('-') || word == "-") return script(words, at);
    if (word.starts_with("--")) continue;
    const std::size_t letter = word.find_first_of("cmWXQ", 1);
    if (letter == word.npos) continue;
    const bool own = letter + 1 < word.size();  // the value is in the same argument
    const std::string_view value = own ? word.substr(letter + 1) : at + 1 < words.size() ? words[at + 1] : "";
    if (word[letter] == 'c') return {{}, 0, false, value.starts_with("from multiprocessing.")};
    if (word[letter] == 'm') return is_module(value) ? Found{value, at + (own ? 1u : 2u)} : Found{};
    if (!own) ++at;
  }
  return {};
}

// Languages whose programs are files: options first. ends: letters of options after which no file follows; takes:
// letters whose value may be the next argument.
Found file(const Words& words, std::string_view ends, std::string_view takes,
           std::span<const std::string_view> long_takes, std::size_t at = 1) {
  for (; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (word == "--") return script(words, at + 1);
    if (contains(long_takes, word)) {
      ++at;
      continue;
    }
    if ((!word.starts_with('-') && !word.starts_with('+')) || word.size() < 2) return script(words, at);
    if (word.starts_with("--")) {
      if (word.starts_with("--eval") || word.starts_with("--print")) return {};
      continue;
    }
    if (takes.find(word[1]) != takes.npos) {
      if (word.size() == 2) ++at;
    } else if (word.find_first_of(ends, 1) != word.npos) {
      return {};
    }
  }
  return {};
}

// A shell can be many programs in one, which it knows by what it is called: "sleep 300" runs no script.
Found shell(const Words& words) {
  if (!words.empty() && !language_of(last_part(words.front()))) return {};
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (contains(kShell, word)) {
      ++at;
      continue;
    }
    if (word == "--" || word == "-") return script(words, at + 1);
    if (!word.starts_with('-') && !word.starts_with('+')) return script(words, at);
    if (!word.starts_with("--") && word.find_first_of("cs", 1) != word.npos) return {};
  }
  return {};
}

Found java(const Words& words) {
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (word == "-jar") return script(words, at + 1);
    if (word == "-m" || word == "--module") {
      const std::string_view value = at + 1 < words.size() ? words[at + 1] : "";
      const std::string_view main = value.substr(value.find('/') == value.npos ? 0 : value.find('/') + 1);
      return is_module(main) ? Found{main, at + 2} : Found{};
    }
    if (contains(kJava, word)) {
      ++at;
      continue;
    }
    if (word.starts_with('-') || word.starts_with('@')) continue;
    if (word.ends_with(".java")) return script(words, at);
    return is_module(word) ? Found{word, at + 1} : Found{};
  }
  return {};
}

// deno run FILE, bun run FILE, bun FILE
Found with_command(const Words& words, std::span<const std::string_view> commands) {
  std::size_t at = 1;
  if (at < words.size() && contains(commands, words[at])) ++at;
  return file(words, "ep", "rC", kNode, at);
}

Found dotnet(const Words& words) {
  for (std::size_t at = 1; at < words.size() && at < 8; ++at)
    if (words[at].ends_with(".dll") && !words[at].starts_with('-')) return script(words, at);
  return {};
}

}  // namespace

std::optional<Language> language_of(std::string_view name) {
  if (name.starts_with("python3.") && name.ends_with("t")) name.remove_suffix(1);  // free-threaded
  const std::size_t version = name.find_last_not_of("0123456789.-");
  if (version == name.npos) return std::nullopt;
  name = name.substr(0, version + 1);
  for (const Interpreter& one : kInterpreters)
    if (one.name == name) return one.language;
  return std::nullopt;
}

bool is_module(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && text.back() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.' || c == '$' || c == '-'; });
}

Found main_of(Language language, const Words& words) {
  constexpr std::array<std::string_view, 0> kNone{};
  constexpr auto kDeno = std::to_array<std::string_view>({"run", "serve"});
  constexpr auto kBun = std::to_array<std::string_view>({"run", "x"});
  switch (language) {
    case Language::python:
      return python(words);
    case Language::ruby:
      return file(words, "e", "IrCE", kNone);
    case Language::node:
      return file(words, "ep", "rC", kNode);
    case Language::deno:
      return with_command(words, kDeno);
    case Language::bun:
      return with_command(words, kBun);
    case Language::perl:
      return file(words, "eE", "IMmF", kNone);
    case Language::php: {
      // -f FILE is the script.
      const auto given = std::find(words.begin(), words.end(), "-f");
      if (given != words.end()) return script(words, static_cast<std::size_t>(given - words.begin()) + 1);
      return file(words, "rBRE", "dczSt", kPhp);
    }
    case Language::java:
      return java(words);
    case Language::shell:
      return shell(words);
    case Language::lua:
      return file(words, "e", "l", kNone);
    case Language::dotnet:
      return dotnet(words);
  }
  return {};
}

}  // namespace tailcap::capture::targets
