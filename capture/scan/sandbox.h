// Drops privileges before a process reads files of others.
#pragma once

namespace tailcap::capture::scan {

// Takes an identity that nothing else on the machine has, drops all capabilities, and prevents regaining them by
// executing programs; disables memory dumps. The process may still start children. False: it could not give up
// everything, and must not continue.
bool drop_privileges();
// For the opener: keeps the capabilities that opening and attaching need, if this process has them, and no others.
bool keep_opening_privileges();
// For the process that has the kernel measure programs: likewise.
bool keep_measuring_privilege();
// For a child that reads one file: limits memory, time and descriptors, and allows only the system calls for reading
// and answering. This cannot be undone. False: as above.
bool confine();

}  // namespace tailcap::capture::scan
