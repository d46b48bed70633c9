#pragma once

// Durations, points in time, and the clocks that measure them. Where <mutex> has them, as it has to for waits
// that end, <chrono> would only add calendars and streams, which take a third of its time to compile.
#include <mutex>

#ifndef __GLIBCXX__
#include <chrono>
#endif
