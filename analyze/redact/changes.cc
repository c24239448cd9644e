#include "analyze/redact/changes.h"

#include <algorithm>
#include <functional>

namespace tailcap::redact {

using namespace formats;

namespace {

constexpr std::size_t kMaxExample = 120;

std::uint64_t telling(std::string_view bytes) {
  return static_cast<std::uint64_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return c != '*' && c != '?'; }));
}

}  // namespace

FieldChange& Changes::of(Kind kind, std::size_t at, std::string_view field) {
  auto& known = known_[static_cast<std::size_t>(kind)];
  if (known.size() <= at) known.resize(at + 1);
  if (!known[at]) {
    std::string name(kKindEntries[static_cast<std::size_t>(kind)].name);
    known[at] = &fields_[(name += '.') += field];
  }
  return *known[at];
}

template <class B>
void Changes::compare(const B& before, const Event& after, std::uint64_t number) {
  if constexpr (is_stored(Table<B>::kinds[0].kind)) {
    const B& now = std::get<B>(after.body);
    std::size_t at = 0;
    each_field(before, [&](const auto& field, const auto& value) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string_view>) {
        const std::size_t text = at++;
        if (value.empty()) return;
        const std::string_view left = std::invoke(field.get, now);
        FieldChange& change = of(kind_of(after), text, field.name);
        ++change.values;
        const std::uint64_t bytes = telling(value);
        change.bytes += bytes;
        if (left == value) {
          change.left += bytes;
          return;
        }
        change.left += telling(left);
        const bool payload = std::is_same_v<B, Io> || std::is_same_v<B, TlsIo>;
        if (change.changed++ > 0 || payload) return;
        change.before = value.substr(0, kMaxExample);
        change.after = left.substr(0, kMaxExample);
        change.example = number;
      }
    });
  }
}

void Changes::add(const Event& before, const Event& after, std::uint64_t number) {
  std::visit([&](const auto& body) { compare(body, after, number); }, before.body);
}

void Changes::add_to(FieldChanges& sum) const {
  for (const auto& [name, change] : fields_) {
    FieldChange& all = sum[name];
    all.values += change.values;
    all.bytes += change.bytes;
    all.left += change.left;
    if (change.changed > 0 && (all.changed == 0 || change.example < all.example)) {
      all.before = change.before;
      all.after = change.after;
      all.example = change.example;
    }
    all.changed += change.changed;
  }
}

}  // namespace tailcap::redact
