#include "analyze/redact/verify.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <unordered_set>

#include "analyze/redact/fields.h"
#include "analyze/redact/needles.h"
#include "formats/fields/tables.h"
#include "formats/file/marker.h"
#include "formats/file/raw_messages.h"
#include "formats/file/reader.h"
#include "formats/printable.h"

namespace tailcap::redact {

using namespace formats;

namespace {

constexpr std::size_t kAtOnce = 40'000;  // words that are searched for in one reading
constexpr std::size_t kPartsAtOnce = 500'000;
constexpr std::size_t kExamples = 10;
constexpr std::size_t kPiece = 4u << 20, kOverlap = 1u << 16;

// The words of a text, longer ones than any name cut: their beginnings tell as much.
void each_word(std::string_view text, const std::function<void(std::size_t begin, std::size_t end)>& visit) {
  constexpr std::size_t kLongest = 256;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text[end]) && static_cast<unsigned char>(text[end]) < 0x80) ++end;
    if (end > at) visit(at, std::min(end, at + kLongest));
    at = std::max(end, at + 1);
  }
}

// Calls field(name, before, after, from_the_end) for the text of two events of one kind.
template <class F>
struct Pair {
  const Event& after;
  F& field;
  template <class B>
  void operator()(const B& before) {
    const B& now = std::get<B>(after.body);
    each_field(before, [&](const auto& f, const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>)
        field(f.name, value, std::string_view(std::invoke(f.get, now)), f.name == "tail");
    });
  }
};

// Calls visit(before, now) for every text of the second preamble; before is empty where the first has none there.
template <class F>
void each_pair(const Preamble& before, const Preamble& now, const F& visit) {
  for (const auto text : {&Preamble::tool_version, &Preamble::host, &Preamble::kernel, &Preamble::architecture,
                          &Preamble::boot_id, &Preamble::tier_reason, &Preamble::capture_id})
    visit(before.*text, now.*text);
  const std::string none;
  for (const auto list : {&Preamble::command_line, &Preamble::targets, &Preamble::programs})
    for (std::size_t i = 0; i < (now.*list).size(); ++i)
      visit(i < (before.*list).size() ? (before.*list)[i] : none, (now.*list)[i]);
  for (std::size_t i = 0; i < now.notes.size(); ++i) {
    const bool old = i < before.notes.size();
    visit(old ? before.notes[i].first : none, now.notes[i].first);
    visit(old ? before.notes[i].second : none, now.notes[i].second);
  }
}

template <class F>
struct Added {
  F& field;
  template <class B>
  void operator()(const B& now) {
    each_field(now, [&](const auto& f, const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>)
        field(f.name, std::string_view(), value, false);
    });
  }
};

// Reads both captures side by side.
class Together {
 public:
  Together(const std::string& out, const std::string& in) : out_(out), in_(in) {}
  // Calls visit(before, after); after only for what was added at the end.
  std::uint64_t each(const std::function<void(const Event*, const Event&)>& visit) {
    std::uint64_t events = 0;
    while (const Event* after = out_.take()) {
      const Event* before = in_.take();
      ++events;
      const bool replaced =
          before && (std::holds_alternative<Damage>(before->body) || std::holds_alternative<CaptureEnd>(before->body));
      if (before && !replaced &&
          (before->time != after->time || kind_of(*before) != kind_of(*after) || before->thread != after->thread))
        throw std::runtime_error(
            "event " + std::to_string(events) +
            " of the two captures differs in kind, time or thread: one was not made from the other");
      visit(replaced ? nullptr : before, *after);
    }
    if (const Event* left = in_.take(); left && !std::holds_alternative<CaptureEnd>(left->body))
      throw std::runtime_error(
          "the original has more events than the redacted capture: one was not made from the other");
    return events;
  }

 private:
  struct Side {
    explicit Side(const std::string& path) : reader(path) {}
    const Event* take() {
      if (at == events.size()) {
        events = reader.next();
        at = 0;
      }
      if (events.empty()) return nullptr;
      const Event* event = &events[at++];
      const auto* end = std::get_if<CaptureEnd>(&event->body);
      return end && end->state == CaptureState::complete ? nullptr : event;
    }
    Reader reader;
    std::span<const Event> events;
    std::size_t at = 0;
  };
  Side out_, in_;
};

class Search {
 public:
  Search(const std::string& out, const std::string& in, const RedactionPolicy& policy)
      : out_(out), in_(in), policy_(policy) {}

  Verification run() {
    originals();
    result_.originals = words_.size();
    for (const bool parts : {false, true}) {
      const std::unordered_set<std::string>& all = parts ? parts_ : words_;
      for (auto at = all.begin(); at != all.end();) {
        texts_.clear();
        for (; at != all.end() && texts_.size() < (parts ? kPartsAtOnce : kAtOnce); ++at) texts_.push_back(*at);
        kept_.assign(texts_.size(), false);
        round(parts);
      }
    }
    return result_;
  }

 private:
  void originals() {
    const auto changed = [&](std::string_view before, std::string_view after, bool from_the_end) {
      const std::size_t shift = from_the_end ? before.size() - std::min(before.size(), after.size()) : 0;
      each_word(before, [&](std::size_t begin, std::size_t end) {
        const std::string_view word = before.substr(begin, end - begin);
        const bool same =
            begin >= shift && end - shift <= after.size() && after.substr(begin - shift, word.size()) == word;
        if (same || !Needles::searchable(word)) return;
        words_.emplace(word);
        for (std::size_t at = 0; at + Needles::kPart < word.size(); ++at) {
          const std::string_view part = word.substr(at, Needles::kPart);
          const std::size_t place = begin + at - shift;  // where a replaced text has it
          const bool stays = begin + at >= shift && place < after.size() && after.substr(place, part.size()) == part;
          if (!stays && Needles::searchable(part)) parts_.emplace(part);
        }
      });
    };
    // Values in compressed header fields show where they are judged.
    Pseudonyms names{random_key()};
    EventRedactor again(policy_, names, [&](auto before, auto after) { changed(before, after, false); });
    std::uint64_t events = Together(out_, in_).each([&](const Event* before, const Event& after) {
      if (!before) return;
      auto field = [&](std::string_view, std::string_view was, std::string_view is, bool tail) {
        changed(was, is, tail);
      };
      std::visit(Pair<decltype(field)>{after, field}, before->body);
      Event copy = *before;
      again.apply(copy);
    });
    result_.events = events;
    const Preamble was = Reader(in_).preamble(), is = Reader(out_).preamble();
    changed(was.host, is.host, false);
    for (const auto& [list, now] : {std::pair{&was.command_line, &is.command_line}, {&was.targets, &is.targets}})
      for (std::size_t i = 0; i < list->size(); ++i)
        changed((*list)[i], i < now->size() ? (*now)[i] : std::string(), false);
    for (std::size_t i = 0; i < was.notes.size(); ++i)
      for (const auto part :
           {&std::pair<std::string, std::string>::first, &std::pair<std::string, std::string>::second})
        changed(was.notes[i].*part, i < is.notes.size() ? is.notes[i].*part : std::string(), false);
  }

  void leak(std::size_t needle, Needles::Form form, std::string place) {
    ++result_.leaks;
    if (result_.examples.size() < kExamples)
      result_.examples.push_back({texts_[needle], std::move(place), std::string(name_of(form))});
  }

  void round(bool parts) {
    const Needles needles(texts_, parts ? 0 : texts_.size());
    Together(out_, in_).each([&](const Event* before, const Event& after) {
      const auto look = [&](std::string_view name, std::string_view was, std::string_view is, bool tail) {
        const std::size_t shift = tail ? was.size() - std::min(was.size(), is.size()) : 0;
        needles.search(is, [&](std::size_t needle, Needles::Form form, std::size_t begin, std::size_t end) {
          // The same bytes at the same place: the rules keep them.
          if (was.size() >= shift + end && was.substr(shift + begin, end - begin) == is.substr(begin, end - begin))
            kept_[needle] = true;
          else
            leak(needle, form, std::string(name_of(kind_of(after))) + "." + std::string(name));
        });
      };
      auto field = look;
      if (before)
        std::visit(Pair<decltype(field)>{after, field}, before->body);
      else  // added: whatever is in it was not there before
        std::visit(Added<decltype(field)>{field}, after.body);
    });
    preamble(needles);
    // Text that the rules keep is found in the file and in its blocks, too.
    const auto anywhere = [&](std::string_view bytes, const char* place, std::size_t from) {
      needles.search(bytes, [&](std::size_t needle, Needles::Form form, std::size_t, std::size_t end) {
        if (!kept_[needle] && end > from) leak(needle, form, place);
      });
    };
    each_raw_message(out_, [&](std::span<const std::byte> message) {
      anywhere({reinterpret_cast<const char*>(message.data()), message.size()}, "a block, decompressed", 0);
    });
    file(anywhere);
    result_.also_kept += static_cast<std::uint64_t>(std::count(kept_.begin(), kept_.end(), true));
  }

  // All texts of the preamble: those that IN has at the same place are kept by the rules.
  void preamble(const Needles& needles) {
    const Preamble was = Reader(in_).preamble(), is = Reader(out_).preamble();
    const auto look = [&](const std::string& before, const std::string& now) {
      needles.search(now, [&](std::size_t needle, Needles::Form form, std::size_t begin, std::size_t end) {
        if (before.size() >= end && before.compare(begin, end - begin, now, begin, end - begin) == 0)
          kept_[needle] = true;
        else
          leak(needle, form, "the preamble");
      });
    };
    each_pair(was, is, look);
  }

  template <class F>
  void file(const F& anywhere) {
    std::ifstream in(out_, std::ios::binary);
    std::string piece;
    std::uint64_t read = 0;
    while (in) {
      const std::size_t old = std::min(piece.size(), kOverlap);
      piece.erase(0, piece.size() - old);
      piece.resize(old + kPiece);
      in.read(piece.data() + old, kPiece);
      piece.resize(old + static_cast<std::size_t>(in.gcount()));
      read += static_cast<std::uint64_t>(in.gcount());
      anywhere(piece, "the file", old);
    }
    result_.file_bytes = read;
  }

  std::string out_, in_;
  const RedactionPolicy& policy_;
  std::unordered_set<std::string> words_, parts_;
  std::vector<std::string> texts_;
  std::vector<bool> kept_;
  Verification result_;
};

}  // namespace

Verification verify(const std::string& out, const std::string& in, const RedactionPolicy& policy) {
  Reader reader(out);
  const auto damaged = [](const BlockStatus& block) { return !block.damage.empty(); };
  const auto blocks = reader.check();
  // A copy of a capture that was cut short says so.
  const CaptureState state = reader.summary().state;
  const bool whole = state == CaptureState::complete ||
                     (state == CaptureState::recovered && Reader(in).summary().state != CaptureState::complete);
  if (!whole || std::any_of(blocks.begin(), blocks.end(), damaged))
    throw std::runtime_error(printable(out) + " is damaged or incomplete: it proves nothing");
  if (reader.summary().events == 0) throw std::runtime_error(printable(out) + " has no events: it proves nothing");
  const Marker marker = marker_of(out);
  if (!marker.preamble || !marker.footer) throw std::runtime_error(printable(out) + " is not marked as redacted");
  return Search(out, in, policy).run();
}

}  // namespace tailcap::redact
