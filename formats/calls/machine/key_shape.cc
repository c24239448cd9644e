#include "formats/calls/machine/key_shape.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tailcap::formats::calls {

namespace {

// Nouns of schemas, and few words beside them; sorted.
constexpr auto kSchemaWords = std::to_array<std::string_view>(
    {"account",       "accounts",    "action",    "actions",   "active",    "activity",   "address",  "age",
     "agent",         "alert",       "alerts",    "alias",     "all",       "api",        "app",      "apps",
     "archive",       "article",     "articles",  "asset",     "assets",    "audit",      "auth",     "author",
     "avatar",        "balance",     "basket",    "batch",     "billing",   "blob",       "blocked",  "body",
     "book",          "books",       "bucket",    "buckets",   "by",        "cache",      "cart",     "carts",
     "catalog",       "categories",  "category",  "channel",   "channels",  "chat",       "city",     "client",
     "clients",       "code",        "comment",   "comments",  "config",    "content",    "contents", "cookie",
     "count",         "counter",     "counters",  "country",   "counts",    "created",    "currency", "current",
     "customer",      "customers",   "daily",     "dashboard", "data",      "date",       "db",       "dead",
     "default",       "delayed",     "deleted",   "details",   "device",    "devices",    "document", "documents",
     "done",          "draft",       "email",     "emails",    "entity",    "error",      "errors",   "event",
     "events",        "expired",     "expires",   "export",    "failed",    "feature",    "features", "feed",
     "feeds",         "field",       "fields",    "file",      "files",     "filter",     "filters",  "flag",
     "flags",         "followers",   "following", "form",      "friends",   "function",   "game",     "games",
     "geo",           "global",      "group",     "groups",    "hash",      "health",     "history",  "hits",
     "home",          "host",        "hourly",    "id",        "ids",       "image",      "images",   "import",
     "inbox",         "index",       "info",      "input",     "invoice",   "invoices",   "item",     "items",
     "job",           "jobs",        "key",       "keys",      "kind",      "label",      "last",     "latest",
     "leader",        "leaderboard", "level",     "likes",     "limit",     "limits",     "link",     "links",
     "list",          "lists",       "local",     "location",  "lock",      "locks",      "log",      "login",
     "logs",          "lookup",      "mail",      "map",       "member",    "members",    "menu",     "message",
     "messages",      "meta",        "metadata",  "metric",    "metrics",   "minute",     "model",    "monthly",
     "name",          "names",       "new",       "node",      "nodes",     "note",       "notes",    "notification",
     "notifications", "object",      "objects",   "offers",    "offset",    "old",        "online",   "option",
     "options",       "order",       "orders",    "outbox",    "output",    "owner",      "page",     "pages",
     "parent",        "part",        "partner",   "parts",     "password",  "path",       "payment",  "payments",
     "pending",       "permissions", "photo",     "photos",    "player",    "players",    "post",     "posts",
     "preferences",   "price",       "prices",    "private",   "processed", "processing", "product",  "products",
     "profile",       "profiles",    "project",   "projects",  "promo",     "public",     "quantity", "query",
     "queue",         "queues",      "quota",     "rank",      "ranking",   "rate",       "rates",    "rating",
     "read",          "recent",      "record",    "records",   "region",    "registry",   "related",  "reply",
     "report",        "reports",     "request",   "requests",  "reset",     "response",   "result",   "results",
     "retry",         "review",      "reviews",   "role",      "roles",     "room",       "rooms",    "route",
     "routes",        "rule",        "rules",     "run",       "running",   "scan",       "schedule", "scheduled",
     "schema",        "score",       "scores",    "search",    "section",   "sent",       "sequence", "server",
     "service",       "services",    "session",   "sessions",  "set",       "sets",       "setting",  "settings",
     "shard",         "shop",        "shopping",  "size",      "slot",      "slots",      "sorted",   "source",
     "stage",         "start",       "state",     "states",    "stats",     "status",     "step",     "stock",
     "store",         "stores",      "stream",    "streams",   "subject",   "summary",    "sync",     "system",
     "table",         "tables",      "tag",       "tags",      "task",      "tasks",      "team",     "teams",
     "temp",          "template",    "text",      "thread",    "threads",   "time",       "timeline", "timestamp",
     "tmp",           "token",       "tokens",    "top",       "topic",     "topics",     "total",    "totals",
     "trace",         "tree",        "type",      "types",     "unread",    "update",     "updated",  "updates",
     "url",           "user",        "users",     "value",     "values",    "version",    "versions", "video",
     "videos",        "view",        "views",     "visitor",   "visits",    "wallet",     "watch",    "web",
     "weekly",        "work",        "worker",    "workers",   "write",     "yearly",     "zone"});
static_assert(std::is_sorted(kSchemaWords.begin(), kSchemaWords.end()));

constexpr std::size_t kShortestFirst = 2, kLongestFirst = 24, kLongestSchemaWord = 16;
constexpr std::size_t kTooManyConsonants = 5;
constexpr std::string_view kKeySeparators = ":/.|#;{}", kNameSeparators = ":/.|#;{}-_";
constexpr auto kSeparates = [] {
  std::array<bool, 256> out{};
  for (const char c : kKeySeparators) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

// Where the next separator stands, or the end.
std::size_t key_separator(std::string_view key, std::size_t at) {
  while (at < key.size() && !kSeparates[static_cast<unsigned char>(key[at])]) ++at;
  return at;
}

constexpr bool key_small(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool key_capital(char c) { return c >= 'A' && c <= 'Z'; }
constexpr char key_lower(char c) { return key_capital(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool key_vowel(char c) {
  const char l = key_lower(c);
  return l == 'a' || l == 'e' || l == 'i' || l == 'o' || l == 'u' || l == 'y';
}

bool schema_word(std::string_view part) {
  if (part.size() > kLongestSchemaWord) return false;
  std::string word(part);
  for (char& c : word) c = key_lower(c);
  return std::binary_search(kSchemaWords.begin(), kSchemaWords.end(), std::string_view(word));
}

// small, CAPITALS or Capital, with vowels as a word has them.
bool like_a_word(std::string_view part) {
  if (part.size() < 2) return false;
  const bool small = std::all_of(part.begin() + 1, part.end(), key_small);
  const bool capitals = std::all_of(part.begin(), part.end(), key_capital);
  if (!capitals && (!small || !(key_small(part[0]) || key_capital(part[0])))) return false;
  std::size_t vowels = 0, consonants = 0;
  for (const char c : part) {
    consonants = key_vowel(c) ? 0 : consonants + 1;
    vowels += key_vowel(c) ? 1 : 0;
    if (consonants == kTooManyConsonants) return false;
  }
  return vowels > 0;
}

// Whether the rule holds for all parts of a segment: what lies between '-', '_' and the changes of case in camelCase.
template <typename Rule>
bool all_parts(std::string_view segment, Rule rule) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= segment.size(); ++i) {
    const bool sign = i == segment.size() || segment[i] == '-' || segment[i] == '_';
    const bool hump = !sign && i > 0 && key_small(segment[i - 1]) && key_capital(segment[i]);
    if (!sign && !hump) continue;
    if (!rule(segment.substr(begin, i - begin))) return false;
    begin = i + (sign ? 1 : 0);
  }
  return true;
}

// An address of mail is no list of segments. The last segment that is cut can go on with its sign.
bool keeps_first(std::string_view key, std::size_t size, bool cut) {
  const char separator = key[size];
  if (separator == '}' || (separator == '.' && cut) || key.find('@') != std::string_view::npos) return false;
  if (key.find_first_not_of(kKeySeparators, size) == std::string_view::npos) return false;
  const std::string_view first = key.substr(0, size);
  return size >= kShortestFirst && size <= kLongestFirst &&
         all_parts(first, [](std::string_view part) { return like_a_word(part) || schema_word(part); });
}

}  // namespace

void mask_key(std::string& key, bool cut) {
  const std::string_view view = key;
  std::size_t end = 0;
  // The rule for the first segment asks for signs that masking overwrites: it comes before all others.
  const std::size_t first_size = key_separator(view, 0);
  const bool first_stays = first_size < view.size() && first_size > 0 && keeps_first(view, first_size, cut);
  for (std::size_t begin = 0; begin < key.size(); begin = end + 1) {
    end = key_separator(view, begin);
    if ((begin == 0 && first_stays) || view.substr(begin, end - begin) == ">") continue;  // NATS: all that follow
    const bool may_go_on = cut && end == view.size();
    if (!may_go_on && end > begin && all_parts(view.substr(begin, end - begin), schema_word)) continue;
    std::fill(key.begin() + static_cast<std::ptrdiff_t>(begin), key.begin() + static_cast<std::ptrdiff_t>(end), '*');
  }
}

void mask_name(std::string& name, bool cut) {
  const std::string_view view = name;
  std::size_t end = 0;
  for (std::size_t begin = 0; begin < name.size(); begin = end + 1) {
    end = view.find_first_of(kNameSeparators, begin);
    if (end == view.npos) end = view.size();
    const std::string_view part = view.substr(begin, end - begin);
    if (!(cut && end == view.size()) && (like_a_word(part) || schema_word(part))) continue;
    std::fill(name.begin() + static_cast<std::ptrdiff_t>(begin), name.begin() + static_cast<std::ptrdiff_t>(end), '*');
  }
}

std::string shown_key(std::string_view masked) {
  std::string shown;
  for (const char c : masked)
    if (c != '*' || !shown.ends_with('*')) shown += c;
  return shown;
}

}  // namespace tailcap::formats::calls
