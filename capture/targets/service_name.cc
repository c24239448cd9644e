#include "capture/targets/service_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "formats/utf8.h"

namespace tailcap::capture::targets {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::size_t kMaxWords = 256;  // arguments that are looked at
constexpr std::size_t kMaxComm = 15;    // bytes of a name that the kernel keeps

enum class Language { python, ruby, node, deno, bun, perl, php, java, shell, lua, dotnet };

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

// Servers that run an application, which they are given as an argument: gunicorn app:app. bare: a module's name alone
// is one, too.
struct Server {
  std::string_view name;
  bool bare;
};
constexpr auto kServers = std::to_array<Server>({{"gunicorn", true},
                                                 {"uvicorn", false},
                                                 {"hypercorn", false},
                                                 {"daphne", false},
                                                 {"granian", false},
                                                 {"waitress-serve", false},
                                                 {"waitress", false}});
// Options of theirs that take no value: what follows them may be the application.
constexpr auto kSwitches = std::to_array<std::string_view>({"--reload",
                                                            "--preload",
                                                            "--daemon",
                                                            "-D",
                                                            "--factory",
                                                            "--proxy-headers",
                                                            "--no-proxy-headers",
                                                            "--access-log",
                                                            "--no-access-log",
                                                            "--use-colors",
                                                            "--no-use-colors",
                                                            "--no-server-header",
                                                            "--no-date-header",
                                                            "--check-config",
                                                            "--enable-stdio-inheritance",
                                                            "-R",
                                                            "--capture-output",
                                                            "--no-sendfile",
                                                            "--debug",
                                                            "--websockets"});

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

// Names that runtimes give to the thread that main() runs on.
constexpr auto kRuntimeNames = std::to_array<std::string_view>({"MainThread", "node-MainThread", "main"});

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string_view executable_name(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return last_part(path);
}

// "python" of "python3.11", "php" of "php8.2".
std::optional<Language> language_of(std::string_view name) {
  if (name.starts_with("python3.") && name.ends_with("t")) name.remove_suffix(1);  // free-threaded
  const std::size_t version = name.find_last_not_of("0123456789.-");
  if (version == name.npos) return std::nullopt;
  name = name.substr(0, version + 1);
  for (const Interpreter& one : kInterpreters)
    if (one.name == name) return one.language;
  return std::nullopt;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// A module's or class's name: a.b_c.D
bool is_module(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && text.back() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '.' || c == '$' || c == '-'; });
}

// package.module:app, or :create()
bool is_application(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  std::string_view object = text.substr(colon + 1);
  if (object.ends_with("()")) object.remove_suffix(2);
  return is_module(text.substr(0, colon)) && is_module(object);
}

// What arguments say about the program, before its name is bounded.
struct Found {
  std::string_view main;  // a script's path, a module, a class; empty: nothing that names it
  std::size_t after = 0;  // the argument behind it
  bool path = false;      // main is a path
  bool part = false;      // of what its parent runs
};

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

// Of languages whose programs are files: options first. ends: letters of options after which no file follows; takes:
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

const Server* server_of(std::string_view name) {
  const auto at = std::find_if(kServers.begin(), kServers.end(), [&](const Server& s) { return s.name == name; });
  return at == kServers.end() ? nullptr : &*at;
}

// The value of an option of a server is not its application: it could be a header with a token.
std::string_view application(const Server& server, const Words& words, std::size_t at) {
  for (std::size_t first = at; at < words.size(); ++at) {
    if (!is_application(words[at]) && !(server.bare && is_module(words[at]))) continue;
    if (at == first || !words[at - 1].starts_with('-') || contains(kSwitches, words[at - 1])) return words[at];
  }
  return {};
}

// "gunicorn: worker [app:app]": what a program wrote over its arguments.
std::string_view application_in_title(const Words& words) {
  for (std::string_view word : words) {
    if (!word.starts_with('[') || !word.ends_with(']')) continue;
    word = word.substr(1, word.size() - 2);
    if (is_application(word) || is_module(word)) return word;
  }
  return {};
}

Words split(std::string_view text, char between) {
  Words out;
  while (out.size() < kMaxWords) {
    const std::size_t end = text.find(between);
    if (between == '\0' || end != 0) out.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

// A script of a package's own has its package's name.
std::string_view script_name(std::string_view path) {
  std::string_view name = last_part(path);
  if (name == "__main__.py" && path.size() > name.size()) name = last_part(path.substr(0, path.size() - name.size()));
  return name;
}

// The kernel cuts names: whether comm is this one.
bool is_cut_from(std::string_view comm, std::string_view name) {
  return !comm.empty() && (comm == name || (comm.size() == kMaxComm && name.starts_with(comm)));
}

// Letters and digits mixed, longer than words are.
void hide_tokens(std::string& name) {
  constexpr std::size_t kHex = 16, kMixed = 20;
  for (std::size_t at = 0; at < name.size();) {
    const auto other = std::find_if_not(name.begin() + static_cast<std::ptrdiff_t>(at), name.end(),
                                        [](char c) { return (is_word(c) && c != '_') || c == '+' || c == '='; });
    const auto end = static_cast<std::size_t>(other - name.begin());
    const std::string_view run = std::string_view(name).substr(at, end - at);
    const auto digits = std::count_if(run.begin(), run.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool hex = run.find_first_not_of("0123456789abcdefABCDEF") == run.npos;
    if ((hex && run.size() >= kHex && digits > 0) || (run.size() >= kMixed && digits >= 3) ||
        (run.starts_with("eyJ") && run.size() >= kHex))
      std::fill(name.begin() + static_cast<std::ptrdiff_t>(at), other, '*');
    at = end + 1;
  }
}

std::string joined(std::string_view name, std::string_view application) {
  std::string out(name);
  if (!application.empty()) (out += ' ') += application;
  return out;
}

}  // namespace

std::string_view last_part(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash == path.npos || slash + 1 == path.size() ? path : path.substr(slash + 1);
}

bool is_interpreter(std::string_view executable) { return language_of(executable_name(executable)).has_value(); }

std::string bounded_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const formats::Character one = formats::first_character(name);
    const bool shown = one.code != formats::kNoCharacter && one.code >= 0x20 && one.code != 0x7f;
    if (out.size() + (shown ? one.length : 1) > kMaxServiceName) break;
    out += shown ? name.substr(0, one.length) : "?";
    name.remove_prefix(one.length);
  }
  return out;
}

ServiceName service_name(const Program& program) {
  const std::string_view executable = executable_name(program.executable);
  const auto language = language_of(executable);
  if (!language) return {};
  Words words = split(program.arguments, '\0');
  const std::string_view first = words.front();
  bool title = false;
  // Programs write a title over their arguments, as one text with blanks.
  if (first.find(' ') != first.npos && (words.size() == 1 || words[1].empty())) {
    words = split(first, ' ');
    if (words.empty()) return {};
    title = !language_of(last_part(words.front()));
  }
  std::string name;
  std::string_view told;  // what the kernel's name of it would be
  if (title) {
    std::string_view who = words.front();
    if (who.ends_with(':')) who.remove_suffix(1);
    who = last_part(who);
    name = joined(who, server_of(who) ? application_in_title(words) : std::string_view{});
    told = first;
  } else {
    const Found found = main_of(*language, words);
    if (found.part) return {{}, true};
    if (found.main.empty()) return {};
    const std::string_view main = found.path ? script_name(found.main) : found.main;
    const Server* server = server_of(main);
    name = joined(main, server ? application(*server, words, found.after) : std::string_view{});
    told = main;
  }
  // A name that the program gave to itself is its name.
  if (!program.comm.empty() && !is_cut_from(program.comm, told) && !is_cut_from(program.comm, executable) &&
      !is_cut_from(program.comm, first) && !is_cut_from(program.comm, last_part(words.front())) &&
      !language_of(program.comm) && !contains(kRuntimeNames, program.comm) &&
      !(title && told.starts_with(program.comm)))
    return {};
  name = bounded_name(name);
  hide_tokens(name);
  return {std::move(name), false};
}

std::string unit_of(std::string_view cgroup) {
  constexpr std::string_view kService = ".service";
  std::string_view unit;
  for (std::size_t at = 0; at < cgroup.size();) {
    const std::size_t end = std::min(cgroup.find('/', at), cgroup.size());
    const std::string_view part = cgroup.substr(at, end - at);
    if (part.ends_with(kService)) unit = part;
    at = end + 1;
  }
  if (unit.empty() || unit.starts_with("user@")) return {};
  return bounded_name(unit.substr(0, unit.size() - kService.size()));
}

}  // namespace tailcap::capture::targets
