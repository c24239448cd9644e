#include "capture/targets/service_name.h"

#include <algorithm>
#include <array>

#include "capture/targets/interpreter.h"
#include "formats/utf8.h"

namespace tailcap::capture::targets {
namespace {

constexpr std::size_t kMaxWords = 256;  // arguments that are looked at
constexpr std::size_t kMaxComm = 15;    // bytes of a name that the kernel keeps

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

// Names that runtimes give to the thread that main() runs on.
constexpr auto kRuntimeNames = std::to_array<std::string_view>({"MainThread", "node-MainThread", "main"});

std::string_view executable_name(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return last_part(path);
}

// package.module:app, or :create()
bool is_application(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  std::string_view object = text.substr(colon + 1);
  if (object.ends_with("()")) object.remove_suffix(2);
  return is_module(text.substr(0, colon)) && is_module(object);
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

ServiceName service_name(const ServiceProgram& program) {
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
