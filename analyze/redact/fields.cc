#include "analyze/redact/fields.h"

#include <algorithm>
#include <type_traits>

#include "analyze/model/sampling/budget.h"
#include "formats/fields/tables.h"
#include "ground/go_build.h"
#include "ground/recorder_notes.h"

namespace tailcap::redact {

using namespace formats;

namespace {

Words words_of(Treatment t) {
  return t == Treatment::words || t == Treatment::program_words                       ? Words::kept
         : t == Treatment::path || t == Treatment::symbols || t == Treatment::program ? Words::unless_public
                                                                                      : Words::none;
}

bool is_v6(const SocketInfo& info) { return info.family != Family::inet; }
bool is_v6(const NetInterface& info) { return info.family != Family::inet; }
bool is_v6(const PacketDrops& drops) { return drops.family != Family::inet; }
template <class B>
bool is_v6(const B&) {
  return true;
}

bool numeric(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

std::string plain_build_lines(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (!ground::is_plain_build_line(line)) continue;
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace

bool is_note_of_tailcap(std::string_view key) {
  if (!key.starts_with("tailcap.") && !key.starts_with("merge.")) return false;
  for (std::size_t at = 0; at < key.size();) {
    const std::size_t end = std::min(key.find_first_of("._:", at), key.size());
    const auto part = key.substr(at, end - at);
    if (!numeric(part) && part != "sha256" && !reads_as_word(part)) return false;
    at = end + 1;
  }
  return key.size() <= 64;
}

std::string EventRedactor::text(std::string_view text, Treatment treatment) {
  switch (treatment) {
    case Treatment::drop:
    case Treatment::payload:
      return {};
    case Treatment::keep:
      return std::string(text);
    case Treatment::program:
    case Treatment::program_words:
      return names_.text(text.substr(0, text.find_first_of(" \t\n")), words_of(treatment));
    case Treatment::path: {
      const std::size_t slash = text.rfind('/') == text.npos ? 0 : text.rfind('/') + 1;
      return names_.text(text.substr(0, slash), Words::unless_public) +
             names_.text(text.substr(slash), Words::unless_public);
    }
    case Treatment::symbols: {
      std::string out;
      while (true) {
        const std::size_t end = std::min(text.find(';'), text.size());
        out += names_.text(text.substr(0, end), Words::unless_public);
        if (end == text.size()) return out;
        out += ';';
        text.remove_prefix(end + 1);
      }
    }
    case Treatment::build_lines:
      return names_.text(plain_build_lines(text), Words::kept);
    case Treatment::words:
    case Treatment::pseudonym:
      break;
  }
  return names_.text(text, words_of(treatment));
}

// Segments as those of request targets; what stands for several values is kept.
std::string EventRedactor::route_text(std::string_view route) {
  if (policy_.strict()) return names_.text(route, Words::none);
  const wire::HeaderList rules(policy_, names_);
  std::string out;
  for (bool last = false; !last;) {
    const std::size_t slash = route.find('/');
    last = slash == route.npos;
    const std::string_view segment = route.substr(0, slash);
    std::string masked = "/" + std::string(segment);
    if (segment.find_first_not_of("{}*") != segment.npos) rules.judge(formats::mask::Value::target, masked, {});
    out += masked.substr(1);
    if (!last) out += '/';
    route.remove_prefix(last ? route.size() : slash + 1);
  }
  return out;
}

// "GET /cart/{}<TAB>server<TAB>numbers", or numbers: of a route the name is text.
std::string EventRedactor::cut_value(std::string_view value, Treatment treatment) {
  const auto numbers = [](std::string_view s) {
    return std::all_of(s.begin(), s.end(),
                       [](char c) { return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ','; });
  };
  if (numbers(value)) return std::string(value);
  const std::size_t tab = value.find('\t'), second = value.find('\t', std::min(tab, value.size() - 1) + 1);
  const std::size_t space = value.find(' ');
  if (tab == value.npos || second == value.npos || space > tab || !numbers(value.substr(second + 1)))
    return text(value, treatment);
  static constexpr std::string_view methods[] = {"GET",  "POST",    "PUT",     "DELETE", "PATCH",
                                                 "HEAD", "OPTIONS", "CONNECT", "TRACE"};
  const std::string_view method = value.substr(0, space), role = value.substr(tab + 1, second - tab - 1);
  const bool known = std::find(std::begin(methods), std::end(methods), method) != std::end(methods);
  return (known ? std::string(method) : names_.text(method, Words::none)) + " " +
         route_text(value.substr(space + 1, tab - space - 1)) + "\t" + (role == "client" ? "client" : "server") + "\t" +
         std::string(value.substr(second + 1));
}

namespace {

// Which share of all connections was recorded, and when off-CPU intervals were not, in the recorder's words and
// numbers: without it every count, and every label, would be misread.
constexpr std::string_view kSampling = "tailcap.sampling.", kWaits = "tailcap.waits";

bool tells_sampling(std::string_view key, std::string_view value) {
  if (key == kWaits) {
    const std::size_t machine = std::min(value.find(model::kWaitsMachine), value.size());
    const std::string_view state = value.substr(0, machine), rest = value.substr(machine);
    return (state == "on" || state == "off") && (rest.empty() || numeric(rest.substr(model::kWaitsMachine.size())));
  }
  if (!key.starts_with(kSampling) || value.empty()) return false;
  static constexpr std::string_view words[] = {"seed",   "recorded,", "left", "out", "mixed", "cost",    "ppm",
                                               "stacks", "waits",     "on",   "off", "above", "unknown", "none"};
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(' '), value.size());
    const std::string_view word = value.substr(0, end);
    const std::string_view number = word.starts_with("1/") ? word.substr(2) : word;
    if (!numeric(number) && std::find(std::begin(words), std::end(words), word) == std::end(words)) return false;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return true;
}

}  // namespace

std::string EventRedactor::note_value(std::string_view key, std::string_view value, Treatment treatment) {
  if (key.starts_with("tailcap.cut.")) return cut_value(value, treatment);
  if (tells_sampling(key, value)) return std::string(value);
  // "7f001234 cart_mutex": names of variables are treated as those of functions.
  if (key == ground::kLockNote) {
    const std::size_t space = std::min(value.find(' '), value.size());
    const std::string_view address = value.substr(0, space), name = value.substr(std::min(space + 1, value.size()));
    const bool hex = address.find_first_not_of("0123456789abcdef") == address.npos;
    const Treatment names = policy_.of("sample", "user");
    if (hex && names != Treatment::drop && !name.empty()) return std::string(address) + " " + text(name, names);
    return {};
  }
  if (is_note_of_tailcap(key) && !key.starts_with("tailcap.note")) {
    static constexpr std::string_view clocks[] = {"reference", "same_boot", "messages", "wall_clock", "unknown"};
    if (numeric(value) || std::find(std::begin(clocks), std::end(clocks), value) != std::end(clocks))
      return std::string(value);
  }
  // "COMM PID: sentence", with the PID that the key has: the recorder's sentences and their numbers are no secrets.
  if (constexpr std::string_view prefix = "tailcap.unrecorded."; key.starts_with(prefix) && is_note_of_tailcap(key)) {
    const std::string_view rest = key.substr(prefix.size());
    const std::string pid = " " + std::string(rest.substr(0, rest.find('.'))) + ": ";
    const std::size_t at = value.find(pid);
    if (at != value.npos && numeric(std::string_view(pid).substr(1, pid.size() - 3))) {
      std::string out = text(value.substr(0, at), treatment) + pid;
      for (std::string_view left = value.substr(at + pid.size()); !left.empty();) {
        const std::size_t end = std::min(left.find_first_of(" ,;()"), left.size());
        const std::string_view word = left.substr(0, end);
        out += numeric(word) ? std::string(word) : names_.text(word, Words::kept);
        if (end < left.size()) out += left[end];
        left.remove_prefix(std::min(end + 1, left.size()));
      }
      return out;
    }
  }
  return text(value, treatment);
}

struct EventRedactor::Visitor {
  EventRedactor& to;

  template <class B>
  void operator()(B& body) {
    if constexpr (!is_stored(Table<B>::kinds[0].kind)) {
      return;
    } else {
      OfKind& kind = to.kinds_[static_cast<std::size_t>(Table<B>::kinds[0].kind)];
      if (kind.treatments.empty()) {
        kind.kept = true;
        each_field(body, [&](const auto& field, auto&) {
          const Treatment treatment = to.policy_.of(Table<B>::kinds[0].name, field.name);
          kind.treatments.push_back(treatment);
          kind.kept = kind.kept && (treatment == Treatment::keep || treatment == Treatment::payload);
        });
      }
      if (kind.kept) return;
      std::string key;
      bool keeps_value = false;
      if constexpr (std::is_same_v<B, Note>) {
        key = body.key;
        keeps_value = tells_sampling(key, body.value);
      }
      std::size_t used = 0, at = 0;
      each_field(body, [&](const auto& field, auto& value) {
        using T = std::remove_cvref_t<decltype(value)>;
        const Treatment treatment = kind.treatments[at++];
        if (treatment == Treatment::keep || treatment == Treatment::payload) return;
        if constexpr (std::is_same_v<T, std::string_view>) {
          if (value.empty()) return;
          std::string& out = to.texts_[used++ % std::size(to.texts_)];
          if (std::is_same_v<B, Note> && field.name == "key" && is_note_of_tailcap(value) &&
              (treatment != Treatment::drop || keeps_value))
            out = value;
          else if (std::is_same_v<B, Note> && field.name == "value")
            out = to.note_value(key, value, treatment);
          else
            out = to.text(value, treatment);
          value = out;
        } else if constexpr (std::is_same_v<T, Address>) {
          const auto port = value.port;
          value = treatment == Treatment::drop ? Address{} : to.names_.address(value, is_v6(body));
          value.port = port;
        } else {
          value = T{};
        }
      });
    }
  }
};

void EventRedactor::apply(Event& event) {
  gate_.take(event);
  std::visit(Visitor{*this}, event.body);
}

Preamble EventRedactor::preamble(const Preamble& original) {
  const auto rule = [&](std::string_view field) { return policy_.of("preamble", field); };
  Preamble p = original;
  for (auto [member, field] : {std::pair{&Preamble::capture_id, "capture_id"},
                               {&Preamble::tool_version, "tool_version"},
                               {&Preamble::host, "host"},
                               {&Preamble::kernel, "kernel"},
                               {&Preamble::architecture, "architecture"},
                               {&Preamble::boot_id, "boot_id"},
                               {&Preamble::tier_reason, "tier_reason"}})
    p.*member = text(original.*member, rule(field));
  if (rule("command_line") != Treatment::keep)
    p.command_line.resize(
        std::min<std::size_t>(p.command_line.size(), rule("command_line") == Treatment::drop ? 0 : 1));
  for (auto& word : p.command_line) word = text(word, rule("command_line"));
  for (auto& target : p.targets) {
    const std::size_t space = std::min(target.find(' '), target.size());
    const std::string kind = target.substr(0, space), rest = target.substr(space);
    const bool known = kind == "pid" || kind == "comm" || kind == "cgroup" || kind == "port" || kind == "all" ||
                       kind == "service" || kind == "container" || kind == "unit";
    const bool number = kind == "pid" || kind == "port";
    target =
        (known ? kind : text(kind, rule("targets"))) +
        (number && numeric(rest.substr(std::min<std::size_t>(1, rest.size()))) ? rest : text(rest, rule("targets")));
  }
  for (auto& program : p.programs) program = text(program, rule("programs"));
  if (rule("notes") == Treatment::drop)
    std::erase_if(p.notes, [](const auto& note) { return !tells_sampling(note.first, note.second); });
  for (auto& [key, value] : p.notes) {
    value = note_value(key, value, rule("notes"));
    if (!is_note_of_tailcap(key)) key = text(key, rule("notes"));
  }
  p.redaction = Redaction::allow_list;
  return p;
}

}  // namespace tailcap::redact
