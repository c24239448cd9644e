// percentile(x, p) in SQL, for builds of SQLite that have none (before 3.47).
#pragma once

struct sqlite3;

namespace tailcap::sql {

// The value below which p per cent (0 to 100) of the numbers lie, linear between the two nearest, as SQLite's own has
// it; NULL where there are none. p is the same in all rows. Throws std::runtime_error.
void add_percentile(sqlite3* database);

}  // namespace tailcap::sql
